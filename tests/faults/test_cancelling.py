"""Cancelling at any moment: the end comes soon, and no temporary file stays behind."""

import gzip
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest
from api.shop import open_api
from figures import note_figure
from rfm_testing import service_settings

import rfm_backend
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.errors import Cancelled
from rfm_backend.progress import Stage, Step
from rfm_backend.work_folder import WorkFolder

pytestmark = pytest.mark.slow

_MOST_SECONDS = 2.0
_RFM = (sys.executable, "-m", "rfm_backend")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines enough for each stage to last, packed, so that there is something to unpack."""
    plain = tmp_path_factory.mktemp("shop") / "sales.csv"
    duckdb.execute(
        "COPY (SELECT 'c' || hash(n // 3) % 90000 AS customer, 'A' || n // 3 AS invoice, "
        "TIMESTAMP '2024-01-01' + to_minutes(CAST(n // 4 AS INTEGER)) AS date, 1 + n % 7 AS quantity, "
        f"n % 997 / 10 + 1 AS price, 'Name ' || n // 3 % 977 AS name FROM range(250000) AS t(n)) TO '{plain}'"
    )
    packed = plain.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(plain.read_bytes(), compresslevel=1))
    return packed


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's temporary folder for this test and its children."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    monkeypatch.undo()


def wait_for(test: Callable[[], object], seconds: float = 60) -> None:
    began = time.monotonic()
    while not test():
        assert time.monotonic() - began < seconds
        time.sleep(0.01)


def test_a_caller_may_stop_at_each_stage(shop: Path, temporary: Path) -> None:
    stages: list[Stage] = []

    def stop_at_the_next_stage(step: Step) -> None:
        if step.stage not in stages:
            stages.append(step.stage)
            assert list(temporary.iterdir())
            raise Cancelled("enough")

    for _ in range(20):
        try:
            with rfm_backend.segment(shop, progress=stop_at_the_next_stage):
                break
        except Cancelled:
            assert list(temporary.iterdir()) == []

    # Aggregating so little is over before it can tell of itself.
    assert [stage for stage in stages if stage != "aggregate"] == [
        "unpack",
        "check",
        "read",
        "cluster",
    ]


@pytest.mark.parametrize("moments", [3, pytest.param(40, marks=pytest.mark.security_long)])
def test_ctrl_c_at_any_moment_leaves_nothing(shop: Path, temporary: Path, moments: int) -> None:
    folder = temporary.parent / "out"
    folder.mkdir()
    chance = random.Random(7)  # moments, not secrets
    order = [*_RFM, "segment", str(shop), "-o", "out.parquet", "--report", "out.html"]
    slowest, whole = 0.0, 0.0
    for moment in [None, *(chance.random() for _ in range(moments))]:
        with subprocess.Popen(
            order, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            wait_for(lambda: list(temporary.iterdir()))
            if moment is not None:
                time.sleep(moment * whole)
                process.send_signal(signal.SIGINT)
            began = time.monotonic()
            _, said = process.communicate(timeout=60)
        if moment is None:
            whole = time.monotonic() - began
        else:
            slowest = max(slowest, time.monotonic() - began)
        # At the last moment it may have finished, or the interpreter be tidying up: then the signal ends it.
        ends = (0,) if moment is None else (0, 130, -signal.SIGINT)
        assert process.returncode in ends, said
        assert "Traceback" not in said
        left = {path.name for path in folder.iterdir()}
        assert left <= {"out.parquet", "out.model.json", "out.html"}
        assert list(temporary.iterdir()) == []
        for path in folder.iterdir():
            path.unlink()
    note_figure("Ctrl-C at any moment: gone after", f"{slowest:.1f} s", f"{_MOST_SECONDS:g} s")
    assert moments < 10 or slowest < _MOST_SECONDS


def test_the_next_start_removes_what_a_killed_one_left_and_nothing_else(
    shop: Path, temporary: Path
) -> None:
    with subprocess.Popen([*_RFM, "segment", str(shop)], stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: [path for path in temporary.glob("*/*/*") if path.stat().st_size])
        process.kill()
    (left,) = temporary.iterdir()
    others = temporary / "rfm-work-of-somebody"
    others.mkdir()
    (temporary / "rfm-work-link").symlink_to(temporary.parent)

    with WorkFolder() as first, WorkFolder() as second:
        assert not left.exists()
        assert Path(first).exists()
        assert Path(second).exists()

    assert sorted(path.name for path in temporary.iterdir()) == [
        "rfm-work-link",
        "rfm-work-of-somebody",
    ]
    assert temporary.parent.exists()


@pytest.mark.parametrize("moments", [2, pytest.param(30, marks=pytest.mark.security_long)])
def test_a_cancelled_job_ends_soon_and_leaves_nothing(
    shop: Path, temporary: Path, moments: int
) -> None:
    chance = random.Random(11)  # moments, not secrets
    slowest = 0.0
    with open_api(service_settings("sqlite", temporary.parent)) as api:
        person = api.person()
        kept = set(temporary.iterdir())
        for place in range(moments):
            upload = person.upload(shop, name=f"sales{place}.csv.gz")
            started = person.ask(
                "POST", f"/api/rfm/process/{upload}", headers={"Prefer": "respond-async"}
            )
            path = f"/api/jobs/{started.json['job_id']}"
            wait_for(lambda: set(temporary.iterdir()) > kept)  # called at once
            time.sleep(chance.random() * 2)
            began = time.monotonic()
            person.ask("DELETE", path)
            wait_for(lambda: person.ask("GET", path).json["state"] != "running")  # noqa: B023
            slowest = max(slowest, time.monotonic() - began)
            assert set(temporary.iterdir()) == kept
    note_figure("a cancelled job: ended after", f"{slowest:.1f} s", f"{_MOST_SECONDS:g} s")
    assert moments < 10 or slowest < _MOST_SECONDS


def test_a_statement_that_nobody_waits_for_ends_with_its_engine(tmp_path: Path) -> None:
    engine = DuckDBEngine(workdir=tmp_path)
    endless = "SELECT count(*) FROM range(1_000_000_000_000) t(i) WHERE i % 7 = 3"
    with ThreadPoolExecutor(max_workers=1) as beside:
        running = beside.submit(engine.rows, endless)
        time.sleep(0.3)
        assert not running.done()

        engine.close()

        with pytest.raises(duckdb.InterruptException):
            running.result()
