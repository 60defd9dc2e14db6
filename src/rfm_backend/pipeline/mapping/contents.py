"""What a column's values look like, from the first rows of the file.

In:  the sample of a `TextTable`.
Out: `Contents`, one per column.

What always holds: shares are of the cells that are not blank; a column without any has zeros.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rfm_backend.pipeline.mapping.date_format import looks_like_date
from rfm_backend.pipeline.mapping.numbers import looks_like_number
from rfm_backend.text_table import TextTable

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?\s*([AaPp][Mm])?")


@dataclass(frozen=True, kw_only=True)
class Contents:
    """How much of a column is filled, and what its filled cells are."""

    filled: float
    dates: float
    times: float
    numbers: float
    emails: float
    fractions: float
    distinct: float
    length: float


def contents_of(table: TextTable) -> Mapping[str, Contents]:
    """Return column name -> what the sample shows of it."""
    return {
        name: _look_at([row[place] for row in table.sample])
        for place, name in enumerate(table.columns)
    }


def _look_at(cells: list[str | None]) -> Contents:
    texts = [cell.strip() for cell in cells if cell and cell.strip()]
    if not texts:
        return Contents(
            filled=0, dates=0, times=0, numbers=0, emails=0, fractions=0, distinct=0, length=0
        )
    total = len(texts)

    def share(matching: int) -> float:
        return matching / total

    return Contents(
        filled=total / len(cells),
        dates=share(sum(looks_like_date(text) for text in texts)),
        times=share(sum(_TIME.fullmatch(text) is not None for text in texts)),
        numbers=share(sum(looks_like_number(text) for text in texts)),
        emails=share(sum(_EMAIL.fullmatch(text) is not None for text in texts)),
        fractions=share(sum("." in text or "," in text for text in texts)),
        distinct=len(set(texts)) / total,
        length=sum(map(len, texts)) / total,
    )
