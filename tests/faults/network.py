"""A line to a server that can be cut or go silent, and a database server of a test's own.

In:  nothing shared: own ports, own folders.
Out: `Proxy`, `OwnServer`; both end with their block.
"""

import os
import select
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

SERVER = Path("/usr/sbin/mariadbd")
_INSTALL = "mariadb-install-db"


class Proxy:
    """Passes bytes on to a port of this machine.

    While it `is_silent` it takes connections and passes nothing on.  The first `cutting` words of a client
    still reach the server; their answer does not come back, as the line is cut then.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.is_silent = False
        self.cutting = b""
        self._ended = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            lines = [self._listening, *(() if self.is_silent else self._pairs)]
            for line in select.select(lines, [], [], 0.05)[0]:
                if line is self._listening:
                    self._take(line.accept()[0])
                elif line in self._pairs and not self.is_silent:
                    self._pass_on(line)

    def _take(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        self._pairs |= {client: server, server: client}

    def _pass_on(self, line: socket.socket) -> None:
        other = self._pairs[line]
        with suppress(OSError):
            if data := line.recv(65536):
                other.sendall(data)
                if not (self.cutting and self.cutting in data):
                    return
                self.cutting = b""
                other.recv(65536)
        for one in (line, other):
            del self._pairs[one]
            one.close()

    def close(self) -> None:
        """End all lines."""
        self._ended = True
        self._thread.join()
        for line in (self._listening, *self._pairs):
            line.close()


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """Give a line to a port."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()


class OwnServer:
    """A MariaDB server that a test may kill and start again: its folder stays, and its port."""

    def __init__(self, folder: Path, *more: str) -> None:
        self._folder = folder
        self._more = more
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        user = ["--user=root"] if os.geteuid() == 0 else []
        # A starting server clears its tmpdir of tables: in /tmp those are another server's, under its hands.
        kept = folder / "tmp"
        kept.mkdir(parents=True)
        self._options = [
            "--no-defaults", *user, f"--datadir={folder / 'data'}", f"--tmpdir={kept}",
        ]  # fmt: skip
        subprocess.run(
            [
                _INSTALL,
                *self._options,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
        )
        self.process = self._started()

    @property
    def host(self) -> str:
        """What DB_HOST says of it."""
        return f"127.0.0.1:{self.port}"

    def start(self, *, is_awaited: bool = True) -> None:
        """Start it again."""
        self.process = self._started()
        if is_awaited:
            self.wait_ready()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it as an operator does."""
        self.process.terminate()
        self.process.wait(30)

    def wait_ready(self, seconds: float = 60) -> None:
        """Wait until it answers."""
        until = time.monotonic() + seconds
        engine = sa.create_engine(f"mysql+pymysql://root@{self.host}", poolclass=sa.NullPool)
        while True:
            try:
                engine.connect().close()
            except OperationalError:
                assert time.monotonic() < until, (self._folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def _started(self) -> subprocess.Popen[bytes]:
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    str(SERVER),
                    *self._options,
                    f"--port={self.port}",
                    f"--socket={self._folder / 's'}",
                    f"--pid-file={self._folder / 'pid'}",
                    "--bind-address=127.0.0.1",
                    "--innodb-buffer-pool-size=32M",
                    "--innodb-log-file-size=16M",
                    "--skip-name-resolve",
                    *self._more,
                ],
                stdout=log,
                stderr=log,
            )


@contextmanager
def own_server(folder: Path, *more: str) -> Iterator[OwnServer]:
    """Start a server in a folder, with more options, and end it; without the programs the test is skipped."""
    if not SERVER.exists() or shutil.which(_INSTALL) is None:
        pytest.skip(f"{SERVER} is not installed: apt-get install mariadb-server")
    folder.mkdir()
    server = OwnServer(folder, *more)
    try:
        server.wait_ready()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
