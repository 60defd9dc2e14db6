"""The outcome of mapping: which column has which role and how its text is read.

    read -> [map] -> clean -> aggregate -> ...

In:  nothing; these are the values that `mapping` makes and `clean` and `inspect` use.
Out: `ColumnPlan`.

What always holds: a column has at most one role; every role in ``columns`` that is a number has a
`NumberFormat`, every one that is a date a `DateFormat`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from rfm_backend.pipeline.options import Level

# The evidence for a column in whose first rows no number has a mark.
ASSUMED_UNMARKED: Final = "assumed_unmarked"


@dataclass(frozen=True, kw_only=True)
class NumberFormat:
    """How the numbers of one column are written.

    ``evidence`` says in one word what decided: "unambiguous", "currency", "sibling", "language",
    "typed", "option", "assumed_unmarked".  ``has_marks`` tells whether any number of the column has a mark.  ``currencies`` are ISO codes read off signs and codes in the column ("Rp" -> IDR).
    """

    decimal: Literal[".", ","] = "."
    evidence: str = "unambiguous"
    currencies: tuple[str, ...] = ()
    has_marks: bool = False


@dataclass(frozen=True, kw_only=True)
class DateFormat:
    """How the dates of one column are written.

    ``patterns`` are strptime patterns tried in this order (empty for pure ISO); ``order`` is the
    reading of numeric dates; ``serial_epoch`` is 1900 or 1904 where bare numbers are spreadsheet
    serials; ``epoch_unit`` is 1 or 1000 where they are seconds or milliseconds since 1970; ``months`` maps month names found in the column (lower case) to 1..12.
    """

    order: Literal["ymd", "dmy", "mdy"] = "ymd"
    patterns: tuple[str, ...] = ()
    months: Mapping[str, int] = field(default_factory=dict)
    serial_epoch: Literal[1900, 1904] | None = None
    has_offsets: bool = False
    epoch_unit: Literal[1, 1000] | None = None
    evidence: str = "unambiguous"


@dataclass(frozen=True, kw_only=True)
class RoleGuess:
    """A role, the column guessed for it (None: none found), how sure, and what else competed."""

    role: str
    column: str | None
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusRule:
    """Which status words (lower case) mean an order that did not complete.

    ``unknown`` are words of the column in neither list: they are kept and named in a warning.
    """

    not_completed: tuple[str, ...]
    completed: tuple[str, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """Which column has which role, how it is read, and what one row is.

    Attributes
    ----------
    columns : role -> column name.
    numbers, dates : role -> format, for the roles in ``columns`` that have one.
    level : what one row of the file is.
    guesses : one per role that was looked for, in the order of `columns.ROLES`.
    preset : name of the platform whose export this is, or None.
    fill_down : columns that stand only on an order's first line and hold for its further lines.
    status : how the status column is read, or None.
    currencies : ISO code -> rows of the sample, from a currency column or from signs.
    customer_is_email : whether customer_id is an e-mail column (then compared in lower case).
    language : "en", "id", "de", "pt", "es", "fr" or "tr": the language of the headers, or None.
    """

    columns: Mapping[str, str]
    numbers: Mapping[str, NumberFormat] = field(default_factory=dict)
    dates: Mapping[str, DateFormat] = field(default_factory=dict)
    level: Level = "lines"
    guesses: tuple[RoleGuess, ...] = ()
    preset: str | None = None
    fill_down: tuple[str, ...] = ()
    status: StatusRule | None = None
    currencies: Mapping[str, int] = field(default_factory=dict)
    customer_is_email: bool = False
    language: str | None = None

    @property
    def assumed_unmarked(self) -> tuple[str, ...]:
        """The number roles of which only the first rows were looked at, and have no mark."""
        return tuple(
            role for role, form in self.numbers.items() if form.evidence == ASSUMED_UNMARKED
        )
