"""The page of the HTTP API, from the routes: what each call takes, answers and needs."""

import importlib
import json
import re

from docs_tools import markdown
from rfm_backend.api.openapi import describe
from rfm_backend.api.routing import PARAMETER, ROUTES, Route
from rfm_backend.statuses import STATUS

_WORDS = """\
Every call but those for anyone carries the header `Authorization: Bearer <token>`; what is another user's answers as what is not there: 404.
A failure is `application/problem+json` with a stable `code`, a `message` for people and a `request_id`.
Lists come in pages: `{"items": [...], "next_cursor": ...}`; `?cursor=` with `next_cursor` gives the next one.
The running service shows the same at `/docs`, and as OpenAPI 3.1 at `/openapi.json`.
Postman imports that address, [the file](openapi.json) that stands beside this page, and [the collection](rfm-backend.postman_collection.json), whose folder "First steps" runs as it stands once a file is chosen.
Tried with Postman's own parts: openapi-to-postmanv2 6 finds the description valid and makes a request of each call, and newman runs the first steps of the collection against `rfm serve`."""
_SCOPE = {"read": "any", "write": "one that may write", "login": "none: log in", None: ""}
_ACCESS = {"anyone": "anyone", "user": "token", "operator": "loopback or RFM_METRICS_TOKEN"}


def collection() -> str:
    """Return docs/reference/openapi.json, which Postman imports."""
    importlib.import_module("rfm_backend.app")
    return json.dumps(describe(ROUTES), ensure_ascii=False, indent=1) + "\n"


def page() -> str:
    """Return docs/reference/api.md."""
    # Importing the application is what declares the routes.
    importlib.import_module("rfm_backend.app")
    tags = list(dict.fromkeys(route.tag for route in ROUTES))
    parts = [
        _WORDS,
        "## Who may call what",
        _access_table(),
        "## Status of errors",
        _status_table(),
    ]
    for tag in tags:
        parts.append(f"## {tag}")
        parts += [_call(route) for route in ROUTES if route.tag == tag]
    return markdown.page(
        "HTTP API",
        "For whoever writes a program against the service.",
        "the routes in src/rfm_backend/api",
        parts,
    )


def _access_table() -> str:
    rows = [
        (
            markdown.code(f"{route.method} {_path(route)}"),
            _ACCESS[route.access],
            _SCOPE[route.scope],
        )
        for route in ROUTES
    ]
    return markdown.table(("call", "who", "named token"), rows)


def _status_table() -> str:
    rows = [(str(status), markdown.code(kind.code)) for kind, status in STATUS]
    return markdown.table(("status", "`code`"), rows)


def _call(route: Route) -> str:
    lines = [f"### `{route.method} {_path(route)}`", route.summary + "."]
    if route.description:
        lines.append(_lines(route.description))
    if route.query is not None:
        names = ", ".join(markdown.code(name) for name in route.query.model_fields)
        lines.append(f"Query: {names}.")
    if route.takes_file:
        lines.append("Body: `multipart/form-data` with the field `file`.")
    if route.body is not None:
        needed = "" if route.is_body_needed else " (may be left out)"
        lines.append(f"Body{needed}:\n\n```json\n{_json(route.body_example)}\n```")
    for status, shown in route.answers.items():
        text = shown.example if isinstance(shown.example, str) else _json(shown.example)
        kind = "json" if not isinstance(shown.example, str) else "text"
        lines.append(f"{_lines(f'**{status}** {shown.meaning}')}\n\n```{kind}\n{text}\n```")
    return "\n\n".join(lines)


def _lines(text: str) -> str:
    """Return prose with one sentence on a line."""
    return re.sub(r"([.:?!]) (?=[A-Z`])", r"\1\n", markdown.prose(" ".join(text.split())))


def _path(route: Route) -> str:
    return PARAMETER.sub(r"{\2}", route.path)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
