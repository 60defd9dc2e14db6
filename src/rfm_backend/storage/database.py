"""The database: one engine per process, transactions as units that can be tried again.

In:  `ServiceSettings`.
Out: `Database`, whose `read` and `write` run a unit of work in one transaction.

What always holds
    * a unit is done whole or not at all; after a deadlock, a lock that was waited for in vain or a lost
      connection it is run once more from its beginning, so a unit has no effect outside the database;
    * a unit whose COMMIT was lost is not run again: it may have been kept, and would be done twice;
    * no server keeps a caller for longer than its `Patience`: a request answers, and a worker can wait;
    * on SQLite a writing transaction takes the write lock at its start: it waits instead of failing;
    * times are UTC with microseconds; the server is in strict mode, so that nothing is cut silently;
    * where the disk of a SQLite file is full, requests and commands get what `Reserve` kept back; a worker's
      results do not;
    * what the database says never reaches a client: `Unavailable` tells what to check.

What this module does not do: it knows no table (tables.py) and no query.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError

from rfm_backend.errors import MissingExtra, Unavailable
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.reserve import Reserve

SQLITE_FILE: Final = "rfm.sqlite3"
_T = TypeVar("_T")
_TRIES: Final = 4
# Lock waited for in vain, deadlock; server gone, connection lost; server shutting down.
_AGAIN: Final = frozenset({1205, 1213, 2006, 2013, 1053, 1927, 1129})
_BUSY_SECONDS: Final = 10
_CONNECT_SECONDS: Final = 5
# For one statement by itself: no transaction is opened round it, so none is ended after it.
_ALONE: Final = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a server may keep one unit of work waiting.

    ``answer_seconds`` for a connection, a place among them, or the answer to a statement; a unit is tried
    again only within its first ``again_seconds``.  ``takes_reserve`` lets it use what `Reserve` kept back.
    """

    answer_seconds: int
    again_seconds: float
    takes_reserve: bool = False

    @property
    def lock_seconds(self) -> int:
        """How long a statement waits for another's lock: the server tells of it before it is given up."""
        return max(1, self.answer_seconds - 1)


# Somebody waits for the answer, 6 seconds at most; a worker's statements are long, and nobody's to wait for;
# an operator's command is no less patient, and may be what makes room on a full disk; a change of a large
# table takes what it takes.
REQUESTS: Final = Patience(answer_seconds=4, again_seconds=1.0, takes_reserve=True)
WORK: Final = Patience(answer_seconds=30, again_seconds=60.0)
COMMANDS: Final = Patience(answer_seconds=30, again_seconds=60.0, takes_reserve=True)
CHANGES: Final = Patience(answer_seconds=86_400, again_seconds=60.0)


class Database:
    """The tables' home, on SQLite or MySQL."""

    def __init__(
        self,
        engine: Engine,
        *,
        lookups: Engine,
        patience: Patience = WORK,
        reserve: Reserve | None = None,
    ) -> None:
        self.engine: Final = engine
        self.reserve: Final = reserve
        self._lookups: Final = lookups
        self._patience: Final = patience
        self.is_sqlite: Final = engine.dialect.name == "sqlite"

    def read(self, unit: Callable[[Connection], _T]) -> _T:
        """Return what `unit` returns, run in a transaction that writes nothing.

        Raises
        ------
        Unavailable
            The database does not answer.
        """
        return self._run(unit, writes=False)

    def look(self, unit: Callable[[Connection], _T]) -> _T:
        """Return what `unit` returns, which asks one statement and no more.

        Such a one sees one moment by itself.  Without a transaction round it every request with a token
        saves its beginning and its end, which on a server are two more answers to wait for.

        Raises
        ------
        Unavailable
            The database does not answer.
        """
        return self._run(unit, writes=None)

    def write(self, unit: Callable[[Connection], _T]) -> _T:
        """Return what `unit` returns, run in a transaction that is kept once this returns.

        Raises
        ------
        Unavailable
            The database does not answer, or is too busy.
        """
        return self._run(unit, writes=True)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()
        self._lookups.dispose()

    def _run(self, unit: Callable[[Connection], _T], *, writes: bool | None) -> _T:
        began = time.monotonic()
        for attempt in range(1, _TRIES + 1):
            is_ending = False
            try:
                if writes is None:
                    with self._lookups.connect() as connection:
                        return unit(connection)
                connection = self.engine.connect().execution_options(writes=writes)
                with connection, connection.begin():
                    value = unit(connection)
                    is_ending = writes
            except NoFreeConnectionError as error:
                raise self.told(error) from error
            except (OperationalError, InterfaceError, AttributeError) as error:
                # PyMySQL raises AttributeError where the server dies in the middle of an answer.
                if _is_full(error) and self._give_reserve():
                    continue
                if not _is_passing(error) or (is_ending and is_lost(error)):
                    raise self.told(error) from error
                # SQLite has waited for the lock in full: more tries would keep the client four times as long.
                most = _BUSY_SECONDS if self.is_sqlite else self._patience.again_seconds
                if attempt == _TRIES or time.monotonic() - began >= most:
                    raise self.told(error) from error
            else:
                return value
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311  # only to spread tries
        raise AssertionError  # the last try returns or raises

    def _give_reserve(self) -> bool:
        may = self._patience.takes_reserve
        return may and self.reserve is not None and self.reserve.give()

    def told(self, error: Exception) -> Exception:
        """Return what the caller is told of a driver's error."""
        if isinstance(error, AttributeError) and not _is_lost_answer(error):
            return error
        if self.is_sqlite:
            return Unavailable(
                "The database file cannot be used now: it is locked, or the disk is full or cannot be "
                "written. Check the folder RFM_DATA_DIR and its disk, then try again.",
                reason="disk_full" if _is_full(error) else "",
            )
        return Unavailable(
            "The database cannot be reached. Check that the server runs, that DB_HOST, DB_USER, "
            "DB_PASS, DB_NAME and DB_SSL_CA are right, and that `python migrate.py` has been run.",
        )


def open_database(settings: ServiceSettings, *, patience: Patience = WORK) -> Database:
    """Return the database that the settings name; nothing is connected yet.

    Raises
    ------
    MissingExtra
        DB_HOST is set and the MySQL driver is not installed.
    """
    if not settings.db_host:
        path = settings.data_dir / SQLITE_FILE
        return Database(
            _begin_where_it_writes(_sqlite_engine(path)),
            lookups=_sqlite_engine(path, **_ALONE),
            patience=patience,
            reserve=Reserve(settings.data_dir),
        )
    url = mysql_url(settings)
    return Database(
        _mysql_engine(url, patience, isolation_level="READ COMMITTED"),
        lookups=_mysql_engine(url, patience, **_ALONE),
        patience=patience,
    )


def mysql_url(settings: ServiceSettings, *, with_name: bool = True) -> URL:
    """Return where the server is; without the name, before its database exists.

    With DB_SSL_CA the driver takes no connection that is not encrypted, and none to another host; a
    socket of this machine is left as it is.
    """
    host, _, port = settings.db_host.partition(":")
    query = {"charset": "utf8mb4"}
    if host.startswith("/"):
        query["unix_socket"] = host
    elif settings.db_ssl_ca is not None:
        query["ssl_ca"] = str(settings.db_ssl_ca)
    return URL.create(
        "mysql+pymysql",
        username=settings.db_user,
        password=settings.db_pass or None,
        host=None if host.startswith("/") else host,
        port=int(port) if port.isdecimal() else None,
        database=settings.db_name if with_name else None,
        query=query,
    )


def _sqlite_engine(path: Path, **more: object) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        URL.create("sqlite", database=str(path)),
        **more,
        connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        # An error in the log holds no name, address or row of anybody.
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, _: object) -> None:
        # Python's own transactions begin too late; ours begin in the event below.
        connection.isolation_level = None  # type: ignore[attr-defined]  # a sqlite3.Connection
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_SECONDS * 1000}",
            # 40 MB, not 4: each part of a large result would wait for a checkpoint of its own.
            "wal_autocheckpoint=10000",
        ):
            connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    return engine


def _begin_where_it_writes(engine: Engine) -> Engine:
    """Have a transaction take the write lock at its start, unless it was told to read."""

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _mysql_engine(url: URL, patience: Patience, **more: object) -> Engine:
    try:
        return sa.create_engine(
            url,
            **more,
            hide_parameters=True,
            # No ping before each unit: a unit that meets a dead connection is run again, and one that meets
            # a silent server would wait for the ping, and then for a new connection.
            pool_recycle=1_800,
            # As many as a crowd uses at once are kept: made anew for each request, when a backlog has formed,
            # they would take so much of its time that the backlog stays.
            pool_size=32,
            max_overflow=68,
            pool_timeout=patience.answer_seconds,
            connect_args={
                "connect_timeout": min(patience.answer_seconds, _CONNECT_SECONDS),
                "read_timeout": patience.answer_seconds,
                "write_timeout": patience.answer_seconds,
                "init_command": "SET sql_mode='STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
                "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone='+00:00', "
                f"innodb_lock_wait_timeout={min(patience.lock_seconds, 50)}",
            },
        )
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "DB_HOST is set, and the driver for MySQL is not installed: pip install 'rfm-backend[mysql]'."
        ) from error


def _is_passing(error: Exception) -> bool:
    """Tell whether trying again from the beginning may help."""
    if isinstance(error, AttributeError):
        return _is_lost_answer(error)
    if isinstance(error, DBAPIError):
        number = error.orig.args[0] if error.orig is not None and error.orig.args else None
        return error.connection_invalidated or number in _AGAIN or "locked" in str(error.orig)
    return False


def _is_full(error: Exception) -> bool:
    return isinstance(error, OperationalError) and "database or disk is full" in str(error.orig)


def is_lost(error: Exception) -> bool:
    """Tell whether the connection went, and with it the word on whether the transaction was kept."""
    return isinstance(error, AttributeError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def _is_lost_answer(error: AttributeError) -> bool:
    return "NoneType" in str(error) and any(
        name in str(error) for name in ("sendall", "read", "settimeout", "close")
    )
