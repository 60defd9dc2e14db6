"""What a page is: one declaration that gives its address, who may see it and what makes it.

In:  declarations in the modules of pages/.
Out: `PAGES`, from which Flask's rules, the access tests and docs/reference/pages.md are made.

What always holds: there is no page outside this list, and a page for users has a user.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from flask import Request, Response

from rfm_backend.catalogue import Words
from rfm_backend.errors import NotAuthenticated
from rfm_backend.services import Service
from rfm_backend.services.tokens import Caller
from rfm_backend.web.reader import Reader

if TYPE_CHECKING:
    from rfm_backend.storage.users import User

Access = Literal["anyone", "user"]
Method = Literal["GET", "POST"]
# The largest number that a row can have: a larger one would be an error of the database.
MOST_ID: Final = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One request for a page: who asks, in which language, for what."""

    service: Service
    request: Request
    reader: Reader
    caller: Caller | None
    path: Mapping[str, Any]

    @property
    def user(self) -> "User":
        """The account that asks; every page but those for anyone has one."""
        return self.known.user

    @property
    def known(self) -> Caller:
        """Who asks, with the login that he used."""
        if self.caller is None:
            raise NotAuthenticated("A login is needed.")
        return self.caller

    @property
    def words(self) -> Words:
        """The catalogue in the reader's language."""
        return self.reader.words

    @property
    def address(self) -> str:
        """Where the client calls from, as the server or a trusted proxy tells."""
        return self.request.remote_addr or ""

    @property
    def device(self) -> str:
        """What the browser calls itself."""
        shown = self.request.headers.get("User-Agent", "")
        return "".join(mark for mark in shown if mark.isprintable())[:200]

    @property
    def is_part(self) -> bool:
        """Whether htmx asks for a part of the page; when it goes back in history it asks for the whole."""
        return self.request.headers.get("HX-Request-Type") == "partial"

    @property
    def is_by_htmx(self) -> bool:
        """Whether htmx asks, or upload.js: it cannot follow a redirect as a browser does."""
        return self.request.headers.get("HX-Request") == "true"

    def number(self, name: str) -> int | None:
        """Return a number of the query that can be one of a row's, None where there is no such."""
        given = self.request.args.get(name, type=int)
        return given if given is not None and 0 < given <= MOST_ID else None


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What a page's function gives back: a template, its values, a status."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Visit], Screen | Response]


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page, or one part of a page that htmx asks for."""

    method: Method
    path: str
    handler: Handler
    access: Access

    @property
    def name(self) -> str:
        """Flask's endpoint."""
        return f"page.{self.handler.__name__}"

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0].rstrip(".")


PAGES: Final[list[Page]] = []


def page(
    path: str, *, method: Method = "GET", access: Access = "user"
) -> Callable[[Handler], Handler]:
    """Declare a page: the function below makes it."""

    def declare(handler: Handler) -> Handler:
        PAGES.append(Page(method=method, path=path, handler=handler, access=access))
        return handler

    return declare
