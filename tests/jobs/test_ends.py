"""How a job ends that does not end well: cancelled, stopped, gone, without its disk or its database."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from api.shop import Api, Person, open_api, wipe
from faults.network import proxied
from jobs.by_hand import compute_job, take
from jobs.test_workers import all_jobs, start, wait_until
from rfm_testing import service_settings

from rfm_backend.engines.parquet import read_batches
from rfm_backend.errors import Unavailable
from rfm_backend.jobs import worker as worker_module
from rfm_backend.jobs.compute import ROWS, compute
from rfm_backend.jobs.leases import HEARTBEAT_SECONDS
from rfm_backend.jobs.publish import Computed, LeaseLostError, publish
from rfm_backend.jobs.sweep import _each, sweep
from rfm_backend.jobs.worker import Worker
from rfm_backend.pipeline.options import Options
from rfm_backend.services.accounts import delete_account
from rfm_backend.services.requests import AnalysisRequest
from rfm_backend.services.uploads import delete, get, path_of
from rfm_backend.storage import analyses, jobs
from rfm_backend.storage.jobs import Job
from rfm_backend.storage.rows import utc_now


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = service_settings("sqlite", tmp_path_factory.mktemp("ends"))
    with open_api(settings, with_worker=False) as opened:
        yield opened


def files_of(api: Api, person: Person, kind: str = "analyses") -> list[Path]:
    folder = api.service.settings.upload_dir / str(person.user_id) / kind
    return sorted(folder.iterdir()) if folder.is_dir() else []


@dataclass
class Done:
    """A job whose computation is done and not published."""

    api: Api
    person: Person
    upload_id: int
    job: Job
    computed: Computed

    def publish(
        self,
        *,
        check: Callable[[], None] = lambda: None,
        tell: Callable[[int, int], None] = lambda *_: None,
    ) -> int:
        return publish(self.api.service, self.job, self.computed, check=check, tell=tell)

    def saved(self) -> list[tuple[int, str]]:
        return self.api.service.database.read(
            lambda tx: analyses.of_upload(tx, self.upload_id, user_id=self.person.user_id)
        )


@pytest.fixture
def done(api: Api) -> Iterator[Done]:
    person = api.person()
    upload_id, job = take(api, person)
    yield Done(api, person, upload_id, job, compute_job(api, person, job))
    # No later test's worker shall take the job over.
    delete_account(api.service, person.user_id)


def test_a_job_that_is_cancelled_while_its_rows_are_saved_leaves_nothing(done: Done) -> None:
    def cancel(*_: int) -> None:
        answer = done.person.ask("DELETE", f"/api/jobs/{done.job.id}")
        assert answer.status_code in (200, 202), answer.text

    with pytest.raises(LeaseLostError):
        done.publish(tell=cancel)

    assert (done.saved(), files_of(done.api, done.person)) == ([], [])


def test_an_upload_that_is_deleted_while_its_rows_are_saved_leaves_nothing(done: Done) -> None:
    with pytest.raises(LeaseLostError):
        done.publish(tell=lambda *_: delete(done.api.service, done.person.user_id, done.upload_id))

    assert (done.saved(), files_of(done.api, done.person)) == ([], [])
    assert files_of(done.api, done.person, "files") == []


def test_a_worker_that_is_told_to_stop_while_it_saves_leaves_nothing(done: Done) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        done.publish(check=stop)

    assert (done.saved(), files_of(done.api, done.person)) == ([], [])


def test_files_that_the_disk_does_not_give_back_are_told_and_left(done: Done) -> None:
    def hold(*_: int) -> None:
        # No folder can be unlinked, whoever asks.
        (done.computed.folder / ROWS).unlink()
        (done.computed.folder / ROWS).mkdir()

    with pytest.raises(Unavailable):
        done.publish(tell=hold)

    assert len(done.saved()) == len(files_of(done.api, done.person)) == 1
    assert done.person.ask("GET", "/api/analyses").json["items"] == []


def test_what_is_published_is_whole_and_its_job_done(done: Done) -> None:
    told: list[tuple[int, int]] = []

    analysis_id = done.publish(tell=lambda *rows: told.append(rows))

    (job,) = all_jobs(done.api, done.person)
    assert (job.state, job.analysis_id, told) == ("done", analysis_id, [(70, 70)])
    assert ROWS not in [path.name for path in done.computed.folder.iterdir()]
    # Nobody does it twice.
    for end in (jobs.hand_back, partial(jobs.finish, analysis_id=1), jobs.end_cancelled):
        assert not done.api.service.database.write(lambda tx, end=end: end(tx, job))  # type: ignore[misc]
    assert all_jobs(done.api, done.person) == [job]


@contextmanager
def working(api: Api, person: Person) -> Iterator[Worker]:
    """Give a worker whose job goes on until somebody ends it: its file never ends."""
    upload_id = person.upload()
    path = path_of(api.service, get(api.service, person.user_id, upload_id))
    path.unlink()
    os.mkfifo(path)
    start(person, upload_id)
    worker = Worker(api.service)
    thread = threading.Thread(target=worker.work_once)
    thread.start()
    try:
        wait_until(lambda: files_of(api, person), 60)
        yield worker
    except BaseException:
        worker.stop()
        raise
    finally:
        thread.join()
        worker._forks.close()


def test_a_running_job_that_is_cancelled_ends_at_the_next_heartbeat(api: Api) -> None:
    person = api.person()
    with working(api, person):
        (job,) = all_jobs(api, person)
        assert person.ask("DELETE", f"/api/jobs/{job.id}").status_code in (200, 202)

    (job,) = all_jobs(api, person)
    assert (job.state, job.lease_until, files_of(api, person)) == ("cancelled", None, [])


def test_a_worker_that_stops_hands_its_job_back_and_leaves_no_file(api: Api) -> None:
    person = api.person()
    with working(api, person) as worker:
        worker.stop()

    (job,) = all_jobs(api, person)
    assert (job.state, job.attempts, job.worker, job.lease_until) == ("queued", 0, None, None)
    assert files_of(api, person) == []
    person.ask("DELETE", f"/api/jobs/{job.id}")


def test_a_running_job_keeps_its_lease(api: Api) -> None:
    person = api.person()
    with working(api, person) as worker:
        (before,) = all_jobs(api, person)
        assert before.lease_until is not None
        until = before.lease_until
        wait_until(lambda: all_jobs(api, person)[0].lease_until != until, 3 * HEARTBEAT_SECONDS + 5)
        (after,) = all_jobs(api, person)
        worker.stop()

    assert after.lease_until is not None
    assert after.lease_until > until
    assert after.worker == worker.name
    person.ask("DELETE", f"/api/jobs/{after.id}")


def test_a_job_whose_upload_went_as_it_was_taken_is_no_ones(api: Api) -> None:
    person = api.person()
    upload_id, job = take(api, person)
    delete(api.service, person.user_id, upload_id)

    with pytest.raises(LeaseLostError):
        Worker(api.service)._do(job)

    assert files_of(api, person) == []


def test_a_job_that_fails_by_a_fault_of_ours_says_no_more_than_that(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    person = api.person()
    start(person, person.upload())

    def fail(*_: object, **__: object) -> int:
        raise ZeroDivisionError("inner words")

    monkeypatch.setattr(worker_module, "publish", fail)
    assert Worker(api.service).work_once()

    (job,) = all_jobs(api, person)
    assert (job.state, job.error_code) == ("failed", "internal_error")
    assert "inner words" not in str(job.error_message)
    assert "inner words" in caplog.text
    assert files_of(api, person) == []


@pytest.mark.slow
def test_a_fault_of_ours_is_logged_although_the_database_cannot_be_told_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    port = int((os.environ.get("RFM_TEST_DB_HOST") or "").partition(":")[2] or 3306)
    with proxied(port) as proxy:
        settings = service_settings("mysql", tmp_path, db_host=f"127.0.0.1:{proxy.port}")
        with open_api(settings, with_worker=False) as api:
            person = api.person()
            start(person, person.upload())

            def fail(*_: object, **__: object) -> int:
                # Once the files of the job are dropped, which asks the database, it goes away.
                sa.event.listen(
                    api.service.database.engine, "checkin", lambda *_: proxy.close(), once=True
                )
                raise ZeroDivisionError("inner words")

            monkeypatch.setattr(worker_module, "publish", fail)
            with pytest.raises(Unavailable):
                Worker(api.service).work_once()
    with open_api(replace(settings, db_host=f"127.0.0.1:{port}"), with_worker=False) as api:
        # It is taken again once its lease is out.
        assert [job.state for job in all_jobs(api, person)] == ["running"]
    assert "inner words" in caplog.text
    wipe(api.service.settings)


def test_a_worker_waits_for_a_database_that_is_away(tmp_path: Path) -> None:
    port = int((os.environ.get("RFM_TEST_DB_HOST") or "").partition(":")[2] or 3306)
    with proxied(port) as proxy:
        settings = service_settings("mysql", tmp_path, db_host=f"127.0.0.1:{proxy.port}")
        with open_api(settings, with_worker=False) as api:
            person = api.person()
            upload_id = person.upload()
            worker = Worker(api.service)
            proxy.close()
            # Not to wait as long as a worker does.
            worker.stop()
            worker._work_or_wait()

            with pytest.raises(Unavailable):
                worker.sweep_if_due()
            with pytest.raises(Unavailable):
                _each([upload_id], lambda one: delete(api.service, person.user_id, one))
    wipe(replace(settings, db_host=f"127.0.0.1:{port}"))


@pytest.mark.slow
def test_a_sweep_that_fails_by_a_fault_of_ours_stops_no_worker(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path)
    with open_api(settings, with_worker=False) as api:
        with api.service.database.engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE attempts"))
        worker = Worker(api.service)

        assert worker.sweep_if_due()
        assert not worker.sweep_if_due()
    wipe(settings)


def test_rows_without_names_have_none_to_be_found_by(tmp_path: Path) -> None:
    source = tmp_path / "sales"
    source.write_text(
        "customer_id,invoice_id,invoice_date,amount\n"
        + "\n".join(f"c{n % 9},A{n},2024-01-{1 + n % 28:02},{1 + n}" for n in range(40))
    )

    compute(
        source=str(source),
        name="sales.csv",
        request=AnalysisRequest(options=Options(n_clusters=2)).to_json(),
        folder=str(tmp_path),
        resources={"threads": 1},
    )

    (rows,) = read_batches(tmp_path / ROWS, dict.fromkeys(("name_key", "email_key")), n_rows=100)
    assert {tuple(row) for row in rows} == {(None, None)}


def test_a_sweep_goes_on_where_the_owner_was_quicker(api: Api) -> None:
    person = api.person()
    first, second = person.upload(), person.upload(b"a,b\n1,2\n")
    delete(api.service, person.user_id, first)

    _each([first, second], lambda one: delete(api.service, person.user_id, one))

    assert person.ask("GET", "/api/uploads").json["items"] == []
    assert files_of(api, person, "files") == []
    sweep(api.service, now=utc_now())
