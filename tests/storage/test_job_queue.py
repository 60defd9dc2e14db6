"""The queue of jobs: who gets which, how long it is his, and what a late worker can still do (nothing)."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings
from sqlalchemy import event
from sqlalchemy.engine import Connection

from rfm_backend.storage import jobs, named, uploads, users
from rfm_backend.storage.database import REQUESTS, Database, open_database
from rfm_backend.storage.jobs import Job
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.named import Shop
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import JOBS

LEASE = dt.timedelta(seconds=20)
GONE = dt.timedelta(seconds=-1)


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    settings = service_settings(request.param, tmp_path)
    migrate(settings)
    opened = open_database(settings, patience=REQUESTS)
    yield opened
    opened.close()
    wipe(settings)


def add(tx: Connection, *fingerprints: str) -> list[Job]:
    """Queue a job of one upload for each fingerprint."""
    user_id = users.add(
        tx, username="u", username_key="u", email="u", email_key="u", password_hash="x"
    )
    shop_id = named.add(tx, Shop, user_id=user_id, name="Shop")
    stored = uploads.add_stored(tx, user_id=user_id, sha256="s", token="t", size_bytes=1)
    upload_id = uploads.add(
        tx,
        user_id=user_id,
        shop_id=shop_id,
        stored_file_id=stored,
        filename="a.csv",
        format="csv",
        header_hash=None,
    )
    return [
        jobs.join(tx, user_id=user_id, upload_id=upload_id, fingerprint=one, options="{}")
        for one in fingerprints
    ]


def claim(tx: Connection, worker: str, lease: dt.timedelta = LEASE) -> Job:
    found = jobs.claim(tx, worker=worker, lease=lease)
    assert found is not None
    return found


def state(tx: Connection, job: Job) -> Job:
    found = jobs.get(tx, job.id, user_id=job.user_id)
    assert found is not None
    return found


def test_the_oldest_that_waits_is_taken_first_and_each_once(database: Database) -> None:
    def unit(tx: Connection) -> None:
        first, second = add(tx, "a", "b")
        before = utc_now()
        taken = claim(tx, "w1")
        assert (taken.id, taken.state, taken.attempts, taken.stage) == (
            first.id,
            "running",
            1,
            "start",
        )
        assert taken.lease_until is not None
        assert before + LEASE <= taken.lease_until <= utc_now() + LEASE
        assert claim(tx, "w2").id == second.id
        assert jobs.claim(tx, worker="w3", lease=LEASE) is None
        assert jobs.count_by_state(tx) == {"running": 2}
        newest = jobs.newest_of_uploads(tx, [first.upload_id], user_id=first.user_id)
        assert {upload: job.id for upload, job in newest.items()} == {first.upload_id: second.id}
        assert jobs.newest_of_uploads(tx, [first.upload_id], user_id=first.user_id + 1) == {}
        assert jobs.newest_of_uploads(tx, [first.upload_id + 1], user_id=first.user_id) == {}

    database.write(unit)


def test_the_same_request_is_one_job_until_it_has_ended(database: Database) -> None:
    def unit(tx: Connection) -> None:
        (job,) = add(tx, "a")
        asked = {"user_id": job.user_id, "upload_id": job.upload_id, "options": "{}"}
        assert jobs.join(tx, fingerprint="a", **asked).id == job.id  # type: ignore[arg-type]
        taken = claim(tx, "w")
        assert jobs.join(tx, fingerprint="a", **asked).id == job.id  # type: ignore[arg-type]
        assert jobs.fail(tx, taken, code="c", message="m")
        assert jobs.join(tx, fingerprint="a", **asked).id != job.id  # type: ignore[arg-type]

    database.write(unit)


def test_a_job_is_taken_over_once_its_lease_is_out_and_given_up_the_third_time(
    database: Database,
) -> None:
    def unit(tx: Connection) -> None:
        (job,) = add(tx, "a")
        for attempt in (1, 2, 3):
            assert jobs.give_up_lost(tx) == 0
            assert claim(tx, f"w{attempt}", GONE).attempts == attempt
        assert jobs.claim(tx, worker="w4", lease=LEASE) is None
        assert jobs.give_up_lost(tx) == 1
        lost = state(tx, job)
        assert (lost.state, lost.error_code) == ("failed", "worker_lost")
        assert lost.finished_at is not None
        assert jobs.give_up_lost(tx) == 0

    database.write(unit)


def test_behind_many_that_have_ended_the_next_is_found(database: Database) -> None:
    def unit(tx: Connection) -> None:
        *ended, waits = add(tx, *"abcdefghij")
        for _ in ended:
            assert jobs.fail(tx, claim(tx, "w"), code="c", message="m")
        assert claim(tx, "w").id == waits.id

    database.write(unit)


def test_one_that_holds_its_lease_is_not_given_up(database: Database) -> None:
    def unit(tx: Connection) -> None:
        add(tx, "a")
        for lease in (GONE, GONE, LEASE):
            claim(tx, "w", lease)
        assert jobs.give_up_lost(tx) == 0

    database.write(unit)


def test_a_worker_that_is_late_changes_nothing(database: Database) -> None:
    def unit(tx: Connection) -> None:
        (job,) = add(tx, "a")
        late = claim(tx, "w", GONE)
        now = claim(tx, "w")
        # As its own, of another attempt; and as another's, of this one.
        for one in (late, replace(now, worker="x"), replace(now, id=now.id + 1)):
            assert not jobs.renew(tx, one, lease=LEASE, stage="read", done=1, total=2)
            assert not jobs.finish(tx, one, analysis_id=1)
            assert not jobs.fail(tx, one, code="c", message="m")
            assert not jobs.hand_back(tx, one)
            assert not jobs.end_cancelled(tx, one)
        assert state(tx, job) == now

    database.write(unit)


def test_a_job_that_is_held_tells_how_far_it_is_and_comes_back_whole(database: Database) -> None:
    def unit(tx: Connection) -> None:
        (job,) = add(tx, "a")
        taken = claim(tx, "w")
        before = utc_now()
        assert jobs.renew(tx, taken, lease=2 * LEASE, stage="read", done=1, total=2)
        far = state(tx, job)
        assert (far.stage, far.done, far.total) == ("read", 1, 2)
        assert far.lease_until is not None
        assert far.lease_until >= before + 2 * LEASE
        assert not jobs.end_cancelled(tx, taken)
        assert jobs.hand_back(tx, taken)
        back = state(tx, job)
        assert (back.state, back.attempts, back.worker, back.lease_until) == (
            "queued",
            0,
            None,
            None,
        )

    database.write(unit)


def test_a_running_job_that_is_cancelled_is_neither_held_nor_finished(database: Database) -> None:
    def unit(tx: Connection) -> None:
        waits, runs = add(tx, "a", "b")[::-1]
        taken = claim(tx, "w")
        assert taken.id == runs.id
        for job in (waits, runs):
            assert jobs.ask_to_cancel(tx, job.id, user_id=job.user_id)
        assert (state(tx, waits).state, state(tx, runs).state) == ("cancelled", "running")
        assert not jobs.renew(tx, taken, lease=LEASE, stage=None, done=None, total=None)
        assert not jobs.finish(tx, taken, analysis_id=1)
        assert jobs.end_cancelled(tx, taken)
        assert not jobs.ask_to_cancel(tx, runs.id, user_id=runs.user_id)
        ended = tx.execute(sa.select(JOBS.c.active_key, JOBS.c.finished_at.is_not(None))).all()
        assert [tuple(row) for row in ended] == [(None, True), (None, True)]

    database.write(unit)


def test_to_cancel_one_running_job_is_to_cancel_no_other(database: Database) -> None:
    def unit(tx: Connection) -> None:
        first, second = add(tx, "a", "b")
        for _ in range(2):
            claim(tx, "w")
        assert not jobs.ask_to_cancel(tx, second.id, user_id=second.user_id + 1)
        assert jobs.ask_to_cancel(tx, first.id, user_id=first.user_id)
        assert [state(tx, job).cancel_asked for job in (first, second)] == [True, False]

    database.write(unit)


def test_deleting_an_upload_stops_its_jobs_and_no_ended_one_is_touched(database: Database) -> None:
    def unit(tx: Connection) -> None:
        ended, runs, waits = add(tx, "a", "b", "c")
        assert jobs.fail(tx, claim(tx, "w"), code="c", message="m")
        claim(tx, "w")
        jobs.cancel_all_of_upload(tx, waits.upload_id, user_id=waits.user_id + 1)
        jobs.cancel_all_of_upload(tx, waits.upload_id + 1, user_id=waits.user_id)
        states = [state(tx, job).state for job in (ended, runs, waits)]
        assert states == ["failed", "running", "queued"]
        jobs.cancel_all_of_upload(tx, waits.upload_id, user_id=waits.user_id)
        states = [state(tx, job).state for job in (ended, runs, waits)]
        assert states == ["failed", "cancelled", "cancelled"]

    database.write(unit)


def test_deleting_an_account_stops_its_jobs_and_no_ended_one_is_touched(database: Database) -> None:
    def unit(tx: Connection) -> None:
        ended, runs, waits = add(tx, "a", "b", "c")
        assert jobs.fail(tx, claim(tx, "w"), code="c", message="m")
        claim(tx, "w")
        jobs.cancel_all_of_user(tx, waits.user_id + 1)
        assert state(tx, waits).state == "queued"
        jobs.cancel_all_of_user(tx, waits.user_id)
        states = [state(tx, job).state for job in (ended, runs, waits)]
        assert states == ["failed", "cancelled", "cancelled"]

    database.write(unit)


@pytest.mark.slow
def test_of_two_who_want_the_same_job_at_once_the_second_takes_the_next(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path)
    migrate(settings)
    database = open_database(settings, patience=REQUESTS)
    first, second = database.write(lambda tx: add(tx, "a", "b"))
    taken: list[Job] = []

    def other_first(*told: Any) -> None:
        # Between the look and the claim.
        if not taken and told[2].startswith("SELECT jobs.id"):
            taken.append(first)
            taken[0] = database.write(lambda tx: claim(tx, "quick"))

    event.listen(database.engine, "after_cursor_execute", other_first)
    slow = database.write(lambda tx: claim(tx, "slow"))

    assert (taken[0].id, slow.id) == (first.id, second.id)
    database.close()
    wipe(settings)
