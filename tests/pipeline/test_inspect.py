"""Inspection: what is said of a file before it is read; every expectation is read off the file."""

from pathlib import Path

from rfm_backend import Options, inspect
from rfm_backend.pipeline.inspect import Inspection

ROWS = [f"{1 + n % 7};A{n};{13 + n % 10}.{1 + n % 12:02}.2024;{n},50" for n in range(1, 30)]


def look(
    folder: Path, lines: list[str], options: Options | None = None, codec: str = "utf-8"
) -> Inspection:
    path = folder / "shop.csv"
    path.write_bytes("\n".join(lines).encode(codec))
    before = path.read_bytes()
    found = inspect(path, options=options)
    assert path.read_bytes() == before
    assert [entry.name for entry in folder.iterdir()] == ["shop.csv"]
    return found


def test_encoding_delimiter_header_and_first_rows(tmp_path: Path) -> None:
    lines = ["Verkäufe 2024", "", "Kunde;Rechnung;Rechnungsdatum;Betrag", *ROWS]

    found = look(tmp_path, lines, codec="cp1252")

    assert (found.format, found.encoding, found.delimiter) == ("csv", "cp1252", ";")
    assert found.header_line == 3
    assert found.columns == ("Kunde", "Rechnung", "Rechnungsdatum", "Betrag")
    assert found.first_rows[0] == ("2", "A1", "14.02.2024", "1,50")
    assert len(found.first_rows) == 5
    assert found.problems == ()


def test_roles_date_order_and_decimal_mark(tmp_path: Path) -> None:
    found = look(tmp_path, ["Kunde;Rechnung;Rechnungsdatum;Betrag", *ROWS])

    assert found.plan is not None
    assert found.plan.columns == {
        "customer_id": "Kunde",
        "invoice_id": "Rechnung",
        "invoice_date": "Rechnungsdatum",
        "amount": "Betrag",
    }
    assert found.plan.numbers["amount"].decimal == ","
    assert found.plan.dates["invoice_date"].order == "dmy"
    sure = {guess.role: guess.confidence for guess in found.guesses if guess.column}
    assert all(0.5 < confidence <= 1 for confidence in sure.values())


def test_problems_are_named_with_rows_line_and_example(tmp_path: Path) -> None:
    lines = ["customer,invoice,date,amount", *(f"c{n},A{n},2024-01-{n:02},5" for n in range(1, 29))]
    lines[4] = ",A4,2024-01-04,5"
    lines[9] = "c9,A9,2024-01-09,five"
    lines[12] = "c12,A12,2024-01-12,5,6,7"

    found = look(tmp_path, lines)

    told = {problem.code: problem for problem in found.problems}
    assert {code: (p.rows, p.line) for code, p in told.items()} == {
        "no_customer": (1, 5),
        "unreadable_amount": (1, 10),
        "ragged_row": (1, 13),
    }
    assert "five" in str(told["unreadable_amount"].example)
    assert told["ragged_row"].example == "c12,A12,2024-01-12,5,6,7"


def test_what_cannot_be_decided_is_a_problem_and_not_an_error(tmp_path: Path) -> None:
    lines = [
        "customer,invoice,date,amount",
        *(f"c{n},A{n},0{n}/0{n + 1}/2024,5" for n in range(1, 9)),
    ]

    found = look(tmp_path, lines)

    assert found.plan is None
    (problem,) = found.problems
    assert problem.code == "ambiguous_dates"
    assert "--date-format" in problem.message
    # The columns are shown all the same.
    assert {guess.role for guess in found.guesses if guess.column} >= {"customer_id", "amount"}

    decided = look(tmp_path, lines, Options(date_format="dmy"))
    assert (decided.plan is not None, decided.problems) == (True, ())


def test_a_missing_role_names_the_columns_that_are_there(tmp_path: Path) -> None:
    found = look(tmp_path, ["who,when", *(f"c{n},2024-01-{n:02}" for n in range(1, 20))])

    assert found.plan is None
    assert found.problems[0].code == "missing_columns"
    assert "Its columns: who, when." in found.problems[0].message
    assert "--map customer_id=COLUMN" in found.problems[0].message
