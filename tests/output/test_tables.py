"""Result files: exact, typed, and no cell a formula.  The expected cells are by hand."""

import csv
import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

import rfm_backend
from rfm_backend.output.cells import safe_text
from rfm_backend.result import Result

EVIL = '=HYPERLINK("http://example.com","click")'
SALES = (
    "customer id,invoice,date,amount,customer name,colour\n"
    f'-1+1|cmd,A1,2024-01-05,1234.567891,"{EVIL.replace(chr(34), chr(34) * 2)}",red\n'
    "00123,A2,2024-01-06,10.10,@ann,\n"
    "00123,A3,2024-02-07,0.20,Ann O'Neil,+blue\n"
    '17850,A4,2024-02-08,5,"two\nlines",green\n'
    "zed,A5,2024-03-01,1e3,Zoë,green\n"
    "yan,A6,2024-03-02,7,,green\n"
)


@pytest.fixture
def result(tmp_path: Path) -> Iterator[Result]:
    source = tmp_path / "sales.csv"
    source.write_text(SALES, encoding="utf-8")
    with rfm_backend.segment(source, n_clusters=2, keep=("colour",)) as found:
        yield found


def test_a_csv_is_exact_and_no_text_of_it_is_a_formula(result: Result, tmp_path: Path) -> None:
    result.to_csv(tmp_path / "out.csv")

    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["customer_id"]: row for row in csv.DictReader(file)}

    assert rows["'-1+1|cmd"]["monetary"] == "1234.567891"
    assert rows["'-1+1|cmd"]["customer_name"] == f"'{EVIL}"
    assert rows["00123"]["monetary"] == "10.3"
    # The latest value of each: the name and the colour of 7 February.
    assert rows["00123"]["customer_name"] == "Ann O'Neil"
    assert rows["00123"]["colour"] == "'+blue"
    assert rows["00123"]["first_purchase_date"] == "2024-01-06"
    assert rows["zed"]["monetary"] == "1000"
    assert rows["yan"]["customer_name"] == ""


def test_a_workbook_keeps_ids_text_numbers_numbers_and_formulas_out(
    result: Result, tmp_path: Path
) -> None:
    result.to_excel(tmp_path / "out.xlsx")

    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    header, *rows = book["customers"].iter_rows()
    places = {cell.value: place for place, cell in enumerate(header)}
    by_id = {row[0].value: row for row in rows}

    assert {cell.data_type for row in rows for cell in row} <= {"s", "n", "d"}
    assert by_id["-1+1|cmd"][places["customer_name"]].value == EVIL
    assert by_id["-1+1|cmd"][places["customer_name"]].data_type == "s"
    assert by_id["00123"][places["monetary"]].value == 10.3
    assert by_id["00123"][places["last_purchase_date"]].value == dt.datetime(2024, 2, 7)  # noqa: DTZ001  # a cell has no zone
    assert by_id["17850"][0].data_type == "s"


def test_parquet_is_typed_and_holds_what_the_file_said(result: Result, tmp_path: Path) -> None:
    result.to_parquet(tmp_path / "out.parquet")

    rows = duckdb.read_parquet(str(tmp_path / "out.parquet"))

    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    assert types["customer_id"] == "VARCHAR"
    assert types["monetary"] == "DECIMAL(38,12)"
    assert types["last_purchase_date"] == "DATE"
    found = rows.filter("customer_id = '-1+1|cmd'").select("monetary, customer_name").fetchall()
    assert found == [(Decimal("1234.567891000000"), EVIL)]


def test_json_has_exact_amounts_summary_and_model(result: Result, tmp_path: Path) -> None:
    result.to_json(tmp_path / "out.json")

    told = json.loads((tmp_path / "out.json").read_text("utf-8"), parse_float=Decimal)

    by_id = {row["customer_id"]: row for row in told["customers"]}
    assert by_id["-1+1|cmd"]["monetary"] == Decimal("1234.567891")
    assert by_id["17850"]["customer_name"] == "two\nlines"
    assert by_id["yan"]["customer_name"] is None
    assert told["summary"]["quality"]["rows_kept"] == 6
    assert told["model"]["n_customers"] == 5


def test_the_model_stands_beside_the_result(result: Result, tmp_path: Path) -> None:
    result.to_csv(tmp_path / "out.csv")

    assert rfm_backend.read_model(tmp_path / "out.model.json") == result.model


@pytest.mark.parametrize(
    "text",
    ["=1", "+1", "-1", "@SUM(A1)", "|x", "%x", "\t=1", "\r=1", "\n=1", "\x00=1", " =1", "'=1", '"=1', "＝1", "＋1", "－1", "＠x"],
)  # fmt: skip
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ann", "O'Neil", "a=b", "1-2", "Zoë", "00123"])
def test_an_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe_text(text) == text


def test_rows_set_aside_are_written_with_file_line_and_reason(tmp_path: Path) -> None:
    source = tmp_path / "sales.csv"
    source.write_text(
        "customer id,invoice,date,amount\n"
        "ann,A1,2024-01-05,1\n"
        ",A2,2024-01-05,=2\n"
        "bob,A3,yesterday,3\n"
        "cai,A4,2024-01-05,4,too,wide\n"
        "dee,A5,2024-01-06,-5\n"
    )
    with rfm_backend.segment(source, n_clusters=2) as result:
        result.write_set_aside(tmp_path / "aside.csv")

    with (tmp_path / "aside.csv").open(encoding="utf-8", newline="") as file:
        rows = [list(row) for row in csv.reader(file)]
    assert rows == [
        ["file", "line", "reason", "customer id", "invoice", "date", "amount"],
        ["sales.csv", "3", "no_customer", "", "A2", "2024-01-05", "'=2"],
        ["sales.csv", "4", "unreadable_date", "bob", "A3", "yesterday", "3"],
        ["sales.csv", "5", "ragged_row", "cai,A4,2024-01-05,4,too,wide", "", "", ""],
        ["sales.csv", "6", "amount_not_positive", "dee", "A5", "2024-01-06", "'-5"],
    ]


def test_many_ragged_rows_are_written_as_well(tmp_path: Path) -> None:
    source = tmp_path / "sales.csv"
    wide = "cai,A4,2024-01-05,4,too,wide\n" * 20_000
    good = "ann,A1,2024-01-05,1\n" * 30_000
    source.write_text(f"customer id,invoice,date,amount\n{good}{wide}")

    with rfm_backend.segment(source, n_clusters=2) as result:
        result.write_set_aside(tmp_path / "aside.csv")

    assert (tmp_path / "aside.csv").read_text("utf-8").count("ragged_row") == 20_000
