"""`rfm serve` as its users start it: alone, from an empty folder; and what it says where it cannot."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def start(folder: Path, *options: str, **values: str) -> subprocess.Popen[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "rfm_backend", *options],
        cwd=folder,
        env={**kept, **values},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start(folder, "serve", "--port", "0", FLASK_ENV="development")
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert "listens on http://127.0.0.1:" in line
        yield process, line.split()[4]
    finally:
        process.kill()
        process.communicate()


def workers_of(pid: int) -> list[int]:
    done = subprocess.run(
        ["pgrep", "--parent", str(pid), "-f", "rfm_backend worker --with-parent"],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line) for line in done.stdout.split()]


def wait_for_worker(pid: int) -> int:
    for _ in range(100):
        if found := workers_of(pid):
            return found[0]
        time.sleep(0.1)
    raise AssertionError


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_it_starts_from_nothing_and_ends_on_sigterm_with_its_worker(tmp_path: Path) -> None:
    with served(tmp_path) as (process, address):
        asking = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
        asking.request("GET", "/ready")
        assert json.loads(asking.getresponse().read()) == {"status": "ready"}
        asking.close()
        assert (tmp_path / "data" / "rfm.sqlite3").exists()
        key = tmp_path / "data" / "secret_key"
        assert key.stat().st_mode & 0o077 == 0
        worker = wait_for_worker(process.pid)

        process.send_signal(signal.SIGTERM)

        assert process.wait(10) == 0
        for _ in range(50):
            if not is_alive(worker):
                break
            time.sleep(0.1)
        assert not is_alive(worker)


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_none_outlives_the_service(tmp_path: Path) -> None:
    with served(tmp_path) as (process, _):
        first = wait_for_worker(process.pid)
        os.kill(first, signal.SIGKILL)
        for _ in range(100):
            found = workers_of(process.pid)
            if found and found[0] != first:
                break
            time.sleep(0.1)
        (second,) = workers_of(process.pid)
        assert second != first
        time.sleep(2)

        process.kill()

        for _ in range(60):
            if not is_alive(second):
                break
            time.sleep(0.1)
        assert not is_alive(second)


@pytest.mark.parametrize("key", ["", "short", "x" * 40, "change-me-please-change-me-please-now"])
def test_production_does_not_start_without_a_key_of_its_own(tmp_path: Path, key: str) -> None:
    process = start(tmp_path, "serve", "--port", "0", SECRET_KEY=key)
    _, told = process.communicate(timeout=30)

    assert process.returncode == 2
    lines = told.splitlines()
    assert "FLASK_ENV=production" in lines
    (made,) = (line for line in lines if line.startswith("SECRET_KEY="))
    assert len(made) > 60
    assert "Traceback" not in told


def test_a_server_that_is_away_is_told(tmp_path: Path) -> None:
    process = start(
        tmp_path, "migrate", FLASK_ENV="development", DB_HOST="127.0.0.1:1", DB_NAME="x"
    )
    _, told = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "The database cannot be reached" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_the_collector_passes_over_what_the_start_has_loaded(tmp_path: Path) -> None:
    asked = """
import gc, sys
from rfm_backend.cli import listener, main
class Server:
    effective_port = 1
    def run(self):
        print(gc.get_freeze_count(), len(gc.get_objects()))
listener.make_server = lambda *_, **__: Server()
sys.argv = ["rfm", "serve", "--no-worker"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tmp_path,
        env={**os.environ, "FLASK_ENV": "development"},
        capture_output=True,
        text=True,
        check=True,
    )

    passed_over, looked_at = map(int, done.stdout.split())
    assert passed_over > 100_000
    assert looked_at < 10_000
