"""What an endpoint is: one declaration that gives the route, who may call it, its shapes and its words.

In:  declarations in the modules of this room.
Out: `ROUTES`, from which Flask's rules, the access table and the OpenAPI description are made.

What always holds: there is no endpoint of the API outside this list.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from flask import Request, Response
from pydantic import BaseModel

from rfm_backend.errors import NotAuthenticated
from rfm_backend.services import Service
from rfm_backend.services.tokens import Caller, Scope
from rfm_backend.storage.users import User

Access = Literal["anyone", "user", "operator"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Body = TypeVar("Body", bound=BaseModel)
# A parameter as Flask writes it: its kind, its name.
PARAMETER: Final = re.compile(r"<(int|string|path):(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a handler gives back: a shape, plain JSON values, or None; with a status."""

    value: BaseModel | Mapping[str, object] | list[object] | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, checked: who asks, for what, with which values."""

    service: Service
    request: Request
    caller: Caller | None
    path: Mapping[str, Any]
    body: BaseModel | None
    query: BaseModel | None

    @property
    def user(self) -> User:
        """The account that asks; every route but those for anyone has one."""
        return self.known.user

    @property
    def known(self) -> Caller:
        """Who asks, with the token that he used."""
        if self.caller is None:
            raise NotAuthenticated("A token is needed.")
        return self.caller

    def sent(self, kind: type[Body]) -> Body:
        """Return the body, in the shape that the route declares."""
        assert isinstance(self.body, kind)
        return self.body

    def asked(self, kind: type[Body]) -> Body:
        """Return the query, in the shape that the route declares."""
        assert isinstance(self.query, kind)
        return self.query

    @property
    def address(self) -> str:
        """Where the client calls from, as the server or a trusted proxy tells."""
        return self.request.remote_addr or ""

    @property
    def device(self) -> str:
        """What the client calls itself."""
        shown = self.request.headers.get("User-Agent", "")
        return "".join(mark for mark in shown if mark.isprintable())[:200]


Handler = Callable[[Call], Answer | Response]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An answer as documented: its shape (None for other content), an example, what it means.

    ``page`` is the shape where the caller asks for a part; ``also`` are further types of content.
    """

    shape: type[BaseModel] | None
    example: object
    meaning: str
    content_type: str = "application/json"
    page: type[BaseModel] | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Route:
    """One endpoint; ``scope`` says what a named token must be for, and without one it needs a login."""

    method: Method
    path: str
    handler: Handler
    access: Access
    scope: Scope | None
    tag: str
    body: type[BaseModel] | None
    body_example: object
    is_body_needed: bool
    takes_file: bool
    query: type[BaseModel] | None
    answers: Mapping[int, Shown]
    problems: tuple[int, ...]

    @property
    def name(self) -> str:
        """Flask's endpoint and OpenAPI's operationId."""
        return self.handler.__name__

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """What the path names, in its order."""
        return tuple(name for _, name in PARAMETER.findall(self.path))

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0].rstrip(".")

    @property
    def description(self) -> str:
        """The rest of the handler's docstring."""
        lines = (self.handler.__doc__ or "").strip().splitlines()[1:]
        return "\n".join(line.strip() for line in lines).strip()


ROUTES: Final[list[Route]] = []


def route(
    method: Method,
    path: str,
    *,
    tag: str,
    answers: Mapping[int, Shown],
    access: Access = "user",
    scope: Scope | None = None,
    body: type[BaseModel] | None = None,
    body_example: object = None,
    is_body_needed: bool = True,
    takes_file: bool = False,
    query: type[BaseModel] | None = None,
    problems: tuple[int, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare an endpoint: the function below answers it."""

    def declare(handler: Handler) -> Handler:
        ROUTES.append(
            Route(
                method=method,
                path=path,
                handler=handler,
                access=access,
                scope=scope,
                tag=tag,
                body=body,
                body_example=body_example,
                is_body_needed=is_body_needed,
                takes_file=takes_file,
                query=query,
                answers=answers,
                problems=problems,
            )
        )
        return handler

    return declare
