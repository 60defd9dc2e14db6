"""How far a job is: never back when a stage ends, and rows only where rows are counted."""

from typing import Any, cast

import pytest

from rfm_backend.services.following import share_of
from rfm_backend.storage.jobs import Job

STAGES = ("start", "check", "read", "aggregate", "cluster", "save")


def job(**values: Any) -> Job:
    """Return a job as far as its share goes."""
    empty = dict.fromkeys(Job.__dataclass_fields__)
    return Job(**cast("Any", {**empty, "state": "running", **values}))


@pytest.mark.parametrize("is_workbook", [False, True])
def test_a_share_never_goes_back(*, is_workbook: bool) -> None:
    shares = [
        share_of(job(stage=stage, done=done, total=100), is_workbook=is_workbook)
        for stage in STAGES
        for done in (0, 40, 100)
    ]

    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_a_stage_that_cannot_tell_stands_where_it_begins() -> None:
    begins = share_of(job(stage="cluster", done=0, total=None), is_workbook=False)

    assert begins == share_of(job(stage="aggregate", done=1, total=1), is_workbook=False)


def test_a_job_that_waits_has_done_nothing_and_one_that_is_done_all() -> None:
    assert share_of(job(state="queued", stage=None), is_workbook=False) == 0.0
    assert share_of(job(state="done", stage="save"), is_workbook=False) == 1.0
