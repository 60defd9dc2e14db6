"""Copies a whole database out into a file, and a file into an empty database.

In:  `ServiceSettings`, a path.
Out: a file as of one moment, while the service goes on; or the database as it was then.

What always holds
    * each database is copied by what its own makers give for that: SQLite's backup, MySQL's and
      MariaDB's dump;
    * a password stands in no command line, where every user of the machine could read it.
"""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import sqlalchemy as sa

from rfm_backend.errors import MissingExtra, Unavailable
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import SQLITE_FILE, mysql_url, open_database
from rfm_backend.work_folder import WorkFolder

_DUMPERS: Final = ("mariadb-dump", "mysqldump")
_CLIENTS: Final = ("mariadb", "mysql")


def copy_out(settings: ServiceSettings, path: Path) -> None:
    """Write the database as it is at one moment into `path`.

    Raises
    ------
    MissingExtra
        The server's own program for that is not installed.
    Unavailable
        The database does not answer, or the program says why it could not.
    """
    if settings.db_host:
        options = [
            "--single-transaction",
            "--quick",
            "--skip-lock-tables",
            "--no-tablespaces",
            "--hex-blob",
            "--default-character-set=utf8mb4",
            f"--result-file={path}",
        ]
        _run(settings, _DUMPERS, *options)
        return
    try:
        with (
            contextlib.closing(sqlite3.connect(_sqlite_address(settings), uri=True)) as source,
            contextlib.closing(sqlite3.connect(path)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        raise Unavailable(f"The database file cannot be copied: {error}.") from error


def copy_in(settings: ServiceSettings, path: Path) -> None:
    """Make the database what `path` holds; it must be empty before (`is_empty`).

    Raises
    ------
    MissingExtra
        The server's own program for that is not installed.
    Unavailable
        The database does not answer, or the program says why it could not.
    """
    if settings.db_host:
        with path.open("rb") as dump:
            _run(settings, _CLIENTS, "--default-character-set=utf8mb4", stdin=dump)
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    part = settings.data_dir / f"{SQLITE_FILE}.part"
    shutil.copyfile(path, part)
    part.replace(settings.data_dir / SQLITE_FILE)


def is_empty(settings: ServiceSettings) -> bool:
    """Tell whether the database has no table yet; the server's must be there already."""
    if not settings.db_host and not (settings.data_dir / SQLITE_FILE).exists():
        return True
    database = open_database(settings)
    try:
        return not database.read(lambda tx: sa.inspect(tx).get_table_names())
    finally:
        database.close()


def _sqlite_address(settings: ServiceSettings) -> str:
    return f"{(settings.data_dir / SQLITE_FILE).resolve().as_uri()}?mode=ro"


def _run(
    settings: ServiceSettings,
    names: tuple[str, ...],
    *options: str,
    stdin: BinaryIO | None = None,
) -> None:
    """Run the server's own program on the database."""
    program = next((found for name in names if (found := shutil.which(name))), None)
    if program is None:
        raise MissingExtra(
            f"The program {names[-1]} is needed and not installed. On Debian or Ubuntu: "
            "sudo apt-get install mariadb-client"
        )
    with _login_file(settings) as login:
        ended = subprocess.run(  # noqa: S603  # the server's program, no shell
            [program, f"--defaults-extra-file={login}", *options, settings.db_name],
            stdin=stdin or subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    if ended.returncode:
        why = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(f"{Path(program).name} could not finish: {' '.join(why)}")


@contextmanager
def _login_file(settings: ServiceSettings) -> Iterator[Path]:
    """Give a file, for this user's eyes alone, that says where the server is and who asks."""
    url = mysql_url(settings)
    certificates = url.query.get("ssl_ca")
    values = {
        "host": url.host,
        "port": url.port,
        "socket": url.query.get("unix_socket"),
        "user": url.username,
        "password": url.password,
        "ssl-ca": certificates,
        # MySQL's client knows the first, MariaDB's the second; neither minds what it does not know.
        "loose-ssl-mode": certificates and "VERIFY_IDENTITY",
        "loose-ssl-verify-server-cert": certificates and "1",
    }
    lines = [f"{name}={_quoted(str(value))}" for name, value in values.items() if value]
    with WorkFolder() as folder:
        path = Path(folder) / "login.cnf"
        path.touch(mode=0o600)
        path.write_text("\n".join(["[client]", *lines, ""]), "utf-8")
        yield path


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
