"""The hourly sweep: it comes however busy the worker is, and what it cannot do stops nothing else."""

import datetime as dt
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from api.shop import open_api, wipe
from rfm_testing import service_settings
from sqlalchemy.engine import Connection

from rfm_backend.errors import OverQuota, Unavailable
from rfm_backend.jobs.sweep import sweep
from rfm_backend.jobs.worker import Worker
from rfm_backend.services import Service
from rfm_backend.services.accounts import delete_account
from rfm_backend.services.tokens import LIFE
from rfm_backend.storage import analyses, attempts, logins, uploads, users
from rfm_backend.storage.rows import utc_now


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class BusyWorker(Worker):
    """A worker that always has work."""

    n_done = 0

    def work_once(self) -> bool:
        self.n_done += 1
        time.sleep(0.001)
        return True


def make_stray(folder: Path) -> Path:
    """Leave something of a receipt that was never finished."""
    stray = folder / "tmp" / "left"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_text("x")
    os.utime(stray, (0, 0))
    return stray


def wait_for_work(worker: BusyWorker) -> None:
    before = worker.n_done
    while worker.n_done < before + 5:
        time.sleep(0.005)


def test_a_worker_that_always_has_work_sweeps_at_the_start_and_every_hour(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    clock = Clock()
    with open_api(settings, with_worker=False) as api:
        stray = make_stray(settings.upload_dir)
        worker = BusyWorker(api.service, clock=clock)
        thread = threading.Thread(target=worker.run)
        thread.start()
        wait_for_work(worker)
        was_swept_at_start = not stray.exists()

        make_stray(settings.upload_dir)
        clock.now = 3599
        wait_for_work(worker)
        is_there_before = stray.exists()
        clock.now = 3601
        wait_for_work(worker)
        worker.stop()
        thread.join()

    assert was_swept_at_start
    assert is_there_before
    assert not stray.exists()


def test_what_a_disk_will_not_let_go_keeps_neither_the_others_nor_the_worker(
    tmp_path: Path,
) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        first, second = api.person(), api.person()
        for person in (first, second):
            upload_id = person.upload()
            api.service.database.write(
                lambda tx, upload_id=upload_id, person=person: uploads.begin_deletion(  # type: ignore[misc]
                    tx, upload_id, user_id=person.user_id
                )
            )
        (held,) = (settings.upload_dir / str(first.user_id) / "files").iterdir()
        held.unlink()
        # A folder that is not empty cannot be unlinked, whoever asks.
        (held / "x").mkdir(parents=True)

        sweep(api.service, now=utc_now())

        assert left_of(api.service, first.user_id) == 1
        assert left_of(api.service, second.user_id) == 0
        assert Worker(api.service).sweep_if_due()


def test_an_account_that_a_disk_will_not_let_go_is_gone_for_everybody_and_removed_later(
    tmp_path: Path,
) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        person.upload()
        named = person.ask("POST", "/api/user/tokens", json={"name": "till"}).json["token"]
        (held,) = (settings.upload_dir / str(person.user_id) / "files").iterdir()
        held.unlink()
        (held / "x").mkdir(parents=True)

        with pytest.raises((OverQuota, Unavailable)):
            delete_account(api.service, person.user_id)
        database = api.service.database
        assert database.read(lambda tx: users.by_id(tx, person.user_id)) is None
        assert person.ask("GET", "/api/user/profile").status_code == 401
        assert replace(person, token=named).ask("GET", "/api/uploads").status_code == 401
        assert database.read(lambda tx: logins.open_ones(tx, person.user_id)) == []
        (held.parent / "of nobody").touch()

        (held / "x").rmdir()
        held.rmdir()
        sweep(api.service, now=utc_now())
        assert not database.read(lambda tx: users.exists(tx, person.user_id))
        assert not held.parent.parent.exists()


def left_of(service: Service, user_id: int) -> int:
    """Return how many files a user has."""
    return len(list((service.settings.upload_dir / str(user_id) / "files").iterdir()))


@pytest.mark.parametrize(("hours", "is_kept"), [(0.9, True), (1.1, False)])
def test_what_is_of_nobody_goes_after_an_hour(tmp_path: Path, hours: float, is_kept: bool) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        upload_id = person.upload()
        stray = settings.upload_dir / str(person.user_id) / "files" / "abc"
        stray.write_text("x")

        sweep(api.service, now=utc_now() + dt.timedelta(hours=hours))

        assert stray.exists() == is_kept
        assert person.ask("GET", f"/api/uploads/{upload_id}").status_code == 200
        assert api.service.database.read(lambda tx: users.exists(tx, person.user_id))


@pytest.mark.parametrize(("hours", "n_left"), [(-1, 1), (1, 0)])
def test_a_login_is_kept_for_ninety_days_after_its_end(
    tmp_path: Path, hours: int, n_left: int
) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        person = api.person()
        end = utc_now() + LIFE + dt.timedelta(days=90)

        sweep(api.service, now=end + dt.timedelta(hours=hours))

        left = api.service.database.read(
            lambda tx: logins.page(tx, person.user_id, before=None, limit=10)
        )
        assert len(left) == n_left


def test_room_that_was_given_away_is_kept_back_again(tmp_path: Path) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        reserve = api.service.database.reserve
        assert reserve is not None
        sweep(api.service, now=utc_now())
        assert reserve.give()
        assert not reserve.give()

        sweep(api.service, now=utc_now())

        assert reserve.give()


def test_tries_that_count_no_more_are_forgotten(tmp_path: Path) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        write = api.service.database.write
        write(lambda tx: attempts.count(tx, "x", step=1, since=0))

        sweep(api.service, now=utc_now())

        assert write(lambda tx: attempts.count(tx, "x", step=2, since=0)) == [(2, 1)]


@pytest.mark.parametrize(("hours", "n_left"), [(0.9, 1), (1.1, 0)])
def test_an_analysis_that_was_begun_and_not_published_goes_after_an_hour(
    tmp_path: Path, hours: float, n_left: int
) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        person = api.person()
        upload_id = person.upload()
        make_analysis(api.service, person.user_id, upload_id, is_published=False)

        sweep(api.service, now=utc_now() + dt.timedelta(hours=hours))

        left = api.service.database.read(
            lambda tx: analyses.of_upload(tx, upload_id, user_id=person.user_id)
        )
        assert len(left) == n_left


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def test_of_each_upload_the_newest_analyses_stay_and_the_one_that_is_shown(
    tmp_path: Path, kind: str
) -> None:
    settings = service_settings(kind, tmp_path, keep_analyses=2)
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        first, second = person.upload(), person.upload(b"other bytes,1\n", name="other.csv")
        made = [
            make_analysis(api.service, person.user_id, upload_id)
            for upload_id in (first, first, second, first, first)
        ]
        # The oldest was asked for again: it is what the upload shows.
        shown = made[0]
        api.service.database.write(
            lambda tx: uploads.change(tx, first, user_id=person.user_id, current_analysis_id=shown)
        )

        sweep(api.service, now=utc_now())

        left = api.service.database.read(
            lambda tx: analyses.page(tx, person.user_id, upload_id=None, before=None, limit=10)
        )
        assert {one.id for one in left} == {made[0], made[2], made[3], made[4]}
    wipe(settings)


def make_analysis(
    service: Service, user_id: int, upload_id: int, *, is_published: bool = True
) -> int:
    """Add an analysis of nobody; return its number."""
    token, _ = service.files.new_folder(user_id)
    texts = dict.fromkeys(
        ("fingerprint", "options", "summary", "model", "columns", "version"), "{}"
    )
    numbers = dict.fromkeys(("n_customers", "n_clusters", "seed"), 1)

    def unit(tx: Connection) -> int:
        made = analyses.add(
            tx, user_id=user_id, upload_id=upload_id, folder=token, **texts, **numbers
        )
        if is_published:
            analyses.publish(tx, made, user_id=user_id)
        return made

    return service.database.write(unit)
