"""Everything that is kept of a user, for himself: what the law calls his right of access.

In:  an account.
Out: plain JSON values; files and results are told of, and have exports of their own.

What always holds: no password hash, no token, no key is among it.
"""

import dataclasses
import datetime as dt
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.services.service import Service
from rfm_backend.storage import analyses, api_tokens, jobs, logins, named, uploads
from rfm_backend.storage.users import User

_SECRET: Final = ("password_hash", "token_version", "token_id", "token", "folder", "worker")
_MOST: Final = 100_000


def everything_of(service: Service, user: User) -> dict[str, object]:
    """Return the user's rows of every table, without secrets."""

    def unit(tx: Connection) -> dict[str, object]:
        return {
            "user": _plain(user),
            "logins": [_plain(one) for one in logins.open_ones(tx, user.id)],
            "tokens": [_plain(one) for one in api_tokens.of_user(tx, user.id)],
            "shops": [_plain(one) for one in named.shops(tx, user.id)],
            "mappings": [_plain(one) for one in named.mappings(tx, user.id)],
            "segment_tables": [_plain(one) for one in named.segment_tables(tx, user.id)],
            "uploads": [
                _plain(one)
                for one in uploads.page(tx, user.id, before=None, limit=_MOST, shop_id=None)
            ],
            "analyses": [
                _plain(one)
                for one in analyses.page(tx, user.id, upload_id=None, before=None, limit=_MOST)
            ],
            "jobs": [_plain(one) for one in jobs.page(tx, user.id, before=None, limit=_MOST)],
        }

    return service.database.read(unit)


def _plain(row: object) -> dict[str, object]:
    assert dataclasses.is_dataclass(row)
    return {
        field.name: _text(getattr(row, field.name))
        for field in dataclasses.fields(row)
        if field.name not in _SECRET
    }


def _text(value: object) -> object:
    return value.isoformat() + "Z" if isinstance(value, dt.datetime) else value
