"""Endpoints of processing: /api/rfm/process, /api/jobs/..., /api/analyses/..."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from typing import Any, Final, Literal, cast

from flask import Response

from rfm_backend.api.routing import Answer, Call, Shown, route
from rfm_backend.api.shapes.analyses import (
    AnalysisQuery,
    AnalysisTold,
    Comparison,
    JobAnswer,
    JobTold,
    Process,
    Processed,
)
from rfm_backend.api.shapes.base import Message, Page
from rfm_backend.errors import Unavailable
from rfm_backend.services import analyses, insights
from rfm_backend.services.cursors import pack_cursor, unpack_cursor
from rfm_backend.services.following import COUNT_ROWS
from rfm_backend.services.requests import read_request
from rfm_backend.services.service import Service
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.jobs import ACTIVE, Job
from rfm_backend.storage.rows import utc_now

_TAG: Final = "Processing"
_EVENT_SECONDS: Final = 0.5
# Each call that waits for a job holds a thread of the server, which keeps some for everybody else.
MOST_WAITING: Final = 56
_PLACES: Final = threading.BoundedSemaphore(MOST_WAITING)
_JOB: Final = {
    "job_id": 1,
    "upload_id": 1,
    "state": "running",
    "stage": "read",
    "rows": 250000,
    "percent": 46.1,
    "seconds_left": 2.4,
    "attempts": 1,
    "analysis_id": None,
    "error_code": None,
    "error_message": None,
    "created_at": "2026-11-24T08:15:30.123456Z",
    "started_at": "2026-11-24T08:15:30.323456Z",
    "finished_at": None,
}
_ANALYSIS: Final = {
    "analysis_id": 1,
    "upload_id": 1,
    "total_customers": 4338,
    "clusters": 5,
    "seed": 42,
    "version": "0.1.0",
    "options": {"n_clusters": 5, "returns": "drop"},
    "columns": ["customer_id", "recency", "frequency", "monetary"],
    "created_at": "2026-11-24T08:15:34.123456Z",
}
_SIDE: Final = {
    "n_customers": 507,
    "monetary": 4167335.5,
    "share_of_customers": 0.117,
    "share_of_monetary": 0.468,
}


@route(
    "POST",
    "/api/rfm/process/<int:file_id>",
    tag=_TAG,
    scope="write",
    body=Process,
    body_example={"n_clusters": 5, "returns": "drop"},
    is_body_needed=False,
    answers={
        200: Shown(
            shape=Processed,
            example={
                "message": "RFM processing complete",
                "total_customers": 4338,
                "clusters": 5,
                "analysis_id": 1,
            },
            meaning="The results are there.",
        ),
        202: Shown(
            shape=JobAnswer,
            example={**_JOB, "message": "RFM processing goes on; GET /api/jobs/1 follows it"},
            meaning="It takes longer than RFM_SYNC_WAIT, the client prefers not to wait "
            "(`Prefer: respond-async`), or too many wait already. The same call joins the same job.",
        ),
    },
    problems=(404, 422),
)
def process(call: Call) -> Answer:
    """Turn an upload into segments.

    One run, however many ask: the same file with the same options gives the same analysis.
    """
    values = call.sent(Process).model_dump(exclude_none=True)
    request = read_request(call.service, call.user.id, values)
    got = analyses.process(call.service, call.user.id, call.path["file_id"], request)
    if isinstance(got, Job):
        got = _waited(call, got)
        if got.state in ACTIVE:
            told = {
                **job_told(got).model_dump(),
                "message": f"RFM processing goes on; GET /api/jobs/{got.id} follows it",
            }
            return Answer(
                value=JobAnswer.model_validate(told),
                status=202,
                headers={"Location": f"/api/jobs/{got.id}"},
            )
        got = analyses.outcome(call.service, call.user.id, got)
    done = Processed(
        message="RFM processing complete",
        total_customers=got.n_customers,
        clusters=got.n_clusters,
        analysis_id=got.id,
    )
    return Answer(value=done)


@route(
    "GET",
    "/api/jobs/<int:job_id>",
    tag=_TAG,
    scope="read",
    answers={
        200: Shown(
            shape=JobTold,
            example=_JOB,
            meaning="How far it is.",
            also=("text/event-stream",),
        )
    },
    problems=(404,),
)
def read_job(call: Call) -> Answer | Response:
    """Follow a job.

    With `Accept: text/event-stream` each change is sent as a server-sent event, until the job ends.
    """
    found = analyses.get_job(call.service, call.user.id, call.path["job_id"])
    if "text/event-stream" in call.request.headers.get("Accept", ""):
        return _followed(call.service, call.user.id, found)
    return Answer(value=job_told(found))


@route(
    "DELETE",
    "/api/jobs/<int:job_id>",
    tag=_TAG,
    scope="write",
    answers={
        200: Shown(
            shape=JobTold,
            example={**_JOB, "state": "cancelled"},
            meaning="A job that waited is cancelled; one that runs ends within seconds; one that has "
            "ended stays as it is.",
        )
    },
    problems=(404,),
)
def cancel_job(call: Call) -> Answer:
    """Cancel a job."""
    return Answer(value=job_told(analyses.cancel(call.service, call.user.id, call.path["job_id"])))


@route(
    "GET",
    "/api/analyses",
    tag=_TAG,
    scope="read",
    query=AnalysisQuery,
    answers={
        200: Shown(
            shape=Page[AnalysisTold],
            example={"items": [_ANALYSIS], "next_cursor": None},
            meaning="The newest first.",
        )
    },
)
def list_analyses(call: Call) -> Answer:
    """List the analyses, of one upload or of all."""
    asked = call.asked(AnalysisQuery)
    before = unpack_cursor(asked.cursor, 1)
    found = analyses.page(
        call.service,
        call.user.id,
        upload_id=asked.file_id,
        before=before[0] if before else None,
        limit=asked.limit,
    )
    more = pack_cursor(found[-1].id) if len(found) == asked.limit else None
    told = [analysis_told(one) for one in found]
    return Answer(value=Page[AnalysisTold](items=told, next_cursor=more))


@route(
    "GET",
    "/api/analyses/<int:analysis_id>",
    tag=_TAG,
    scope="read",
    answers={200: Shown(shape=AnalysisTold, example=_ANALYSIS, meaning="The analysis.")},
    problems=(404,),
)
def read_analysis(call: Call) -> Answer:
    """Show an analysis: its options, version and seed."""
    found = analyses.by_id(call.service, call.user.id, call.path["analysis_id"])
    return Answer(value=analysis_told(found))


@route(
    "DELETE",
    "/api/analyses/<int:analysis_id>",
    tag=_TAG,
    scope="write",
    answers={
        200: Shown(
            shape=Message,
            example={"message": "analysis deleted"},
            meaning="It is gone; the upload shows the newest of its others.",
        )
    },
    problems=(404,),
)
def delete_analysis(call: Call) -> Answer:
    """Delete an analysis."""
    analyses.delete(call.service, call.user.id, call.path["analysis_id"])
    return Answer(value=Message(message="analysis deleted"))


@route(
    "GET",
    "/api/analyses/<int:analysis_id>/compare/<int:other_id>",
    tag=_TAG,
    scope="read",
    answers={
        200: Shown(
            shape=Comparison,
            example={
                "before": 1,
                "after": 2,
                "segments": [{"segment": "champions", "before": _SIDE, "after": _SIDE}],
                "flows": [
                    {
                        "before": "champions",
                        "after": "loyal_customers",
                        "n_customers": 12,
                        "monetary_before": 90210.5,
                        "monetary_after": 91100.0,
                    }
                ],
            },
            meaning="The first analysis is `before`, the second `after`.",
        )
    },
    problems=(404,),
)
def compare_analyses(call: Call) -> Answer:
    """Compare two analyses, segment by segment, and tell who moved where."""
    before = analyses.by_id(call.service, call.user.id, call.path["analysis_id"])
    after = analyses.by_id(call.service, call.user.id, call.path["other_id"])
    told = insights.compare(call.service, before, after)
    return Answer(value=Comparison.model_validate(told))


def job_told(job: Job) -> JobTold:
    """Return a job as it is sent."""
    share = None
    if job.total and job.done is not None:
        share = min(1.0, job.done / job.total)
    left = None
    if job.state == "running" and share and job.started_at is not None:
        spent = (utc_now() - job.started_at) / dt.timedelta(seconds=1)
        left = round(max(0.0, spent / share - spent), 1)
    states = Literal["queued", "running", "done", "failed", "cancelled"]
    return JobTold(
        job_id=job.id,
        upload_id=job.upload_id,
        state=cast("states", job.state),
        stage=job.stage if job.state == "running" else None,
        rows=job.done if job.state == "running" and job.stage in COUNT_ROWS else None,
        percent=None if share is None or job.state != "running" else round(100 * share, 1),
        seconds_left=left,
        attempts=job.attempts,
        analysis_id=job.analysis_id,
        error_code=job.error_code,
        error_message=job.error_message,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def analysis_told(one: AnalysisHead) -> AnalysisTold:
    """Return an analysis as it is sent."""
    return AnalysisTold(
        analysis_id=one.id,
        upload_id=one.upload_id,
        total_customers=one.n_customers,
        clusters=one.n_clusters,
        seed=one.seed,
        version=one.version,
        options=cast("dict[str, Any]", dict(one.option_values)),
        columns=list(one.column_names),
        created_at=one.created_at,
    )


def _waited(call: Call, job: Job) -> Job:
    """Return the job once it has ended, or at once where the client or the server cannot wait."""
    if _prefers_not_to_wait(call) or not _PLACES.acquire(blocking=False):
        return analyses.wait(call.service, call.user.id, job, seconds=0.0)
    try:
        seconds = call.service.settings.sync_wait
        return analyses.wait(call.service, call.user.id, job, seconds=seconds)
    finally:
        _PLACES.release()


def _followed(service: Service, user_id: int, job: Job) -> Response:
    """Return a job's events; each follower holds a place as a call that waits does."""
    if not _PLACES.acquire(blocking=False):
        raise Unavailable("Too many follow their jobs: ask GET /api/jobs/<job_id> now and then.")
    answer = Response(
        _events(service, user_id, job),
        content_type="text/event-stream; charset=utf-8",
        headers={"X-Accel-Buffering": "no"},
    )
    answer.call_on_close(_PLACES.release)
    return answer


def _events(service: Service, user_id: int, job: Job) -> Iterator[str]:
    until, last = time.monotonic() + service.settings.sync_wait, ""
    while True:
        text = job_told(job).model_dump_json()
        if text != last:
            yield f"event: job\ndata: {text}\n\n"
            last = text
        if job.state not in ACTIVE or time.monotonic() > until:
            return
        if service.stopping.wait(_EVENT_SECONDS):
            return
        job = analyses.get_job(service, user_id, job.id)


def _prefers_not_to_wait(call: Call) -> bool:
    preferences = call.request.headers.get("Prefer", "")
    return "respond-async" in {one.strip().lower() for one in preferences.split(",")}
