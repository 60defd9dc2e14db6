"""Segments and clusters as rows of a page: figures in words, change, advice, and charts of them.

In:  profiles of the whole or of a part, the words of a language.
Out: `Row`, charts.

What always holds: no figure is computed here but differences of two analyses; one that has no
counterpart is not told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rfm_backend.catalogue import Words
from rfm_backend.output.phrases import cluster_name, segment_words
from rfm_backend.output.report.page import segment_shades
from rfm_backend.pipeline.analysis import ClusterProfile, SegmentProfile
from rfm_backend.web.addresses import customers_address, segment_address
from rfm_backend.web.charts import Bar, BarChart, Tile, Treemap

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead

Sizes = Mapping[str, Mapping[str, object]]
# The report's palette has eleven steps, a tile has five.
_STEPS_A_TONE = 2.2


@dataclass(frozen=True, kw_only=True)
class Row:
    """A segment or a cluster in words; ``change`` is "" where there is nothing to compare with."""

    name: str
    address: str
    who: str
    action: str
    customers: str
    share_of_customers: str
    revenue: str
    share_of_revenue: str
    recency: str
    frequency: str
    monetary: str
    change: str
    way: str


def segment_rows(
    segments: Sequence[SegmentProfile],
    analysis: "AnalysisHead",
    words: Words,
    *,
    names: Mapping[str, str],
    currency: str | None,
    before: Sizes | None,
) -> list[Row]:
    """Return the segments that have customers, or had some before."""
    return [
        _row(
            entry,
            words,
            currency=currency,
            title=segment_words(entry.segment, names, words).name,
            address=segment_address(analysis.id, entry.segment),
            who=segment_words(entry.segment, names, words).who,
            action=segment_words(entry.segment, names, words).action,
            change=_change(entry, before, words),
        )
        for entry in segments
        if entry.n_customers or (before and before.get(entry.segment, {}).get("n_customers"))
    ]


def cluster_rows(
    clusters: Sequence[ClusterProfile],
    analysis: "AnalysisHead",
    words: Words,
    *,
    currency: str | None,
    cell: str | None,
) -> list[Row]:
    """Return the clusters, the best first."""
    return [
        _row(
            entry,
            words,
            currency=currency,
            title=f"{entry.cluster} · {cluster_name(entry.name, words)}",
            address=customers_address(analysis.id, cluster=entry.cluster, cell=cell),
        )
        for entry in clusters
    ]


def treemap(
    segments: Sequence[SegmentProfile],
    analysis: "AnalysisHead",
    words: Words,
    *,
    names: Mapping[str, str],
) -> Treemap:
    """Return the shares of revenue as tiles; the darker, the more a customer is worth."""
    shades = segment_shades(segments)
    return Treemap(
        title=words("overview.treemap_title"),
        heads=(words("report.segment"), words("report.key_money"), words("report.key_people")),
        tiles=tuple(
            Tile(
                name=segment_words(entry.segment, names, words).name,
                value=float(entry.monetary),
                text=words.percent(entry.share_of_monetary),
                note=words("report.n_customers", n=words.number(entry.n_customers)),
                tone=5 - min(4, int(shades[entry.segment] / _STEPS_A_TONE)),
                address=segment_address(analysis.id, entry.segment),
            )
            for entry in segments
            if entry.n_customers
        ),
    )


def paired_bars(
    segments: Sequence[SegmentProfile], words: Words, *, names: Mapping[str, str]
) -> BarChart:
    """Return revenue against customers, for each segment that has customers."""
    return BarChart(
        title=words("overview.bars_title"),
        head=words("report.segment"),
        series=(words("report.key_people"), words("report.key_money")),
        bars=tuple(
            Bar(
                name=segment_words(entry.segment, names, words).name,
                values=(entry.share_of_customers, entry.share_of_monetary),
                texts=(
                    words.percent(entry.share_of_customers),
                    words.percent(entry.share_of_monetary),
                ),
            )
            for entry in segments
            if entry.n_customers
        ),
    )


def _row(
    entry: SegmentProfile | ClusterProfile,
    words: Words,
    *,
    currency: str | None,
    title: str,
    address: str,
    who: str = "",
    action: str = "",
    change: tuple[str, str] = ("", ""),
) -> Row:
    has_some = entry.n_customers > 0
    return Row(
        name=title,
        address=address,
        who=who,
        action=action,
        customers=words.number(entry.n_customers),
        share_of_customers=words.percent(entry.share_of_customers),
        revenue=words.money(entry.monetary, currency),
        share_of_revenue=words.percent(entry.share_of_monetary),
        recency=words.number(entry.median_recency) if has_some else "–",
        frequency=words.number(entry.median_frequency) if has_some else "–",
        monetary=words.money(entry.median_monetary, currency) if has_some else "–",
        change=change[0],
        way=change[1],
    )


def _change(entry: SegmentProfile, before: Sizes | None, words: Words) -> tuple[str, str]:
    """Return how many customers more or fewer, in words, and which way."""
    if before is None or entry.segment not in before:
        return "", ""
    more = entry.n_customers - int(str(before[entry.segment]["n_customers"]))
    if not more:
        return words("overview.change_none"), "same"
    sign, way = ("+", "up") if more > 0 else ("−", "down")
    return f"{sign}{words.number(abs(more))}", way
