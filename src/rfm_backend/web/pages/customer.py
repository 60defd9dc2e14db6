"""One customer: his values and scores, where he stands, why this segment, what would move him."""

from bisect import bisect_right
from itertools import pairwise
from typing import Final

from flask import Response

from rfm_backend.catalogue import Words
from rfm_backend.errors import UnknownCustomer
from rfm_backend.output.phrases import (
    cluster_name,
    move_sentence,
    segment_words,
    threshold_ranges,
)
from rfm_backend.pipeline.explain import Explanation, Standing
from rfm_backend.services import analyses, insights, result_rows
from rfm_backend.services.insights import Told
from rfm_backend.web.addresses import (
    ELSEWHERE,
    customer_address,
    customers_address,
    segment_address,
)
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.charts import Bar, Columns
from rfm_backend.web.customer_list import rows_in_words
from rfm_backend.web.routing import Screen, Visit, page

# More cells than this are counted, not listed.
_LISTED_CELLS: Final = 16


@page("/analyses/<int:analysis_id>/customers/<path:customer_id>")
def show_customer(visit: Visit) -> Screen | Response:
    """Show a customer: values, scores, where he stands, why this segment, what moves him."""
    analysis = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    customer_id = visit.path["customer_id"]
    if customer_id == ELSEWHERE:
        customer_id = visit.request.args.get("id", customer_id)
    rows = result_rows.of_customer(visit.service, analysis, customer_id)
    if not rows:
        raise UnknownCustomer("There is no such customer in this analysis.")
    told = insights.tell(visit.service, analysis)
    group = visit.request.args.get("group")
    row = next((one for one in rows if one.group_value == group), rows[0])
    found = insights.explain(
        visit.service, analysis, customer_id, group=row.group_value if len(rows) > 1 else None
    )
    words, names = visit.words, told.model.rules.names
    [own] = rows_in_words([row], analysis, told, words)
    return Screen(
        template="customer.html",
        values={
            "head": head_of(visit, analysis, tab="customers"),
            "customer": own,
            "found": found,
            "row": row,
            "groups": [
                (one.group_value, customer_address(analysis.id, customer_id, one.group_value))
                for one in rows
                if len(rows) > 1
            ],
            "said": segment_words(found.segment, names, words),
            "segment_address": segment_address(analysis.id, found.segment),
            "cluster": cluster_name(found.cluster_name, words),
            "cluster_address": customers_address(analysis.id, cluster=found.cluster),
            "standings": [_standing(one, told, words) for one in _three(found)],
            "charts": [_chart(one, told, words) for one in _three(found)],
            "why": _why(found, told, words),
            "moves": [
                move_sentence(
                    move, words, segment=segment_words(move.new_segment, names, words).name
                )
                for move in found.moves
            ],
            "distances": [
                (
                    f"{one.cluster} · {cluster_name(one.name, words)}",
                    words.number(round(one.distance, 2), 2),
                )
                for one in found.distances
            ],
        },
    )


def _three(found: Explanation) -> tuple[Standing, Standing, Standing]:
    return found.recency, found.frequency, found.monetary


def _value(one: Standing, told: Told, words: Words) -> str:
    if one.dimension != "monetary":
        return words.number(one.value)
    # To the cent, where lists round: this page is where a figure is looked up.
    currency = told.summary.quality.currency
    return f"{words.number(one.value, 2)} {currency or ''}".strip()


def _standing(one: Standing, told: Told, words: Words) -> dict[str, object]:
    return {
        "name": words(f"explain.{one.dimension}"),
        "value": _value(one, told, words),
        "score": one.score,
        "better": "–" if one.share_worse is None else words.percent(one.share_worse),
        "same": "–" if one.share_equal is None else words.percent(one.share_equal),
        "ranges": words("explain.thresholds", ranges=threshold_ranges(one, words)),
    }


def _why(found: Explanation, told: Told, words: Words) -> str:
    listed = found.rule_cells[:_LISTED_CELLS]
    return words(
        "explain.is_segment",
        segment=segment_words(found.segment, told.model.rules.names, words).name,
        cell=found.rfm_cell,
        table=found.segment_table,
        n=words.number(len(found.rule_cells)),
        cells=" ".join(listed) + (" …" if len(found.rule_cells) > len(listed) else ""),
    )


def _chart(one: Standing, told: Told, words: Words) -> Columns:
    """Return the distribution of everybody, with the range of this customer pointed at."""
    edges, counts = told.summary.histograms[one.dimension]
    total = max(sum(counts), 1)
    place = min(max(bisect_right(edges, float(one.value)) - 1, 0), len(counts) - 1)
    return Columns(
        title=words(f"report.histogram_{one.dimension}"),
        head=words(f"explain.{one.dimension}"),
        series=(words("report.key_people"),),
        ticks=tuple(words.number(edge) for edge in edges[:-1]),
        bars=tuple(
            Bar(
                name=f"{words.number(low)} – {words.number(high)}",
                values=(count / total,),
                texts=(words.percent(count / total),),
            )
            for (low, high), count in zip(pairwise(edges), counts, strict=True)
        ),
        mark=place,
        mark_text=words("customers.here", value=_value(one, told, words)),
    )
