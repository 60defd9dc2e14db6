"""The report's pictures, as SVG text: small pure functions of figures.

In:  numbers and words.
Out: SVG that scales, with a title for readers who do not see it.

What always holds
    * a picture is drawn 360 units wide, so that its words are readable on a phone as they stand;
    * nothing depends on colour alone: values are printed, lengths and shapes repeat what colours say;
    * colours are classes of the page's style, so that dark and print have their own.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 360
_SHAPES: Final = ("circle", "square", "triangle", "diamond", "plus")


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile of a treemap: its words, its share, its place in the palette."""

    name: str
    note: str
    share: float
    shade: int


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle of a treemap."""

    left: float
    top: float
    width: float
    height: float


def heat_shade(value: float, *, largest: float) -> int:
    """Return how dark a cell is, 0 (nothing in it) to 5.

    The root spreads small values: a few cells hold most of everything.

    Examples
    --------
    >>> [heat_shade(value, largest=100) for value in (0, 1, 25, 100)]
    [0, 1, 3, 5]
    """
    return 0 if value <= 0 else 1 + min(4, int(5 * (value / largest) ** 0.5 - 1e-9))


def draw_treemap(tiles: Sequence[Tile], *, title: str, height: int = 230) -> Markup:
    """Return a treemap: areas are shares, squarified, the largest first."""
    drawn = sorted((tile for tile in tiles if tile.share > 0), key=lambda tile: -tile.share)
    boxes = squarify([tile.share for tile in drawn], Box(left=0, top=0, width=WIDTH, height=height))
    parts = []
    for tile, box in zip(drawn, boxes, strict=True):
        parts.append(
            f"<g><title>{escape(tile.name)}: {escape(tile.note)}</title>"
            f'<rect class="tile shade-{tile.shade}" x="{box.left:.1f}" y="{box.top:.1f}" '
            f'width="{max(box.width - 2, 0):.1f}" height="{max(box.height - 2, 0):.1f}" rx="3"/>'
            f"{_tile_words(tile, box)}</g>"
        )
    return _svg(height, title, "".join(parts))


def squarify(shares: Sequence[float], space: Box) -> list[Box]:
    """Return one rectangle per share, filling `space`, as near to squares as rows allow.

    Bruls, Huizing and van Wijk (2000), "Squarified treemaps": rows grow along the shorter side for
    as long as their worst aspect ratio falls.

    Examples
    --------
    >>> squarify([3, 1], Box(left=0, top=0, width=4, height=1))[1]
    Box(left=3.0, top=0.0, width=1.0, height=1)
    """
    total = sum(shares)
    areas = [share / total * space.width * space.height for share in shares] if total else []
    boxes: list[Box] = []
    while areas:
        side = min(space.width, space.height)
        count = 1
        while count < len(areas) and _worst(areas[: count + 1], side) <= _worst(
            areas[:count], side
        ):
            count += 1
        row, areas = areas[:count], areas[count:]
        placed, space = _lay_row(row, space)
        boxes += placed
    return boxes


def _worst(row: Sequence[float], side: float) -> float:
    total = sum(row)
    if not side or not min(row):
        return math.inf
    return max(side**2 * max(row) / total**2, total**2 / (side**2 * min(row)))


def _lay_row(row: Sequence[float], space: Box) -> tuple[list[Box], Box]:
    """Lay a row along the shorter side of `space`; return its boxes and the space that is left."""
    total = sum(row)
    boxes = []
    if space.width >= space.height:
        thick = total / space.height if space.height else 0.0
        top = float(space.top)
        for area in row:
            high = area / thick if thick and len(row) > 1 else space.height
            boxes.append(Box(left=float(space.left), top=top, width=thick, height=high))
            top += high
        rest = Box(
            left=space.left + thick, top=space.top, width=space.width - thick, height=space.height
        )
        return boxes, rest
    thick = total / space.width if space.width else 0.0
    left = float(space.left)
    for area in row:
        wide = area / thick if thick and len(row) > 1 else space.width
        boxes.append(Box(left=left, top=float(space.top), width=wide, height=thick))
        left += wide
    rest = Box(
        left=space.left, top=space.top + thick, width=space.width, height=space.height - thick
    )
    return boxes, rest


def _tile_words(tile: Tile, box: Box) -> str:
    """Return the words of a tile, as far as they fit; a reader's pointer shows the rest."""
    room = int((box.width - 10) / 6.3)
    if box.height < 18 or room < 4:
        return ""
    name = tile.name if len(tile.name) <= room else f"{tile.name[: room - 1]}…"
    words = f'<text class="on-{tile.shade}" x="{box.left + 6:.1f}" y="{box.top + 15:.1f}">{escape(name)}</text>'
    if box.height >= 34 and len(tile.note) <= room:
        words += (
            f'<text class="small on-{tile.shade}" x="{box.left + 6:.1f}" '
            f'y="{box.top + 29:.1f}">{escape(tile.note)}</text>'
        )
    return words


def draw_histogram(
    counts: Sequence[int],
    labels: Sequence[str],
    *,
    title: str,
    say: Callable[[int], str],
    height: int = 170,
) -> Markup:
    """Return columns, one per count, with a few of the labels below and the largest count named.

    `say` writes a count as the reader writes it.
    """
    if not counts:
        return Markup("")
    bottom, top = height - 34, 16
    step = WIDTH / len(counts)
    largest = max(counts) or 1
    parts = [f'<line class="axis" x1="0" y1="{bottom}" x2="{WIDTH}" y2="{bottom}"/>']
    for place, count in enumerate(counts):
        tall = (bottom - top) * count / largest
        parts.append(
            f'<rect class="bar" x="{place * step + 1:.1f}" y="{bottom - tall:.1f}" '
            f'width="{max(step - 2, 1):.1f}" height="{tall:.1f}">'
            f"<title>{escape(labels[place])}: {escape(say(count))}</title></rect>"
        )
    peak = counts.index(largest)
    anchor = "start" if peak * step < 30 else "end" if peak * step > WIDTH - 40 else "middle"
    parts.append(
        f'<text class="small" text-anchor="{anchor}" x="{(peak + 0.5) * step:.1f}" y="{top - 4}">'
        f"{escape(say(largest))}</text>"
    )
    every = max(1, math.ceil(len(labels) / 5))
    parts += [
        f'<text class="small" x="{place * step + 1:.1f}" y="{bottom + 14}">{escape(labels[place])}</text>'
        for place in range(0, len(labels), every)
    ]
    return _svg(height, title, "".join(parts))


def draw_scatter(
    points: Sequence[tuple[float, float, int]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    say: Callable[[float], str],
    height: int = 270,
) -> Markup:
    """Return points (x, y, cluster) over logarithmic axes, each cluster its shape and shade.

    `say` writes a power of ten as the reader writes it, in few letters.
    """
    if not points:
        return Markup("")
    left, right, top, bottom = 40, WIDTH - 8, 10, height - 34
    xs, ys = _log_axis([x for x, _, _ in points]), _log_axis([y for _, y, _ in points])

    def across(value: float) -> float:
        return left + (right - left) * _place(value, xs)

    def down(value: float) -> float:
        return bottom - (bottom - top) * _place(value, ys)

    parts = [
        f'<line class="grid" x1="{across(tick):.1f}" y1="{top}" x2="{across(tick):.1f}" y2="{bottom}"/>'
        f'<text class="small" text-anchor="middle" x="{across(tick):.1f}" y="{bottom + 14}">{escape(say(tick))}</text>'
        for tick in _ticks(xs)
    ]
    parts += [
        f'<line class="grid" x1="{left}" y1="{down(tick):.1f}" x2="{right}" y2="{down(tick):.1f}"/>'
        f'<text class="small" text-anchor="end" x="{left - 4}" y="{down(tick) + 4:.1f}">{escape(say(tick))}</text>'
        for tick in _ticks(ys)
    ]
    parts += [mark(cluster, across(x), down(y)) for x, y, cluster in points]
    parts.append(
        f'<text class="small" text-anchor="end" x="{right}" y="{height - 4}">{escape(x_label)} →</text>'
        f'<text class="small" x="{left + 4}" y="{top + 8}">↑ {escape(y_label)}</text>'
    )
    return _svg(height, title, "".join(parts))


def mark(cluster: int, x: float, y: float, size: float = 3.2) -> str:
    """Return the mark of a cluster: its shape and shade at one place."""
    shape, css = _SHAPES[cluster % len(_SHAPES)], f'class="mark cluster-{cluster % 8}"'
    if shape == "circle":
        return f'<circle {css} cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>'
    if shape == "square":
        return f'<rect {css} x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}"/>'
    paths = {
        "triangle": f"M{x:.1f} {y - size:.1f}l{size} {1.8 * size:.1f}h{-2 * size}z",
        "diamond": f"M{x:.1f} {y - size:.1f}l{size} {size}l{-size} {size}l{-size} {-size}z",
        "plus": f"M{x - size:.1f} {y:.1f}h{2 * size}M{x:.1f} {y - size:.1f}v{2 * size}",
    }
    return f'<path {css} d="{paths[shape]}"/>'


def draw_mark(cluster: int) -> Markup:
    """Return a cluster's mark alone, for a legend."""
    return Markup('<svg class="legend" viewBox="0 0 12 12" aria-hidden="true">{}</svg>').format(
        Markup(mark(cluster, 6, 6, 4))  # noqa: S704  # numbers only
    )


def _log_axis(values: Sequence[float]) -> tuple[float, float]:
    low = max(min(values), 0.01)
    high = max(*values, low * 1.001)
    return math.log10(low), math.log10(high)


def _place(value: float, axis: tuple[float, float]) -> float:
    low, high = axis
    return (math.log10(max(value, 0.01)) - low) / (high - low or 1)


def _ticks(axis: tuple[float, float]) -> list[float]:
    low, high = axis
    return [10.0**power for power in range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)]


def _svg(height: int, title: str, body: str) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(WIDTH, height, title, title, Markup(body))  # noqa: S704  # every word was escaped
