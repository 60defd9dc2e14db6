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


def figures_json(figures: object) -> str:
    """Return figures as JSON that can stand within a script element."""
    return json.dumps(figures, ensure_ascii=False).translate(_ESCAPED)
