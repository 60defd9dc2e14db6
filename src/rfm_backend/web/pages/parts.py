"""What every page is made of: its static files, and the switch of language and theme."""

from flask import Response

from rfm_backend.web.login import safe_next
from rfm_backend.web.reader import keep_choice
from rfm_backend.web.routing import Visit, page
from rfm_backend.web.static_files import answer_file


@page("/static/<string:digest>/<path:name>", access="anyone")
def static_file(visit: Visit) -> Response:
    """Hand out a static file."""
    return answer_file(visit.request, digest=visit.path["digest"], name=visit.path["name"])


@page("/display", method="POST", access="anyone")
def choose_display(visit: Visit) -> Response:
    """Keep the choice of language and theme, and go back to where it was made."""
    sent = visit.request.form
    answer = Response(status=303, headers={"Location": safe_next(sent.get("next"), otherwise="/")})
    keep_choice(answer, language=sent.get("language"), theme=sent.get("theme"))
    return answer
