"""What the child does with a workbook: reads one sheet and writes its table as Parquet.

In:  a path, the sheet wanted or None, where to write.
Out: a description of the table as JSON values; the Parquet file.

What always holds: rows keep their order and their number, blank ones too.

What it does not do: it trusts nothing it reads and is run by `workbook` with limits on memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import fastexcel

from rfm_backend.engines.parquet import read_rows, write_sheet
from rfm_backend.errors import UnreadableFile
from rfm_backend.reading.sniff import SAMPLE_ROWS, clean_rows, name_columns, split_header
from rfm_backend.reading.workbook_guard import check_columns

_HEAD_ROWS: Final = 200


@dataclass(frozen=True)
class _Found:
    """A sheet with a table in it: its header, how many rows stand above the data, its columns."""

    has_header: bool
    skip_rows: int
    columns: tuple[str, ...]
    stored: tuple[str, ...]


def read_sheet(
    path: str, name: str, target: str, sheet: str | None, folder: str
) -> dict[str, object]:
    """Write one sheet to `target`, every row and cell, and return where the table in it is."""
    try:
        reader = fastexcel.read_excel(path)
    except fastexcel.FastExcelError as error:
        raise _unreadable(name, str(error)) from error
    sheets = list(reader.sheet_names)
    for candidate in _candidates(name, sheets, sheet):
        try:
            loaded = reader.load_sheet(candidate, header_row=None, skip_rows=0, dtypes="string")
        except fastexcel.FastExcelError as error:
            if sheet is None and len(sheets) > 1:
                continue
            raise _unreadable(name, str(error)) from error
        if not loaded.width or not loaded.height:
            continue
        check_columns(loaded.width, name)
        names = [column.name for column in loaded.available_columns()]
        write_sheet(loaded, names, Path(target), folder=Path(folder))
        found = _find_table(Path(target), name)
        if found is not None:
            return {
                "sheet": candidate,
                "sheets": sheets,
                "has_header": found.has_header,
                "skip_rows": found.skip_rows,
                "columns": found.columns,
                "stored": found.stored,
                "sample": read_rows(
                    Path(target), found.stored, limit=SAMPLE_ROWS, offset=found.skip_rows
                ),
            }
    raise UnreadableFile(
        f"{name} has no table: {'this sheet is' if sheet else 'its sheets are'} empty.", file=name
    )


def _candidates(name: str, sheets: list[str], sheet: str | None) -> Iterator[str]:
    if sheet is None:
        yield from sheets
        return
    same = [other for other in sheets if other.strip().casefold() == sheet.strip().casefold()]
    if not same:
        raise UnreadableFile(
            f"{name} has no sheet {sheet!r}. Its sheets: {', '.join(sheets)}.",
            file=name,
            sheets=", ".join(sheets),
        )
    yield sheet if sheet in same else same[0]


def _find_table(target: Path, name: str) -> _Found | None:
    """Find the header below a title block, among the first rows that are not blank."""
    head = clean_rows(read_rows(target, limit=_HEAD_ROWS))
    filled = [(place, row) for place, row in enumerate(head) if any(row)]
    if not filled:
        return None
    rows = [row for _, row in filled]
    header_place, below = split_header(rows)
    header = rows[header_place] if header_place is not None else None
    skip_rows = filled[header_place][0] + 1 if header_place is not None else filled[0][0]
    used = [
        column
        for column in range(len(rows[0]))
        if (header and header[column]) or any(row[column] for row in below)
    ]
    shown = name_columns([header[column] for column in used] if header else None, len(used), name)
    return _Found(
        has_header=header is not None,
        skip_rows=skip_rows,
        columns=shown,
        stored=tuple(f"c{column}" for column in used),
    )


def _unreadable(name: str, why: str) -> UnreadableFile:
    if "password" in why.lower() or "encrypt" in why.lower():
        return UnreadableFile(
            f"{name} is protected by a password. Save it without one and try again.",
            file=name,
            reason="password",
        )
    return UnreadableFile(
        f"{name} is a damaged workbook, or none. Open it in a spreadsheet and save it again.",
        file=name,
    )
