"""Pages of results: the fast combinations walk an index, on both databases, and skip no row."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings
from sqlalchemy.engine import Connection

from rfm_backend.storage import results
from rfm_backend.storage.database import Database, open_database
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.results import Order, Wanted, key_of
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import METADATA

N_ROWS = 1_500
ORDERS: tuple[Order, ...] = ("customer_id", "recency", "frequency", "monetary")
FILTERS: tuple[dict[str, Any], ...] = ({"segment": "s1"}, {"cluster": 2})
FAST = [
    Wanted(),
    Wanted(descending=True),
    *(
        Wanted(**chosen, order=order, descending=descending)
        for chosen, order, descending in itertools.product(FILTERS, ORDERS, (False, True))
    ),
]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    settings = service_settings(request.param, tmp_path_factory.mktemp("pages"))
    migrate(settings)
    opened = open_database(settings)
    opened.write(fill)
    if not opened.is_sqlite:
        opened.write(lambda tx: tx.exec_driver_sql("ANALYZE TABLE rfm_results").all())
    yield opened
    opened.close()
    wipe(settings)


def fill(tx: Connection) -> None:
    """Write the rows of two analyses, and the least that they belong to."""
    for table in ("users", "shops", "stored_files", "upload_history", "analyses"):
        tx.execute(sa.insert(METADATA.tables[table]).values(_least_row(METADATA.tables[table], 1)))
    second = {**_least_row(METADATA.tables["analyses"], 1), "id": 2}
    tx.execute(sa.insert(METADATA.tables["analyses"]).values(second))
    for analysis in (1, 2):
        results.insert_many(tx, [row(analysis, place) for place in range(1, N_ROWS + 1)])


def _least_row(table: sa.Table, number: int) -> dict[str, Any]:
    """Return a row with a value in each column that needs one."""
    made: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable:
            continue
        kind = column.type.python_type
        made[column.name] = kind(number) if kind in (int, bool, str) else utc_now()
    return made


def row(analysis: int, place: int) -> tuple[object, ...]:
    """Return a row whose orders differ: recency and frequency have ties, the rank has none."""
    rank = place * 1_009 % N_ROWS + 1
    return (
        *(analysis, place, 1, f"c{place:06}", None, place * 7 % 300, place % 11 + 1, f"{rank}.5"),
        *(rank, 1, 2, 3, f"s{place % 5}", place % 4, "2024-01-01", "2024-01-02", None, None, None),
    )


def plans_of(database: Database, wanted: Wanted) -> list[str]:
    """Return how the database would find the parts of a page."""
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"

    def unit(tx: Connection) -> list[str]:
        texts = [
            str(one.compile(dialect=tx.dialect, compile_kwargs={"literal_binds": True}))
            for one in results.page_queries(1, wanted)
        ]
        found = [tx.exec_driver_sql(f"{explain} {text}".replace("%", "%%")) for text in texts]
        return ["\n".join(str(dict(row)) for row in one.mappings()) for one in found]

    return database.read(unit)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "behind-a-cursor"])
def test_a_fast_page_walks_its_index_and_sorts_nothing(database: Database, is_first: bool) -> None:
    for wanted in FAST:
        asked = wanted if is_first else replace(wanted, after=(5, 700))

        plans = plans_of(database, asked)

        which = "segment" if wanted.segment else "cluster"
        column = "monetary_rank" if wanted.order == "monetary" else wanted.order
        index = f"ix_rfm_results_{which}"
        if wanted.order != "customer_id":
            index += f"_{column}"
        if not wanted.segment and wanted.cluster is None:
            index = "PRIMARY"
        for plan in plans:
            assert index.lower() in plan.lower().replace("using primary key", "primary"), asked
            assert "filesort" not in plan, (asked, plan)
            assert "TEMP B-TREE" not in plan, (asked, plan)


def test_a_page_reads_no_row_that_is_not_on_it(database: Database) -> None:
    for wanted in FAST:
        # In the middle of 109 rows of one frequency, 22 of them in the segment, 28 in the cluster.
        middle = {"frequency": 5, "recency": 150}.get(wanted.order, 700)
        asked = replace(wanted, after=(middle, 700), limit=3)
        if database.is_sqlite:
            # SQLite does not count; its plan names the columns by which the stretch is bounded.
            *first, last = plans_of(database, asked)
            column = results.ORDERS[asked.order]
            sign = "<" if asked.descending else ">"
            assert f"{column}{sign}?" in last, (asked, last)
            assert all(f"{column}=? AND position{sign}?" in plan for plan in first), (asked, first)
            assert len(first) == (1 if asked.order in ("recency", "frequency") else 0)
        else:
            assert database.read(functools.partial(rows_read, wanted=asked)) <= asked.limit + 2


def rows_read(tx: Connection, wanted: Wanted) -> int:
    """Return how many index entries MySQL or MariaDB reads for a page, by its own count."""
    tx.exec_driver_sql("FLUSH STATUS")
    assert len(results.page(tx, 1, wanted)) == wanted.limit
    counted = tx.exec_driver_sql("SHOW SESSION STATUS LIKE 'Handler_read%%'").all()
    return sum(int(number) for _, number in counted)


def test_pages_put_together_are_all_rows_in_order(database: Database) -> None:
    for wanted in FAST:
        by = results.COLUMNS.index(results.ORDERS[wanted.order])
        every = [
            (int(str(values[by])), place)
            for place, values in ((n, row(1, n)) for n in range(1, N_ROWS + 1))
            if wanted.segment in (None, values[12]) and wanted.cluster in (None, values[13])
        ]

        assert keys_of_all_pages(database, wanted) == sorted(every, reverse=wanted.descending)


def keys_of_all_pages(database: Database, wanted: Wanted) -> list[tuple[int, int]]:
    """Return what each row is ordered by, read page by page."""
    seen: list[tuple[int, int]] = []
    asked = replace(wanted, limit=400)

    def unit(tx: Connection) -> list[results.ResultRow]:
        return results.page(tx, 1, asked)

    while rows := database.read(unit):
        seen += [key_of(asked, one) for one in rows]
        asked = replace(asked, after=seen[-1])
    return seen
