"""The customers of an analysis: filtered, ordered, page by page; taken away as a file."""

from typing import TYPE_CHECKING, Final, Literal

from flask import Response

from rfm_backend.downloads import hand_out
from rfm_backend.errors import InvalidRequest, TooManyRows
from rfm_backend.services import analyses, exports, insights, uploads
from rfm_backend.services.chosen import Chosen
from rfm_backend.statuses import status_of
from rfm_backend.web.addresses import customers_address, with_query
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.customer_list import Asked, asked_list, contact_columns, list_values
from rfm_backend.web.failures import words_of
from rfm_backend.web.routing import MOST_ID, Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead

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
def export_customers(visit: Visit) -> Screen | Response:
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
    try:
        path = exports.make_export(visit.service, analysis, kind, chosen=chosen, columns=columns)
    except TooManyRows as error:
        return _too_many(visit, analysis, asked, error)
    stem = uploads.get(visit.service, visit.user.id, analysis.upload_id).filename
    stem = stem.rpartition(".")[0] or stem
    what = visit.words(f"customers.file_{'contacts' if columns else 'rows'}")
    return hand_out(
        path,
        name=".".join(part for part in (stem, asked.segment, what, kind) if part),
        content_type=exports.CONTENT_TYPES[kind],
        is_temporary=True,
    )


def _too_many(visit: Visit, analysis: "AnalysisHead", asked: Asked, error: TooManyRows) -> Screen:
    """Return what to take instead of a workbook: the same customers as CSV, or fewer of them."""
    wanted = {**asked.filters, "form": "csv"}
    return Screen(
        template="customers_too_many.html",
        values={
            "message": words_of(error, visit.words),
            "as_csv": with_query(f"/analyses/{analysis.id}/export", wanted),
            "back": customers_address(analysis.id, **asked.filters),
        },
        status=status_of(error),
    )
