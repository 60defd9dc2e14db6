"""A job whose end the database did not take: it is done again soon, and nothing of the first time is left."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from api.shop import Api, open_api, wipe
from jobs.test_workers import all_jobs, start, wait_until
from rfm_testing import service_settings

from rfm_backend.errors import Unavailable
from rfm_backend.jobs import worker as worker_module
from rfm_backend.jobs.publish import publish
from rfm_backend.jobs.worker import Worker
from rfm_backend.storage import analyses
from rfm_backend.storage.tables import JOBS

pytestmark = pytest.mark.slow


@contextmanager
def held(api: Api, job_id: int) -> Iterator[None]:
    """Hold the row of a job, as a server does whose disk hangs: nobody else can change it."""
    with api.service.database.engine.connect() as connection, connection.begin():
        connection.execute(sa.select(JOBS.c.id).where(JOBS.c.id == job_id).with_for_update())
        yield


def test_what_was_saved_in_vain_goes_as_soon_as_the_database_answers(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        upload_id = person.upload()
        worker = Worker(api.service)
        worker.warm()
        start(person, upload_id)
        worker.work_once()
        job_id = int(
            person.ask(
                "POST",
                f"/api/rfm/process/{upload_id}",
                json={"seed": 7},
                headers={"Prefer": "respond-async"},
            ).json["job_id"]
        )
        told: list[BaseException] = []

        def work() -> None:
            try:
                worker.work_once()
            except Unavailable as error:
                told.append(error)

        def saved() -> list[tuple[int, str]]:
            return api.service.database.read(
                lambda tx: analyses.of_upload(tx, upload_id, user_id=person.user_id)
            )

        working = threading.Thread(target=work)
        working.start()
        wait_until(lambda: all_jobs(api, person)[0].state == "running", 30)
        with held(api, job_id):
            working.join()
            in_vain = saved()
        # No sweep: what it looks at has to be an hour old.
        while all_jobs(api, person)[0].state != "done":
            worker._work_or_wait()
        worker._forks.close()

        job, earlier = all_jobs(api, person)
        folder = settings.upload_dir / str(person.user_id) / "analyses"
        assert (len(told), len(in_vain), job.id) == (1, 2, job_id)
        assert [one for one, _ in saved()] == [earlier.analysis_id, job.analysis_id]
        assert job.analysis_id not in [one for one, _ in in_vain]
        assert {path.name for path in folder.iterdir()} == {token for _, token in saved()}
        assert job.attempts == 1
        assert len(person.ask("GET", f"/api/rfm/results/{upload_id}").json) == 70
    wipe(settings)


def test_a_result_that_was_published_stays_although_nobody_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untold(*given: Any, **named: Any) -> int:
        """Publish, and lose the answer to the last COMMIT."""
        publish(*given, **named)
        raise Unavailable("The database went away.")

    monkeypatch.setattr(worker_module, "publish", untold)
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        person = api.person()
        upload_id = person.upload()
        start(person, upload_id)
        worker = Worker(api.service)

        with pytest.raises(Unavailable):
            worker.work_once()

        assert not worker.work_once()
        assert [job.state for job in all_jobs(api, person)] == ["done"]
        assert len(person.ask("GET", f"/api/rfm/results/{upload_id}").json) == 70
