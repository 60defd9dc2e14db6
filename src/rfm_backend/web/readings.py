"""The first values of a file in the reader's own form, as an analysis with his choice would read them.

In:  a `Look`, a `Choice`, the words of a language.
Out: `ShownReading`, one per column that has a date or a number to give.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rfm_backend import columns as c
from rfm_backend.catalogue import Words
from rfm_backend.services.choices import Choice
from rfm_backend.services.looks import Look, SeenColumn

_READ_DATE = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, kw_only=True)
class ShownReading:
    """A column: (as written, as read) of its first values, "" where one cannot be read.

    ``state`` is "read"; "undecided" where both readings fit; "other" where its values look like
    something else.
    """

    role: str
    column: str
    kind: Literal["date", "number"]
    state: Literal["read", "undecided", "other"]
    pairs: tuple[tuple[str, str], ...] = ()


def shown_readings(look: Look, choice: Choice, words: Words) -> list[ShownReading]:
    """Return how the first values of the date and number columns would be read."""
    found = []
    for role, column in zip(choice.roles, look.columns, strict=True):
        if role in c.DATE_ROLES:
            found.append(_shown(role, column, column.dates, choice.date_order, words))
        elif role in c.NUMBER_ROLES:
            found.append(_shown(role, column, column.numbers, choice.decimal, words))
    return found


def _shown(
    role: str,
    column: SeenColumn,
    values: Mapping[str, tuple[str | None, ...]],
    chosen: str,
    words: Words,
) -> ShownReading:
    kind: Literal["date", "number"] = "date" if role in c.DATE_ROLES else "number"
    if not values:
        return ShownReading(role=role, column=column.name, kind=kind, state="other")
    if chosen not in values:
        return ShownReading(role=role, column=column.name, kind=kind, state="undecided")
    say = _date_in_words if kind == "date" else _number_in_words
    pairs = tuple(
        (text, "" if read is None else say(read, words))
        for text, read in zip(column.texts, values[chosen], strict=True)
    )
    return ShownReading(role=role, column=column.name, kind=kind, state="read", pairs=pairs)


def _date_in_words(read: str, words: Words) -> str:
    moment = dt.datetime.strptime(read[:19], _READ_DATE)  # noqa: DTZ007  # the shop's clock
    clock = f", {moment:%H:%M}" if moment.time() != dt.time() else ""
    return words.date(moment.date()) + clock


def _number_in_words(read: str, words: Words) -> str:
    exact = Decimal(read).normalize()
    exponent = exact.as_tuple().exponent
    return words.number(exact, max(0, -exponent) if isinstance(exponent, int) else 0)
