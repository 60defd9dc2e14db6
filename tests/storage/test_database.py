"""The database: whole units of work, tried again where that helps; exact money; strict types."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError

from rfm_backend.errors import Unavailable
from rfm_backend.storage import users
from rfm_backend.storage.database import SQLITE_FILE, Database, open_database
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import METADATA, USERS, Money


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    settings = service_settings(request.param, tmp_path)
    migrate(settings)
    opened = open_database(settings)
    yield opened
    opened.close()
    wipe(settings)


def add(tx: Connection, name: str) -> int:
    return users.add(
        tx, username=name, username_key=name, email=name, email_key=name, password_hash="x"
    )


def test_a_unit_that_fails_leaves_nothing(database: Database) -> None:
    def unit(tx: Connection) -> None:
        add(tx, "ann")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(unit)

    assert database.read(users.all_users) == []


def test_the_connections_that_a_crowd_needed_are_kept(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("A file is opened in no time.")
    made: list[object] = []
    sa.event.listen(database.engine, "connect", lambda *_: made.append(1))

    def crowd() -> None:
        all_there = threading.Barrier(20)
        asking = [
            threading.Thread(target=database.read, args=(lambda _: all_there.wait(10),))
            for _ in range(20)
        ]
        for one in asking:
            one.start()
        for one in asking:
            one.join()

    crowd()
    n_first = len(made)
    crowd()

    assert n_first == len(made) == 20


def test_writers_at_once_wait_for_each_other(database: Database) -> None:
    user_id = database.write(lambda tx: add(tx, "ann"))

    def unit(tx: Connection) -> None:
        # Read, then write: on SQLite a transaction that began as a reader could not go on.
        version = tx.execute(
            sa.select(USERS.c.token_version).where(USERS.c.id == user_id).with_for_update()
        ).scalar_one()
        tx.execute(sa.update(USERS).where(USERS.c.id == user_id).values(token_version=version + 1))

    def many() -> None:
        for _ in range(10):
            database.write(unit)

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    user = database.read(lambda tx: users.by_id(tx, user_id))
    assert user is not None
    assert user.token_version == 81


def test_times_keep_their_microseconds(database: Database) -> None:
    before = utc_now()
    user_id = database.write(lambda tx: add(tx, "ann"))
    user = database.read(lambda tx: users.by_id(tx, user_id))

    assert user is not None
    assert before <= user.created_at <= utc_now()
    assert user.created_at.tzinfo is None


def test_names_are_compared_byte_by_byte(database: Database) -> None:
    for name in ("a", "A", "ä", "Ａ"):
        database.write(lambda tx, name=name: add(tx, name))  # type: ignore[misc]

    assert len(database.read(users.all_users)) == 4


def test_nothing_is_cut_silently(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has no lengths: the checks before it are the limit.")
    with pytest.raises(DataError):
        database.write(lambda tx: add(tx, "x" * 151))


def test_a_fault_tells_the_log_no_value(database: Database) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError) as told,
        database.engine.connect() as connection,
    ):
        connection.execute(
            sa.text("SELECT 1 FROM no_such_table WHERE email = :email"),
            {"email": "ann@example.com"},
        )

    assert "ann@example.com" not in str(told.value)


def test_money_is_exact(database: Database) -> None:
    table = sa.Table("amounts", sa.MetaData(), sa.Column("amount", Money))
    table.create(database.engine)
    amounts = [Decimal("12345678901234567890123456.123456789012"), Decimal("0.000000000001")]
    database.write(lambda tx: tx.execute(sa.insert(table), [{"amount": one} for one in amounts]))

    assert [
        row[0] for row in database.read(lambda tx: tx.execute(sa.select(table)).all())
    ] == amounts


def test_no_single_precision_anywhere() -> None:
    kinds = {type(column.type) for table in METADATA.tables.values() for column in table.columns}

    assert sa.Float not in kinds


def test_a_database_that_is_away_is_told_and_found_again(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path, db_host="127.0.0.1:1")
    database = open_database(settings)

    with pytest.raises(Unavailable, match="Check that the server runs"):
        database.read(users.all_users)
    database.close()


@pytest.mark.parametrize("way", ["read", "look"])
def test_a_connection_that_was_lost_is_replaced(database: Database, way: str) -> None:
    if database.is_sqlite:
        pytest.skip("A file loses no connection.")
    database.write(lambda tx: add(tx, "ann"))
    ask = getattr(database, way)
    own = ask(lambda tx: tx.execute(sa.text("SELECT connection_id()")).scalar_one())
    killer = sa.create_engine(database.engine.url)
    with killer.connect() as connection:
        connection.execute(sa.text(f"KILL {own}"))
    killer.dispose()

    assert len(ask(users.all_users)) == 1


def test_a_look_sees_what_was_written_the_moment_before(database: Database) -> None:
    for number in range(20):
        database.write(lambda tx, number=number: add(tx, f"ann{number}"))  # type: ignore[misc]

        assert len(database.look(users.all_users)) == number + 1


@pytest.mark.slow
def test_a_file_locked_for_long_is_told_after_one_wait_and_used_once_it_is_free(
    tmp_path: Path,
) -> None:
    settings = service_settings("sqlite", tmp_path)
    migrate(settings)
    database = open_database(settings)
    other = sqlite3.connect(settings.data_dir / SQLITE_FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    with pytest.raises(Unavailable, match="locked"):
        database.write(lambda tx: add(tx, "ann"))
    waited = time.monotonic() - began
    other.execute("ROLLBACK")
    database.write(lambda tx: add(tx, "bob"))

    # One full wait of 10 s; four of them were 40 s.
    assert 9 < waited < 15
    assert [user.username for user in database.read(users.all_users)] == ["bob"]
    other.close()
    database.close()


def test_no_free_connection_is_a_database_that_is_away_not_a_fault_of_ours() -> None:
    engine = sa.create_engine(
        "sqlite://", poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.05
    )
    database = Database(engine, lookups=engine)

    with engine.connect(), pytest.raises(Unavailable):
        database.read(lambda tx: tx.execute(sa.text("SELECT 1")).scalar_one())

    assert database.read(lambda tx: tx.execute(sa.text("SELECT 1")).scalar_one()) == 1
    database.close()
