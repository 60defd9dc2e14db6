"""Workbooks: cells as a person would write them, and the guard that looks before anything is opened."""

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from make import read_rows

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.errors import RfmError, UnreadableFile, UnsafeFile
from rfm_backend.text_table import ReadChoices

HEADER: list[object] = ["who", "day", "sum"]


def workbook(path: Path, *sheets: tuple[str, list[list[object]]], **options: object) -> Path:
    """Write sheets of rows, dates formatted as dates."""
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yyyy", **options}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                sheet.write_row(row, 0, cells)
    return path


def test_numbers_and_dates_are_text_as_a_person_writes_them(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = workbook(
        tmp_path / "sales.xlsx",
        (
            "Sales",
            [
                HEADER,
                [17850.0, dt.datetime(2010, 12, 1, 8, 26), 15.3],  # noqa: DTZ001  # a cell has no zone
                ["00123", dt.date(2011, 1, 5), 1e15],
                ["C-7", dt.date(2011, 1, 6), 0.1 + 0.2],
            ],
        ),
    )

    table, found = read_rows(engine, path)

    assert (table.name, table.sheet, table.format) == ("sales.xlsx [Sales]", "Sales", "xlsx")
    assert found == [
        ("17850", "2010-12-01 08:26:00", "15.3"),
        ("00123", "2011-01-05 00:00:00", "1000000000000000"),
        # 15 significant digits, as a spreadsheet shows at most.
        ("C-7", "2011-01-06 00:00:00", "0.3"),
    ]


def test_the_first_sheet_with_a_table_is_read_unless_one_is_named(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = workbook(
        tmp_path / "sales.xlsx",
        ("Cover", []),
        ("Orders", [HEADER, ["ann", dt.date(2024, 1, 5), 1]]),
        ("Returns", [HEADER, ["bob", dt.date(2024, 1, 6), 2]]),
    )

    first, _ = read_rows(engine, path)
    named, rows = read_rows(engine, path, choices=ReadChoices(sheet=" returns "))

    assert first.sheet == "Orders"
    assert first.sheets == ("Cover", "Orders", "Returns")
    assert (named.sheet, rows[0][0]) == ("Returns", "bob")


def test_a_sheet_that_there_is_not_is_refused_with_those_there_are(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "sales.xlsx", ("Orders", [HEADER, ["ann", "2024-01-05", 1]]))

    with pytest.raises(UnreadableFile, match=r"no sheet 'Orderz'\. Its sheets: Orders"):
        read_rows(engine, path, choices=ReadChoices(sheet="Orderz"))


def test_title_blocks_and_blank_columns_are_left_out(engine: DuckDBEngine, tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Sales of March"],
        [],
        ["who", None, "day", "sum"],
        ["ann", None, "2024-01-05", 1],
        ["bob", None, "2024-02-05", 2],
    ]
    path = workbook(tmp_path / "sales.xlsx", ("S", rows))

    table, found = read_rows(engine, path)

    assert table.columns == ("who", "day", "sum")
    assert table.first_row_line == 4
    assert found == [("ann", "2024-01-05", "1"), ("bob", "2024-02-05", "2")]


def test_serials_of_the_1904_system_are_told(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "mac.xlsx", ("S", [HEADER, ["ann", dt.date(2024, 1, 5), 1]]), date_1904=True
    )

    table, found = read_rows(engine, path)

    assert table.epoch_1904
    assert found[0][1] == "2024-01-05 00:00:00"


def test_the_value_a_formula_was_saved_with_is_read(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["ann", "2024-01-05"])
        sheet.write_formula(1, 2, "=2*6.25", None, 12.5)

    assert read_rows(engine, path)[1] == [("ann", "2024-01-05", "12.5")]


def test_an_old_workbook_of_another_program_is_read(
    data_dir: Path, engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes((data_dir / "variety" / "superstore_legacy.xls").read_bytes())

    table, found = read_rows(engine, path)

    # The README beside the data: three sheets, 9,994 lines in the first.
    assert table.sheets == ("Orders", "Returns", "People")
    assert len(found) == 9_994


def sheet_xml(cells: str, *, before: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/'
        f'spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>'
    )


def with_sheet(path: Path, xml: str) -> Path:
    """Make a workbook and put another sheet in the place of its own."""
    plain = path.with_suffix(".plain")
    book = openpyxl.Workbook()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            is_sheet = entry.filename == "xl/worksheets/sheet1.xml"
            new.writestr(entry.filename, xml if is_sheet else old.read(entry.filename))
    return path


ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>who</t></is></c></row>'


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (sheet_xml(ROW + '<row r="2"><c r="XFD2"><v>1</v></c></row>'), "column 16,384"),
        (
            sheet_xml(ROW + '<row r="1048576"><c r="ZZ1048576"><v>1</v></c></row>'),
            "spreads 2 cells over 1,048,576 rows and 702 columns",
        ),
        (sheet_xml(ROW, before="<!DOCTYPE x [<!ENTITY a 'b'>]>"), "declares XML entities"),
        (sheet_xml(ROW + " " * (70 * 1024**2)), "more than 50 times its size"),
    ],
    ids=["far right", "far below", "entities", "bomb"],
)
def test_a_hostile_sheet_is_refused_before_it_is_opened(
    engine: DuckDBEngine, tmp_path: Path, xml: str, message: str
) -> None:
    path = with_sheet(tmp_path / "hostile.xlsx", xml)

    with pytest.raises(UnsafeFile, match=message):
        read_rows(engine, path)


def test_a_sheet_too_wide_whose_cells_name_no_place_is_refused_too(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    row = '<row r="1">' + "<c><v>1</v></c>" * 1_025 + "</row>"
    path = with_sheet(tmp_path / "hostile.xlsx", sheet_xml(row))

    with pytest.raises(UnsafeFile, match="column 1,025"):
        read_rows(engine, path)


def test_a_far_cell_that_two_chunks_share_is_seen(engine: DuckDBEngine, tmp_path: Path) -> None:
    # The guard reads 4 MiB at a time: the reference begins before that border and ends behind it.
    head = sheet_xml("@").split("@", maxsplit=1)[0]
    filler = " " * (4 * 1024**2 - len(head) - 12)
    path = with_sheet(
        tmp_path / "hostile.xlsx",
        sheet_xml(filler + '<row r="2"><c r="XFD2"><v>1</v></c></row>'),
    )

    with pytest.raises(UnsafeFile, match="column 16,384"):
        read_rows(engine, path)


@pytest.mark.parametrize("keep", [0.2, 0.6, 0.98])
def test_a_truncated_workbook_is_damaged(engine: DuckDBEngine, tmp_path: Path, keep: float) -> None:
    path = workbook(tmp_path / "sales.xlsx", ("S", [HEADER, ["ann", "2024-01-05", 1]]))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])

    with pytest.raises(RfmError, match="damaged"):
        read_rows(engine, path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "last", [100_000, pytest.param(1_048_575, marks=pytest.mark.security_long)]
)
def test_a_sheet_passes_up_to_the_most_rows_that_one_can_have(
    engine: DuckDBEngine, tmp_path: Path, last: int
) -> None:
    path = tmp_path / "full.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [*HEADER, "a", "b", "c", "d", "e"])
        for row in range(1, last + 1):
            sheet.write_row(row, 0, (row, 40_000, 1.5, 2, 3, 4, 5, 6))

    _, found = read_rows(engine, path)

    assert len(found) == last
    assert found[-1] == (str(last), "40000", "1.5", "2", "3", "4", "5", "6")
