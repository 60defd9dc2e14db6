"""Asks a server in a process of its own: pages, whole exports, profiles; over real sockets, kept alive."""

import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlencode

from million.stage import Stage

from rfm_backend.cli.listener import THREADS
from rfm_backend.services.cursors import pack_cursor
from rfm_backend.storage.results import ORDERS, Order, Wanted

_BARE = Path(__file__).with_name("bare.py")


@dataclass(frozen=True)
class Server:
    """A running server, and whom it is asked by."""

    port: int
    process: int
    headers: Mapping[str, str]

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that is kept alive."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def memory(self, name: str = "VmRSS") -> float:
        """Return the memory of the server's process in MiB; VmHWM is the most so far."""
        status = Path(f"/proc/{self.process}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) / 1024


@contextmanager
def rfm_serve(stage: Stage) -> Iterator[Server]:
    """Run ``rfm serve`` over the stage's database."""
    port = _free_port()
    order = [sys.executable, "-m", "rfm_backend", "serve", "--no-worker", "--port", str(port)]
    with _running(order, port, _values(stage)) as process:
        yield Server(port, process, {"Authorization": f"Bearer {stage.login.token}"})


@contextmanager
def rfm_worker(stage: Stage) -> Iterator[None]:
    """Run ``rfm worker`` beside it, as the service starts its own: it ends with its standard input."""
    order = [sys.executable, "-m", "rfm_backend", "worker", "--with-parent"]
    with subprocess.Popen(  # our own interpreter
        order,
        env={**os.environ, **_values(stage)},
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as worker:
        yield
        worker.terminate()
        worker.wait(60)


def _values(stage: Stage) -> dict[str, str]:
    settings = stage.settings
    return {
        # As an operator runs it: no cross-origin rules for pages in development.
        "FLASK_ENV": "production",
        "SECRET_KEY": settings.secret_key,
        "RFM_DATA_DIR": str(settings.data_dir),
        "UPLOAD_DIR": str(settings.upload_dir),
        "DB_HOST": settings.db_host,
        "DB_USER": settings.db_user,
        "DB_PASS": settings.db_pass,
        "DB_NAME": settings.db_name,
    }


@contextmanager
def bare_server() -> Iterator[Server]:
    """Run the server that answers a constant."""
    port = _free_port()
    with _running([sys.executable, str(_BARE), str(port), str(THREADS)], port, {}) as process:
        yield Server(port, process, {})


def time_pages(
    server: Server, stage: Stage, wanted: Wanted, *, n_pages: int, seed: int = 1
) -> list[float]:
    """Return the milliseconds of pages of 100, each behind a cursor from anywhere in the result."""
    dice, connection, times = random.Random(seed), server.connect(), []  # no secret
    lowest, highest = _range(stage, wanted.order)
    for _ in range(n_pages):
        cursor = pack_cursor(dice.randint(lowest, highest), dice.randint(1, 1_000_000))
        sort = f"-{wanted.order}" if wanted.descending else wanted.order
        asked = {"sort": sort, "limit": "100", "cursor": cursor}
        for name, value in (
            ("segment", wanted.segment),
            ("cluster", wanted.cluster),
            ("q", wanted.beginning),
        ):
            if value is not None:
                asked[name] = str(value)
        path = f"/api/rfm/results/{stage.upload_id}?{urlencode(asked)}"
        begin = time.perf_counter()
        _get(connection, server, path)
        times.append((time.perf_counter() - begin) * 1_000)
    connection.close()
    return times


def percentile_99(times: Sequence[float]) -> float:
    """Return the time that 99 of 100 do not exceed."""
    return statistics.quantiles(times, n=100, method="inclusive")[98]


def read_whole(server: Server, path: str) -> tuple[float, int, float]:
    """Read an answer to its end; return seconds, bytes and the server's growth in MiB."""
    connection, before, most, size = server.connect(), server.memory(), 0.0, 0
    begin = time.perf_counter()
    connection.request("GET", path, headers=dict(server.headers))
    answer = connection.getresponse()
    while part := answer.read(1024 * 1024):
        size += len(part)
        most = max(most, server.memory())
    seconds = time.perf_counter() - begin
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return seconds, size, most - before


def rate_of_profiles(server: Server, *, seconds: float = 5.0, n_clients: int = 4) -> float:
    """Return profile requests per second of some clients, each a process with a connection that is kept.

    As threads of one process they would wait for each other, and not for the server.
    """
    begin = time.time() + 3
    with ProcessPoolExecutor(n_clients, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(_ask_profiles, server, begin, seconds) for _ in range(n_clients)]
        return sum(one.result() for one in asked) / seconds


def _ask_profiles(server: Server, begin: float, seconds: float) -> int:
    """Ask from one moment to another; return how often."""
    connection, count = server.connect(), 0
    time.sleep(max(0.0, begin - time.time()))
    while time.time() < begin + seconds:
        _get(connection, server, "/api/user/profile")
        count += 1
    connection.close()
    return count


def _get(connection: http.client.HTTPConnection, server: Server, path: str) -> bytes:
    connection.request("GET", path, headers=dict(server.headers))
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {text[:300]!r}")
    return text


def _range(stage: Stage, order: Order) -> tuple[int, int]:
    """Return the least and the greatest value of an order."""
    column = ORDERS[order]
    found = stage.service.database.read(
        lambda tx: tx.exec_driver_sql(f"SELECT min({column}), max({column}) FROM rfm_results").one()
    )
    return int(found[0]), int(found[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(order: list[str], port: int, values: Mapping[str, str]) -> Iterator[int]:
    process = subprocess.Popen(  # our own interpreter
        order, env={**os.environ, **values}, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)
