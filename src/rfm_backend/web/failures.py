"""Failures as a person reads them: a page, a message on the page that is shown, words beside a field.

In:  an error of errors.py, one of Flask's, or anything else.
Out: an answer in the reader's language; nothing of our insides.

    a page was asked for, and the login has ended    the sign-in page, which leads back
    a form was sent, and the login has ended         a page that says so: nothing was done
    a page was asked for                             a page of its own, with a next step
    htmx asked                                       a message on top; what was typed stays
"""

import logging
from typing import Final
from urllib.parse import quote

from flask import Request, Response, g, request
from werkzeug.exceptions import HTTPException

from rfm_backend.catalogue import Words
from rfm_backend.errors import NotAuthenticated, RfmError
from rfm_backend.statuses import status_of
from rfm_backend.web.reader import reader_of
from rfm_backend.web.render import render
from rfm_backend.web.routing import Screen

_LOG: Final = logging.getLogger("rfm_backend.web")


def is_for_page(asked: Request) -> bool:
    """Tell whether a failure is to be told as a page: a page failed, or a browser is lost."""
    if asked.endpoint is not None:
        return asked.endpoint.startswith("page.")
    return "text/html" in asked.headers.get("Accept", "") and not asked.path.startswith("/api/")


def words_of(error: RfmError, words: Words) -> str:
    """Return what an error says in the reader's language: the most particular message there is."""
    details = [str(error.details.get(name, "")) for name in ("reason", "field")]
    for key in (*(f"{error.code}_{detail}" for detail in details if detail), error.code):
        if f"problems.{key}" in words:
            return words(f"problems.{key}")
    return error.api_message


def of_ours(error: RfmError) -> Response:
    """Return an error of this package as an answer."""
    status = status_of(error)
    if status == 500:
        return of_anything(error)
    if isinstance(error, NotAuthenticated) and request.method == "GET" and not _is_htmx():
        here = request.full_path.rstrip("?")
        return Response(status=303, headers={"Location": f"/sign-in?next={quote(here)}"})
    words = reader_of(request).words
    if isinstance(error, NotAuthenticated) and not _is_htmx():
        return _answer(status, error.code, words("problems.not_authenticated_form"))
    return _answer(status, error.code, words_of(error, words))


def of_http(error: HTTPException) -> Response:
    """Return an error of Flask's as an answer."""
    status = error.code or 500
    if status >= 500:
        return of_anything(error)
    code = {404: "no_page", 405: "no_page", 413: "too_large"}.get(status, "bad_request")
    if status == 413 and (request.content_length or 0) <= (request.max_content_length or 0):
        # The body as a whole is small enough: its parts are too many.
        code = "too_many_files"
    return _answer(status, code, reader_of(request).words(f"problems.{code}"))


def of_anything(error: Exception) -> Response:
    """Return a fault of ours: logged with the request's number, told without a word of it."""
    _LOG.error("a fault of ours", exc_info=error)
    return _answer(500, "internal_error", reader_of(request).words("problems.internal_error"))


def _answer(status: int, code: str, message: str) -> Response:
    values = {
        "status": status,
        "code": code,
        "message": message,
        "request_id": g.get("request_id", ""),
        "back": request.path if request.method == "GET" else "/",
    }
    # htmx puts the message where it is told to, and leaves the rest of the page as it is.
    place = {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"} if _is_htmx() else {}
    screen = Screen(
        template="notice.html" if _is_htmx() else "failure.html",
        values=values,
        status=status,
        headers={**place, **({"Retry-After": "2"} if status == 503 else {})},
    )
    return render(screen, reader=reader_of(request), request=request, user=g.get("page_user"))


def _is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"
