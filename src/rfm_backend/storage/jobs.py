"""Queries on ``jobs``: the queue, and the record of what became of each job.

What always holds
    * a job is claimed by one worker: the claim is one conditional UPDATE;
    * every later write of a worker says whose lease it is: one that came too late changes nothing;
    * of an upload and its options one job at a time is queued or running (``active_key`` is unique).

    queued ─► running ─► done
       ▲         │  └──► failed · cancelled
       └─────────┘  lease ran out, fewer than `MOST_ATTEMPTS`
"""

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.storage.rows import add_row, as_value, as_values, columns_of, utc_now
from rfm_backend.storage.tables import JOBS

MOST_ATTEMPTS: Final = 3
ACTIVE: Final = ("queued", "running")


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as its row says."""

    id: int
    user_id: int
    upload_id: int
    fingerprint: str
    options: str
    state: str
    stage: str | None
    done: int | None
    total: int | None
    attempts: int
    worker: str | None
    lease_until: dt.datetime | None
    cancel_asked: bool
    error_code: str | None
    error_message: str | None
    analysis_id: int | None
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None


def join(tx: Connection, *, user_id: int, upload_id: int, fingerprint: str, options: str) -> Job:
    """Return the active job of an upload and its options, queued now where there is none."""
    key = f"{upload_id}:{fingerprint}"
    while (found := _active(tx, key)) is None:
        # Somebody else may be quicker: theirs is the one to wait for.
        with contextlib.suppress(IntegrityError), tx.begin_nested():
            add_row(
                tx,
                JOBS,
                user_id=user_id,
                upload_id=upload_id,
                fingerprint=fingerprint,
                active_key=key,
                options=options,
                state="queued",
                attempts=0,
                cancel_asked=False,
                created_at=utc_now(),
            )
    return found


def get(tx: Connection, job_id: int, *, user_id: int) -> Job | None:
    """Return a user's job."""
    chosen = _all().where(JOBS.c.id == job_id, JOBS.c.user_id == user_id)
    return as_value(Job, tx.execute(chosen).first())


def page(tx: Connection, user_id: int, *, before: int | None, limit: int) -> list[Job]:
    """Return a user's jobs, the newest first."""
    chosen = _all().where(JOBS.c.user_id == user_id).order_by(JOBS.c.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(JOBS.c.id < before)
    return as_values(Job, tx.execute(chosen))


def newest_of_uploads(
    tx: Connection, upload_ids: Sequence[int], *, user_id: int
) -> Mapping[int, Job]:
    """Return the newest job of each of a user's uploads that has one."""
    newest = (
        sa.select(sa.func.max(JOBS.c.id))
        .where(JOBS.c.user_id == user_id, JOBS.c.upload_id.in_(upload_ids))
        .group_by(JOBS.c.upload_id)
    )
    found = as_values(Job, tx.execute(_all().where(JOBS.c.id.in_(newest))))
    return {job.upload_id: job for job in found}


def claim(tx: Connection, *, worker: str, lease: dt.timedelta) -> Job | None:
    """Take the oldest job that waits, or whose worker went silent; None where there is none."""
    now = utc_now()
    free = sa.or_(
        JOBS.c.state == "queued", sa.and_(JOBS.c.state == "running", JOBS.c.lease_until < now)
    )
    for row in tx.execute(
        sa.select(JOBS.c.id)
        .where(free, JOBS.c.attempts < MOST_ATTEMPTS)
        .order_by(JOBS.c.id)
        .limit(5)
    ).all():
        taken = tx.execute(
            sa.update(JOBS)
            .where(JOBS.c.id == row[0], free, JOBS.c.attempts < MOST_ATTEMPTS)
            .values(
                state="running",
                worker=worker,
                attempts=JOBS.c.attempts + 1,
                lease_until=now + lease,
                started_at=now,
                stage="start",
                done=None,
                total=None,
            )
        )
        if taken.rowcount:
            return as_value(Job, tx.execute(_all().where(JOBS.c.id == row[0])).first())
    return None


def renew(
    tx: Connection,
    job: Job,
    *,
    lease: dt.timedelta,
    stage: str | None,
    done: int | None,
    total: int | None,
) -> bool:
    """Hold on to a job and note how far it is; return whether it is still this worker's to do."""
    kept = tx.execute(
        _mine(job)
        .where(JOBS.c.cancel_asked.is_(sa.false()))
        .values(lease_until=utc_now() + lease, stage=stage, done=done, total=total)
    )
    return kept.rowcount > 0


def finish(tx: Connection, job: Job, *, analysis_id: int) -> bool:
    """Note that a job is done; return whether it was still this worker's to finish."""
    ended = tx.execute(
        _mine(job)
        .where(JOBS.c.cancel_asked.is_(sa.false()))
        .values(
            state="done",
            active_key=None,
            lease_until=None,
            analysis_id=analysis_id,
            finished_at=utc_now(),
        )
    )
    return ended.rowcount > 0


def fail(tx: Connection, job: Job, *, code: str, message: str) -> bool:
    """Note why a job failed; return whether it was still this worker's to end."""
    ended = tx.execute(
        _mine(job).values(
            state="failed",
            active_key=None,
            lease_until=None,
            error_code=code,
            error_message=message,
            finished_at=utc_now(),
        )
    )
    return ended.rowcount > 0


def hand_back(tx: Connection, job: Job) -> bool:
    """Queue a job again that this worker cannot go on with; return whether it was still this worker's.

    One that was has not been finished, and by this worker's earlier writes it never will be.
    """
    queued = tx.execute(
        _mine(job).values(
            state="queued", worker=None, lease_until=None, attempts=JOBS.c.attempts - 1
        )
    )
    return queued.rowcount > 0


def ask_to_cancel(tx: Connection, job_id: int, *, user_id: int) -> bool:
    """Cancel a job: at once where it waits, at its next heartbeat where it runs."""
    mine = (JOBS.c.id == job_id, JOBS.c.user_id == user_id)
    waiting = tx.execute(
        sa.update(JOBS)
        .where(*mine, JOBS.c.state == "queued")
        .values(state="cancelled", active_key=None, finished_at=utc_now())
    )
    running = tx.execute(
        sa.update(JOBS).where(*mine, JOBS.c.state == "running").values(cancel_asked=True)
    )
    return waiting.rowcount + running.rowcount > 0


def end_cancelled(tx: Connection, job: Job) -> bool:
    """Note that a running job was cancelled."""
    ended = tx.execute(
        _mine(job)
        .where(JOBS.c.cancel_asked.is_(sa.true()))
        .values(state="cancelled", active_key=None, lease_until=None, finished_at=utc_now())
    )
    return ended.rowcount > 0


def give_up_lost(tx: Connection) -> int:
    """Fail the jobs whose workers went silent too often; return how many."""
    lost = tx.execute(
        sa.update(JOBS)
        .where(
            JOBS.c.state == "running",
            JOBS.c.lease_until < utc_now(),
            JOBS.c.attempts >= MOST_ATTEMPTS,
        )
        .values(
            state="failed",
            active_key=None,
            error_code="worker_lost",
            error_message=f"The analysis stopped {MOST_ATTEMPTS} times without a word, perhaps for want of "
            "memory. Try again, or with a smaller file.",
            finished_at=utc_now(),
        )
    )
    return lost.rowcount


def cancel_all_of_upload(tx: Connection, upload_id: int, *, user_id: int) -> None:
    """Stop what is queued or running of an upload that is being deleted."""
    tx.execute(
        sa.update(JOBS)
        .where(JOBS.c.upload_id == upload_id, JOBS.c.user_id == user_id, JOBS.c.state.in_(ACTIVE))
        .values(state="cancelled", active_key=None, lease_until=None, finished_at=utc_now())
    )


def cancel_all_of_user(tx: Connection, user_id: int) -> None:
    """Stop what is queued or running of a user who is being deleted."""
    tx.execute(
        sa.update(JOBS)
        .where(JOBS.c.user_id == user_id, JOBS.c.state.in_(ACTIVE))
        .values(state="cancelled", active_key=None, lease_until=None, finished_at=utc_now())
    )


def count_by_state(tx: Connection) -> dict[str, int]:
    """Return how many jobs are in each state, for the operator's metrics."""
    counted = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)
    return {str(row[0]): int(row[1]) for row in tx.execute(counted)}


def _all() -> sa.Select[Any]:
    return sa.select(*columns_of(Job, JOBS))


def _active(tx: Connection, key: str) -> Job | None:
    return as_value(Job, tx.execute(_all().where(JOBS.c.active_key == key)).first())


def _mine(job: Job) -> sa.Update:
    """Return an update of a job while its lease is this worker's: the fence against late writes."""
    return sa.update(JOBS).where(
        JOBS.c.id == job.id,
        JOBS.c.worker == job.worker,
        JOBS.c.attempts == job.attempts,
        JOBS.c.state == "running",
    )
