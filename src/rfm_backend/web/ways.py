"""The ways on from a page: for a browser that follows links, and for htmx, which follows a header.

In:  a visit, an address of this site; or a number of something that has a page.
Out: an answer; an address.
"""

from flask import Response

from rfm_backend.services import Service
from rfm_backend.services.analyses import process
from rfm_backend.services.requests import AnalysisRequest
from rfm_backend.web.routing import PAGES, Visit

_OTHERWISE = "/history"


def way_on(visit: Visit, to: str) -> Response:
    """Return the way on to an address of this site."""
    if visit.request.headers.get("HX-Request") == "true":
        # A redirect would be followed within htmx, and the address above the page would stay.
        return Response(status=204, headers={"HX-Redirect": to})
    return Response(status=303, headers={"Location": to})


def begin_analysis(service: Service, user_id: int, upload_id: int, request: AnalysisRequest) -> str:
    """Ask for an analysis; return where it can be watched, or looked at if it is there already."""
    asked = process(service, user_id, upload_id, request)
    if hasattr(asked, "state"):
        return _known(f"/jobs/{asked.id}", "/jobs/<int:job_id>")
    return _known(f"/analyses/{asked.id}", "/analyses/<int:analysis_id>")


def _known(address: str, rule: str) -> str:
    return address if any(one.path == rule for one in PAGES) else _OTHERWISE
