"""What the report's page shows: the figures of an analysis as words and pictures.

In:  an `Analysis`, the words of a language.
Out: the values of the template.

What always holds: no figure is computed here that the summary does not hold, but for shares of it.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from rfm_backend.catalogue import Words
from rfm_backend.output.phrases import by_urgency, cluster_name, phrase_finding, segment_words
from rfm_backend.output.report import charts
from rfm_backend.output.report.accounting import accounting_rows, threshold_tables
from rfm_backend.pipeline.analysis import (
    ClusterProfile,
    SegmentProfile,
    Summary,
)
from rfm_backend.pipeline.run import Analysis

_MOST_SHADES: Final = 10


def page_values(analysis: Analysis, words: Words) -> dict[str, object]:
    """Return everything that the template names."""
    summary = analysis.summary
    quality = summary.quality
    shades = segment_shades(summary.segments)
    return {
        "w": words,
        "q": quality,
        "summary": summary,
        "files": ", ".join(quality.files[:3]) + (" …" if len(quality.files) > 3 else ""),
        "cards": headline_cards(summary, words),
        "findings": [
            (finding.level, phrase_finding(finding, words, currency=quality.currency))
            for finding in summary.findings
        ],
        "actions": _actions(analysis, words, shades),
        "segments": [_segment(segment, analysis, words) for segment in summary.segments],
        "treemap": _treemap(analysis, words, shades),
        "profile_heads": [
            words(f"report.head_{name}")
            for name in (
                "customers",
                "share",
                "recency",
                "frequency",
                "monetary",
                "revenue",
                "share",
            )
        ],
        "heat_maps": _heat_maps(summary, words),
        "histograms": _histograms(summary, words),
        "clusters": [_cluster(cluster, summary, words) for cluster in summary.clusters],
        "scatter": _scatter(summary, words),
        "criteria_heads": [words(f"criteria.{name}") for name in _CRITERIA],
        "criteria": _criteria(summary, words),
        "choice": _choice(summary, words),
        "cross": [
            (
                segment_words(key, analysis.model.rules.names, words).name,
                [words.number(count) for count in counts],
            )
            for key, counts in summary.cross_table.items()
        ],
        "accounting": accounting_rows(quality, words),
        "edges": threshold_tables(summary, words),
        "how": _how(analysis, words),
        "versions": ", ".join(f"{name} {text}" for name, text in analysis.model.versions.items()),
    }


_CRITERIA: Final = (
    "n_clusters", "inertia", "silhouette", "davies_bouldin", "calinski_harabasz", "gap_statistic",
    "stability", "smallest_share",
)  # fmt: skip


def segment_shades(segments: Sequence[SegmentProfile]) -> dict[str, int]:
    """Return a place in the palette per segment, 0 (dark) where a customer is worth most."""
    worth = sorted(
        segments,
        key=lambda entry: -(float(entry.monetary) / entry.n_customers if entry.n_customers else 0),
    )
    steps = max(1, len(worth) - 1)
    return {entry.segment: round(place * _MOST_SHADES / steps) for place, entry in enumerate(worth)}


def headline_cards(summary: Summary, words: Words) -> list[tuple[str, str, str]]:
    """Return the headline numbers: what it is, the number, a note."""
    quality = summary.quality
    kept = quality.rows_kept / quality.rows_read if quality.rows_read else 0.0
    per_customer = quality.amount_kept / max(quality.n_customers, 1)
    return [
        (
            words("report.customers"),
            words.number(quality.n_customers),
            words("report.card_customers"),
        ),
        (
            words("report.revenue"),
            words.money(quality.amount_kept, quality.currency),
            words("report.card_revenue", money=words.money(per_customer, quality.currency)),
        ),
        (
            words(f"report.counts_{quality.frequency_counts}"),
            words.number(quality.n_invoices),
            words(
                "report.card_purchases",
                n=words.number(round(quality.n_invoices / max(quality.n_customers, 1), 1)),
            ),
        ),
        (
            words("report.rows_used"),
            words.percent(kept),
            words(
                "report.card_rows",
                kept=words.number(quality.rows_kept),
                read=words.number(quality.rows_read),
            ),
        ),
    ]


def _actions(
    analysis: Analysis, words: Words, shades: Mapping[str, int]
) -> list[dict[str, object]]:
    """Return the segments that have customers, those to write to first first."""
    told = []
    for entry in by_urgency(analysis.summary.segments):
        said = segment_words(entry.segment, analysis.model.rules.names, words)
        told.append(
            {
                "name": said.name,
                "who": said.who,
                "action": said.action,
                "customers": words.number(entry.n_customers),
                "share_of_money": words(
                    "report.of_revenue", share=words.percent(entry.share_of_monetary)
                ),
                "shade": shades[entry.segment],
            }
        )
    return told


def _segment(entry: SegmentProfile, analysis: Analysis, words: Words) -> dict[str, object]:
    largest = _largest_share(analysis.summary.segments)
    return {
        "name": segment_words(entry.segment, analysis.model.rules.names, words).name,
        **_bars(entry, largest, words),
        "cells": _profile_cells(entry, analysis.summary, words),
    }


def _cluster(entry: ClusterProfile, summary: Summary, words: Words) -> dict[str, object]:
    return {
        "cluster": entry.cluster,
        "name": cluster_name(entry.name, words),
        "mark": charts.draw_mark(entry.cluster),
        **_bars(entry, _largest_share(summary.clusters), words),
        "cells": _profile_cells(entry, summary, words),
    }


def _largest_share(entries: Sequence[SegmentProfile | ClusterProfile]) -> float:
    return max((max(e.share_of_customers, e.share_of_monetary) for e in entries), default=1) or 1


def _bars(
    entry: SegmentProfile | ClusterProfile, largest: float, words: Words
) -> dict[str, object]:
    return {
        "share_of_people": words.percent(entry.share_of_customers),
        "share_of_money": words.percent(entry.share_of_monetary),
        "people_width": f"{100 * entry.share_of_customers / largest:.1f}",
        "money_width": f"{100 * entry.share_of_monetary / largest:.1f}",
    }


def _profile_cells(
    entry: SegmentProfile | ClusterProfile, summary: Summary, words: Words
) -> list[str]:
    if not entry.n_customers:
        return ["0", words.percent(0.0), "–", "–", "–", words.money(0), words.percent(0.0)]
    currency = summary.quality.currency
    return [
        words.number(entry.n_customers),
        words.percent(entry.share_of_customers),
        words.number(entry.median_recency),
        words.number(entry.median_frequency),
        words.money(entry.median_monetary, currency),
        words.money(entry.monetary, currency),
        words.percent(entry.share_of_monetary),
    ]


def _treemap(analysis: Analysis, words: Words, shades: Mapping[str, int]) -> Markup:
    tiles = [
        charts.Tile(
            name=segment_words(entry.segment, analysis.model.rules.names, words).name,
            note=words.percent(entry.share_of_monetary),
            share=entry.share_of_monetary,
            shade=shades[entry.segment],
        )
        for entry in analysis.summary.segments
    ]
    return charts.draw_treemap(tiles, title=words("report.treemap_caption"))


def _heat_maps(summary: Summary, words: Words) -> list[dict[str, object]]:
    """Return two grids of R x F: customers, and revenue."""
    total = float(summary.quality.amount_kept) or 1.0
    people = {cell: float(count) for cell, (count, _) in summary.heat_map.items()}
    money = {cell: float(amount) / total for cell, (_, amount) in summary.heat_map.items()}
    return [
        _heat_map(words("report.heat_customers"), people, lambda value: words.number(int(value))),
        _heat_map(words("report.heat_revenue"), money, words.percent),
    ]


def _heat_map(
    title: str, values: Mapping[tuple[int, int], float], say: Callable[[float], str]
) -> dict[str, object]:
    largest = max(values.values(), default=0) or 1

    def cell(recency: int, frequency: int) -> dict[str, object]:
        value = values.get((recency, frequency), 0.0)
        return {
            "text": say(value) if value else "·",
            "shade": charts.heat_shade(value, largest=largest),
        }

    rows = [
        {"score": recency, "cells": [cell(recency, frequency) for frequency in range(1, 6)]}
        for recency in range(5, 0, -1)
    ]
    return {"title": title, "rows": rows}


def _histograms(summary: Summary, words: Words) -> list[dict[str, object]]:
    told: list[dict[str, object]] = []
    for name, (edges, counts) in summary.histograms.items():
        labels = [words.number(edge) for edge in edges[:-1]]
        ranges = [f"{words.number(low)} – {words.number(high)}" for low, high in pairwise(edges)]
        title = words(f"report.histogram_{name}")
        told.append(
            {
                "title": title,
                "chart": charts.draw_histogram(counts, labels, title=title, say=words.number),
                "rows": [
                    (label, words.number(count))
                    for label, count in zip(ranges, counts, strict=True)
                ],
            }
        )
    return told


def _scatter(summary: Summary, words: Words) -> Markup:
    return charts.draw_scatter(
        [(frequency, monetary, cluster) for _, frequency, monetary, cluster in summary.scatter],
        title=words("report.scatter_caption", n=words.number(len(summary.scatter))),
        x_label=words("dimensions.frequency"),
        y_label=words("dimensions.monetary"),
        say=lambda tick: _in_few_letters(tick, words),
    )


def _in_few_letters(value: float, words: Words) -> str:
    for size, unit in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return words(f"report.short_{unit}", n=words.number(value / size))
    return words.number(value)


def _criteria(summary: Summary, words: Words) -> list[list[str]]:
    return [
        [
            words.number(entry.n_clusters),
            words.number(entry.inertia, 1),
            words.number(entry.silhouette, 3),
            words.number(entry.davies_bouldin, 3),
            words.number(entry.calinski_harabasz, 0),
            f"{words.number(entry.gap, 3)} ± {words.number(entry.gap_error, 3)}",
            words.number(entry.stability, 2),
            words.percent(entry.smallest_share),
        ]
        for entry in summary.criteria
    ]


def _choice(summary: Summary, words: Words) -> str:
    key = f"criteria.{summary.cluster_choice}"
    return words(key, n_clusters=len(summary.clusters)) if key in words else ""


def _how(analysis: Analysis, words: Words) -> list[str]:
    summary, options = analysis.summary, analysis.options
    lines = [
        words("report.how_recency", snapshot=words.date(summary.quality.snapshot_date)),
        words(f"report.how_frequency_{summary.quality.frequency_counts}"),
        words(f"report.how_returns_{options.returns}"),
        words("report.how_scores", method=summary.score_method),
        words("report.how_segments", table=summary.segment_table),
        words(
            "report.how_clusters",
            n=len(summary.clusters),
            seed=summary.seed,
            inertia=words.number(analysis.model.inertia, 1),
        ),
    ]
    if options.duplicates == "drop":
        lines.append(words("report.how_duplicates"))
    return lines
