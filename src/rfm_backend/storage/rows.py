"""From rows of the database to values: one way for every table.

In:  a row, the class of the value.
Out: a frozen value whose fields are the columns of the same names.
"""

import datetime as dt
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_T = TypeVar("_T")


def utc_now() -> dt.datetime:
    """Return the time as it is stored: UTC, without a zone."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def columns_of(kind: type[Any], table: sa.FromClause) -> list[sa.ColumnElement[Any]]:
    """Return the columns of `table` that a value of `kind` holds."""
    return [table.c[field.name] for field in fields(kind)]


def as_value(kind: type[_T], row: sa.Row[Any] | None) -> _T | None:
    """Return the row as a value, None for none."""
    return None if row is None else kind(**row._mapping)  # noqa: SLF001  # SQLAlchemy's public name


def as_values(kind: type[_T], rows: sa.Result[Any]) -> list[_T]:
    """Return all rows as values."""
    names = tuple(rows.keys())
    # A mapping for each row would take most of the time of a page.
    return [kind(**dict(zip(names, row, strict=True))) for row in rows]


def add_row(tx: Connection, table: sa.Table, **values: object) -> int:
    """Insert a row and return its number."""
    key = tx.execute(sa.insert(table).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])
