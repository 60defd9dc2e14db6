"""How an inspection looks on the terminal."""

from rich.text import Text

from rfm_backend.catalogue import words
from rfm_backend.cli.inspection import inspection_lines
from rfm_backend.pipeline.inspect import Inspection, Problem
from rfm_backend.pipeline.mapping.plan import ColumnPlan, DateFormat, NumberFormat, RoleGuess


def plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


def inspection(**changes: object) -> Inspection:
    made = {
        "name": "sales.csv",
        "format": "csv",
        "encoding": "cp1252",
        "delimiter": ";",
        "sheet": None,
        "sheets": (),
        "header_line": 3,
        "columns": ("Kunde", "Datum", "Betrag", "Notiz"),
        "guesses": (
            RoleGuess(role="customer_id", column="Kunde", confidence=0.6,
                      alternatives=(("Notiz", 0.5),)),
            RoleGuess(role="invoice_date", column="Datum", confidence=1.0),
            RoleGuess(role="amount", column="Betrag", confidence=0.97),
            RoleGuess(role="email", column=None, confidence=0.0),
        ),
        "plan": ColumnPlan(
            columns={"customer_id": "Kunde", "invoice_date": "Datum", "amount": "Betrag"},
            numbers={"amount": NumberFormat(decimal=",", has_marks=True, currencies=("EUR",))},
            dates={"invoice_date": DateFormat(order="dmy", evidence="option")},
            level="orders",
            preset="Shopify",
            language="de",
        ),
        "problems": (),
        "first_rows": (("Ann", "31.12.2024", "1,50", None),),
        **changes,
    }  # fmt: skip
    return Inspection(**made)  # type: ignore[arg-type]  # one place builds them from keywords


def test_an_inspection_tells_how_each_column_is_read() -> None:
    page = plain(inspection_lines(inspection(), words("en"), width=100))

    assert page[1] == "csv, cp1252, cells parted by semicolons · header in line 3 · 4 columns"
    assert page[2] == "an export of Shopify · each row is an order · headers in German"
    assert "  customer_id   Kunde    60 %" in page
    assert "    could also be: Notiz 50 %" in page
    assert "  invoice_date  Datum   100 %  day, month, year, as you said" in page
    assert "  amount        Betrag   97 %  decimal comma, in EUR, clear from the values" in page
    assert "  not used: Notiz" in page
    assert "No problems found." in page
    assert not any("email" in line for line in page)


def test_a_sheet_is_named_among_its_sheets() -> None:
    found = inspection(
        format="xlsx", encoding=None, delimiter=None, sheet="Orders",
        sheets=("Orders", "People"), header_line=None,
    )  # fmt: skip

    page = plain(inspection_lines(found, words("en"), width=100))

    assert page[1] == "xlsx · sheet “Orders” · sheets: Orders, People · no header line · 4 columns"


def test_problems_say_rows_line_and_example() -> None:
    problems = (
        Problem(code="no_customer", message="", rows=1200, line=7, example="Kunde = "),
        Problem(code="ragged_row", message="", rows=2),
        Problem(code="ambiguous_numbers", message="Say --decimal.", line=9),
        Problem(code="missing_columns", message="No column tells who."),
    )

    page = plain(inspection_lines(inspection(problems=problems), words("en"), width=100))

    start = page.index("Problems  in the first rows of the file")
    assert page[start + 1 : start + 6] == [
        "  ! no customer: 1,200 rows, the first in line 7",
        "    for example Kunde =",
        "  ! another number of cells than the header: 2 rows",
        "  ! Say --decimal. (line 9)",
        "  ! No column tells who.",
    ]


def test_an_undecided_file_shows_its_guesses() -> None:
    page = plain(inspection_lines(inspection(plan=None), words("en"), width=100))

    assert "  The columns cannot be decided yet; see the problems." in page
    assert any(line.startswith("  amount") for line in page)


def test_a_wide_file_shows_the_columns_that_fit() -> None:
    columns = tuple(f"a long column name {n}" for n in range(40))
    found = inspection(
        columns=columns, guesses=(), plan=None, first_rows=(tuple("x" * 60 for _ in columns),)
    )

    page = inspection_lines(found, words("en"), width=80)

    assert max(line.cell_len for line in page) <= 80
    assert page[-1].plain.endswith("…")
