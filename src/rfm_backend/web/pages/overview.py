"""The overview of an analysis: headline numbers, whom to write to, the heat map that filters the rest."""

from typing import TYPE_CHECKING, Final

from rfm_backend.catalogue import Words
from rfm_backend.output.phrases import HINTS, by_urgency, phrase_finding, segment_words
from rfm_backend.output.report.page import headline_cards
from rfm_backend.pipeline.analysis import Finding, Quality, SegmentProfile, Summary
from rfm_backend.services import analyses, insights, parts, result_rows
from rfm_backend.services.insights import Earlier, Told
from rfm_backend.services.parts import Part
from rfm_backend.web.addresses import (
    customers_address,
    segment_address,
    settings_address,
    with_query,
)
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.customer_list import Asked, rows_in_words
from rfm_backend.web.heat_map import MEASURES, Measure, make_heat_map
from rfm_backend.web.profiles import cluster_rows, paired_bars, segment_rows, treemap
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead

_MOST_ADVICE: Final = 3
_MOST_CUSTOMERS: Final = 8


@page("/analyses/<int:analysis_id>")
def show_overview(visit: Visit) -> Screen:
    """Show an analysis: numbers, advice, heat map, segments, clusters, what became of the rows."""
    analysis = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    told = insights.tell(visit.service, analysis)
    earlier = insights.earlier(visit.service, analysis)
    values = _filtered(visit, analysis, told, earlier)
    # A cell's press changes what the filter reaches and leaves the rest of the page alone.
    if visit.is_part:
        return Screen(template="overview_part.html", values=values)
    words, summary = visit.words, told.summary
    return Screen(
        template="overview.html",
        values={
            **values,
            "head": head_of(visit, analysis, tab="overview", earlier=earlier),
            "quality": summary.quality,
            "cards": headline_cards(summary, words),
            "advice": _advice(analysis, told, words),
            "findings": [
                _finding(one, analysis, words, currency=summary.quality.currency)
                for one in summary.findings
            ],
            "rows": accounting_sentences(summary.quality, words),
        },
    )


def _filtered(
    visit: Visit, analysis: "AnalysisHead", told: Told, earlier: Earlier | None
) -> dict[str, object]:
    """Return what a cell of the heat map filters."""
    words, summary, names = visit.words, told.summary, told.model.rules.names
    currency = summary.quality.currency
    cell, by = _cell(visit, summary), _measure(visit)
    part = parts.part_of_cell(visit.service, analysis, summary, cell=cell) if cell else None
    segments = sorted(
        part.segments if part else summary.segments, key=lambda entry: -entry.monetary
    )
    clusters = part.clusters if part else summary.clusters
    # A cell of another day holds others: its size says nothing about a change.
    before = insights.sizes(visit.service, earlier.analysis) if earlier and not cell else None
    asked = Asked(cell=cell or "")
    best = result_rows.page(visit.service, analysis, asked.wanted(limit=_MOST_CUSTOMERS), cell=cell)
    rows = segment_rows(segments, analysis, words, names=names, currency=currency, before=before)
    return {
        "map": make_heat_map(
            summary, words, by=by, chosen=cell, address=lambda c, m: _address(analysis.id, c, m)
        ),
        "cell": cell,
        "choice": _choice(summary, cell, words),
        "whole_address": _address(analysis.id, None, by),
        "customers": rows_in_words(best, analysis, told, words),
        "is_listed": False,
        "has_groups": summary.group_column is not None,
        "all_address": customers_address(analysis.id, cell=cell),
        "segments": rows,
        "earlier": earlier if any(row.change for row in rows) else None,
        "charts": [
            treemap(segments, analysis, words, names=names),
            paired_bars(segments, words, names=names),
        ]
        if sum(entry.n_customers > 0 for entry in segments) > 1
        else [],
        "clusters": cluster_rows(clusters, analysis, words, currency=currency, cell=cell),
        "seed": summary.seed,
        "cross": _cross(analysis, told, words, part, cell),
    }


def _cell(visit: Visit, summary: Summary) -> str | None:
    """Return the cell of the address that the grid has, None for none."""
    cell = visit.request.args.get("cell", "")
    known = {f"{recency}{frequency}" for recency, frequency in summary.heat_map}
    return cell if cell in known else None


def _measure(visit: Visit) -> Measure:
    by = visit.request.args.get("by")
    return next((one for one in MEASURES if one == by), "customers")


def _address(analysis_id: int, cell: str | None, by: Measure) -> str:
    shown = None if by == "customers" else by
    return with_query(f"/analyses/{analysis_id}", {"cell": cell, "by": shown})


def _choice(summary: Summary, cell: str | None, words: Words) -> dict[str, str]:
    """Return what is shown, in words: everybody, or a cell with its size and money."""
    if cell is None:
        return {"title": words("overview.everybody"), "text": words("overview.everybody_text")}
    count, money = summary.heat_map[int(cell[0]), int(cell[1])]
    currency = summary.quality.currency
    total = summary.quality.amount_kept
    return {
        "title": words("overview.cell_title", r=cell[0], f=cell[1]),
        "text": words(
            "overview.cell_text",
            customers=words.number(count),
            share=words.percent(count / max(summary.quality.n_customers, 1)),
            money=words.money(money, currency),
            money_share=words.percent(float(money / total) if total else 0.0),
            average=words.money(money / max(count, 1), currency),
        ),
    }


def _advice(analysis: "AnalysisHead", told: Told, words: Words) -> list[dict[str, str]]:
    """Return the segments to write to first, those that the catalogue has advice for."""

    def one(entry: SegmentProfile) -> dict[str, str]:
        said = segment_words(entry.segment, told.model.rules.names, words)
        return {
            "name": said.name,
            "who": said.who,
            "action": said.action,
            "customers": words("report.n_customers", n=words.number(entry.n_customers)),
            "money": words("report.of_revenue", share=words.percent(entry.share_of_monetary)),
            "address": segment_address(analysis.id, entry.segment),
        }

    return [
        told_one for told_one in map(one, by_urgency(told.summary.segments)) if told_one["action"]
    ][:_MOST_ADVICE]


def _finding(
    finding: Finding, analysis: "AnalysisHead", words: Words, *, currency: str | None
) -> dict[str, str]:
    """Return a finding in words, and where on these pages something can be done about it."""
    told = {"level": finding.level, "text": phrase_finding(finding, words, currency=currency)}
    hint = HINTS.get(finding.code)
    if hint is None:
        return {**told, "do": "", "address": ""}
    return {
        **told,
        "do": words(f"hints.page_{hint}"),
        "address": f"/uploads/{analysis.upload_id}"
        if hint in ("column", "columns")
        else settings_address(analysis.id, hint),
    }


def _cross(
    analysis: "AnalysisHead",
    told: Told,
    words: Words,
    part: Part | None,
    cell: str | None,
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return for each segment its customers in each cluster, each number with where it leads."""
    counted = part.cross_table if part else told.summary.cross_table
    return [
        (
            segment_words(key, told.model.rules.names, words).name,
            [
                (
                    words.number(count),
                    customers_address(analysis.id, segment=key, cluster=cluster, cell=cell)
                    if count
                    else "",
                )
                for cluster, count in enumerate(counts)
            ],
        )
        for key, counts in sorted(counted.items(), key=lambda pair: (-sum(pair[1]), pair[0]))
        if any(counts)
    ]


def accounting_sentences(quality: Quality, words: Words) -> list[str]:
    """Return what became of the rows: those used, then the reasons for the others, most rows first."""
    read = quality.rows_read or 1
    used = words(
        "overview.rows_used",
        kept=words.number(quality.rows_kept),
        read=words.number(quality.rows_read),
        share=words.percent(quality.rows_kept / read),
        money=words.money(quality.amount_kept, quality.currency),
    )
    aside = sorted(quality.set_aside, key=lambda one: -one.rows)
    return [
        used,
        *(
            words(
                "overview.rows_aside" if one.amount is None else "overview.rows_aside_money",
                rows=words.number(one.rows),
                share=words.percent(one.rows / read),
                reason=words(f"reasons.{one.reason}"),
                **(
                    {}
                    if one.amount is None
                    else {"money": words.money(one.amount, quality.currency)}
                ),
            )
            for one in aside
        ),
    ]
