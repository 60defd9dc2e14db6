"""Makes the database and its tables, or brings them to this version's form.

In:  `ServiceSettings`.
Out: tables as tables.py says; what was done, in words.

What always holds: running it again changes nothing; a server's database is made where it is missing.
"""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from rfm_backend.errors import Unavailable
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import CHANGES, Database, mysql_url, open_database

_SCRIPTS: Final = Path(__file__).resolve().parent / "migrations"


def migrate(settings: ServiceSettings, *, to: str = "head") -> str | None:
    """Bring the database to revision `to` and return the revision it had before, None for none.

    ``to`` may be "head", "base" or a revision; going down loses what the newer form alone can hold.

    Raises
    ------
    Unavailable
        The server cannot be reached, or the user may not make a database or a table.
    """
    if settings.db_host:
        create_database(settings)
    database = open_database(settings, patience=CHANGES)
    try:
        # Not in a unit of work: MySQL ends a transaction at each change of a table.
        with database.engine.connect() as connection:
            if database.is_sqlite:
                _let_tables_be_made_anew(connection)
            before = _revision(connection)
            config = _config(connection)
            goes_up = to == "head" or (to != "base" and not _is_applied(connection, to))
            if goes_up:
                command.upgrade(config, to)
            else:
                command.downgrade(config, to)
            if database.is_sqlite:
                _check_references(connection)
            connection.commit()
    except DBAPIError as error:
        raise _told(settings, error) from error
    finally:
        database.close()
    return before


def check_is_current(database: Database) -> None:
    """Refuse a database that `migrate` has not brought to this version's form.

    Raises
    ------
    Unavailable
        It cannot be reached, or its form is another one.
    """
    revision = database.read(_revision)
    newest = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    if revision != newest:
        raise Unavailable(
            f"The database has the form {revision or 'of an empty one'}, and this version needs {newest}: "
            "run `python migrate.py` first.",
        )


def revision_of(settings: ServiceSettings) -> str | None:
    """Return the form of the database, None for an empty one.

    Raises
    ------
    Unavailable
        It cannot be reached.
    """
    database = open_database(settings)
    try:
        return database.read(_revision)
    finally:
        database.close()


def is_known_form(revision: object) -> bool:
    """Tell whether this version can bring a database of the form `revision` to its own."""
    scripts = ScriptDirectory(str(_SCRIPTS))
    return revision in {one.revision for one in scripts.walk_revisions()}


def create_database(settings: ServiceSettings) -> None:
    """Make the server's database where it is missing.

    Raises
    ------
    Unavailable
        The server cannot be reached, or the user may not make a database.
    """
    engine = sa.create_engine(mysql_url(settings, with_name=False))
    try:
        name = engine.dialect.identifier_preparer.quote(settings.db_name)
        with engine.connect() as connection:
            connection.execute(
                sa.text(
                    f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                )
            )
    except DBAPIError as error:
        raise _told(settings, error) from error
    finally:
        engine.dispose()


def _let_tables_be_made_anew(connection: sa.Connection) -> None:
    """Keep SQLite from deleting the rows that name a table's, when the table is dropped for its new form.

    It listens to this before a transaction alone, and the connection is thrown away afterwards.
    """
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA foreign_keys=OFF")


def _check_references(connection: sa.Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise Unavailable(
            f"The database was left as it is: {len(broken)} rows, the first in the table {broken[0][0]}, "
            "name what is not there. Restore a backup."
        )


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _is_applied(connection: sa.Connection, revision: str) -> bool:
    current = _revision(connection)
    if current is None:
        return False
    scripts = ScriptDirectory(str(_SCRIPTS))
    return revision in {one.revision for one in scripts.walk_revisions("base", current)}


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _told(settings: ServiceSettings, error: DBAPIError) -> Unavailable:
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if number in (1044, 1045, 1142, 1698):
        return Unavailable(
            f"The database server refuses the user {settings.db_user!r}: check DB_USER and DB_PASS, and "
            f"that this user may create and change the database {settings.db_name!r}.",
        )
    if not settings.db_host:
        return Unavailable(
            f"The database file in {settings.data_dir} cannot be made: check the folder and its disk.",
        )
    certificate = (
        f" It must show a certificate for that host which {settings.db_ssl_ca} (DB_SSL_CA) vouches for."
        if settings.db_ssl_ca is not None
        else ""
    )
    return Unavailable(
        "The database cannot be reached. Check that the server runs and that DB_HOST and its port are "
        f"right.{certificate}"
    )
