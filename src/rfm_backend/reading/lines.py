"""Where a data row stands in the user's file: from its ordinal to its physical line.

In:  a table, ordinals of data rows from 1, as the engine numbers the rows that it accepts.
Out: line numbers of a text, row numbers of a sheet.

What always holds: blank lines and rows of another width, which the engine does not number, are
counted as lines all the same.
"""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from rfm_backend.text_table import TextTable


def physical_lines(table: TextTable, ordinals: Sequence[int]) -> list[int]:
    """Return the line of each ordinal, in the order given.

    Parameters
    ----------
    table : TextTable
        A text, or a sheet of a workbook.
    ordinals : data rows from 1, in any order
    """
    if table.kind != "csv" or table.dialect is None or table.path is None:
        return [table.first_row_line - 1 + ordinal for ordinal in ordinals]
    if not ordinals:
        return []
    wanted = set(ordinals)
    last = max(wanted)
    rows = (
        _lines_of_records(table, table.path)
        if table.dialect.has_quotes
        else _lines_of_plain_rows(table, table.path)
    )
    found = {
        ordinal: line
        for ordinal, line in enumerate(islice(rows, last), start=1)
        if ordinal in wanted
    }
    return [found.get(ordinal, table.first_row_line - 1 + ordinal) for ordinal in ordinals]


def _lines_of_plain_rows(table: TextTable, path: Path) -> Iterator[int]:
    """Yield the lines of rows without quotes: a row has as many delimiters as columns but one."""
    assert table.dialect is not None
    delimiter = table.dialect.path_delimiter.encode()
    between = len(table.columns) - 1
    with path.open("rb") as stream:
        for line, text in enumerate(stream, start=1):
            if line < table.first_row_line or text.count(delimiter) != between:
                continue
            if between or text.strip(b"\r\n"):
                yield line


def _lines_of_records(table: TextTable, path: Path) -> Iterator[int]:
    assert table.dialect is not None
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        # The lines above the first row may hold quotes of their own.
        begins = table.first_row_line
        for _ in range(table.first_row_line - 1):
            stream.readline()
        reader = csv.reader(stream, delimiter=table.dialect.path_delimiter)
        for cells in reader:
            line, begins = begins, table.first_row_line + reader.line_num
            if len(cells) == len(table.columns):
                yield line
