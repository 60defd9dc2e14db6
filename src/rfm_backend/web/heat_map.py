"""The heat map of recency and frequency scores: a table whose cells are links that filter the page.

In:  the heat map of a summary, which measure is shown, which cell is chosen.
Out: `HeatMap`, for heat_map.html.

What always holds: each cell says its number in full to a reader who does not see its colour; a cell
without customers is no link.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from rfm_backend.catalogue import Words
from rfm_backend.output.report.charts import heat_shade
from rfm_backend.pipeline.analysis import Summary

Measure = Literal["customers", "revenue", "average"]
MEASURES: Final[tuple[Measure, ...]] = ("customers", "revenue", "average")
_SCORES: Final = range(1, 6)
# Numbers below this one are written in full.
_LONG: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """One cell: what stands in it, how dark it is (0 to 5), where a press leads ("" nowhere)."""

    key: str
    text: str
    label: str
    tone: int
    address: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """The grid, R5 first; `measures` are (key, name, address, whether it is shown)."""

    rows: tuple[tuple[int, tuple[HeatCell, ...]], ...]
    measures: tuple[tuple[Measure, str, str, bool], ...]


def make_heat_map(
    summary: Summary,
    words: Words,
    *,
    by: Measure,
    chosen: str | None,
    address: Callable[[str | None, Measure], str],
) -> HeatMap:
    """Return the grid; `address` gives the page's address with a cell and a measure."""
    values = {cell: _value(by, *pair) for cell, pair in summary.heat_map.items()}
    largest = max((float(value) for value in values.values()), default=0) or 1.0

    def one(recency: int, frequency: int) -> HeatCell:
        count, _ = summary.heat_map[recency, frequency]
        value, key = values[recency, frequency], f"{recency}{frequency}"
        said = (
            words.number(count)
            if by == "customers"
            else words.money(value, summary.quality.currency)
        )
        text = _short(value, words) if count else "·"
        label = words(f"overview.cell_{by}", r=recency, f=frequency, value=said)
        return HeatCell(
            key=key,
            text=text,
            # Whoever speaks to his device says what he sees.
            label=label if text in label else f"{text} – {label}",
            tone=heat_shade(float(value), largest=largest) if count else 0,
            # A second press takes the filter away.
            address=address(None if key == chosen else key, by) if count else "",
            is_chosen=key == chosen,
        )

    return HeatMap(
        rows=tuple(
            (recency, tuple(one(recency, frequency) for frequency in _SCORES))
            for recency in reversed(_SCORES)
        ),
        measures=tuple(
            (measure, words(f"overview.by_{measure}"), address(chosen, measure), measure == by)
            for measure in MEASURES
        ),
    )


def _value(by: Measure, count: int, money: Decimal) -> Decimal:
    if by == "customers":
        return Decimal(count)
    return money if by == "revenue" else money / max(count, 1)


def _short(value: Decimal, words: Words) -> str:
    """Return a number in few letters, so that five of them stand side by side on a phone."""
    for size, unit in ((10**9, "billion"), (10**6, "million"), (10**3, "thousand")):
        if value >= size and (value >= _LONG or unit != "thousand"):
            part = value / size
            return words(f"report.short_{unit}", n=words.number(part, 1 if part < 100 else 0))
    return words.number(value, 0)
