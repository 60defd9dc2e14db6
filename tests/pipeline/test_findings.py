"""What a result says about itself: each finding from a file that has just that fault, by hand."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

import rfm_backend
from rfm_backend.catalogue import words
from rfm_backend.output.phrases import phrase_finding
from rfm_backend.result import Result

HEADER = "customer id,invoice,date,amount"


def crowd(count: int = 60) -> list[str]:
    """Return sales of so many customers, all unlike each other."""
    return [
        f"c{n:02d},A{n}-{m},2024-{n % 12 + 1:02d}-{n % 27 + 1:02d},{n * 3 + m}.50"
        for n in range(count)
        for m in range(n % 5 + 1)
    ]


def analyse(
    folder: Path, rows: Sequence[str], *, header: str = HEADER, **options: object
) -> Result:
    path = folder / "sales.csv"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return rfm_backend.segment(path, **options)  # type: ignore[arg-type]  # options by name


def findings_of(
    folder: Path, rows: Sequence[str], *, header: str = HEADER, **options: object
) -> dict[str, Mapping[str, object]]:
    with analyse(folder, rows, header=header, **options) as result:
        for finding in result.summary.findings:
            for language in ("en", "id"):
                assert "{" not in phrase_finding(finding, words(language))
        return {finding.code: finding.values for finding in result.summary.findings}


def test_a_shop_without_a_fault_has_nothing_to_tell(tmp_path: Path) -> None:
    assert findings_of(tmp_path, crowd()) == {}


def test_few_customers(tmp_path: Path) -> None:
    found = findings_of(tmp_path, crowd(49))

    assert found["few_customers"] == {"n_customers": 49, "minimum": 50}


def test_one_customer_who_holds_half(tmp_path: Path) -> None:
    found = findings_of(tmp_path, [*crowd(), "whale,A99,2024-05-05,1000000"])

    assert found["one_customer_holds_half"]["customer_id"] == "whale"
    assert found["one_customer_holds_half"]["amount"] == Decimal(1_000_000)


@pytest.mark.parametrize(("name", "purchases"), [("GUEST", 12), ("till-4", 300)])
def test_an_id_that_many_share(tmp_path: Path, name: str, purchases: int) -> None:
    # A telling name needs a twentieth of all purchases, any other fifty times the middle customer's.
    till = [f"{name},G{n},2024-03-05,1.00" for n in range(purchases)]

    found = findings_of(tmp_path, [*crowd(), *till])

    assert (found["guest_id"]["customer_id"], found["guest_id"]["purchases"]) == (name, purchases)


def test_dates_far_ahead(tmp_path: Path) -> None:
    found = findings_of(tmp_path, [*crowd(), "c01,A99,2042-05-05,1"])

    assert found["dates_far_ahead"]["rows"] == 1
    assert found["dates_far_ahead"]["customer_id"] == "c01"


def test_rows_that_repeat_others(tmp_path: Path) -> None:
    rows = crowd()

    found = findings_of(tmp_path, [*rows, rows[0], rows[0], rows[1]])

    # Row 0 is 0.50, row 1 is 3.50.
    assert found["exact_duplicates"]["rows"] == 3
    assert found["exact_duplicates"]["amount"] == Decimal("4.5")
    assert "exact_duplicates" not in findings_of(tmp_path, [*rows, rows[0]], duplicates="drop")


def test_rows_that_stand_in_several_files(tmp_path: Path) -> None:
    rows = crowd()
    for name, part in (("one.csv", rows), ("two.csv", rows[:10])):
        (tmp_path / name).write_text("\n".join([HEADER, *part, ""]))

    with rfm_backend.segment([tmp_path / "one.csv", tmp_path / "two.csv"]) as result:
        found = {finding.code: finding for finding in result.summary.findings}

    assert found["rows_repeated_across_files"].values["rows"] == 10
    assert found["rows_repeated_across_files"].level == "warning"


def test_many_values_that_cannot_be_read(tmp_path: Path) -> None:
    bad = [f"c{n},B{n},2024-01-05,twelve" for n in range(30)]

    found = findings_of(tmp_path, [*crowd(), *bad])

    assert found["many_unreadable"]["reason"] == "unreadable_amount"
    assert found["many_unreadable"]["rows"] == 30


def test_days_that_are_counted_where_there_is_no_invoice(tmp_path: Path) -> None:
    rows = [f"c{n},2024-01-{n % 27 + 1:02d},{n}.5" for n in range(60)]

    found = findings_of(tmp_path, [*rows, rows[3]], header="customer id,date,amount")

    assert found["days_counted"] == {"rows": 2}


@pytest.mark.parametrize(
    ("offsets", "code"),
    [(("+0700", "+0700"), "written_offsets"), (("+0000", "+0100"), "several_offsets")],
)
def test_offsets_that_were_dropped(tmp_path: Path, offsets: tuple[str, str], code: str) -> None:
    rows = [
        f"c{n:02d},A{n},2024-01-{n % 27 + 1:02d} 10:00:00 {offsets[n % 2]},{n + 1}.5"
        for n in range(60)
    ]

    assert code in findings_of(tmp_path, rows)
    assert code not in findings_of(tmp_path, rows, timezone="Asia/Jakarta")


def test_a_column_taken_without_certainty(tmp_path: Path) -> None:
    # "order date" is part of the header, and its numbers may be serials.
    rows = [f"c{n:02d},{45_000 + n},{n + 1}.5" for n in range(60)]

    found = findings_of(tmp_path, rows, header="customer id,internal order date value,amount")

    assert found["unsure_column"]["option"] == "invoice_date"


def test_everybody_in_one_score_and_one_segment(tmp_path: Path) -> None:
    rows = [f"c{n},A{n},2024-01-05,5" for n in range(60)]

    with analyse(tmp_path, rows) as result:
        codes = [finding.code for finding in result.summary.findings]
        values = [f.values for f in result.summary.findings if f.code == "fewer_clusters"]

    assert codes.count("one_score") == 3
    assert codes.count("one_segment") == 1
    assert codes.count("scores_empty") == 3
    assert values == [{"used": 1, "asked": 5}]


def test_customers_in_several_groups(tmp_path: Path) -> None:
    rows = [f"{row},{'UK' if n % 2 else 'ID'}" for n, row in enumerate(crowd())]

    found = findings_of(tmp_path, rows, header=f"{HEADER},country", by="country")

    # All with two purchases or more: 60 less every fifth.
    assert found["in_several_groups"]["n_customers"] == 48


def test_customers_told_apart_by_their_e_mail(tmp_path: Path) -> None:
    rows = [f"c{n}@example.com,2024-01-{n % 27 + 1:02d},{n}.5" for n in range(60)]

    found = findings_of(tmp_path, rows, header="email,date,amount")

    assert found["customer_by_other_column"] == {"column": "email", "role": "email"}


def test_a_model_that_was_applied(tmp_path: Path) -> None:
    with analyse(tmp_path, crowd()) as fitted:
        model = fitted.model

    found = findings_of(tmp_path, crowd(), model=model)

    assert found["model_applied"]["n_customers"] == 60


def test_warnings_come_before_notes(tmp_path: Path) -> None:
    rows = [f"c{n},2024-01-{n % 27 + 1:02d},{n}.5" for n in range(20)]

    with analyse(tmp_path, rows, header="customer id,date,amount") as result:
        levels = [finding.level for finding in result.summary.findings]

    assert levels == sorted(levels, key=lambda level: level != "warning")
