"""Pages of results: from files of sorted positions or from the table, on both databases, the same rows."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings
from sqlalchemy.engine import Connection

from rfm_backend.storage import orders, results
from rfm_backend.storage.database import Database, open_database
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.results import Order, ResultRow, Wanted, key_of
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import METADATA

N_ROWS = 1_500
ORDERS: tuple[Order, ...] = ("customer_id", "recency", "frequency", "monetary")
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"segment": "s1"},
    {"cluster": 2},
    {"segment": "s1", "cluster": 2},
    {"segment": "s1", "cluster": 99},
)
EVERY = [
    Wanted(**chosen, order=order, descending=descending)
    for chosen, order, descending in itertools.product(FILTERS, ORDERS, (False, True))
]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    settings = service_settings(request.param, tmp_path_factory.mktemp("pages"))
    migrate(settings)
    opened = open_database(settings)
    opened.write(fill)
    yield opened
    opened.close()
    wipe(settings)


def fill(tx: Connection) -> None:
    """Write the rows of two analyses, and the least that they belong to."""
    for table in ("users", "shops", "stored_files", "upload_history", "analyses"):
        tx.execute(sa.insert(METADATA.tables[table]).values(least_row(METADATA.tables[table], 1)))
    second = {**least_row(METADATA.tables["analyses"], 1), "id": 2}
    tx.execute(sa.insert(METADATA.tables["analyses"]).values(second))
    for analysis in (1, 2):
        results.insert_many(tx, [row(analysis, place) for place in range(1, N_ROWS + 1)])


def least_row(table: sa.Table, number: int) -> dict[str, Any]:
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the orders of the first analysis."""
    made = tmp_path_factory.mktemp("orders")
    rows = [row(1, place) for place in range(1, N_ROWS + 1)]
    columns = {
        name: np.array([one[results.COLUMNS.index(name)] for one in rows])
        for name in ("cluster", "recency", "frequency", "monetary_rank")
    }
    segment = np.array([place % 5 for place in range(1, N_ROWS + 1)])
    segments = [f"s{n}" for n in range(5)]
    orders.write_orders(made, orders.Ordered(segments=segments, segment=segment, **columns))
    return made


def expected_keys(wanted: Wanted) -> list[tuple[int, int]]:
    """Return what each row wanted is ordered by, sorted here and now."""
    by = results.COLUMNS.index(results.ORDERS[wanted.order])
    every = [
        (int(str(values[by])), place)
        for place, values in ((n, row(1, n)) for n in range(1, N_ROWS + 1))
        if wanted.segment in (None, values[12]) and wanted.cluster in (None, values[13])
    ]
    return sorted(every, reverse=wanted.descending)


def test_pages_put_together_are_all_rows_in_order(database: Database, folder: Path) -> None:
    def from_files(tx: Connection, wanted: Wanted) -> list[ResultRow]:
        return results.at_positions(tx, 1, orders.page_positions(folder, wanted))

    for wanted in EVERY:
        for read in (from_files, lambda tx, wanted: results.page(tx, 1, wanted)):
            seen: list[tuple[int, int]] = []
            asked = replace(wanted, limit=400)
            while rows := database.read(functools.partial(read, wanted=asked)):
                seen += [key_of(asked, one) for one in rows]
                asked = replace(asked, after=seen[-1])

            assert seen == expected_keys(wanted), wanted


def test_a_page_goes_on_behind_a_cursor_that_nobody_gave_out(folder: Path) -> None:
    for wanted in EVERY:
        for after in ((5, 700), (5, 0), (-1, 3), (10**12, 10**12), (150, 2**31)):
            asked = replace(wanted, after=after, limit=7)
            beyond = [
                key
                for key in expected_keys(wanted)
                if (key < after if wanted.descending else key > after)
            ]

            found = orders.page_positions(folder, asked)

            assert found == [place for _, place in beyond[:7]], asked


def test_the_rows_of_a_page_are_found_by_their_key(database: Database) -> None:
    text = "SELECT * FROM rfm_results WHERE analysis_id = 1 AND position IN (3, 700, 701)"
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"

    plan = database.read(lambda tx: str(tx.exec_driver_sql(f"{explain} {text}").mappings().all()))

    assert "USING PRIMARY KEY (analysis_id=? AND position=?)" in plan or (
        "'key': 'PRIMARY'" in plan and "'rows': '3'" in plan
    )


def test_orders_that_are_there_are_left_and_no_half_of_them_is_seen(tmp_path: Path) -> None:
    def write(size: int) -> None:
        one = np.ones(size, np.int32)
        made = orders.Ordered(
            segments=["s"],
            segment=one - 1,
            cluster=one,
            recency=one,
            frequency=one,
            monetary_rank=np.arange(1, size + 1),
        )
        orders.write_orders(tmp_path, made)

    write(3)
    write(5)

    assert orders.page_positions(tmp_path, Wanted(segment="s", order="recency")) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["orders"]
