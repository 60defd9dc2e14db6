"""What a person says about his columns, and the call that it makes."""

from typing import Any

import pytest

from rfm_backend import columns as c
from rfm_backend.errors import InvalidRequest
from rfm_backend.services.choices import Choice, body_of, doubled, found_choice, lacking, unsaid
from rfm_backend.services.looks import Look, SeenColumn, SeenProblem


def look_of(*roles: str, problem: str = "", **changes: Any) -> Look:
    """Return what is seen of a file with a column for each role; a date column is undecided."""
    columns = tuple(
        SeenColumn(
            place=place,
            name=f"Column {place}",
            values=(),
            role=role,
            confidence=1.0,
            texts=("03/04/2024",),
            dates={"dmy": ("2024-04-03 00:00:00",)} if role == c.INVOICE_DATE else {},
            numbers={},
        )
        for place, role in enumerate(roles)
    )
    problems = () if not problem else (SeenProblem(
        code=problem, message="x", rows=None, line=None, example=None, role=None, columns=()
    ),)  # fmt: skip
    values: dict[str, Any] = {
        "format": "csv", "encoding": "utf-8", "delimiter": ",", "sheet": None, "sheets": (),
        "header_line": 1, "level": "lines", "preset": None, "language": None, "currencies": (),
        "date_order": None, "decimal": None, "is_decided": not problem, "rows_about": 1,
        "first_rows": (), **changes,
    }  # fmt: skip
    return Look(columns=columns, problems=problems, **values)


@pytest.mark.parametrize(
    ("roles", "missing"),
    [
        (("customer_id", "invoice_date", "amount"), ()),
        (("customer_id", "invoice_date", "quantity", "unit_price"), ()),
        (("customer_id", "invoice_date", "quantity"), ("unit_price",)),
        (("customer_id", "invoice_date", "unit_price"), ("quantity",)),
        (("customer_id", "invoice_date"), ("amount",)),
        (("email", ""), ("customer_id", "invoice_date", "amount")),
        (("customer_id", "frequency", "monetary", "last_purchase_date"), ()),
        (("customer_id", "frequency", ""), ("monetary", "last_purchase_date")),
    ],
)
def test_what_is_lacking_is_named(roles: tuple[str, ...], missing: tuple[str, ...]) -> None:
    assert lacking(Choice(roles=roles)) == missing


def test_who_changes_nothing_makes_the_call_without_options() -> None:
    look = look_of("customer_id", "invoice_date", "amount")

    assert body_of(found_choice(look), look) == {}


def test_who_changes_a_role_is_taken_at_his_word_for_all() -> None:
    look = look_of("customer_id", "invoice_date", "amount", "status")
    choice = Choice(
        roles=("customer_id", "invoice_date", "amount", ""), date_order="dmy", decimal=","
    )

    body = body_of(choice, look)

    assert (body["date_format"], body["decimal"]) == ("dmy", ",")
    assert body["mapping"] == {
        **dict.fromkeys(c.ROLES, ""),
        "customer_id": "Column 0",
        "invoice_date": "Column 1",
        "amount": "Column 2",
    }


def test_who_leaves_competing_columns_as_they_are_has_chosen_the_first() -> None:
    look = look_of("customer_id", "invoice_date", "amount", "", problem="ambiguous_columns")

    assert "mapping" in body_of(found_choice(look), look)


def test_a_role_for_two_columns_names_both() -> None:
    look = look_of("customer_id", "invoice_date", "amount", "")
    choice = Choice(roles=("customer_id", "invoice_date", "amount", "amount"))

    assert doubled(choice, look) == {"amount": ("Column 2", "Column 3")}


def test_what_only_the_owner_can_say_is_asked_for_until_he_has_said_it() -> None:
    look = look_of("customer_id", "invoice_date", "amount", problem="several_currencies")
    roles = look.roles

    assert unsaid(Choice(roles=roles), look) == ("date_order", "currency")
    assert unsaid(Choice(roles=roles, date_order="dmy", currency="IDR"), look) == ()


@pytest.mark.parametrize("wrong", [{"roles": ("boss",)}, {"date_order": "ydm"}, {"decimal": "'"}])
def test_what_no_page_offers_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        Choice(**{"roles": ("amount",), **wrong})
