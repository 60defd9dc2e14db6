"""Charts: figures for charts.js to draw, and the same figures as a table for everybody.

In:  numbers, with the text that a reader sees for each.
Out: values for the macro `figure` of figure.html; `to_json` is what charts.js reads.

What always holds: every number is told in words too, so that no chart needs to be seen.
"""

import json
from dataclasses import dataclass

# What would end a script element, or begin a comment in one.
_ESCAPED = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One row: its name, a value for each series, and these values in words."""

    name: str
    values: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BarChart:
    """Bars side by side, one colour for each series; the first two are people and money."""

    title: str
    head: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns of the table."""
        return (self.head, *self.series)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table."""
        return [(bar.name, *bar.texts) for bar in self.bars]

    def to_json(self) -> str:
        """Return what charts.js reads; it can stand in a page as it is."""
        return figures_json(
            {
                "kind": "bars",
                "series": self.series,
                "names": [bar.name for bar in self.bars],
                "values": [bar.values for bar in self.bars],
                "texts": [bar.texts for bar in self.bars],
            }
        )


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile of a treemap: its name, its value, both in words; `tone` is 1 (pale) to 5 (dark)."""

    name: str
    value: float
    text: str
    note: str
    tone: int
    address: str


@dataclass(frozen=True, kw_only=True)
class Treemap:
    """Tiles whose areas are values; a press on one goes to its address."""

    title: str
    heads: tuple[str, str, str]
    tiles: tuple[Tile, ...]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table."""
        return [(tile.name, tile.text, tile.note) for tile in self.tiles]

    def to_json(self) -> str:
        """Return what charts.js reads."""
        told = [
            {
                "name": tile.name,
                "value": tile.value,
                "text": tile.text,
                "note": tile.note,
                "tone": tile.tone,
                "address": tile.address,
            }
            for tile in self.tiles
        ]
        return figures_json({"kind": "treemap", "tiles": told})


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns over ranges of values: one series, or two side by side, the one that is looked at first.

    ``mark`` is the place of a range that is pointed at, and ``mark_text`` what stands there.
    """

    title: str
    head: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[str, ...]
    mark: int | None = None
    mark_text: str = ""

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns of the table."""
        return (self.head, *self.series)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table; the range that is pointed at says so."""
        return [
            (f"{bar.name} ({self.mark_text})" if place == self.mark else bar.name, *bar.texts)
            for place, bar in enumerate(self.bars)
        ]

    def to_json(self) -> str:
        """Return what charts.js reads."""
        return figures_json(
            {
                "kind": "columns",
                "series": self.series,
                "names": [bar.name for bar in self.bars],
                "ticks": self.ticks,
                "values": [bar.values for bar in self.bars],
                "texts": [bar.texts for bar in self.bars],
                "mark": self.mark,
                "mark_text": self.mark_text,
            }
        )


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve: its name, its values from left to right, and these in words."""

    name: str
    values: tuple[float | None, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LineChart:
    """Curves over the same few places, each in a panel with a scale of its own.

    ``further`` curves stand in the table alone; ``chosen`` is the place that is marked.
    """

    title: str
    head: str
    names: tuple[str, ...]
    lines: tuple[Line, ...]
    further: tuple[Line, ...] = ()
    chosen: int | None = None

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns of the table."""
        return (self.head, *(line.name for line in (*self.lines, *self.further)))

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table."""
        columns = [line.texts for line in (*self.lines, *self.further)]
        return list(zip(self.names, *columns, strict=True))

    def to_json(self) -> str:
        """Return what charts.js reads; it can stand in a page as it is."""
        return figures_json(
            {
                "kind": "lines",
                "head": self.head,
                "names": self.names,
                "lines": [
                    {"name": line.name, "values": line.values, "texts": line.texts}
                    for line in self.lines
                ],
                "chosen": self.chosen,
            }
        )


@dataclass(frozen=True, kw_only=True)
class Flow:
    """How much goes from one place on the left to one on the right, and this in words."""

    before: str
    after: str
    value: float
    text: str


@dataclass(frozen=True, kw_only=True)
class FlowChart:
    """Ribbons from left to right, as thick as what moves; the largest `most_drawn` are drawn."""

    title: str
    head_before: str
    head_after: str
    head: str
    flows: tuple[Flow, ...]
    most_drawn: int

    @property
    def heads(self) -> tuple[str, ...]:
        """The columns of the table."""
        return (self.head_before, self.head_after, self.head)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of the table."""
        return [(flow.before, flow.after, flow.text) for flow in self.flows]

    def to_json(self) -> str:
        """Return what charts.js reads; it can stand in a page as it is."""
        drawn = self.flows[: self.most_drawn]
        return figures_json(
            {
                "kind": "flow",
                "heads": [self.head_before, self.head_after],
                "flows": [[flow.before, flow.after, flow.value, flow.text] for flow in drawn],
            }
        )


def figures_json(figures: object) -> str:
    """Return figures as JSON that can stand within a script element."""
    return json.dumps(figures, ensure_ascii=False).translate(_ESCAPED)
