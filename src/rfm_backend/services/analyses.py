"""Analyses: ask for one, wait for it, look at it, delete it.

In:  a `Service`, a user's number, an `AnalysisRequest`.
Out: `AnalysisHead` once it is published, `Job` while it is not.

What always holds
    * one upload with one request is computed once, however many ask and however often;
    * the newest analysis asked for is the upload's current one.
"""

import time
from typing import Final, TypeGuard

from sqlalchemy.engine import Connection

from rfm_backend.errors import AnalysisFailed, NotFound, NotProcessed
from rfm_backend.services.requests import AnalysisRequest, fingerprint
from rfm_backend.services.service import Service
from rfm_backend.services.uploads import get, no_upload, remove_analysis
from rfm_backend.storage import analyses, jobs, uploads
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.jobs import Job

_FIRST_LOOK: Final = 0.05
_SLOWEST_LOOK: Final = 0.5


def process(
    service: Service, user_id: int, upload_id: int, request: AnalysisRequest
) -> AnalysisHead | Job:
    """Return the analysis of this request, or the job that makes it: a new one, or one under way.

    Raises
    ------
    NotFound
        There is no such upload.
    """
    mark = fingerprint(request, get(service, user_id, upload_id))
    options = request.to_json()

    def unit(tx: Connection) -> AnalysisHead | Job | None:
        if uploads.get(tx, upload_id, user_id=user_id) is None:
            return None
        found = analyses.find(tx, user_id=user_id, upload_id=upload_id, fingerprint=mark)
        if found is not None:
            uploads.change(tx, upload_id, user_id=user_id, current_analysis_id=found.id)
            return found
        return jobs.join(
            tx, user_id=user_id, upload_id=upload_id, fingerprint=mark, options=options
        )

    got = service.database.write(unit)
    if got is None:
        raise no_upload()
    return got


def is_finished(got: AnalysisHead | Job) -> TypeGuard[AnalysisHead]:
    """Tell whether `process` returned an analysis that was there already."""
    return isinstance(got, AnalysisHead)


def wait(service: Service, user_id: int, job: Job, *, seconds: float) -> Job:
    """Return a job once it has ended, or as it is when the time is over, or this process is to end."""
    until, pause = time.monotonic() + seconds, _FIRST_LOOK
    while job.state in jobs.ACTIVE and time.monotonic() < until:
        if service.stopping.wait(min(pause, max(0.0, until - time.monotonic()))):
            return job
        pause = min(_SLOWEST_LOOK, pause * 1.3)
        job = get_job(service, user_id, job.id)
    return job


def outcome(service: Service, user_id: int, job: Job) -> AnalysisHead:
    """Return the analysis that a job made.

    Raises
    ------
    AnalysisFailed
        The job failed or was cancelled; the message and ``reason`` say why.
    """
    if job.state == "done" and job.analysis_id is not None:
        return by_id(service, user_id, job.analysis_id)
    if job.state == "cancelled":
        raise AnalysisFailed("The job was cancelled.", reason="cancelled", job_id=job.id)
    raise AnalysisFailed(
        job.error_message or "The analysis failed.",
        reason=job.error_code or "internal_error",
        job_id=job.id,
    )


def get_job(service: Service, user_id: int, job_id: int) -> Job:
    """Return a user's job.

    Raises
    ------
    NotFound
        He has none of this number.
    """
    found = service.database.look(lambda tx: jobs.get(tx, job_id, user_id=user_id))
    if found is None:
        raise NotFound("There is no job of this number among yours.")
    return found


def cancel(service: Service, user_id: int, job_id: int) -> Job:
    """Ask for a job to be cancelled; one that has ended stays as it is.

    Raises
    ------
    NotFound
        There is no such job.
    """
    service.database.write(lambda tx: jobs.ask_to_cancel(tx, job_id, user_id=user_id))
    return get_job(service, user_id, job_id)


def by_id(service: Service, user_id: int, analysis_id: int) -> AnalysisHead:
    """Return a user's analysis.

    Raises
    ------
    NotFound
        He has none of this number.
    """
    found = service.database.look(lambda tx: analyses.get(tx, analysis_id, user_id=user_id))
    if found is None:
        raise no_analysis()
    return found


def current(service: Service, user_id: int, upload_id: int) -> AnalysisHead:
    """Return the analysis that an upload shows.

    Raises
    ------
    NotFound
        There is no such upload.
    NotProcessed
        It has not been processed.
    """
    is_there, found = service.database.look(
        lambda tx: analyses.current(tx, upload_id, user_id=user_id)
    )
    if not is_there:
        raise no_upload()
    if found is None:
        raise NotProcessed(
            f"Upload {upload_id} has not been processed: POST /api/rfm/process/{upload_id} first.",
        )
    return found


def page(
    service: Service, user_id: int, *, upload_id: int | None, before: int | None, limit: int
) -> list[AnalysisHead]:
    """Return a user's analyses, the newest first."""
    return service.database.look(
        lambda tx: analyses.page(tx, user_id, upload_id=upload_id, before=before, limit=limit)
    )


def delete(service: Service, user_id: int, analysis_id: int) -> None:
    """Delete an analysis; its upload then shows the newest of the others.

    Raises
    ------
    NotFound
        There is no such analysis.
    """

    def hide(tx: Connection) -> AnalysisHead | None:
        found = analyses.get(tx, analysis_id, user_id=user_id)
        if found is None:
            return None
        upload = uploads.get(tx, found.upload_id, user_id=user_id)
        if upload is not None and upload.current_analysis_id == analysis_id:
            other = analyses.newest_besides(
                tx, user_id=user_id, upload_id=upload.id, besides=analysis_id
            )
            uploads.change(
                tx, upload.id, user_id=user_id, current_analysis_id=other.id if other else None
            )
        analyses.hide(tx, analysis_id, user_id=user_id)
        return found

    found = service.database.write(hide)
    if found is None:
        raise no_analysis()
    remove_analysis(service, user_id, found.id, found.folder)


def outdated(service: Service) -> list[tuple[int, int]]:
    """Return (user, analysis) of what RFM_KEEP_ANALYSES says is too many."""
    n_kept = service.settings.keep_analyses
    if n_kept is None:
        return []
    return service.database.read(lambda tx: analyses.older_than_newest(tx, n_kept))


def no_analysis() -> NotFound:
    """Return the answer for an analysis that is not there, or is somebody else's."""
    return NotFound("There is no analysis of this number among yours.")
