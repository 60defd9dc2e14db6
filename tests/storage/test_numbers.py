"""Numbers that leave the service: given once, also where the newest row went; kept when SQLite's tables change."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings

from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import Database, open_database
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.tables import METADATA

# Tables whose numbers stand in an answer, an address or a token.
OUTGOING = [
    "users", "logins", "api_tokens", "shops", "upload_history", "mappings", "segment_tables", "analyses", "jobs",
]  # fmt: skip
Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceSettings]:
    made = service_settings(request.param, tmp_path)
    yield made
    wipe(made)


def fill(database: Database, *, number: int) -> None:
    """Give each table one row, whose references name rows of this number, whatever columns it has."""
    there = sa.MetaData()
    there.reflect(database.engine)
    with database.engine.begin() as connection:
        for name in (table.name for table in METADATA.sorted_tables):
            table = there.tables[name]
            values = {column.name: value_of(column, number) for column in table.columns}
            connection.execute(sa.insert(table).values(values))


def value_of(column: sa.Column[object], number: int) -> object:
    kind = column.type.python_type
    if column.name == "id" or column.foreign_keys:
        return number
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, number, dt.UTC).replace(tzinfo=None)
    made = {str: f"{number}{column.name}"[:10], dt.datetime: moment, dt.date: moment.date()}
    return made[kind] if kind in made else kind(1)


def rows_of(database: Database) -> Rows:
    there = sa.MetaData()
    there.reflect(database.engine)
    with database.engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(sa.select(table))]
            for name, table in there.tables.items()
            if name != "alembic_version"
        }


def without(rows: Rows, **last: int) -> Rows:
    """Leave out the columns that the newer form adds at the end of a table."""
    return {
        name: [row[: len(row) - last.get(name, 0)] for row in kept] for name, kept in rows.items()
    }


def test_rows_indexes_and_references_live_through_up_and_down(settings: ServiceSettings) -> None:
    migrate(settings, to="0004")
    database = open_database(settings)
    fill(database, number=7)
    fill(database, number=8)
    before = rows_of(database)
    inspected = sa.inspect(database.engine)
    indexes = {name: sorted(map(str, inspected.get_indexes(name))) for name in before}
    database.close()

    migrate(settings)
    database = open_database(settings)
    above = rows_of(database)
    database.close()
    migrate(settings, to="0004")
    database = open_database(settings)
    below = rows_of(database)
    inspected = sa.inspect(database.engine)

    assert all(len(rows) == 2 for rows in before.values())
    assert without(above, api_tokens=1, logins=1) == before
    assert [row[-1] for row in above["api_tokens"]] == [0, 0]
    assert below == before
    assert {name: sorted(map(str, inspected.get_indexes(name))) for name in before} == indexes
    database.close()
    # Further down, where a column of `users` goes: nobody's rows go with it.
    migrate(settings, to="0001")
    database = open_database(settings)
    assert {name: len(rows) for name, rows in rows_of(database).items()} == {
        name: 2 for name in before if name != "attempts"
    }
    database.close()


def test_the_number_of_a_row_that_went_is_not_given_again(settings: ServiceSettings) -> None:
    migrate(settings)
    database = open_database(settings)
    fill(database, number=7)
    again: dict[str, tuple[int, int]] = {}

    for name in OUTGOING:
        table = METADATA.tables[name]
        values = {
            column.name: 7 if column.foreign_keys else value_of(column, 9)
            for column in table.columns
            if column.name != "id"
        }
        with database.engine.begin() as connection:
            first = connection.execute(sa.insert(table).values(values)).inserted_primary_key
            assert first is not None
            connection.execute(sa.delete(table).where(table.c.id == first[0]))
        with database.engine.begin() as connection:
            second = connection.execute(sa.insert(table).values(values)).inserted_primary_key
            assert second is not None
        again[name] = (first[0], second[0])

    assert again == dict.fromkeys(OUTGOING, (8, 9))
    database.close()


def test_every_table_whose_number_goes_out_counts_on(settings: ServiceSettings) -> None:
    migrate(settings)
    database = open_database(settings)
    numbered = [name for name, table in METADATA.tables.items() if "id" in table.columns]

    # A file's number stays inside: its token is what names it.
    assert set(numbered) - {"stored_files"} == set(OUTGOING)
    if database.is_sqlite:
        with database.engine.connect() as connection:
            chosen = sa.text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
            assert set(connection.execute(chosen).scalars()) == set(OUTGOING)
    database.close()
