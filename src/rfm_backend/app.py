"""The Flask application: the API's routes and the dashboard's pages, errors, headers, cross-origin access.

In:  a `Service`.
Out: `Flask`, which any WSGI server runs.

What always holds: every answer, errors included, carries the security headers and a request number;
the API's errors are problems, a page's are pages; only origins of the allow-list may call from a page.
"""

import logging
import re
import secrets
import tempfile
import time
from collections.abc import Mapping
from typing import IO, Final, cast

from flask import Flask, Request, Response, g, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException

from rfm_backend.api import accounts, analyses, health, keeping, problems, results, uploads
from rfm_backend.api.dispatch import register
from rfm_backend.api.metrics import note_request
from rfm_backend.api.routing import ROUTES
from rfm_backend.errors import RfmError
from rfm_backend.logs import request_id
from rfm_backend.services import Service
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.files import is_full_disk, told_of_disk
from rfm_backend.web import dispatch as web
from rfm_backend.web import failures
from rfm_backend.web.pages import (
    account,
    columns,
    compare,
    customer,
    customers,
    history,
    jobs,
    kept,
    options,
    overview,
    parts,
    rules,
    segment,
    sign,
    start,
    upload,
)
from rfm_backend.web.routing import PAGES

__all__ = ["create_app", "headers_of"]

_LOG: Final = logging.getLogger("rfm_backend.requests")
# Asked every few seconds by whatever watches the service.
_WATCHED: Final = ("/health", "/ready", "/metrics")
# The modules that declare the routes and the pages; importing them is what fills the lists.
_DECLARE: Final = (accounts, analyses, health, keeping, results, uploads)
_DECLARE_PAGES: Final = (
    account, columns, compare, customer, customers, history, jobs, kept, options, overview, parts, rules,
    segment, sign, start, upload,
)  # fmt: skip
# A multipart body is larger than its file by its boundaries and fields.
_BODY_SLACK: Final = 1024 * 1024
# So much of each file of a form is held in memory.
_HELD_BYTES: Final = 64 * 1024
_LOCAL_PAGES: Final = (r"http://localhost(:\d+)?", r"http://127\.0\.0\.1(:\d+)?")
_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
}


class _Request(Request):
    """A request whose form fields stay small and few; a file's size is the upload's limit."""

    # Not below the 64 KiB that the parser takes at a time.
    max_form_memory_size = 256 * 1024
    # The files of the plain upload form; upload.js sends each by itself.
    max_form_parts = 50

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        """Return where a file of a form is kept: on the disk early, so that many take little memory."""
        del total_content_length, content_type, filename, content_length
        # Closed with the request, below.
        held = cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_HELD_BYTES))  # noqa: SIM115
        self.__dict__.setdefault("_held", []).append(held)
        return held

    def close(self) -> None:
        """Close the files, those of a form that was refused midway too."""
        super().close()
        for held in self.__dict__.get("_held", []):
            held.close()


def create_app(service: Service) -> Flask:
    """Return the application over an open service."""
    app = Flask("rfm_backend", static_folder=None)
    app.request_class = _Request
    app.config["MAX_CONTENT_LENGTH"] = service.settings.max_upload_bytes + _BODY_SLACK
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.strict_slashes = False
    # No redirect to an address that somebody made up.
    app.url_map.merge_slashes = False
    register(app, ROUTES, service)
    web.register(app, PAGES, service)
    _answer_errors(app)
    _watch(app, headers_of(service.settings))
    origins = service.settings.cors_origins or (
        _LOCAL_PAGES if service.settings.is_development else ()
    )
    if origins:
        CORS(
            app,
            origins=[_origin(one, service) for one in origins],
            supports_credentials=False,
            allow_headers=["Authorization", "Content-Type", "Prefer"],
            expose_headers=["Content-Disposition", "Location", "Retry-After"],
            max_age=600,
        )
    return app


def headers_of(settings: ServiceSettings) -> Mapping[str, str]:
    """Return the headers of every answer; over http, as in development, a page is not tied to https."""
    if settings.is_development:
        return _HEADERS
    return {**_HEADERS, "Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


def _origin(text: str, service: Service) -> str:
    """Return an origin as Flask-CORS compares it: as a pattern, whose end is the origin's end."""
    ours = text in _LOCAL_PAGES and not service.settings.cors_origins
    return (text if ours else re.escape(text)) + r"\Z"


def _answer_errors(app: Flask) -> None:
    """Tell a failure as a problem to a program, and as a page to a person."""

    def of_ours(error: RfmError) -> Response:
        return failures.of_ours(error) if failures.is_for_page(request) else problems.of_ours(error)

    def of_http(error: HTTPException) -> Response:
        return failures.of_http(error) if failures.is_for_page(request) else problems.of_http(error)

    def of_anything(error: Exception) -> Response:
        if isinstance(error, OSError) and is_full_disk(error):
            # A form's file, or an export, is written before a service sees it.
            return of_ours(told_of_disk(error))
        return (
            failures.of_anything(error)
            if failures.is_for_page(request)
            else problems.of_anything(error)
        )

    app.register_error_handler(RfmError, of_ours)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_anything)


def _watch(app: Flask, always: Mapping[str, str]) -> None:
    """Give each request a number, each answer its headers, each figure its count."""
    added = [(name.lower(), (name, value)) for name, value in always.items()]

    @app.before_request
    def _begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.began = time.monotonic()
        request_id.set(g.request_id)

    @app.after_request
    def _end(answer: Response) -> Response:
        given = {name.lower() for name, _ in answer.headers}
        answer.headers.extend(pair for name, pair in added if name not in given)
        answer.headers.add("X-Request-Id", g.get("request_id", ""))
        answer.headers["Vary"] = ", ".join([*answer.headers.getlist("Vary"), "Authorization"])
        route = request.url_rule.rule if request.url_rule else "none"
        seconds = time.monotonic() - g.get("began", time.monotonic())
        note_request(request.method, route, answer.status_code, seconds)
        _log_request(route, answer.status_code, seconds)
        return answer


def _log_request(route: str, status: int, seconds: float) -> None:
    """Log who asked for what and how it went: the route, and nothing of what was sent."""
    is_routine = route in _WATCHED and status < 400
    fields = {
        "method": request.method,
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "user_id": g.get("user_id"),
        "address": request.remote_addr,
    }
    _LOG.log(logging.DEBUG if is_routine else logging.INFO, "request", extra={"fields": fields})
