"""How many rows a table has, before it is read: exactly where that is at hand, else about.

In:  a text table, the engine.
Out: a number; a `Progress` that tells rows where the engine tells percent.

What it does not do: it reads no text file to its end.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rfm_backend.engines.protocol import Engine
from rfm_backend.progress import Progress, Step
from rfm_backend.text_table import TextTable

# Bytes of a character; in UTF-8 it is asked of each cell, and the others have one.
_WIDTHS: Final = {"utf-16": 2, "utf-32": 4}
# A guess that is this near to the sample means that the sample is the whole file, and a header.
_NEAR: Final = 1.2
_HEADER_ROWS: Final = 5


def rows_about(table: TextTable, engine: Engine) -> int:
    """Return how many rows a table has; of a text longer than its sample, about as many."""
    if table.kind != "csv":
        ((counted,),) = engine.rows(f"SELECT count(*) FROM {engine.scan(table, ())}")
        return int(str(counted))
    n_sample = len(table.sample)
    encoding = table.dialect.encoding if table.dialect else "utf-8"
    sample_bytes = sum(_bytes_of(row, encoding) for row in table.sample)
    about = round(table.source_bytes * n_sample / sample_bytes) if sample_bytes else 0
    return about if about > _NEAR * n_sample + _HEADER_ROWS else n_sample


def told_in_rows(progress: Progress, tables: Sequence[TextTable], engine: Engine) -> Progress:
    """Return a `Progress` that tells of so many of about all rows where it is told percent."""
    total = sum(rows_about(table, engine) for table in tables)

    def tell(step: Step) -> None:
        if step.unit == "percent" and total:
            done = total * step.done // (step.total or 100)
            step = replace(step, done=done, total=total, unit="rows")
        progress(step)

    return tell


def _bytes_of(row: Sequence[str | None], encoding: str) -> int:
    """Return how many bytes a row takes, with a delimiter or line end behind each cell."""
    if encoding.startswith("utf-8"):
        return sum(len((cell or "").encode()) + 1 for cell in row)
    width = next((size for name, size in _WIDTHS.items() if encoding.startswith(name)), 1)
    return width * sum(len(cell or "") + 1 for cell in row)
