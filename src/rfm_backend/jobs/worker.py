"""The worker: takes a job, has a child process compute it, publishes what came out, and takes the next.

In:  a `Service`.
Out: jobs that are done, failed with a reason, or handed back.

What always holds
    * while a job runs its lease is renewed every few seconds; a worker that is killed loses it, and
      another takes the job over;
    * a child that goes over its limits, or is killed, is a failed job and nothing worse;
    * told to stop, the worker ends the child and hands its job back;
    * a job that a lost database kept from its end is handed back once that answers again, and what was saved
      of it removed, unless it was published after all;
    * once an hour it sweeps, between two jobs, and goes on whatever comes of that.
"""

import contextlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rfm_backend.child import Child, Limits
from rfm_backend.errors import OverQuota, RfmError, Unavailable
from rfm_backend.fork_server import ForkServer, has_forks
from rfm_backend.jobs.leases import HEARTBEAT_SECONDS, LEASE
from rfm_backend.jobs.progress_file import read_progress
from rfm_backend.jobs.publish import Computed, LeaseLostError, publish
from rfm_backend.jobs.sweep import sweep
from rfm_backend.services import Service
from rfm_backend.services.uploads import path_of, remove_analysis
from rfm_backend.settings import Settings
from rfm_backend.storage import analyses, jobs, uploads, users
from rfm_backend.storage.jobs import Job
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.uploads import Upload
from rfm_backend.work_folder import sweep_work_folders

_LOG: Final = logging.getLogger("rfm_backend.worker")
_COMPUTE: Final = "rfm_backend.jobs.compute:compute"
# Only what fits a model loads it, and every job fits or applies one.
_LOADED_LATE: Final = ("sklearn.cluster", "sklearn.preprocessing")
_IDLE_SECONDS: Final = 0.25
_SWEEP_SECONDS: Final = 3600.0
_AFTER_FAULT_SECONDS: Final = 2.0


class StoppedError(Exception):
    """The worker was told to stop in the middle of a job."""


class Worker:
    """One worker; `run` goes on until `stop` is called, from another thread or a signal."""

    def __init__(self, service: Service, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._next_sweep = clock()
        self._stopped = threading.Event()
        # The folder of the job under way, "" before it has one; jobs whose end the database has not told.
        self._token = ""
        self._untold: list[tuple[Job, str]] = []
        self._forks = ForkServer([_COMPUTE.partition(":")[0], *_LOADED_LATE])
        self._start = self._forks.start if has_forks else None
        self.name: Final = f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}"

    def stop(self) -> None:
        """Ask the worker to end: a job under way is handed back."""
        self._stopped.set()

    def warm(self) -> None:
        """Load what the first job needs before it comes."""
        if has_forks:
            self._forks.warm()

    def run(self) -> None:
        """Work until told to stop; a database that is away is waited for."""
        try:
            while not self._stopped.is_set():
                self._work_or_wait()
        finally:
            self._forks.close()

    def _work_or_wait(self) -> None:
        try:
            self._settle_untold()
            self.sweep_if_due()
            if not self.work_once():
                self._stopped.wait(_IDLE_SECONDS)
        except Unavailable as error:
            _LOG.warning("waiting for the database: %s", error)
            self._stopped.wait(_AFTER_FAULT_SECONDS)

    def sweep_if_due(self) -> bool:
        """Sweep at the start and once an hour, however busy; return whether it was time."""
        if self._clock() < self._next_sweep:
            return False
        try:
            sweep(self._service, now=utc_now())
        except Unavailable:
            raise
        except Exception:
            # A worker that ended here would end there again: what cannot be swept must not stop the jobs.
            _LOG.exception("the sweep failed")
        self._next_sweep = self._clock() + _SWEEP_SECONDS
        return True

    def work_once(self) -> bool:
        """Do one job if there is one; return whether there was."""
        job = self._service.database.write(lambda tx: jobs.claim(tx, worker=self.name, lease=LEASE))
        if job is None:
            self._service.database.write(jobs.give_up_lost)
            return False
        _LOG.info("job %d: attempt %d", job.id, job.attempts)
        try:
            self._do(job)
        except LeaseLostError:
            self._end_cancelled(job)
        except StoppedError:
            self._service.database.write(lambda tx: jobs.hand_back(tx, job))
            _LOG.info("job %d: handed back", job.id)
        except Exception as error:
            # Of whatever kind: the job's row must say how it ended, and the next job must have its worker.
            if self._was_cancelled(job, error):
                self._end_cancelled(job)
            else:
                self._end_failed(job, error)
        return True

    def _was_cancelled(self, job: Job, error: Exception) -> bool:
        """Tell whether an error only says that rows or files went, with their account, under our hands."""
        if isinstance(error, Unavailable) and error.details.get("reason") != "disk":
            return False
        with contextlib.suppress(Unavailable):
            found = self._service.database.read(
                lambda tx: jobs.get(tx, job.id, user_id=job.user_id)
            )
            return found is None or found.state == "cancelled" or found.cancel_asked
        return False

    def _end_cancelled(self, job: Job) -> None:
        self._service.database.write(lambda tx: jobs.end_cancelled(tx, job))
        _LOG.info("job %d: cancelled or taken over", job.id)

    def _end_failed(self, job: Job, error: Exception) -> None:
        """Tell what an error means for its job."""
        if isinstance(error, Unavailable):
            # Where the database still takes this (its disk is full, say) the job need not wait for its lease;
            # where it was finished after all, this changes nothing.
            self._untold.append((job, self._token))
            with contextlib.suppress(Unavailable):
                self._settle_untold()
            raise error
        if isinstance(error, RfmError):
            self._fail(job, error.code, error.api_message)
            return
        _LOG.error("job %d: a fault of ours", job.id, exc_info=error)
        self._fail(
            job,
            "internal_error",
            "The analysis failed by a fault of ours; it was logged with the number of this job.",
        )

    def _settle_untold(self) -> None:
        """Hand back what was not finished, and remove what was saved of it.

        Its row says both at once: a job that can be handed back was not published, and no COMMIT of ours that
        is still on its way can publish it, since it would hold the row.
        """
        while self._untold:
            job, token = self._untold[-1]
            was_ours = self._service.database.write(lambda tx, job=job: jobs.hand_back(tx, job))  # type: ignore[misc]
            self._untold.pop()
            if was_ours and token:
                _LOG.info("job %d: handed back", job.id)
                # What a disk will not let go now is the sweep's.
                with contextlib.suppress(OverQuota):
                    self._remove_saved(job, token)

    def _remove_saved(self, job: Job, token: str) -> None:
        found = self._service.database.read(
            lambda tx: analyses.of_upload(tx, job.upload_id, user_id=job.user_id)
        )
        for analysis_id, folder in found:
            if folder == token:
                remove_analysis(self._service, job.user_id, analysis_id, token)
        self._drop_files(job, token)

    def _do(self, job: Job) -> None:
        self._token = ""
        upload = self._service.database.read(
            lambda tx: uploads.get(tx, job.upload_id, user_id=job.user_id)
        )
        if upload is None:
            raise LeaseLostError
        settings = self._service.settings
        token, folder = self._service.files.new_folder(job.user_id)
        self._token = token
        limits = Limits(memory_bytes=settings.job_memory, seconds=settings.job_seconds)
        order = self._order(job, upload, folder)
        is_left = False
        try:
            with (
                _Heartbeat(self._service, job, folder) as heart,
                Child(_COMPUTE, order, limits, start=self._start) as child,
            ):
                while child.is_running():
                    self._check(heart)
                    child.wait_a_little()
                head = child.result(upload.filename)
                assert isinstance(head, dict)
                computed = Computed(head=head, token=token, folder=folder)
                publish(
                    self._service,
                    job,
                    computed,
                    check=lambda: self._check(heart),
                    tell=heart.tell_saved,
                )
                is_left = True
        except Unavailable:
            # It may be published: what is removed is decided once the job's row tells.
            is_left = True
            raise
        finally:
            if not is_left:
                self._drop_files(job, token)
        _LOG.info("job %d: done", job.id)

    def _order(self, job: Job, upload: Upload, folder: Path) -> dict[str, object]:
        """Return what `compute` is given."""
        return {
            "source": str(path_of(self._service, upload)),
            "name": upload.filename,
            "request": job.options,
            "folder": str(folder),
            "resources": _resources(self._service.settings.analysis),
        }

    def _drop_files(self, job: Job, token: str) -> None:
        # A child that was ended had no time to tidy up behind itself.
        sweep_work_folders()
        files, user_id = self._service.files, job.user_id
        files.drop_analysis(user_id, token)
        # The account may have gone before the folder was made.
        if not self._service.database.read(lambda tx: users.exists(tx, user_id)):
            files.drop_empty(user_id)

    def _check(self, heart: "_Heartbeat") -> None:
        if heart.is_lost:
            raise LeaseLostError
        if self._stopped.is_set():
            raise StoppedError

    def _fail(self, job: Job, code: str, message: str) -> None:
        self._service.database.write(lambda tx: jobs.fail(tx, job, code=code, message=message))
        _LOG.info("job %d: %s", job.id, code)


class _Heartbeat:
    """Renews a job's lease and notes how far it is, in a thread of its own."""

    def __init__(self, service: Service, job: Job, folder: Path) -> None:
        self._service = service
        self._job = job
        self._folder = folder
        self._saved: tuple[int, int] | None = None
        self._ended = threading.Event()
        self.is_lost = False
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def tell_saved(self, done: int, total: int) -> None:
        """Note how many rows are saved."""
        self._saved = (done, total)

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT_SECONDS):
            stage, done, total = self._how_far()
            try:
                held = self._service.database.write(
                    lambda tx, far=(stage, done, total): jobs.renew(  # type: ignore[misc]
                        tx, self._job, lease=LEASE, stage=far[0], done=far[1], total=far[2]
                    )
                )
            except Unavailable as error:
                # The lease may hold until the database is back; if not, the fence does its work.
                _LOG.warning("job %d: %s", self._job.id, error)
                continue
            if not held:
                self.is_lost = True
                return

    def _how_far(self) -> tuple[str | None, int | None, int | None]:
        if self._saved is not None:
            return "save", *self._saved
        return read_progress(self._folder)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()


def _resources(settings: Settings) -> dict[str, object]:
    """Return what an analysis may use, as `library.Resources` takes it."""
    return {
        "memory_limit": settings.memory_limit,
        "threads": settings.threads,
        "engine": settings.engine,
        "spark_master": settings.spark_master or None,
        "spark_folder": settings.spark_folder or None,
        "local_customers": settings.local_customers,
    }
