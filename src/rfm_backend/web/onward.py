"""Leading a browser on: after a form, to an analysis that begins, and to what became of it.

In:  who asks, an address of this site.
Out: an answer that a browser follows, and htmx too.
"""

from flask import Response

from rfm_backend.services.analyses import is_finished, process
from rfm_backend.services.requests import AnalysisRequest
from rfm_backend.web.routing import Visit


def go_on(visit: Visit, to: str) -> Response:
    """Return the way on to another page."""
    if visit.is_by_htmx:
        # htmx would follow a redirect by itself and put the whole page where a part belongs.
        return Response(status=200, headers={"HX-Redirect": to})
    return Response(status=303, headers={"Location": to})


def begin_analysis(visit: Visit, upload_id: int, request: AnalysisRequest) -> Response:
    """Ask for an analysis; lead on to where it can be watched, or looked at if it is there already."""
    got = process(visit.service, visit.user.id, upload_id, request)
    return go_on(visit, f"/jobs/{got.id}" if not is_finished(got) else address_of_result(got.id))


def address_of_result(analysis_id: int) -> str:
    """Return where a finished analysis is shown."""
    return f"/analyses/{analysis_id}"
