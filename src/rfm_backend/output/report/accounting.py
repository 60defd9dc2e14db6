"""The report's tables of what became of the rows, and of the thresholds.

In:  `Quality`, `ScoreEdges`, the words of a language.
Out: rows of text.
"""

from collections.abc import Sequence
from itertools import pairwise

from rfm_backend.catalogue import Words
from rfm_backend.pipeline.analysis import Example, Quality, ScoreEdges, Summary


def accounting_rows(quality: Quality, words: Words) -> list[dict[str, str]]:
    """Return read, kept and each reason, with rows, share, money and the first example."""
    read = quality.rows_read or 1

    def row(what: str, rows: int, money: str, example: str = "") -> dict[str, str]:
        return {
            "what": what,
            "rows": words.number(rows),
            "share": words.percent(rows / read),
            "money": money,
            "example": example,
        }

    return [
        row(words("report.read"), quality.rows_read, words.number(quality.amount_read, 2)),
        row(words("report.kept"), quality.rows_kept, words.number(quality.amount_kept, 2)),
        *(
            row(
                words(f"reasons.{entry.reason}"),
                entry.rows,
                "–" if entry.amount is None else words.number(entry.amount, 2),
                _example(entry.examples, words),
            )
            for entry in quality.set_aside
        ),
    ]


def _example(examples: Sequence[Example], words: Words) -> str:
    if not examples:
        return ""
    first = examples[0]
    cells = ", ".join(
        f"{name} {value}" for name, value in list(first.values.items())[:5] if value is not None
    )
    where = words("report.line", line=words.number(first.line)) if first.line else ""
    return f"{where}: {cells}"[:160].lstrip(": ")


def threshold_tables(summary: Summary, words: Words) -> list[dict[str, object]]:
    """Return per group the range of values and the customers of each score 1..5."""
    return [
        {
            "group": entry.group,
            "rows": [
                (
                    words("dimensions.recency"),
                    _ranges(entry, entry.recency, entry.r_counts, words, reverse=True),
                ),
                (
                    words("dimensions.frequency"),
                    _ranges(entry, entry.frequency, entry.f_counts, words),
                ),
                (
                    words("dimensions.monetary"),
                    _ranges(entry, entry.monetary, entry.m_counts, words),
                ),
            ],
        }
        for entry in summary.edges
    ]


def _ranges(
    entry: ScoreEdges,
    edges: Sequence[float],
    counts: Sequence[int],
    words: Words,
    *,
    reverse: bool = False,
) -> list[tuple[str, str]]:
    """Return (range, customers) for scores 1 to 5; a score that no edge reaches is a dash."""
    below, above = ("<", "≥") if entry.right_open else ("≤", ">")
    bins = [f"{below} {words.number(edges[0])}"] if edges else ["–"]
    bins += [f"{words.number(low)} – {words.number(high)}" for low, high in pairwise(edges)]
    bins += [f"{above} {words.number(edges[-1])}"] if edges else []
    bins += ["–"] * (5 - len(bins))
    if reverse:
        bins = bins[::-1]
    return [(text, words.number(count)) for text, count in zip(bins, counts, strict=True)]
