"""Endpoints of operation: /health, /ready, /metrics, /openapi.json, /docs."""

import hmac
import ipaddress
import json
from importlib import resources
from typing import Final

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import NotFound

from rfm_backend.api.metrics import METRICS, note_jobs
from rfm_backend.api.openapi import describe
from rfm_backend.api.routing import ROUTES, Answer, Call, Shown, route
from rfm_backend.errors import NotAuthenticated
from rfm_backend.storage import jobs
from rfm_backend.storage.migrate import check_is_current

_TAG: Final = "Operation"
_RELAYED: Final = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-Ip",
    "Via",
)
_SWAGGER: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>RFM Backend API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>
</body></html>
"""
_START: Final = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui", deepLinking: true,
  persistAuthorization: false, validatorUrl: null});
"""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@route(
    "GET",
    "/health",
    tag=_TAG,
    access="anyone",
    answers={200: Shown(shape=None, example={"status": "ok"}, meaning="The process answers.")},
)
def health(call: Call) -> Answer:
    """Tell that the process answers; it asks nothing of the database."""
    del call
    return Answer(value={"status": "ok"})


@route(
    "GET",
    "/ready",
    tag=_TAG,
    access="anyone",
    answers={200: Shown(shape=None, example={"status": "ready"}, meaning="The database answers.")},
    problems=(503,),
)
def ready(call: Call) -> Answer:
    """Tell that the database answers and has this version's form."""
    check_is_current(call.service.database)
    return Answer(value={"status": "ready"})


@route(
    "GET",
    "/metrics",
    tag=_TAG,
    access="operator",
    answers={
        200: Shown(
            shape=None,
            example="rfm_requests_total 1.0",
            meaning="For Prometheus.",
            content_type="text/plain",
        )
    },
    problems=(401,),
)
def metrics(call: Call) -> Response:
    """Show the service's figures: for loopback, or with RFM_METRICS_TOKEN as bearer token.

    What comes through a proxy that RFM_TRUSTED_PROXY does not name is not from loopback.
    """
    token = call.service.settings.metrics_token
    given = call.request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_operator = token and hmac.compare_digest(given.encode(), token.encode())
    if not is_operator and (not _is_loopback(call.request.remote_addr) or _is_relayed(call)):
        raise NotAuthenticated("The metrics are for loopback, or for RFM_METRICS_TOKEN.")
    note_jobs(call.service.database.read(jobs.count_by_state))
    return Response(generate_latest(METRICS), content_type=CONTENT_TYPE_LATEST)


@route(
    "GET",
    "/openapi.json",
    tag=_TAG,
    access="anyone",
    answers={200: Shown(shape=None, example={"openapi": "3.1.0"}, meaning="OpenAPI 3.1.")},
)
def openapi(call: Call) -> Response:
    """Describe the API; Postman imports it."""
    del call
    return Response(
        json.dumps(describe(ROUTES), ensure_ascii=False), content_type="application/json"
    )


@route(
    "GET",
    "/docs",
    tag=_TAG,
    access="anyone",
    answers={
        200: Shown(
            shape=None, example="<!doctype html>", meaning="A page.", content_type="text/html"
        )
    },
)
def docs(call: Call) -> Response:
    """Show the API's description as a page to try it on (Swagger UI)."""
    del call
    return Response(
        _PAGE,
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _POLICY},
    )


@route(
    "GET",
    "/docs/<string:name>",
    tag=_TAG,
    access="anyone",
    answers={
        200: Shown(
            shape=None,
            example="SwaggerUIBundle({...})",
            meaning="A file of the page.",
            content_type="text/javascript",
            also=("text/css",),
        )
    },
    problems=(404,),
)
def docs_file(call: Call) -> Response:
    """Hand out the files of the page."""
    name = call.path["name"]
    if name == "start.js":
        return Response(_START, content_type="text/javascript; charset=utf-8")
    if name not in _SWAGGER:
        raise NotFound
    folder = resources.files("rfm_backend.web.static.vendor") / "swagger-ui"
    return Response((folder / name).read_bytes(), content_type=_SWAGGER[name])


def _is_relayed(call: Call) -> bool:
    """Tell whether a proxy passed the request on, and none is trusted to say for whom."""
    is_trusting = bool(call.service.settings.trusted_proxy)
    return not is_trusting and any(name in call.request.headers for name in _RELAYED)


def _is_loopback(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
