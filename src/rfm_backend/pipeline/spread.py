"""How the values of a column lie among customers that no process holds: exact quantiles by counting.

    aggregate -> [spread] -> score, profile         where customers are too many for arrays

In:  a table of the engine, a column of it, the parts of the customers asked about.
Out: `Spread`: cells of values, ascending, with the customers of each part in each.

What always holds afterwards
    * a quantile asked for lies between two values of customers, the very ones that sorting gives;
    * of the engine's rows only counts come here: one row for each cell and kind of customer.

What this module does not do: it interpolates nothing and knows no score.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

from rfm_backend.engines.protocol import Engine, Row

# A cell that is looked into again is cut into so many.
_BINS: Final = 512
# So few customers are counted value by value.
_COUNTED_ALONE: Final = 20_000

# A row's keys, and the names of the parts that customers with these keys belong to.
Parts = Callable[[tuple[str, ...]], Iterable[str]]
Shares = Callable[[str], Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """Customers that the engine holds, and the parts of them that are asked about.

    ``table`` has one row per customer; ``keys`` are columns that tell the kinds of customers apart, and
    ``parts`` goes from their values to the names of the parts.
    """

    engine: Engine
    table: str
    keys: tuple[str, ...]
    parts: Parts


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Customers whose values lie from ``low`` to ``high``, both included and both taken."""

    low: Decimal
    high: Decimal
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The cells of one column, disjoint and ascending; every customer is in one."""

    cells: tuple[Cell, ...]

    @cached_property
    def _up_to(self) -> Mapping[str, tuple[list[int], list[Cell]]]:
        """For each part the cells that hold somebody of it, and how many stand up to each one's end."""
        found: dict[str, tuple[list[int], list[Cell]]] = {}
        for cell in self.cells:
            for part, count in cell.counts.items():
                ends, cells = found.setdefault(part, ([], []))
                ends.append(count + (ends[-1] if ends else 0))
                cells.append(cell)
        return found

    def count(self, part: str) -> int:
        """Return the customers of a part."""
        return self._up_to[part][0][-1] if part in self._up_to else 0

    def above(self, value: int) -> "Spread":
        """Return the customers with more than `value`, which no cell may straddle."""
        return Spread(cells=tuple(cell for cell in self.cells if cell.low > value))

    def around(self, part: str, share: float) -> tuple[Decimal, Decimal, float]:
        """Return the two values between which a quantile lies, and its way from one to the other.

        Examples
        --------
        >>> one, two = (Cell(low=v, high=v, counts={"": 1}) for v in (Decimal(1), Decimal(2)))
        >>> Spread(cells=(one, two)).around("", 0.25)
        (Decimal('1'), Decimal('2'), 0.25)
        """
        position = (self.count(part) - 1) * share
        first, second = (self._cell_of(part, rank) for rank in _ranks(position))
        return first.low, second.low, position - math.floor(position)

    def unsettled(self, parts: Iterable[str], shares: Shares) -> list[Cell]:
        """Return the cells of several values in which a quantile lies."""
        found: dict[int, Cell] = {}
        for part in parts:
            n = self.count(part)
            for rank in {rank for share in shares(part) for rank in _ranks((n - 1) * share)}:
                cell = self._cell_of(part, rank)
                if cell.low < cell.high:
                    found[id(cell)] = cell
        return list(found.values())

    def _cell_of(self, part: str, rank: int) -> Cell:
        ends, cells = self._up_to[part]
        return cells[bisect_right(ends, rank)]


def count_values(crowd: Crowd, column: str) -> Spread:
    """Return a spread with a cell for each value of a column of few different whole numbers."""
    keys = _listed(crowd.keys)
    rows = crowd.engine.rows(
        f"SELECT {keys}{column}, {column}, count(*) FROM {crowd.table} GROUP BY {keys}{column}"
    )
    return Spread(cells=_cells(((None, row) for row in rows), crowd))


def find_quantiles(crowd: Crowd, column: str, shares: Shares) -> Spread:
    """Return a spread in which the quantiles `shares` of each part are settled.

    `column` holds amounts, DECIMAL(38,12), of as many different values as there are customers.  The table
    is read a few times: a cell in which a quantile lies is cut into finer ones until few customers are left
    in it, whose values are counted.
    """
    keys = _listed(crowd.keys)
    rows = crowd.engine.rows(
        f"SELECT {keys}min({column}), max({column}), count(*) FROM {crowd.table} "
        f"GROUP BY {', '.join(crowd.keys)}"
    )
    spread = Spread(cells=_cells(((0, row) for row in rows), crowd))
    names = {name for cell in spread.cells for name in cell.counts}
    while wide := spread.unsettled(names, shares):
        finer = _cut(crowd, column, wide)
        taken = {id(cell) for cell in wide}
        kept = [cell for cell in spread.cells if id(cell) not in taken]
        spread = Spread(cells=tuple(sorted([*kept, *finer], key=lambda cell: cell.low)))
    return spread


def _cut(crowd: Crowd, column: str, wide: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the customers of some cells in finer ones."""
    inside = [f"{column} BETWEEN {_decimal(cell.low)} AND {_decimal(cell.high)}" for cell in wide]
    # A customer counts once for each part that he is in, so that this is an upper bound.
    n_customers = sum(sum(cell.counts.values()) for cell in wide)
    widths = [(float(cell.high) - float(cell.low)) / _BINS for cell in wide]
    if n_customers <= _COUNTED_ALONE or min(widths) == 0:
        bins = column
    else:
        # Rising with the value whatever the rounding: a bin's smallest and largest value bound it.
        cuts = [
            f"WHEN {one} THEN {place * _BINS} + least({_BINS - 1}, CAST(floor("
            f"(CAST({column} AS DOUBLE) - {number_sql(float(cell.low))}) / {number_sql(width)}) AS BIGINT))"
            for place, (one, cell, width) in enumerate(zip(inside, wide, widths, strict=True))
        ]
        bins = f"CASE {' '.join(cuts)} END"
    rows = crowd.engine.rows(
        f"SELECT bin, {_listed(crowd.keys)}min({column}), max({column}), count(*) FROM "
        f"(SELECT *, {bins} AS bin FROM {crowd.table} WHERE {' OR '.join(inside)}) AS cut "
        f"GROUP BY {', '.join(['bin', *crowd.keys])}"
    )
    return _cells(((row[0], row[1:]) for row in rows), crowd)


def _cells(rows: Iterable[tuple[object, Row]], crowd: Crowd) -> tuple[Cell, ...]:
    """Return one cell for each bin; a bin of None is its value. A row: keys, low, high, count."""
    lows: dict[object, Decimal] = {}
    highs: dict[object, Decimal] = {}
    counts: dict[object, Counter[str]] = {}
    for number, row in rows:
        *key, least, most, n = row
        low, high = Decimal(str(least)), Decimal(str(most))
        place = low if number is None else number
        lows[place] = min(low, lows.get(place, low))
        highs[place] = max(high, highs.get(place, high))
        for name in set(crowd.parts(tuple(str(one) for one in key))):
            counts.setdefault(place, Counter())[name] += int(str(n))
    return tuple(
        Cell(low=lows[place], high=highs[place], counts=counts[place])
        for place in sorted(lows, key=lows.__getitem__)
    )


def _ranks(position: float) -> tuple[int, int]:
    return math.floor(position), math.ceil(position)


def _listed(keys: Sequence[str]) -> str:
    return "".join(f"{key}, " for key in keys)


def _decimal(value: Decimal) -> str:
    return f"CAST('{value:f}' AS DECIMAL(38, 12))"


def number_sql(value: float) -> str:
    """Return SQL for a float, to the last bit."""
    written = "Infinity" if math.isinf(value) else repr(value)
    return f"CAST('{'-' if value < 0 and math.isinf(value) else ''}{written}' AS DOUBLE)"
