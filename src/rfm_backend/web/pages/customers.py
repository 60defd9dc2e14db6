"""The customers of an analysis: filtered, ordered, page by page; taken away as a file."""

from typing import Final, Literal

from flask import Response

from rfm_backend.downloads import hand_out
from rfm_backend.errors import InvalidRequest
from rfm_backend.services import analyses, exports, insights, uploads
from rfm_backend.services.chosen import Chosen
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.customer_list import asked_list, contact_columns, list_values
from rfm_backend.web.routing import MOST_ID, Screen, Visit, page

_FORMS: Final = ("csv", "xlsx", "contacts")


@page("/analyses/<int:analysis_id>/customers")
def show_customers(visit: Visit) -> Screen:
    """List the customers: a segment's, a cluster's, a cell's, those that begin like a text."""
    analysis = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    told = insights.tell(visit.service, analysis)
    values = list_values(visit, analysis, told, asked_list(visit))
    if visit.is_part:
        return Screen(template="customers_part.html", values=values)
    return Screen(
        template="customers.html",
        values={**values, "head": head_of(visit, analysis, tab="customers")},
    )


@page("/analyses/<int:analysis_id>/export")
def export_customers(visit: Visit) -> Response:
    """Hand out customers as CSV or XLSX, or their names and e-mails: those ticked, or all that are listed."""
    analysis = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    query, asked = visit.request.args, asked_list(visit)
    form = query.get("form", "csv")
    columns = contact_columns(analysis) if form == "contacts" else None
    if form not in _FORMS or columns == []:
        raise InvalidRequest("There is no such form.", field="form")
    ticked = query.getlist("row", type=int)
    chosen = Chosen(
        segment=asked.segment or None,
        cluster=asked.cluster,
        cell=asked.cell or None,
        beginning=asked.q or None,
        positions=tuple(place for place in ticked if 0 < place <= MOST_ID),
    )
    kind: Literal["xlsx", "csv"] = "xlsx" if form == "xlsx" else "csv"
    path = exports.make_export(visit.service, analysis, kind, chosen=chosen, columns=columns)
    stem = uploads.get(visit.service, visit.user.id, analysis.upload_id).filename
    stem = stem.rpartition(".")[0] or stem
    what = visit.words(f"customers.file_{'contacts' if columns else 'rows'}")
    return hand_out(
        path,
        name=".".join(part for part in (stem, asked.segment, what, kind) if part),
        content_type=exports.CONTENT_TYPES[kind],
        is_temporary=True,
    )
