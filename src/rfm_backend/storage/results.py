"""Queries on ``rfm_results``: written in parts, read as a stream or page by page.

What always holds
    * a page begins where the cursor says, whatever was read before: no row is skipped or given twice;
    * only a published analysis is asked for its rows, and the caller has seen that it is the user's.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from rfm_backend.storage.database import Database, is_lost
from rfm_backend.storage.rows import as_values, columns_of
from rfm_backend.storage.tables import RFM_RESULTS

Order = Literal["customer_id", "recency", "frequency", "monetary"]
KEY_LENGTH: Final = 64
ORDERS: Final = {
    "customer_id": "position",
    "recency": "recency",
    "frequency": "frequency",
    "monetary": "monetary_rank",
}
COLUMNS: Final = tuple(RFM_RESULTS.c.keys())
_INSERT: Final = f"INSERT INTO rfm_results ({', '.join(f'`{name}`' for name in COLUMNS)}) VALUES"
# A server takes 16 MB at once as it is delivered.
_STATEMENT_CHARACTERS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """One customer of a result; ``more`` is JSON of contacts and kept columns."""

    position: int
    customer_id: str
    group_value: str | None
    recency: int
    frequency: int
    monetary: Decimal
    monetary_rank: int
    r_score: int
    f_score: int
    m_score: int
    segment: str
    cluster: int
    first_purchase_date: dt.date
    last_purchase_date: dt.date
    more: str | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows, in which order: ``after`` is (value of the order, position) of the row before."""

    segment: str | None = None
    cluster: int | None = None
    beginning: str | None = None
    order: Order = "customer_id"
    descending: bool = False
    after: tuple[int, int] | None = None
    limit: int = 100


# Made once, with one parameter for all positions: a hundred of their own cost a sixth of the statement.
_AT_POSITIONS: Final = sa.select(*columns_of(ResultRow, RFM_RESULTS)).where(
    RFM_RESULTS.c.analysis_id == sa.bindparam("result"),
    RFM_RESULTS.c.position.in_(sa.bindparam("places", expanding=True)),
)


def insert_many(tx: Connection, rows: list[tuple[object, ...]]) -> None:
    """Insert rows given as tuples in the order of the table's columns.

    The driver's own parameter style: SQLAlchemy's would cost as much again as the insert.
    """
    mark = "?" if tx.dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(COLUMNS))
    tx.exec_driver_sql(f"{_INSERT} ({marks})", rows)


def insert_literals(tx: Connection, rows: list[str]) -> None:
    """Insert rows given as MySQL's literals in the order of the table's columns, a megabyte at once."""
    part: list[str] = []
    size = 0
    for row in rows:
        if part and size + len(row) > _STATEMENT_CHARACTERS:
            tx.exec_driver_sql(f"{_INSERT} {','.join(part)}")
            part, size = [], 0
        part.append(row)
        size += len(row)
    if part:
        tx.exec_driver_sql(f"{_INSERT} {','.join(part)}")


def load_file(database: Database, path: Path, *, n_rows: int) -> bool:
    """Load rows from a CSV of the table's columns; return whether the server did, to the last row.

    On a connection of its own, which alone may be asked for a file of ours.  What it answers in
    warnings would be values changed without a word, so that a single one undoes it all.

    Raises
    ------
    Unavailable
        The server went away meanwhile.
    """
    engine = sa.create_engine(
        database.engine.url,
        connect_args={"local_infile": True},
        poolclass=sa.NullPool,
        hide_parameters=True,
    )
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    try:
        with engine.begin() as connection:
            loaded = connection.exec_driver_sql(
                f"LOAD DATA LOCAL INFILE %s INTO TABLE rfm_results CHARACTER SET utf8mb4 "
                "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' "
                f"LINES TERMINATED BY '\\n' ({names})",
                (str(path),),
            )
            warned = connection.exec_driver_sql("SHOW WARNINGS").all()
            if loaded.rowcount != n_rows or warned:
                connection.rollback()
                return False
    except (DBAPIError, AttributeError) as error:
        if is_lost(error):
            # Whether the rows are there is not known: inserted again they would be there twice.
            raise database.told(error) from error
        # The server does not allow it; rows are inserted as everywhere.
        return False
    finally:
        engine.dispose()
    return True


def key_of(wanted: Wanted, row: ResultRow) -> tuple[int, int]:
    """Return where a page that ends with `row` goes on."""
    return int(getattr(row, ORDERS[wanted.order])), row.position


def page(tx: Connection, analysis_id: int, wanted: Wanted) -> list[ResultRow]:
    """Return one page of a result, found by walking the table."""
    by = RFM_RESULTS.c[ORDERS[wanted.order]]
    place = RFM_RESULTS.c.position
    keys = [by] if by is place else [by, place]
    chosen = _select(analysis_id, wanted)
    if wanted.after is not None:
        chosen = chosen.where(_beyond(by, wanted))
    ordered = [key.desc() if wanted.descending else key.asc() for key in keys]
    return as_values(ResultRow, tx.execute(chosen.order_by(*ordered).limit(wanted.limit)))


def at_positions(tx: Connection, analysis_id: int, positions: Sequence[int]) -> list[ResultRow]:
    """Return the rows at some positions, in the order of these."""
    rows = tx.execute(_AT_POSITIONS, {"result": analysis_id, "places": positions})
    found = {row.position: row for row in as_values(ResultRow, rows)}
    return [found[place] for place in positions if place in found]


def of_customer(tx: Connection, analysis_id: int, customer_id: str) -> list[ResultRow]:
    """Return the rows of a customer, in the order of their groups."""
    chosen = _select(analysis_id, Wanted()).where(RFM_RESULTS.c.customer_id == customer_id)
    return as_values(ResultRow, tx.execute(chosen.order_by(RFM_RESULTS.c.position)))


def ordering_columns(tx: Connection, analysis_id: int) -> dict[str, list[Any]]:
    """Return what orders are made of (orders.py): one list per column, in the order of position."""
    names = ("segment", "cluster", "recency", "frequency", "monetary_rank")
    columns = RFM_RESULTS.c
    chosen = (
        sa.select(*(columns[name] for name in names))
        .where(columns.analysis_id == analysis_id)
        .order_by(columns.position)
    )
    rows = tx.execute(chosen).all()
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}


def last_position(tx: Connection, analysis_id: int) -> int:
    """Return the position of the last row, 0 where there is none."""
    last = sa.select(sa.func.max(RFM_RESULTS.c.position)).where(
        RFM_RESULTS.c.analysis_id == analysis_id
    )
    return int(tx.execute(last).scalar() or 0)


def _select(analysis_id: int, wanted: Wanted) -> sa.Select[Any]:
    columns = RFM_RESULTS.c
    chosen = sa.select(*columns_of(ResultRow, RFM_RESULTS)).where(
        columns.analysis_id == analysis_id
    )
    if wanted.segment is not None:
        chosen = chosen.where(columns.segment == wanted.segment)
    if wanted.cluster is not None:
        chosen = chosen.where(columns.cluster == wanted.cluster)
    if wanted.beginning:
        folded = wanted.beginning.lower()[:KEY_LENGTH]
        chosen = chosen.where(
            sa.or_(
                _begins(columns.customer_id, wanted.beginning),
                _begins(columns.name_key, folded),
                _begins(columns.email_key, folded),
            )
        )
    return chosen


def _begins(column: sa.Column[Any], text: str) -> sa.ColumnElement[bool]:
    """A range and not LIKE, which SQLite compares without case."""
    return sa.and_(column >= text, column < f"{text}\U0010ffff")


def _beyond(by: sa.Column[Any], wanted: Wanted) -> sa.ColumnElement[bool]:
    """Return what lies behind the cursor."""
    assert wanted.after is not None
    value, position = wanted.after
    place = RFM_RESULTS.c.position
    if by is place:
        return place < position if wanted.descending else place > position
    if wanted.descending:
        return sa.or_(by < value, sa.and_(by == value, place < position))
    return sa.or_(by > value, sa.and_(by == value, place > position))
