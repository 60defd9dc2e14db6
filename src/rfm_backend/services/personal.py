"""Everything that is kept of a user, for himself: what the law calls his right of access.

In:  an account.
Out: JSON text in parts; files and results are told of, and have exports of their own.

What always holds
    * no password hash, no token, no key is among it;
    * memory does not grow with the number of rows; what breaks in the middle does not end as if whole.
"""

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.services.service import Service
from rfm_backend.storage import analyses, api_tokens, jobs, logins, named, uploads
from rfm_backend.storage.named import SavedMapping, SavedTable, Shop
from rfm_backend.storage.users import User

_SECRET: Final = ("password_hash", "token_version", "token_id", "token", "folder", "worker")
_PART: Final = 1_000
# (rows of one user, before a number, at most so many), the newest first.
_Page = Callable[[Connection, int, int | None, int], Sequence[object]]
_PAGED: Final[Mapping[str, _Page]] = {
    "logins": lambda tx, user, before, most: logins.page(tx, user, before=before, limit=most),
    "tokens": lambda tx, user, before, most: api_tokens.page(tx, user, before=before, limit=most),
    "shops": lambda tx, user, before, most: named.page(tx, Shop, user, before=before, limit=most),
    "mappings": lambda tx, user, before, most: named.page(
        tx, SavedMapping, user, before=before, limit=most
    ),
    "segment_tables": lambda tx, user, before, most: named.page(
        tx, SavedTable, user, before=before, limit=most
    ),
    "uploads": lambda tx, user, before, most: uploads.page(
        tx, user, before=before, limit=most, shop_id=None
    ),
    "analyses": lambda tx, user, before, most: analyses.page(
        tx, user, upload_id=None, before=before, limit=most
    ),
    "jobs": lambda tx, user, before, most: jobs.page(tx, user, before=before, limit=most),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """How much is kept of a user."""

    uploads: int
    bytes: int
    analyses: int
    segment_tables: int
    tokens: int


def count_of(service: Service, user: User) -> Kept:
    """Return how much is kept of a user: what a deletion would take away."""

    def unit(tx: Connection) -> Kept:
        n_uploads, n_bytes = uploads.space_used(tx, user.id)
        return Kept(
            uploads=n_uploads,
            bytes=n_bytes,
            analyses=analyses.count(tx, user.id),
            segment_tables=len(named.segment_tables(tx, user.id)),
            tokens=len(api_tokens.of_user(tx, user.id)),
        )

    return service.database.read(unit)


def everything_of(service: Service, user: User) -> Iterator[str]:
    """Yield the user's rows of every table as JSON text, in parts; no connection is held between them."""
    yield f'{{"user": {_json(user)}'
    for name, page in _PAGED.items():
        yield f',\n"{name}": ['
        between = "\n"
        for rows in _parts(service, user.id, page):
            yield between + ",\n".join(_json(row) for row in rows)
            between = ",\n"
        yield "]"
    yield "}\n"


def _parts(service: Service, user_id: int, page: _Page) -> Iterator[Sequence[object]]:
    before: int | None = None
    while rows := _read(service, user_id, page, before):
        yield rows
        if len(rows) < _PART:
            return
        before = getattr(rows[-1], "id")  # noqa: B009  # each of these classes has a number


def _read(service: Service, user_id: int, page: _Page, before: int | None) -> Sequence[object]:
    return service.database.read(lambda tx: page(tx, user_id, before, _PART))


def _json(row: object) -> str:
    return json.dumps(_plain(row), ensure_ascii=False)


def _plain(row: object) -> dict[str, object]:
    assert dataclasses.is_dataclass(row)
    return {
        field.name: _text(getattr(row, field.name))
        for field in dataclasses.fields(row)
        if field.name not in _SECRET
    }


def _text(value: object) -> object:
    return value.isoformat() + "Z" if isinstance(value, dt.datetime) else value
