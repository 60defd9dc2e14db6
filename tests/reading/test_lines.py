"""From the number of a data row to its line in the user's file: counted by hand."""

from pathlib import Path

import pytest

from rfm_backend.progress import no_progress
from rfm_backend.reading.lines import physical_lines
from rfm_backend.reading.source import open_tables
from rfm_backend.text_table import ReadChoices, TextTable


def table_of(folder: Path, text: str) -> TextTable:
    path = folder / "sales.csv"
    path.write_text(text, newline="")
    return open_tables(path, choices=ReadChoices(), workdir=folder, progress=no_progress)[0]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_follow_the_header_line_by_line(tmp_path: Path, end: str) -> None:
    table = table_of(tmp_path, end.join(["a,b", "1,x", "2,y", "3,z", ""]))

    assert physical_lines(table, [1, 3]) == [2, 4]


def test_ragged_and_blank_lines_are_lines_but_no_rows(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,b\n1,x\n\n2,y,extra\n3,z\n4\n5,w\n")

    # The rows are those of 1, 3 and 5.
    assert physical_lines(table, [1, 2, 3]) == [2, 5, 7]


def test_a_cell_of_several_lines_is_one_row(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'a,b\n1,"two\nlines"\n2,y\n3,"three\nmore\nlines"\n4,z\n')

    assert physical_lines(table, [1, 2, 3, 4]) == [2, 4, 5, 8]


def test_a_title_block_is_counted(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'Report of "March",,\n,,\na,b,c\n1,"x",3\n2,y,4\n')

    assert physical_lines(table, [1, 2]) == [4, 5]


def test_no_row_asked_for_is_no_line(tmp_path: Path) -> None:
    assert physical_lines(table_of(tmp_path, "a,b\n1,x\n"), []) == []
