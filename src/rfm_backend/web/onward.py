"""Leading a browser on: after a form, and from a job to what became of it.

In:  who asks, an address of this site.
Out: an answer that a browser follows, and htmx too.
"""

from flask import Response

from rfm_backend.web.routing import Visit


def go_on(visit: Visit, to: str) -> Response:
    """Return the way on to another page."""
    if visit.is_by_htmx:
        # htmx would follow a redirect by itself and put the whole page where a part belongs.
        return Response(status=200, headers={"HX-Redirect": to})
    return Response(status=303, headers={"Location": to})


def address_of_result(analysis_id: int) -> str:
    """Return where a finished analysis is shown."""
    return f"/analyses/{analysis_id}"
