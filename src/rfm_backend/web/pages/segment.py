"""A segment: who they are, how they differ from the others, what to do, and its customers."""

from dataclasses import replace
from itertools import pairwise
from typing import Final

from rfm_backend import columns as c
from rfm_backend.catalogue import Words
from rfm_backend.errors import NotFound
from rfm_backend.output.phrases import segment_words
from rfm_backend.pipeline.analysis import SegmentProfile
from rfm_backend.services import analyses, insights, parts
from rfm_backend.services.insights import Told
from rfm_backend.services.parts import Contrast
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.charts import Bar, Columns
from rfm_backend.web.customer_list import asked_list, list_values
from rfm_backend.web.routing import Screen, Visit, page

_DIMENSIONS: Final = (c.RECENCY, c.FREQUENCY, c.MONETARY)


@page("/analyses/<int:analysis_id>/segments/<string:segment>")
def show_segment(visit: Visit) -> Screen:
    """Show a segment: who they are, how they differ, what to do, its customers."""
    analysis = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    told = insights.tell(visit.service, analysis)
    key = visit.path["segment"]
    own = next((one for one in told.summary.segments if one.segment == key), None)
    if own is None:
        raise NotFound("There is no segment of this name in the analysis.")
    asked = replace(asked_list(visit), segment=key)
    values = list_values(visit, analysis, told, asked, is_of_segment=True)
    if visit.is_part:
        return Screen(template="customers_part.html", values=values)
    words, currency = visit.words, told.summary.quality.currency
    if own.n_customers:
        found = parts.contrast(visit.service, analysis, told.summary, segment=key)
        values |= {
            "facts": contrast_facts(found, words, currency=currency),
            "charts": [_chart(name, found, told, words) for name in _DIMENSIONS],
        }
    return Screen(
        template="segment.html",
        values={
            **values,
            "head": head_of(visit, analysis, tab="overview"),
            "key": key,
            "said": segment_words(key, told.model.rules.names, words),
            "size": _size(own, words, currency),
            "n_customers": own.n_customers,
            "cells": [cell for cell, segment in told.model.rules.cells.items() if segment == key],
            "table": told.summary.segment_table,
        },
    )


def contrast_facts(found: Contrast, words: Words, *, currency: str | None) -> list[str]:
    """Return how the middle customer differs from everybody else's, as sentences."""
    own, rest = found.own, found.rest
    if not rest.n_customers:
        return [words("segment_page.nobody_else")]
    return [
        words(
            "segment_page.fact_recency",
            own=words.number(own.median_recency),
            rest=words.number(rest.median_recency),
        ),
        words(
            "segment_page.fact_frequency",
            own=words.number(own.median_frequency),
            rest=words.number(rest.median_frequency),
        ),
        words(
            "segment_page.fact_monetary",
            own=words.money(own.median_monetary, currency),
            rest=words.money(rest.median_monetary, currency),
        ),
    ]


def _size(own: SegmentProfile, words: Words, currency: str | None) -> str:
    return words(
        "segment_page.size",
        customers=words.number(own.n_customers),
        share=words.percent(own.share_of_customers),
        money=words.money(own.monetary, currency),
        money_share=words.percent(own.share_of_monetary),
    )


def _chart(name: str, found: Contrast, told: Told, words: Words) -> Columns:
    """Return a distribution: the share of the segment, and of the others, in each range."""
    edges, _ = told.summary.histograms[name]
    own, rest = found.own_counts[name], found.rest_counts[name]
    n_own, n_rest = max(found.own.n_customers, 1), max(found.rest.n_customers, 1)
    return Columns(
        title=words(f"report.histogram_{name}"),
        head=words(f"explain.{name}"),
        series=(words("segment_page.these"), words("segment_page.others")),
        ticks=tuple(words.number(edge) for edge in edges[:-1]),
        bars=tuple(
            Bar(
                name=f"{words.number(low)} – {words.number(high)}",
                values=(mine / n_own, other / n_rest),
                texts=(words.percent(mine / n_own), words.percent(other / n_rest)),
            )
            for (low, high), mine, other in zip(pairwise(edges), own, rest, strict=True)
        ),
    )
