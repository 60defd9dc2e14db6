"""What reading hands on: a file as the engine can scan it, every column text.

In:  nothing; these are the values that `reading` makes and `engines` and `pipeline.mapping` use.
Out: `TextTable`, one per sheet, member or file.

What always holds: column names are unique and non-empty; the sample holds text or None; a blank
cell is None; numbers of a workbook are written with at most 15 significant digits, whole ones
without ".0"; its dates as "YYYY-MM-DD HH:MM:SS".
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class ReadChoices:
    """What the caller decided instead of leaving it to be found: None means "find it"."""

    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a text file is cut into cells.

    ``encoding`` is that of the user's file.  ``header_line`` is the physical line (from 1) of the
    header, None where there is none.  ``skip_lines`` counts the lines of ``path`` that come before
    the header (or before the first row where there is none).  ``path_delimiter`` is what stands in
    ``path``: it differs from ``delimiter`` where runs of blanks were rewritten as tabs.
    ``has_quotes`` is False where no quote character occurs in the whole file.
    """

    encoding: str
    delimiter: str
    path_delimiter: str
    quote: str = '"'
    escape: str = '"'
    header_line: int | None = 1
    skip_lines: int = 0
    has_quotes: bool = True


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """One table of a user's file, ready to be scanned; every column is text.

    Attributes
    ----------
    name : str
        What a person calls it: "sales.csv", "sales.xlsx [Orders]", "year.zip/march.csv".
    kind : "csv", "parquet" or "frame"
        How the engine scans it: ``path`` as CSV by ``dialect``, ``path`` as Parquet, or ``frame``
        (a pandas, Polars or Arrow table, or a DuckDB relation).
    path : Path or None
        The user's own file where it can be scanned as it is, else a copy in the work folder.
    columns : tuple of str
        Names as in the header, made unique ("Amount", "Amount_2"); "column1".. without a header.
    sample : tuple of rows
        The first rows (at most 1,000), each as long as ``columns``.
    first_row_line : int
        Where the first data row stands in the user's file: a physical line of a CSV, a row number
        of a sheet.
    sheet, sheets
        The sheet read and all sheets of the workbook; None and () elsewhere.
    epoch_1904 : bool
        Whether serial dates of this workbook count from 1904.
    source_bytes : int
        Size of the user's file, for progress.
    skip_rows : int
        How many rows of ``path`` (kind "parquet") stand above the first data row.
    stored_columns : tuple of str
        What the columns are called in ``path``, where that differs from ``columns``; else empty.
    location : str
        The address or folder that a cluster reads by itself; then there is no ``path``.
    format : str
        "csv", "xlsx", "xls", "xlsb", "ods", "parquet" or "frame".
    has_header : bool
        Whether ``columns`` stood in the file.
    """

    name: str
    kind: Literal["csv", "parquet", "frame"]
    format: str
    columns: tuple[str, ...]
    sample: tuple[tuple[str | None, ...], ...]
    path: Path | None = None
    frame: object | None = None
    dialect: Dialect | None = None
    has_header: bool = True
    first_row_line: int = 2
    sheet: str | None = None
    sheets: tuple[str, ...] = field(default=())
    epoch_1904: bool = False
    source_bytes: int = 0
    skip_rows: int = 0
    stored_columns: tuple[str, ...] = ()
    location: str = ""


def is_far(location: str) -> bool:
    """Tell whether a location is an address and no path of this machine."""
    return "://" in location and not location.startswith("file://")
