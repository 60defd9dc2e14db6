"""Every failure as one shape: application/problem+json (RFC 9457) with a stable code.

In:  an error of errors.py, one of Flask's, or anything else.
Out: an answer that says what is wrong, where, what to do; nothing of our insides.

    {"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
     "message": "There is no upload of this number among yours.", "request_id": "..."}
"""

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from flask import Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from rfm_backend.errors import RfmError
from rfm_backend.statuses import status_of

_LOG: Final = logging.getLogger("rfm_backend.api")
CONTENT_TYPE: Final = "application/problem+json"

_WORDS: Final = {
    400: ("bad_request", "The request cannot be understood."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not answer to this method."),
    411: ("length_required", "The request needs a Content-Length."),
    413: ("too_large", "The form has more parts, or a longer field, than is taken here."),
    414: ("bad_request", "The address is too long."),
    415: ("unsupported_media_type", "The body must be JSON: Content-Type: application/json."),
    431: ("bad_request", "The headers are too large."),
    501: ("bad_request", "The body comes in an encoding that is not spoken here."),
}
# Details that a client may see: what it sent itself, numbers of its own things, codes.
_SHOWN_DETAILS: Final = (
    "field", "reason", "job_id", "line", "column", "role", "columns", "candidates", "option",
    "currencies", "reasons", "groups", "unknown", "known", "cells", "sheets", "setting",
)  # fmt: skip


def problem(
    status: int,
    code: str,
    message: str,
    *,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return one failure as an answer."""
    told: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "message": message,
        "request_id": g.get("request_id", ""),
    }
    shown = {key: value for key, value in (details or {}).items() if key in _SHOWN_DETAILS}
    told |= json.loads(json.dumps(shown, default=str))
    return Response(
        json.dumps(told, ensure_ascii=False) + "\n",
        status=status,
        headers=dict(headers or {}),
        content_type=CONTENT_TYPE,
    )


def of_ours(error: RfmError) -> Response:
    """Return an error of this package as an answer."""
    status = status_of(error)
    if status == 500:
        return of_anything(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="rfm-backend"'
    if status == 429:
        headers["Retry-After"] = str(error.details["retry_after"])
    if status == 503:
        _LOG.warning("unavailable: %s", error.message)
        headers["Retry-After"] = "2"
    return problem(status, error.code, error.api_message, details=error.details, headers=headers)


def of_http(error: HTTPException) -> Response:
    """Return an error of Flask's as an answer."""
    status = error.code or 500
    if status >= 500:
        return of_anything(error)
    code, message = _WORDS.get(status, ("bad_request", "The request cannot be answered."))
    most_bytes = request.max_content_length or 0
    if status == 413 and (request.content_length or 0) > most_bytes:
        message = _too_large(most_bytes)
    headers = {
        name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")
    }
    return problem(status, code, message, headers=headers)


def of_server(status: int, number: str, *, most_bytes: int) -> dict[str, object]:
    """Return the problem of a request that the server refuses before the application sees it."""
    code, message = _WORDS.get(status, ("internal_error", "The request failed by a fault of ours."))
    if status == 413:
        message = _too_large(most_bytes)
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "message": message,
        "request_id": number,
    }


def _too_large(most_bytes: int) -> str:
    return f"The request is larger than {most_bytes:,} bytes, which is the limit here."


def of_shape(error: ValidationError, *, where: str) -> Response:
    """Return what a body or a query has wrong, field by field."""
    told = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:10]:
        place = ".".join(str(part) for part in one["loc"])
        told.append(f"{place or where}: {one['msg'].removeprefix('Value error, ')}")
    first = error.errors()[0]["loc"]
    return problem(
        400,
        "invalid_request",
        f"The {where} is not as documented. " + "; ".join(told) + ".",
        details={"field": str(first[0]) if first else ""},
    )


def of_anything(error: Exception) -> Response:
    """Return a fault of ours: logged with the request's number, told without a word of it."""
    _LOG.error("a fault of ours", exc_info=error)
    return problem(
        500,
        "internal_error",
        "The request failed by a fault of ours. It was logged under its request_id.",
    )
