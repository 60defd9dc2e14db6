"""Tables in columns, for a terminal of any width: numbers right, words left, one row one line.

In:  rows of cells, how each column is set.
Out: rich text, line by line.

rich's own tables break long rows over several lines; here one column gives way instead, and a
line may be followed by a sentence that spans all columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.text import Text

# Between columns; one cell where the table would not fit otherwise.
_GAP: Final = 2
_MIN_FLEXIBLE: Final = 10


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column is set; the one that is ``flexible`` is cut where the line is too long."""

    head: str
    right: bool = False
    flexible: bool = False
    style: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line: its cells, how they look, and a sentence beneath that spans the table."""

    cells: tuple[str, ...]
    style: str = ""
    styles: dict[int, str] = field(default_factory=dict)
    beneath: str = ""


def lay_out(
    columns: Sequence[Column], rows: Sequence[Row], *, width: int, indent: int = 2
) -> list["Text"]:
    """Return the lines of a table, heading first, none longer than `width`."""
    from rich.text import Text

    widths, gap = _widths(columns, rows, width - indent)
    heads = Row(cells=tuple(column.head for column in columns), style="dim")
    lines = []
    for row in (heads, *rows):
        line = Text(" " * indent)
        for place, (column, cell, size) in enumerate(zip(columns, row.cells, widths, strict=True)):
            style = row.styles.get(place, "") or row.style or column.style
            line.append(" " * gap if place else "")
            line.append_text(_cell(cell, size, right=column.right, style=style))
        line.rstrip()
        lines.append(line)
        if row.beneath:
            lines += wrap(row.beneath, width=width, indent=indent + 2, style="dim")
    return lines


def wrap(
    text: str, *, width: int, indent: int = 2, style: str = "", first: str = ""
) -> list["Text"]:
    """Return a sentence over as many lines as it needs, hanging under its first word."""
    from textwrap import wrap as wrap_text

    from rich.text import Text

    lead = " " * indent + first
    lines = wrap_text(
        text, max(30, width), initial_indent=lead, subsequent_indent=" " * len(lead),
        break_on_hyphens=False,
    )  # fmt: skip
    return [Text(line, style=style) for line in lines]


def bar(share: float, width: int) -> str:
    """Return a bar of `width` cells for a fraction of 1, to half a cell.

    Examples
    --------
    >>> bar(0.5, 4), bar(0.0, 4), bar(0.4, 4)
    ('██', '', '█▌')
    """
    halves = round(max(0.0, min(1.0, share)) * width * 2)
    return "█" * (halves // 2) + "▌" * (halves % 2)


def _widths(columns: Sequence[Column], rows: Sequence[Row], width: int) -> tuple[list[int], int]:
    """Return the width of each column and of the gap between them."""
    from rich.cells import cell_len

    sizes = [
        max(cell_len(column.head), *(cell_len(row.cells[place]) for row in rows), 0)
        for place, column in enumerate(columns)
    ]
    gap = _GAP if sum(sizes) + _GAP * (len(columns) - 1) <= width else 1
    over = sum(sizes) + gap * (len(columns) - 1) - width
    for place, column in enumerate(columns):
        if column.flexible and over > 0:
            kept = max(_MIN_FLEXIBLE, sizes[place] - over)
            over -= sizes[place] - kept
            sizes[place] = kept
    return sizes, gap


def _cell(text: str, size: int, *, right: bool, style: str) -> "Text":
    from rich.text import Text

    cell = Text(text, style=style)
    cell.truncate(size, overflow="ellipsis")
    room = size - cell.cell_len
    return Text(" " * room) + cell if right else cell + Text(" " * room)
