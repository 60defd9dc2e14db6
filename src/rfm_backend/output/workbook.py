"""Results as XLSX: ids stay text, amounts are numbers, days are days, nothing is a formula."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from rfm_backend.engines.protocol import Engine
from rfm_backend.errors import TooManyRows

# A sheet's rows, less the header.
MOST_ROWS: Final = 1_048_575
_BATCH: Final = 50_000


def check_fits(n_rows: int, *, most_rows: int = MOST_ROWS) -> None:
    """Refuse more customers than a sheet has rows.

    Raises
    ------
    TooManyRows
        There are more.
    """
    if n_rows > most_rows:
        raise TooManyRows(
            f"There are {n_rows:,} customers, and a sheet holds {most_rows:,}. Write CSV or Parquet instead.",
            option="out",
            n_rows=n_rows,
            most_rows=most_rows,
        )


def write_workbook(
    engine: Engine,
    columns: Sequence[str],
    rows_sql: str,
    path: Path,
    *,
    most_rows: int = MOST_ROWS,
) -> None:
    """Write the customers as the only sheet of a workbook.

    Raises
    ------
    TooManyRows
        More customers than a sheet has rows; nothing is written.
    """
    # Only who writes a workbook waits for it.
    import xlsxwriter

    ((count,),) = engine.rows(f"SELECT count(*) FROM ({rows_sql})")
    check_fits(int(str(count)), most_rows=most_rows)
    book = xlsxwriter.Workbook(
        str(path),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet("customers")
    header = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, name in enumerate(columns):
        sheet.write_string(0, column, name, header)
    sheet.freeze_panes(1, 1)
    place = 1
    while place <= int(str(count)):
        rows = engine.rows(f"{rows_sql} LIMIT {_BATCH} OFFSET {place - 1}")
        for row in rows:
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(place, column, cell)
                elif isinstance(cell, dt.date):
                    sheet.write_datetime(place, column, cell, day)
                elif isinstance(cell, int | float | Decimal):
                    sheet.write_number(place, column, float(cell))
            place += 1
    book.close()
