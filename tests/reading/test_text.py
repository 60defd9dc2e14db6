"""Text files: encodings, line ends, dialects, headers; what is read is what a person would see."""

from pathlib import Path

import pytest
from make import read_rows

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.errors import InvalidOption, UnreadableFile, UnsafeFile
from rfm_backend.text_table import ReadChoices

HEADER = "name,town,amount"
ROWS = [("Zoë", "Curaçao", "1.50"), ("Žofie", "Łódź", "2.25")]
WESTERN = [("Zoë", "Curaçao", "1.50"), ("José", "España", "2.25")]


def written(rows: list[tuple[str, str, str]], *, end: str = "\n") -> str:
    return end.join([HEADER, *(",".join(row) for row in rows)]) + end


@pytest.mark.parametrize(
    ("codec", "shown", "rows"),
    [
        ("utf-8", "utf-8", ROWS),
        ("utf-8-sig", "utf-8-sig", ROWS),
        ("utf-16", "utf-16", ROWS),
        ("utf-16-le", "utf-16-le", WESTERN),
        ("utf-16-be", "utf-16-be", WESTERN),
        ("utf-32", "utf-32", ROWS),
        ("cp1252", "cp1252", WESTERN),
    ],
)
def test_an_encoding_is_found_by_itself(
    engine: DuckDBEngine, tmp_path: Path, codec: str, shown: str, rows: list[tuple[str, str, str]]
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(written(rows, end="\r\n").encode(codec))

    table, found = read_rows(engine, path)

    assert found == rows
    assert table.columns == ("name", "town", "amount")
    assert table.dialect is not None
    assert table.dialect.encoding == shown


def test_bytes_that_windows_1252_leaves_out_make_it_latin_1(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(b"name,amount\nJos\xe9\x81,1\n")

    table, found = read_rows(engine, path)

    assert found == [("José\x81", "1")]
    assert table.dialect is not None
    assert table.dialect.encoding == "latin-1"


@pytest.mark.parametrize("codec", ["cp1250", "cp1251", "shift_jis", "utf-7"])
def test_any_codec_can_be_named(engine: DuckDBEngine, tmp_path: Path, codec: str) -> None:
    text = {"cp1250": "Žofie", "cp1251": "Софья", "shift_jis": "ソフィー", "utf-7": "Žofie"}[codec]
    path = tmp_path / "sales.csv"
    path.write_bytes(f"name,amount\r\n{text},1\r\n".encode(codec))

    _, found = read_rows(engine, path, choices=ReadChoices(encoding=codec))

    assert found == [(text, "1")]


def test_a_codec_that_there_is_not_is_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("name,amount\nann,1\n")

    with pytest.raises(InvalidOption, match="no text encoding 'klingon'"):
        read_rows(engine, path, choices=ReadChoices(encoding="klingon"))


def test_a_byte_that_is_no_character_of_the_named_codec_is_told_with_its_line(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(b"name,amount\nann,1\nbob\x81,2\n")

    with pytest.raises(UnreadableFile, match=r"sales\.csv, line 3: not readable as cp1252"):
        read_rows(engine, path, choices=ReadChoices(encoding="cp1252"))


def test_a_nul_byte_is_refused_with_its_line(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(b"name,amount\n" + b"ann,1\n" * 1000 + b"bob\x00,2\n")

    with pytest.raises(UnreadableFile, match=r"sales\.csv, line 1002: there is a NUL byte"):
        read_rows(engine, path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_any_line_end_is_one(engine: DuckDBEngine, tmp_path: Path, end: str) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(written(ROWS, end=end).encode())

    assert read_rows(engine, path)[1] == ROWS


def test_line_ends_of_several_kinds_are_all_ends(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    # More than one chunk of a megabyte, with a CRLF that the border of two chunks cuts.
    head = b"a,b,c\r\n"
    filler = b"1,2,3\n" * ((1024 * 1024 - len(head)) // 6 - 1)
    rest = b"4,5," + b"6" * (1024 * 1024 - len(head) - len(filler) - 5) + b"\r\n7,8,9\r10,11,12\n"
    path.write_bytes(head + filler + rest)

    _, found = read_rows(engine, path)

    assert len(found) == len(filler) // 6 + 3
    assert found[-2:] == [("7", "8", "9"), ("10", "11", "12")]


@pytest.mark.parametrize(
    ("delimiter", "named"), [(",", ","), (";", ";"), ("\t", "\t"), ("|", "|"), ("   ", " ")]
)
def test_a_delimiter_is_found_by_itself(
    engine: DuckDBEngine, tmp_path: Path, delimiter: str, named: str
) -> None:
    path = tmp_path / "sales.txt"
    rows = [("ann", "2024-01-05", "12.50"), ("bob", "2024-02-06", "7.00")]
    path.write_text("".join(delimiter.join(row) + "\n" for row in [("who", "day", "sum"), *rows]))

    table, found = read_rows(engine, path)

    assert found == rows
    assert table.dialect is not None
    assert table.dialect.delimiter == named


def test_a_decimal_comma_does_not_pass_for_a_delimiter(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("who;day;sum\nann;05/01/2024;12,50\nbob;06/02/2024;7,00\n")

    assert read_rows(engine, path)[1][0] == ("ann", "05/01/2024", "12,50")


def test_a_line_of_excel_names_the_delimiter(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("sep=|\nwho|sum\nann|1,5\n")

    table, found = read_rows(engine, path)

    assert (table.columns, found) == (("who", "sum"), [("ann", "1,5")])


def test_quotes_hold_delimiters_line_ends_and_quotes(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text('who,note,sum\n"Okafor, Chidi","two\nlines","1"\nbob,"12"" pipe",2\n')

    assert read_rows(engine, path)[1] == [
        ("Okafor, Chidi", "two\nlines", "1"),
        ("bob", '12" pipe', "2"),
    ]


def test_a_blank_cell_is_null_quoted_or_not(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text('who,note,sum\nann,,1\nbob,"",2\n')

    assert [row[1] for row in read_rows(engine, path)[1]] == [None, None]


def test_a_header_below_a_title_block_is_found(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(
        "Sales report,,\nJanuary to March,,\n,,\nwho,day,sum\nann,2024-01-05,1\nbob,2024-02-01,2\n"
    )

    table, found = read_rows(engine, path)

    assert table.columns == ("who", "day", "sum")
    assert table.first_row_line == 5
    assert found == [("ann", "2024-01-05", "1"), ("bob", "2024-02-01", "2")]


def test_a_file_without_a_header_has_numbered_columns(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("17,2024-01-05,1.50\n18,2024-02-01,2.50\n19,2024-02-01,2.50\n")

    table, found = read_rows(engine, path)

    assert not table.has_header
    assert table.columns == ("column1", "column2", "column3")
    assert len(found) == 3


def test_column_names_are_made_unique_without_regard_to_case(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("who,Amount,amount,\nann,1,2,x\n")

    assert read_rows(engine, path)[0].columns == ("who", "Amount", "amount_2", "column4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: it has no bytes"),
        (b"\n\n  \n", "has no rows"),
        (b"\x89PNG\r\n\x1a\n0000", "a PNG picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"<!doctype html><html><table>", "a web page or XML"),
        (b"SQLite format 3\x00", "an SQLite database"),
        (b"who,sum\n" + b"\x01\x02\x03\x04" * 50, "binary data"),
    ],
)
def test_what_is_no_table_is_refused_by_what_it_is(
    engine: DuckDBEngine, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=message):
        read_rows(engine, path)


def test_more_columns_than_a_table_has_are_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(",".join(f"c{n}" for n in range(1025)) + "\n" + ",".join("1" * 1025) + "\n")

    with pytest.raises(UnsafeFile, match="1,025 columns"):
        read_rows(engine, path)


def test_the_users_file_is_scanned_in_place_and_never_changed(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv"
    plain.write_bytes(written(ROWS).encode())
    other.write_bytes(written(WESTERN, end="\r\n").encode("cp1252"))
    before = other.read_bytes()

    assert read_rows(engine, plain)[0].path == plain
    assert read_rows(engine, other)[0].path != other
    assert other.read_bytes() == before
