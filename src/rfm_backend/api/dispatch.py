"""From an HTTP request to a handler and back: who asks first, then what, then the answer.

In:  a Flask request, the `Route` it matched.
Out: a response.

What always holds
    * a caller is known before anything of his request is read;
    * JSON is strict: no name twice, no NaN, no lone surrogate, no depth without end, nothing unknown.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from flask import Flask, Request, Response, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import NotFound, UnsupportedMediaType

from rfm_backend.api import problems
from rfm_backend.api.routing import Answer, Call, Route
from rfm_backend.api.shapes.accounts import LoggedInAnswer
from rfm_backend.api.shapes.base import MOST_ID
from rfm_backend.errors import InvalidRequest, TooLarge
from rfm_backend.pipeline.strict_json import parse_json
from rfm_backend.services import Service
from rfm_backend.services.tokens import authenticate, check_scope

MOST_JSON_BYTES: Final = 1024 * 1024
_MOST_DEPTH: Final = 32


def register(app: Flask, routes: list[Route], service: Service) -> None:
    """Make Flask answer the routes."""
    for one in routes:
        app.add_url_rule(
            one.path,
            endpoint=one.name,
            methods=[one.method],
            view_func=_view(one, service),
        )


def _view(route: Route, service: Service) -> Any:  # noqa: ANN401  # Flask's own type
    def view(**path: object) -> Response:
        caller = None
        if route.access == "user":
            caller = authenticate(service, request.headers.get("Authorization"))
            g.user_id = caller.user.id
            # A route that does not say what it is for is for no named token.
            check_scope(caller, route.scope or "login")
        if any(isinstance(value, int) and value > MOST_ID for value in path.values()):
            raise NotFound
        try:
            query = _query(route, request)
        except ValidationError as error:
            return problems.of_shape(error, where="query")
        try:
            body = _body(route, request)
        except ValidationError as error:
            return problems.of_shape(error, where="body")
        call = Call(
            service=service, request=request, caller=caller, path=path, body=body, query=query
        )
        return _response(route.handler(call))

    return view


def _note_who(value: object) -> None:
    """Note for the log whom a login let in."""
    if isinstance(value, LoggedInAnswer):
        g.user_id = value.user_id


def _response(answer: Answer | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    value = answer.value
    _note_who(value)
    if isinstance(value, BaseModel):
        text = value.model_dump_json(by_alias=True)
    else:
        text = json.dumps(value, ensure_ascii=False)
    return Response(
        text + "\n",
        status=answer.status,
        headers=dict(answer.headers),
        content_type="application/json",
    )


def _query(route: Route, asked: Request) -> BaseModel | None:
    if route.query is None and not asked.query_string:
        return None
    values: dict[str, str] = {}
    for name, several in asked.args.lists():
        if len(several) > 1:
            raise InvalidRequest(f"The query gives {name!r} more than once.", field=name)
        values[name] = several[0]
    if route.query is None:
        if values:
            raise InvalidRequest(f"This address takes no query, such as {next(iter(values))!r}.")
        return None
    # A query is text: its numbers are read as such, where a body's must be numbers.
    return route.query.model_validate_strings(values)


def _body(route: Route, sent: Request) -> BaseModel | None:
    if route.body is None:
        return None
    if (sent.content_length or 0) > MOST_JSON_BYTES:
        raise _too_large()
    text = sent.get_data(cache=False)
    if len(text) > MOST_JSON_BYTES:
        raise _too_large()
    if not text.strip():
        if route.is_body_needed:
            raise InvalidRequest("The request needs a JSON body.")
        return route.body.model_validate({})
    if sent.mimetype != "application/json":
        raise UnsupportedMediaType
    return route.body.model_validate(read_json(text))


def _too_large() -> TooLarge:
    return TooLarge(
        f"The body is larger than {MOST_JSON_BYTES:,} bytes, which is the limit for JSON."
    )


def read_json(text: bytes) -> Mapping[str, object]:
    """Return the object that a JSON text holds.

    Raises
    ------
    InvalidRequest
        Not UTF-8, not JSON, a name twice, a number that is none, too deep, or no object.
    """
    try:
        value = parse_json(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidRequest("The body is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidRequest("The body is nested too deeply.") from error
    except ValueError as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.") from error
    _check_depth_and_text(value)
    if not isinstance(value, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return value


def _check_depth_and_text(value: object, depth: int = 0) -> None:
    if depth > _MOST_DEPTH:
        raise InvalidRequest("The body is nested too deeply.")
    if isinstance(value, str) and any("\ud800" <= mark <= "\udfff" for mark in value):
        raise InvalidRequest("The body holds half a character (a lone surrogate).")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_depth_and_text(name, depth + 1)
            _check_depth_and_text(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check_depth_and_text(part, depth + 1)
