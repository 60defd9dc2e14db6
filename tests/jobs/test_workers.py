"""Workers as processes of their own: each job runs once, and a killed worker's job finishes elsewhere."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from api.shop import SALES, Api, Person, open_api, wipe
from rfm_testing import service_settings

from rfm_backend.settings import ServiceSettings
from rfm_backend.storage import jobs

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceSettings]:
    made = service_settings(request.param, tmp_path)
    yield made
    wipe(made)


@contextmanager
def worker(settings: ServiceSettings) -> Iterator[subprocess.Popen[bytes]]:
    values = {
        "FLASK_ENV": "development",
        "SECRET_KEY": settings.secret_key,
        "RFM_DATA_DIR": str(settings.data_dir),
        "UPLOAD_DIR": str(settings.upload_dir),
        "DB_HOST": settings.db_host,
        "DB_USER": settings.db_user,
        "DB_PASS": settings.db_pass,
        "DB_NAME": settings.db_name,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "rfm_backend", "worker"],
        env={**os.environ, **values},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def start(person: Person, upload_id: int) -> int:
    answer = person.ask(
        "POST", f"/api/rfm/process/{upload_id}", headers={"Prefer": "respond-async"}
    )
    return int(answer.json["job_id"])


def all_jobs(api: Api, person: Person) -> list[jobs.Job]:
    return api.service.database.read(
        lambda tx: jobs.page(tx, person.user_id, before=None, limit=1000)
    )


def wait_until(test: Any, seconds: float) -> float:
    began = time.monotonic()
    while not test():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def test_two_workers_run_each_of_many_jobs_once(settings: ServiceSettings) -> None:
    # Forty on the server, where two workers can truly claim at once; SQLite lets one write at a time.
    n_jobs = 40 if settings.db_host else 12
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        asked = [start(person, person.upload(SALES + b"\n" * n)) for n in range(n_jobs)]
        with worker(settings), worker(settings):
            wait_until(lambda: all(job.state == "done" for job in all_jobs(api, person)), 180)

        found = all_jobs(api, person)
        assert sorted(job.id for job in found) == sorted(asked)
        assert {job.attempts for job in found} == {1}
        assert len({job.analysis_id for job in found}) == n_jobs
        # Both had their share.
        assert len(Counter(job.worker for job in found)) == 2
        listed = person.ask("GET", "/api/analyses?limit=100").json["items"]
        assert len(listed) == n_jobs


def test_the_job_of_a_killed_worker_finishes_elsewhere_once(settings: ServiceSettings) -> None:
    rows = b"\n".join(
        b"c%d,Z%d,2024-01-%02d,%d,N,e@x.org" % (n % 9000, n, 1 + n % 28, 1 + n % 900)
        for n in range(300_000)
    )
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        upload_id = person.upload(SALES + b"\n" + rows)
        job_id = start(person, upload_id)
        with worker(settings) as first:
            wait_until(lambda: all_jobs(api, person)[0].state == "running", 30)
            time.sleep(1.0)
            first.kill()
            first.wait()
            killed = time.monotonic()
            with worker(settings):
                wait_until(lambda: all_jobs(api, person)[0].state == "done", 60)
        assert time.monotonic() - killed < 35

        (job,) = all_jobs(api, person)
        assert (job.id, job.attempts) == (job_id, 2)
        assert len(person.ask("GET", "/api/analyses").json["items"]) == 1
        assert len(person.ask("GET", f"/api/rfm/results/{upload_id}").json) == 9070


def test_a_worker_that_is_told_to_stop_hands_its_job_back(settings: ServiceSettings) -> None:
    rows = b"\n".join(
        b"c%d,Z%d,2024-01-%02d,%d,N,e@x.org" % (n % 9000, n, 1 + n % 28, 1 + n % 900)
        for n in range(300_000)
    )
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        start(person, person.upload(SALES + b"\n" + rows))
        with worker(settings) as first:
            wait_until(lambda: all_jobs(api, person)[0].state == "running", 30)
            time.sleep(0.5)
            first.send_signal(signal.SIGTERM)
            first.wait(10)

        (job,) = all_jobs(api, person)
        assert (job.state, job.attempts, job.worker) == ("queued", 0, None)
        folder = settings.upload_dir / str(person.user_id) / "analyses"
        assert list(folder.iterdir()) == []
