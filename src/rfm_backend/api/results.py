"""Endpoints of results: /api/rfm/results, /summary, /customers, /export."""

import json
from collections.abc import Iterator
from typing import Final, cast

from flask import Response

from rfm_backend.api.routing import Answer, Call, Shown, route
from rfm_backend.api.shapes.base import Page
from rfm_backend.api.shapes.results import (
    CustomerTold,
    ExplanationQuery,
    ExplanationTold,
    ExportQuery,
    ResultQuery,
    SummaryQuery,
    SummaryTold,
)
from rfm_backend.downloads import hand_out
from rfm_backend.services import analyses, exports, insights, result_rows
from rfm_backend.services.cursors import pack_cursor, unpack_cursor
from rfm_backend.services.result_rows import row_text
from rfm_backend.services.uploads import get
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.results import Order, Wanted, key_of

_TAG: Final = "Results"
_CUSTOMER: Final = {
    "customer_id": "12346",
    "recency": 326,
    "frequency": 1,
    "monetary": 77183.6,
    "cluster": 2,
    "segment": "hibernating",
    "r_score": 1,
    "f_score": 1,
    "m_score": 5,
    "rfm_cell": "115",
    "first_purchase_date": "2011-01-18",
    "last_purchase_date": "2011-01-18",
}


@route(
    "GET",
    "/api/rfm/results/<int:file_id>",
    tag=_TAG,
    scope="read",
    query=ResultQuery,
    answers={
        200: Shown(
            shape=CustomerTold,
            example=[_CUSTOMER],
            page=Page[CustomerTold],
            meaning="The whole array, streamed; with any of the parameters a page: "
            '`{"items": [...], "next_cursor": ...}`.',
        )
    },
    problems=(404, 409),
)
def read_results(call: Call) -> Response:
    """Read the customers of an upload's newest analysis."""
    analysis = analyses.current(call.service, call.user.id, call.path["file_id"])
    asked = call.asked(ResultQuery)
    if not asked.model_fields_set:
        return Response(
            _whole(call, analysis), content_type="application/json", direct_passthrough=True
        )
    wanted = _wanted(asked)
    rows = result_rows.page(call.service, analysis, wanted, cell=asked.cell)
    more = "null"
    if len(rows) == wanted.limit:
        more = json.dumps(pack_cursor(*key_of(wanted, rows[-1])))
    items = ", ".join(row_text(row, analysis) for row in rows)
    text = f'{{"items": [{items}], "next_cursor": {more}}}\n'
    return Response(text, content_type="application/json")


@route(
    "GET",
    "/api/rfm/summary/<int:file_id>",
    tag=_TAG,
    scope="read",
    query=SummaryQuery,
    answers={
        200: Shown(
            shape=SummaryTold,
            example={
                "analysis_id": 1,
                "upload_id": 1,
                "quality": {"rows_read": 541909, "rows_kept": 397884, "n_customers": 4338},
                "segments": [{"segment": "champions", "n_customers": 507}],
                "clusters": [{"cluster": 0, "title": "High value, active", "n_customers": 345}],
                "cross_table": {"champions": [244, 262, 0, 1, 0]},
                "edges": [{"recency": [13.8, 33, 72, 180]}],
                "findings": [{"code": "exact_duplicates", "level": "warning"}],
                "actions": [{"segment": "champions", "action": "Thank them first."}],
            },
            meaning="Everything but the customers.",
        )
    },
    problems=(404, 409),
)
def read_summary(call: Call) -> Answer:
    """Read segments, clusters, cross table, thresholds, accounting, findings and actions."""
    analysis = analyses.current(call.service, call.user.id, call.path["file_id"])
    language = call.asked(SummaryQuery).lang
    return Answer(value=insights.summary(call.service, analysis, language=language))


@route(
    "GET",
    "/api/rfm/customers/<int:file_id>/<path:customer_id>",
    tag=_TAG,
    scope="read",
    query=ExplanationQuery,
    answers={
        200: Shown(
            shape=ExplanationTold,
            example={"customer_id": "12346", "group": "", "segment": "hibernating", "moves": []},
            meaning="As `rfm explain --json` tells it.",
        )
    },
    problems=(404, 409),
)
def explain_customer(call: Call) -> Response:
    """Explain a customer: values, percentiles, score edges, the rule, what would move him."""
    analysis = analyses.current(call.service, call.user.id, call.path["file_id"])
    text = insights.explanation(
        call.service,
        analysis,
        call.path["customer_id"],
        group=call.asked(ExplanationQuery).group,
    )
    return Response(text + "\n", content_type="application/json")


@route(
    "GET",
    "/api/rfm/export/<int:file_id>",
    tag=_TAG,
    scope="read",
    query=ExportQuery,
    answers={
        200: Shown(
            shape=None,
            example="customer_id,recency,frequency,monetary,...",
            meaning="A file: the same bytes as the command writes.",
            content_type="text/csv",
            also=tuple(
                kind.partition(";")[0]
                for name, kind in exports.CONTENT_TYPES.items()
                if name != "csv"
            ),
        )
    },
    problems=(404, 409, 422),
)
def export_results(call: Call) -> Response:
    """Download the result as CSV, XLSX, Parquet or JSON, or the report as HTML."""
    file_id = call.path["file_id"]
    analysis = analyses.current(call.service, call.user.id, file_id)
    asked = call.asked(ExportQuery)
    name = get(call.service, call.user.id, file_id).filename
    stem = name.rpartition(".")[0] or name
    shown = f"{stem}.segments.{asked.format}"
    kind = exports.CONTENT_TYPES[asked.format]
    if asked.format == "html":
        path = exports.report_path(call.service, analysis, asked.lang)
        return hand_out(path, name=shown, content_type=kind)
    path = exports.make_export(call.service, analysis, asked.format)
    return hand_out(path, name=shown, content_type=kind, is_temporary=True)


def _whole(call: Call, analysis: AnalysisHead) -> Iterator[bytes]:
    yield b"["
    first = True
    for rows in result_rows.stream(call.service, analysis):
        text = ",\n".join(row_text(row, analysis) for row in rows)
        yield (text if first else ",\n" + text).encode()
        first = False
    yield b"]\n"


def _wanted(asked: ResultQuery) -> Wanted:
    sort = asked.sort or "customer_id"
    after = unpack_cursor(asked.cursor, 2)
    return Wanted(
        segment=asked.segment,
        cluster=asked.cluster,
        beginning=asked.q,
        order=cast("Order", sort.removeprefix("-")),
        descending=sort.startswith("-"),
        after=cast("tuple[int, int] | None", after),
        limit=asked.limit or 100,
    )
