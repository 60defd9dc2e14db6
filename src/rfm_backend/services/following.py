"""Following jobs: how far each is, in all and in its stage, and how long it may still take.

In:  a `Service`, a user's number.
Out: `Followed`: the job, its upload, how far it is.

What always holds: while one job runs, its share never goes back when a stage ends and the next begins.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.errors import NotFound
from rfm_backend.services.service import Service
from rfm_backend.storage import jobs, uploads
from rfm_backend.storage.jobs import ACTIVE, Job
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.uploads import Upload

# Where each stage begins and ends, as shares of the whole: about what they took for a text file of a
# million rows, and for a workbook of half a million, which is unpacked in full before it is read.
_STAGES: Final = {
    "start": (0.0, 0.03),
    "unpack": (0.03, 0.06),
    "check": (0.03, 0.1),
    "read": (0.1, 0.45),
    "aggregate": (0.45, 0.5),
    "cluster": (0.5, 0.85),
    "save": (0.85, 1.0),
}
_STAGES_OF_WORKBOOK: Final = {
    **_STAGES,
    "check": (0.03, 0.5),
    "read": (0.5, 0.85),
    "aggregate": (0.85, 0.86),
    "cluster": (0.86, 0.93),
    "save": (0.93, 1.0),
}
_WORKBOOKS: Final = ("xlsx", "xls", "xlsb", "ods")
# The stages that count rows; others count bytes or percent.
COUNT_ROWS: Final = ("read", "save")
# A guess from less than this is none.
_LEAST_SHARE: Final = 0.1
_LEAST_SECONDS: Final = 2.0
_LATELY: Final = dt.timedelta(minutes=15)
_MOST_SHOWN: Final = 25


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A job and its upload; ``share`` (0 to 1) and ``seconds_left`` are of the whole, not of the stage.

    ``rows`` is (done, of about all) while rows are read, and (done, of all) while customers are saved.
    """

    job: Job
    upload: Upload
    share: float
    seconds_left: float | None
    rows: tuple[int, int] | None

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs."""
        return self.job.state in ACTIVE


def follow(service: Service, user_id: int, job_id: int) -> Followed:
    """Return a user's job and how far it is.

    Raises
    ------
    NotFound
        He has no job of this number, or its upload is gone.
    """

    def unit(tx: Connection) -> list[Followed]:
        found = jobs.get(tx, job_id, user_id=user_id)
        return _with_uploads(tx, user_id, [found] if found else [])

    followed = service.database.read(unit)
    if not followed:
        raise NotFound("There is no job of this number among yours.")
    return followed[0]


def lately(service: Service, user_id: int) -> list[Followed]:
    """Return the jobs that are under way or ended a moment ago, the newest first."""
    since = utc_now() - _LATELY

    def unit(tx: Connection) -> list[Followed]:
        found = jobs.page(tx, user_id, before=None, limit=_MOST_SHOWN)
        shown = [
            job
            for job in found
            if job.state in ACTIVE or (job.finished_at is not None and job.finished_at > since)
        ]
        return _with_uploads(tx, user_id, shown)

    return service.database.read(unit)


def _with_uploads(tx: Connection, user_id: int, found: Sequence[Job]) -> list[Followed]:
    now, followed = utc_now(), []
    for job in found:
        upload = uploads.get(tx, job.upload_id, user_id=user_id)
        if upload is not None:
            followed.append(_followed(job, upload, now))
    return followed


def _followed(job: Job, upload: Upload, now: dt.datetime) -> Followed:
    share = share_of(job, is_workbook=upload.format in _WORKBOOKS)
    left = None
    if job.state == "running" and job.started_at is not None and share >= _LEAST_SHARE:
        spent = (now - job.started_at) / dt.timedelta(seconds=1)
        left = spent / share - spent if spent >= _LEAST_SECONDS else None
    is_counting = job.state == "running" and job.stage in COUNT_ROWS
    rows = (job.done, job.total) if is_counting and job.done is not None and job.total else None
    return Followed(job=job, upload=upload, share=share, seconds_left=left, rows=rows)


def share_of(job: Job, *, is_workbook: bool) -> float:
    """Return how much of a job is done, from 0 to 1."""
    if job.state != "running":
        return 1.0 if job.state == "done" else 0.0
    stages = _STAGES_OF_WORKBOOK if is_workbook else _STAGES
    begins, ends = stages.get(job.stage or "start", (0.0, 0.0))
    within = min(1.0, job.done / job.total) if job.total and job.done is not None else 0.0
    return begins + within * (ends - begins)
