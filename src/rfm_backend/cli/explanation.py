"""One customer's explanation on the terminal.

In:  `Explanation`, the words of a language.
Out: rich text, line by line: values and standing, thresholds, the rule, what would move him.

What always holds: each threshold range is that of the model; the score that the customer has is
marked by more than its colour.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from rfm_backend.catalogue import Words
from rfm_backend.cli.layout import Column, Row, lay_out, wrap
from rfm_backend.cli.summary import heading, readable_name
from rfm_backend.output.phrases import move_sentence, threshold_ranges
from rfm_backend.pipeline.explain import Explanation, Standing

if TYPE_CHECKING:
    from rich.text import Text

_OWN: Final = "bold cyan"
# More cells than this are counted, not listed.
_LISTED_CELLS: Final = 16


def explanation_lines(found: Explanation, words: Words, *, width: int) -> list["Text"]:
    """Return the page about one customer."""
    from rich.text import Text

    gap = Text("")
    return [
        *_title(found, words, width),
        gap,
        *_standings(found, words, width),
        gap,
        *_moves(found, words, width),
        *_action(found, words, width),
        gap,
        *_centres(found, words, width),
    ]


def _title(found: Explanation, words: Words, width: int) -> list["Text"]:
    key = "explain.title_group" if found.group else "explain.title"
    listed = found.rule_cells[:_LISTED_CELLS]
    cells = " ".join(listed) + (" …" if len(found.rule_cells) > len(listed) else "")
    segment = words(
        "explain.is_segment",
        segment=readable_name(words, "segments", found.segment),
        cell=found.rfm_cell,
        table=found.segment_table,
        n=words.number(len(found.rule_cells)),
        cells=cells,
    )
    cluster = words(
        "explain.is_cluster",
        cluster=found.cluster,
        name=readable_name(words, "clusters", found.cluster_name),
    )
    title = words(key, customer_id=found.customer_id, group=found.group)
    return [
        *wrap(title, width=width, indent=0, style="bold cyan"),
        *wrap(segment, width=width, indent=0, style="bold"),
        *wrap(cluster, width=width, indent=0),
    ]


def _standings(found: Explanation, words: Words, width: int) -> list["Text"]:
    columns = (
        Column(head="", flexible=True),
        *(
            Column(head=words(f"explain.head_{name}"), right=True)
            for name in ("value", "score", "better_than", "same")
        ),
    )
    rows = [
        Row(
            cells=(
                words(f"explain.{one.dimension}"),
                _value(one.value, one, words),
                str(one.score),
                "" if one.share_worse is None else words.percent(one.share_worse),
                "" if one.share_equal is None else words.percent(one.share_equal),
            ),
            styles={1: _OWN, 2: _OWN},
            beneath=words("explain.thresholds", ranges=threshold_ranges(one, words)),
        )
        for one in (found.recency, found.frequency, found.monetary)
    ]
    note = words("explain.counted_to", snapshot_date=words.date(found.snapshot_date))
    return [*heading(words("explain.values_title"), note), *lay_out(columns, rows, width=width)]


def _moves(found: Explanation, words: Words, width: int) -> list["Text"]:
    lines = heading(words("explain.moves_title"), words("explain.moves_note"))
    if not found.moves:
        return [*lines, *wrap(words("explain.no_moves"), width=width)]
    for move in found.moves:
        segment = readable_name(words, "segments", move.new_segment)
        lines += wrap(move_sentence(move, words, segment=segment), width=width, first="→ ")
    return lines


def _action(found: Explanation, words: Words, width: int) -> list["Text"]:
    key = f"segments.{found.segment}_action"
    if key not in words:
        return []
    from rich.text import Text

    return [
        Text(""),
        *heading(words("explain.what_to_do")),
        *wrap(words(key), width=width),
    ]


def _centres(found: Explanation, words: Words, width: int) -> list["Text"]:
    columns: Sequence[Column] = (
        Column(head=words("explain.head_cluster"), flexible=True),
        Column(head=words("explain.head_distance"), right=True),
    )
    rows = [
        Row(
            cells=(
                f"{one.cluster}  {readable_name(words, 'clusters', one.name)}",
                words.number(round(one.distance, 2), 2),
            ),
            style=_OWN if one.cluster == found.cluster else "",
        )
        for one in found.distances
    ]
    return [
        *heading(words("explain.centres_title")),
        *lay_out(columns, rows, width=width),
    ]


def _value(value: int | Decimal, one: Standing, words: Words) -> str:
    return words.number(value, 2 if one.dimension == "monetary" else 0)
