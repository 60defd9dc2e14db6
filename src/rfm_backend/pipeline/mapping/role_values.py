"""What a role's cells say, as SQL: over their text, or over the value where a file holds values.

    read -> [map] -> clean

In:  a `ColumnPlan`; what an engine tells of the columns of the tables.
Out: `RoleValues`.

What always holds
    * a value that is taken as it is stored is the one that its text would be read as; where that is not
      certain, the column is read as text;
    * as with text, an instant of a year beyond 1..9999 is unreadable, and a number beyond DECIMAL(18,6)
      is out of range.

What it does not do: it decides no format, and asks no file.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Kind
from rfm_backend.pipeline.mapping.cells import trimmed_sql
from rfm_backend.pipeline.mapping.dates import timestamp_sql
from rfm_backend.pipeline.mapping.numbers import DECIMAL_TYPE, number_readable_sql, number_sql
from rfm_backend.pipeline.mapping.plan import ColumnPlan, DateFormat

_SPANS: Final[Mapping[Kind, str]] = {
    "day": "DATE '0001-01-01' AND DATE '9999-12-31'",
    "instant": "TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999'",
}


@dataclass(frozen=True, kw_only=True)
class RoleValues:
    """SQL over the cells ``role_...``, which are text but for the roles in ``stored``."""

    plan: ColumnPlan
    stored: Mapping[str, Kind] = field(default_factory=dict)

    def number(self, role: str) -> str:
        """Return SQL for the DECIMAL(18, 6), NULL where the cell is no number or too large."""
        cell = f"role_{role}"
        if role not in self.stored:
            return number_sql(cell, self.plan.numbers[role])
        if self.stored[role] != "float":
            return f"TRY_CAST({cell} AS {DECIMAL_TYPE})"
        # The float nearest to a number of two decimals is that number; of others, 15 digits count.
        cents = f"CAST(round({cell} * 100) AS BIGINT)"
        return (
            f"CASE WHEN abs({cell}) < 1e9 AND {cell} = round({cell} * 100) / 100 "
            f"THEN CAST({cents} * CAST('0.01' AS DECIMAL(3, 2)) AS {DECIMAL_TYPE}) "
            f"ELSE TRY_CAST({_digits_sql(cell)} AS {DECIMAL_TYPE}) END"
        )

    def stamp(self, role: str, *, time_expr: str | None = None, timezone: str | None = None) -> str:
        """Return SQL for the TIMESTAMP on the shop's clock, or NULL; see `timestamp_sql`."""
        cell = f"role_{role}"
        if role not in self.stored:
            form = self.plan.dates[role]
            return timestamp_sql(cell, form, time_expr=time_expr, timezone=timezone)
        return f"CASE WHEN {cell} BETWEEN {_SPANS[self.stored[role]]} THEN CAST({cell} AS TIMESTAMP) END"

    def is_blank(self, role: str) -> str:
        """Return SQL that tells whether nothing stands in the cell; no number is nothing."""
        cell = f"role_{role}"
        if role not in self.stored:
            return f"{trimmed_sql(cell)} IS NULL"
        if self.stored[role] == "float":
            return f"NOT coalesce(isfinite({cell}), false)"
        return f"{cell} IS NULL"

    def is_number(self, role: str) -> str:
        """Return SQL that tells whether a cell that is not blank is a number, of whatever size."""
        if role not in self.stored:
            return number_readable_sql(f"role_{role}", self.plan.numbers[role])
        return "true"

    def is_marked(self, role: str) -> str:
        """Return SQL that tells whether a number is written with a mark, decimal or of thousands."""
        cell = f"role_{role}"
        kind = self.stored.get(role)
        if kind == "whole":
            return "false"
        if kind == "decimal":
            return f"{cell} % 1 <> 0"
        text = _digits_sql(cell) if kind == "float" else cell
        return " OR ".join(f"contains({text}, '{mark}')" for mark in ".,")


def find_stored(
    plan: ColumnPlan, kinds: Sequence[Mapping[str, Kind]], *, as_text: Collection[str]
) -> dict[str, Kind]:
    """Return the roles whose values can be taken as they are stored, and what they are.

    Parameters
    ----------
    kinds : column -> kind, for each table
    as_text : columns whose text is wanted as well
    """
    first, *others = kinds
    numbers = {role for role, form in plan.numbers.items() if form.decimal == "."}
    # A time of day in a column of its own is put to the day's text.
    dates = {
        role
        for role, form in plan.dates.items()
        if _is_iso(form) and c.INVOICE_TIME not in plan.columns
    }
    found: dict[str, Kind] = {}
    for role, column in plan.columns.items():
        kind = first.get(column)
        if kind is None or column in as_text or any(other.get(column) != kind for other in others):
            continue
        if role in (dates if kind in _SPANS else numbers):
            found[role] = kind
    return found


def _is_iso(form: DateFormat) -> bool:
    return form.order == "ymd" and not (form.patterns or form.has_offsets or form.epoch_unit)


def _digits_sql(cell: str) -> str:
    """Return SQL for the text of a float, as a cell shows it."""
    return f"CASE WHEN isfinite({cell}) THEN format('{{:.15g}}', {cell}) END"
