"""The collection that Postman imports, from the routes: every call, its example, its answers.

A collection keeps what an answer names (the token, the number of an upload) for the calls after it, which a
description cannot: its first folder runs as it stands.
"""

import importlib
import json
import re
from collections.abc import Iterable
from http import HTTPStatus

from rfm_backend.api.routing import PARAMETER, ROUTES, Route, Shown

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_ABOUT = (
    'Import this file, set `baseUrl`, and run the folder "First steps" with a file of sales in the upload\'s '
    "field `file`. What an answer names is kept in the collection's variables, so that the next call finds it."
)
_FIRST_STEPS = ("register", "login", "upload", "process", "read_results", "read_summary")
_KEEP = """\
let body = {};
try { body = pm.response.json(); } catch (error) { body = {}; }
for (const name of NAMES) {
  if (body && body[name]) { pm.collectionVariables.set(name, String(body[name])); }
}
if (body && body.upload_id) { pm.collectionVariables.set("file_id", String(body.upload_id)); }
if (body && body.analysis_id) { pm.collectionVariables.set("other_id", String(body.analysis_id)); }
if (body && body.user_id && body.token) { pm.collectionVariables.set("token", body.token); }
"""


def page() -> str:
    """Return docs/reference/rfm-backend.postman_collection.json."""
    # Importing the application is what declares the routes.
    importlib.import_module("rfm_backend.app")
    by_name = {route.name: route for route in ROUTES}
    tags = list(dict.fromkeys(route.tag for route in ROUTES))
    folders = [_folder("First steps", (by_name[name] for name in _FIRST_STEPS))]
    folders += [_folder(tag, (route for route in ROUTES if route.tag == tag)) for tag in tags]
    names = sorted({name for route in ROUTES for name in route.path_parameters})
    kept = [name for name in names if name.endswith("_id") and name != "customer_id"]
    collection = {
        "info": {"name": "RFM Backend", "description": _ABOUT, "schema": _SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": _script(kept)}}],
        "variable": [
            {"key": "baseUrl", "value": "http://127.0.0.1:5000"},
            {"key": "token", "value": ""},
            *({"key": name, "value": _VALUES.get(name, "1")} for name in names),
        ],
        "item": folders,
    }  # fmt: skip
    return json.dumps(collection, indent=1, ensure_ascii=False) + "\n"


_VALUES = {"customer_id": "17850", "name": "swagger-ui.css"}


def _script(names: list[str]) -> list[str]:
    return _KEEP.replace("NAMES", json.dumps(names)).splitlines()


def _folder(name: str, routes: Iterable[Route]) -> dict[str, object]:
    return {"name": name, "item": [_item(route) for route in routes]}


def _item(route: Route) -> dict[str, object]:
    request = _request(route)
    return {
        "name": route.summary,
        "request": request,
        "response": [_answer(status, shown, request) for status, shown in route.answers.items()],
    }


def _request(route: Route) -> dict[str, object]:
    path = PARAMETER.sub(r"{{\2}}", route.path)
    url: dict[str, object] = {
        "raw": "{{baseUrl}}" + path,
        "host": ["{{baseUrl}}"],
        "path": path.strip("/").split("/"),
    }
    if route.query is not None:
        url["query"] = [
            {"key": name, "value": "", "description": field.description or "", "disabled": True}
            for name, field in route.query.model_fields.items()
        ]
    told: dict[str, object] = {"method": route.method, "header": [], "url": url}
    told["description"] = "\n\n".join(
        part for part in (route.summary + ".", route.description) if part
    )
    if route.access == "anyone":
        told["auth"] = {"type": "noauth"}
    if route.takes_file:
        file = {"key": "file", "type": "file", "src": "sales.csv"}
        told["body"] = {"mode": "formdata", "formdata": [file]}
    elif route.body is not None:
        text = json.dumps(route.body_example, indent=2, ensure_ascii=False)
        text = re.sub(r'("upload_id": )1\b', r"\1{{upload_id}}", text)
        told["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
    return told


def _answer(status: int, shown: Shown, request: dict[str, object]) -> dict[str, object]:
    text = shown.example
    return {
        "name": shown.meaning,
        "originalRequest": request,
        "status": HTTPStatus(status).phrase,
        "code": status,
        "header": [{"key": "Content-Type", "value": shown.content_type}],
        "body": text if isinstance(text, str) else json.dumps(text, indent=2, ensure_ascii=False),
    }
