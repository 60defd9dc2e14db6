"""From a request to a page and back: whose login, from which site, then the page.

In:  a Flask request, the `Page` it matched.
Out: an answer; failures are told by failures.py.

What always holds: an unsafe method from another site is refused before anything of it is read.
"""

from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from rfm_backend.errors import NotAllowed, NotAuthenticated
from rfm_backend.services import Service
from rfm_backend.web.login import caller_of
from rfm_backend.web.origin import is_from_another_site
from rfm_backend.web.reader import reader_of
from rfm_backend.web.render import render
from rfm_backend.web.routing import MOST_ID, Page, Visit


def register(app: Flask, pages: list[Page], service: Service) -> None:
    """Make Flask answer the pages."""
    for one in pages:
        app.add_url_rule(
            one.path, endpoint=one.name, methods=[one.method], view_func=_view(one, service)
        )


def _view(page: Page, service: Service) -> Any:  # noqa: ANN401  # Flask's own type
    def view(**path: object) -> Response:
        if page.method != "GET" and is_from_another_site(request):
            raise NotAllowed("A page of another site sent this.", reason="another_site")
        caller = caller_of(service, request)
        # The page of a failure shows who is logged in, and must not ask the database for it.
        g.page_user = caller.user if caller else None
        if caller is None and page.access == "user":
            raise NotAuthenticated("A login is needed.", reason="session_ended")
        if any(isinstance(value, int) and value > MOST_ID for value in path.values()):
            raise NotFound
        visit = Visit(
            service=service, request=request, reader=reader_of(request), caller=caller, path=path
        )
        answer = page.handler(visit)
        if isinstance(answer, Response):
            return answer
        return render(answer, reader=visit.reader, request=request, user=g.page_user)

    return view
