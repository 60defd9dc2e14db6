"""The API's description, OpenAPI 3.1, made of the routes themselves.

In:  routes.
Out: one object; every request and every answer has an example.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from rfm_backend.api.links import links_of
from rfm_backend.api.routing import PARAMETER, ROUTES, Route, Shown
from rfm_backend.api.shapes.base import MOST_ID, Problem

_REFERENCE: Final = "#/components/schemas/{model}"
# Loopback needs no token where an operator does.
_SECURITY: Final[Mapping[str, list[dict[str, list[str]]]]] = {
    "anyone": [],
    "user": [{"token": []}],
    "operator": [{}, {"token": []}],
}
_ALWAYS: Final = {"anyone": (), "user": (401,), "operator": (401,)}
_SCOPES: Final[Mapping[str | None, str]] = {
    "read": "For a login, or any named token.",
    "write": "For a login, or a named token that may write.",
    "login": "For a login: a named token is answered 403 `login_needed`.",
}
_ABOUT: Final = (
    "Turns a shop's sales file into customer segments: upload a file, process it, read the results. "
    "Log in first; every other call carries the header `Authorization: Bearer <token>`. "
    "A failure is always a problem (RFC 9457) with a stable `code` and a `message`."
)


def describe(routes: Sequence[Route]) -> Mapping[str, object]:
    """Return the description of `routes`."""
    return _described() if routes is ROUTES else _describe(routes)


@cache
def _described() -> Mapping[str, object]:
    return _describe(ROUTES)


def _describe(routes: Sequence[Route]) -> Mapping[str, object]:
    paths: dict[str, dict[str, object]] = {}
    for one in routes:
        path = PARAMETER.sub(r"{\2}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, routes)
    tags = list(dict.fromkeys(one.tag for one in routes))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "RFM Backend",
            "version": version("rfm-backend"),
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A login's token, or a named one, which reaches data and not the account.",
                }
            },
        },
    }


def _operation(one: Route, routes: Sequence[Route]) -> dict[str, object]:
    told: dict[str, object] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.summary,
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": {
            **{
                str(status): _answer(shown) | _links(links_of(one, shown, routes))
                for status, shown in one.answers.items()
            },
            **{str(status): _problem(status) for status in _problems_of(one)},
        },
        "security": _SECURITY[one.access],
    }
    told |= _description(one)
    if one.body is not None:
        told["requestBody"] = {
            "required": one.is_body_needed,
            "content": {
                "application/json": {"schema": _refer(one.body), "example": one.body_example}
            },
        }
    if one.takes_file:
        told["requestBody"] = _FILE_BODY
    return told


def _description(one: Route) -> dict[str, object]:
    lines = [one.description, _SCOPES[one.scope] if one.scope else ""]
    told = "\n\n".join(line for line in lines if line)
    return {"description": told} if told else {}


_FILE_BODY: Final = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "additionalProperties": False,
                "properties": {
                    # OpenAPI 3.1's way to say "bytes", and the older one that Postman looks for.
                    "file": {
                        "type": "string",
                        "contentMediaType": "application/octet-stream",
                        "format": "binary",
                    },
                    "shop_id": {"type": "integer", "minimum": 0, "maximum": MOST_ID},
                },
            },
            "example": {"file": "Online_Retail.xlsx"},
        }
    },
}


def _problems_of(one: Route) -> tuple[int, ...]:
    reads = (400,) if one.body is not None or one.query is not None or one.takes_file else ()
    types = (413, 415) if one.body is not None else ()
    scoped = (403,) if one.scope in ("write", "login") else ()
    return tuple(sorted({*_ALWAYS[one.access], *reads, *types, *scoped, *one.problems, 503}))


def _answer(shown: Shown) -> dict[str, object]:
    if shown.shape is None:
        schema: dict[str, object] = {}
    elif isinstance(shown.example, list):
        schema = {"type": "array", "items": _refer(shown.shape)}
    else:
        schema = _refer(shown.shape)
    if shown.page is not None:
        schema = {"anyOf": [schema, _refer(shown.page)]}
    return {
        "description": shown.meaning,
        "content": {
            shown.content_type: {"schema": schema, "example": shown.example},
            **{kind: {"schema": {}} for kind in shown.also},
        },
    }


def _links(told: Mapping[str, object]) -> dict[str, object]:
    return {"links": told} if told else {}


def _problem(status: int) -> dict[str, object]:
    phrase = HTTPStatus(status).phrase
    code = phrase.lower().replace(" ", "_")
    return {
        "description": phrase,
        "content": {
            "application/problem+json": {
                "schema": _refer(Problem),
                "example": {
                    "type": "about:blank",
                    "title": phrase,
                    "status": status,
                    "code": code,
                    "message": f"What is wrong, and what to do ({phrase}).",
                    "request_id": "5f0c1d2e",
                },
            }
        },
    }


def _path_parameters(one: Route) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0, "maximum": MOST_ID}
            if kind == "int"
            else {"type": "string", "minLength": 1},
        }
        for kind, name in PARAMETER.findall(one.path)
    ]


def _query_parameters(one: Route) -> list[dict[str, object]]:
    if one.query is None:
        return []
    schema = one.query.model_json_schema(ref_template=_REFERENCE)
    told = []
    for name, values in schema.get("properties", {}).items():
        plain = dict(values)
        description = plain.pop("description", None)
        parameter: dict[str, object] = {"name": name, "in": "query", "schema": plain}
        if description:
            parameter["description"] = description
        told.append(parameter)
    return told


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    shapes: dict[type[BaseModel], None] = {Problem: None}
    for one in routes:
        if one.body is not None:
            shapes[one.body] = None
        for shown in one.answers.values():
            shapes |= {shape: None for shape in (shown.shape, shown.page) if shape is not None}
    _, whole = models_json_schema(
        [(shape, "validation") for shape in shapes], ref_template=_REFERENCE
    )
    return dict(whole["$defs"])


def _refer(shape: type[BaseModel]) -> dict[str, object]:
    return {"$ref": _REFERENCE.format(model=_name(shape))}


def _name(shape: type[BaseModel]) -> str:
    # As pydantic names a generic in the description: Page[TokenTold] is Page_TokenTold_.
    return re.sub(r"[^A-Za-z0-9_.-]", "_", shape.__name__)
