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
# One row of an analysis has each place and each rank.
_WITHOUT_TIES: Final = ("customer_id", "monetary")
COLUMNS: Final = tuple(RFM_RESULTS.c.keys())


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


def insert_many(tx: Connection, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows given as tuples in the order of the table's columns.

    The driver's own parameter style: SQLAlchemy's would cost as much again as the insert.
    """
    mark = "?" if tx.dialect.paramstyle == "qmark" else "%s"
    names = ", ".join(f"`{name}`" for name in COLUMNS)
    marks = ", ".join([mark] * len(COLUMNS))
    tx.exec_driver_sql(
        f"INSERT INTO rfm_results ({names}) VALUES ({marks})", [tuple(row) for row in rows]
    )


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
    """Return one page of a result."""
    rows: list[ResultRow] = []
    for query in page_queries(analysis_id, wanted):
        rows += as_values(ResultRow, tx.execute(query.limit(wanted.limit - len(rows))))
        if len(rows) == wanted.limit:
            break
    return rows


def page_queries(analysis_id: int, wanted: Wanted) -> list[sa.Select[Any]]:
    """Return the queries whose rows, one after the other, are a page.

    Each is one stretch of an index where one goes with the filter.  Behind a cursor that takes two: the
    rest of the rows that are equal in the order, and those beyond.  As one condition they would be one
    stretch from the first equal row on, and of a million customers a third may have bought once.
    """
    by = RFM_RESULTS.c[ORDERS[wanted.order]]
    place = RFM_RESULTS.c.position
    chosen = _hinted(_select(analysis_id, wanted), wanted)
    keys = [by] if by is place else [by, place]
    chosen = chosen.order_by(*(key.desc() if wanted.descending else key.asc() for key in keys))
    if wanted.after is None:
        return [chosen]
    value, position = wanted.after
    beyond = by < value if wanted.descending else by > value
    if wanted.order in _WITHOUT_TIES:
        return [chosen.where(beyond)]
    equal = sa.and_(by == value, place < position if wanted.descending else place > position)
    if _index_of(wanted) is None:
        return [chosen.where(sa.or_(beyond, equal))]
    return [chosen.where(equal), chosen.where(beyond)]


def _hinted(chosen: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    """Name the index that has filter and order, where one has.

    Left alone, SQLite walks the whole analysis in its primary key for the customers of a segment: a
    million rows for the page of a small one.  MySQL may do the same, depending on its samples.
    """
    index = _index_of(wanted)
    if index is None:
        return chosen
    return chosen.with_hint(RFM_RESULTS, f"INDEXED BY {index}", "sqlite").with_hint(
        RFM_RESULTS, f"FORCE INDEX ({index})", "mysql"
    )


def _index_of(wanted: Wanted) -> str | None:
    if wanted.beginning or (wanted.segment is None) == (wanted.cluster is None):
        return None
    index = f"ix_rfm_results_{'cluster' if wanted.segment is None else 'segment'}"
    return index if wanted.order == "customer_id" else f"{index}_{ORDERS[wanted.order]}"


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
