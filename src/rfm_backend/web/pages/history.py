"""The history: uploads with what became of them, of all shops or one; the report to take away."""

from typing import Final

from flask import Response

from rfm_backend.errors import NotProcessed
from rfm_backend.services import analyses, exports, history, keeping
from rfm_backend.web.routing import Screen, Visit, page

_PER_PAGE: Final = 25
_DONE: Final = ("upload", "upload_deleted")


@page("/history")
def show_history(visit: Visit) -> Screen:
    """List the uploads, the newest first."""
    before, shop_id = visit.number("before"), visit.number("shop")
    found = history.page(
        visit.service, visit.user.id, before=before, limit=_PER_PAGE + 1, shop_id=shop_id
    )
    done = visit.request.args.get("done", "")
    return Screen(
        template="history.html",
        values={
            "entries": found[:_PER_PAGE],
            "older": found[_PER_PAGE - 1].upload.id if len(found) > _PER_PAGE else None,
            "before": before,
            "shop": shop_id,
            "shops": keeping.shops(visit.service, visit.user.id),
            "done": done if done in _DONE else "",
        },
    )


@page("/history/<int:upload_id>")
def show_entry(visit: Visit) -> Screen:
    """Show one upload's row as it is now: the row asks for itself while work is under way."""
    found = history.entry(visit.service, visit.user.id, visit.path["upload_id"])
    return Screen(template="history_row.html", values={"entry": found})


@page("/analyses/<int:analysis_id>/report")
def download_report(visit: Visit) -> Response:
    """Hand out the report as a file, in the reader's language."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    path = exports.report_path(visit.service, found, visit.reader.language)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotProcessed("The report is not there.") from error
    name = f"rfm-{found.id}.{visit.reader.language}.html"
    return Response(
        content,
        content_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
