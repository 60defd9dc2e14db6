"""Queries on what a user keeps under a name: ``shops``, ``mappings``, ``segment_tables``."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.errors import AlreadyTaken
from rfm_backend.storage.rows import add_row, as_value, as_values, columns_of, utc_now
from rfm_backend.storage.tables import MAPPINGS, SEGMENT_TABLES, SHOPS, UPLOAD_HISTORY


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop whose uploads are compared over time."""

    id: int
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class SavedMapping:
    """Which column has which role, as JSON; offered for files with the same header."""

    id: int
    name: str
    header_hash: str | None
    columns: str
    created_at: dt.datetime

    @property
    def roles(self) -> Mapping[str, str]:
        """Role -> column."""
        return dict(json.loads(self.columns))


@dataclass(frozen=True, kw_only=True)
class SavedTable:
    """A user's own segment table, as TOML that was checked when it was saved."""

    id: int
    name: str
    toml: str
    created_at: dt.datetime


_TABLES = {Shop: SHOPS, SavedMapping: MAPPINGS, SavedTable: SEGMENT_TABLES}
Named = Shop | SavedMapping | SavedTable


def add(tx: Connection, kind: type[Named], *, user_id: int, name: str, **values: object) -> int:
    """Keep a thing under a name and return its number.

    Raises
    ------
    AlreadyTaken
        The user has one of this name.
    """
    try:
        return add_row(
            tx, _TABLES[kind], user_id=user_id, name=name, created_at=utc_now(), **values
        )
    except IntegrityError as error:
        raise _taken(name) from error


def shops(tx: Connection, user_id: int) -> list[Shop]:
    """Return a user's shops, the first one first."""
    return as_values(Shop, tx.execute(_all(Shop, user_id)))


def mappings(tx: Connection, user_id: int) -> list[SavedMapping]:
    """Return a user's mappings."""
    return as_values(SavedMapping, tx.execute(_all(SavedMapping, user_id)))


def segment_tables(tx: Connection, user_id: int) -> list[SavedTable]:
    """Return a user's segment tables."""
    return as_values(SavedTable, tx.execute(_all(SavedTable, user_id)))


def segment_table(tx: Connection, name: str, *, user_id: int) -> SavedTable | None:
    """Return a user's segment table of a name."""
    found = _all(SavedTable, user_id).where(SEGMENT_TABLES.c.name == name)
    return as_value(SavedTable, tx.execute(found).first())


def shop(tx: Connection, shop_id: int, *, user_id: int) -> Shop | None:
    """Return a user's shop."""
    return as_value(Shop, tx.execute(_all(Shop, user_id).where(SHOPS.c.id == shop_id)).first())


def rename(tx: Connection, kind: type[Named], thing_id: int, *, user_id: int, name: str) -> bool:
    """Give a thing another name; return whether it was there.

    Raises
    ------
    AlreadyTaken
        The user has one of this name.
    """
    table = _TABLES[kind]
    change = sa.update(table).where(table.c.id == thing_id, table.c.user_id == user_id)
    try:
        return tx.execute(change.values(name=name)).rowcount > 0
    except IntegrityError as error:
        raise _taken(name) from error


def remove(tx: Connection, kind: type[Named], thing_id: int, *, user_id: int) -> bool:
    """Remove a thing; return whether it was there."""
    table = _TABLES[kind]
    gone = sa.delete(table).where(table.c.id == thing_id, table.c.user_id == user_id)
    return tx.execute(gone).rowcount > 0


def remove_empty_shop(tx: Connection, shop_id: int, *, user_id: int) -> bool:
    """Remove a shop that has no uploads; return whether it went.

    One statement, because uploads go with their shop: none may come in between.
    """
    has_uploads = sa.exists().where(UPLOAD_HISTORY.c.shop_id == shop_id)
    gone = sa.delete(SHOPS).where(SHOPS.c.id == shop_id, SHOPS.c.user_id == user_id, ~has_uploads)
    return tx.execute(gone).rowcount > 0


def page(
    tx: Connection, kind: type[Named], user_id: int, *, before: int | None, limit: int
) -> list[Named]:
    """Return a user's things of one kind, the newest first, those before a number."""
    table = _TABLES[kind]
    chosen = (
        sa.select(*columns_of(kind, table))
        .where(table.c.user_id == user_id)
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        chosen = chosen.where(table.c.id < before)
    return as_values(kind, tx.execute(chosen))


def _taken(name: str) -> AlreadyTaken:
    return AlreadyTaken(
        f"There is one named {name!r} already. Choose another name, or delete it first.",
        field="name",
    )


def _all(kind: type[Named], user_id: int) -> sa.Select[tuple[object, ...]]:
    table = _TABLES[kind]
    return (
        sa.select(*columns_of(kind, table)).where(table.c.user_id == user_id).order_by(table.c.id)
    )
