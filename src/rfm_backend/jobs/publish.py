"""From the files of a finished computation to rows that everybody may see, in one step.

In:  the head that `compute` returned, its folder, the job.
Out: the analysis, published; or nothing of it left.

What always holds
    * rows are written in parts, under an analysis that nobody sees; one transaction makes it the upload's
      current one and ends the job, if the job is still this worker's and the upload still there;
    * its files are on the disk, and not only on their way there, before anybody sees it;
    * where the database goes away, whether that transaction was kept is not known: nothing is removed
      then.  The worker removes what was not published once it has the job's row say so, or else the sweep.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.engines.parquet import count_rows, read_batches, read_literals, write_for_loading
from rfm_backend.errors import Unavailable
from rfm_backend.jobs.compute import MODEL, ROWS
from rfm_backend.jobs.progress_file import drop_progress
from rfm_backend.services.service import Service
from rfm_backend.services.uploads import remove_analysis
from rfm_backend.storage import analyses, jobs, results, uploads
from rfm_backend.storage.files import sync_tree, told_of_disk
from rfm_backend.storage.jobs import Job

_BATCH: Final = 50_000


class LeaseLostError(Exception):
    """The job is not this worker's any more: it was cancelled, deleted, or taken over."""


@dataclass(frozen=True, kw_only=True)
class Computed:
    """What a computation left: its head, and the folder of its files."""

    head: Mapping[str, object]
    token: str
    folder: Path


def publish(
    service: Service,
    job: Job,
    computed: Computed,
    *,
    check: Callable[[], None],
    tell: Callable[[int, int], None],
) -> int:
    """Write the rows and make them visible; return the number of the analysis.

    Parameters
    ----------
    check : raises LeaseLostError where the job is not this worker's any more
    tell : is told (rows written, rows in all)

    Raises
    ------
    LeaseLostError
        It came too late: nothing of it is left.
    OverQuota
        The disk is full: nothing of it is left.
    Unavailable
        The database or the disk went away: all of it is left, published or not.
    """
    total = int(str(computed.head["n_customers"]))
    analysis_id = service.database.write(lambda tx: _add(tx, job, computed))
    try:
        columns = columns_of(analysis_id, job.upload_id)
        if not _load(service, columns, computed):
            done = 0
            for n_rows, insert in _parts(service, computed.folder / ROWS, columns):
                check()
                service.database.write(insert)
                done += n_rows
                tell(done, max(done, total))
        _settle(computed.folder)
        service.database.write(lambda tx: _switch(tx, job, analysis_id))
    except (LeaseLostError, IntegrityError) as error:
        remove_analysis(service, job.user_id, analysis_id, computed.token)
        raise LeaseLostError from error
    except Unavailable:
        raise
    except BaseException:
        remove_analysis(service, job.user_id, analysis_id, computed.token)
        raise
    return analysis_id


def _add(tx: Connection, job: Job, computed: Computed) -> int:
    head = computed.head
    return analyses.add(
        tx,
        user_id=job.user_id,
        upload_id=job.upload_id,
        fingerprint=job.fingerprint,
        options=json.dumps(head["options"], ensure_ascii=False),
        summary=(computed.folder / "summary.json").read_text("utf-8"),
        model=(computed.folder / MODEL).read_text("utf-8"),
        columns=json.dumps(head["columns"], ensure_ascii=False),
        folder=computed.token,
        n_customers=head["n_customers"],
        n_clusters=head["n_clusters"],
        seed=head["seed"],
        version=version("rfm-backend"),
    )


def columns_of(analysis_id: int, upload_id: int) -> dict[str, int | None]:
    """Return the table's columns in their order, with the numbers that no file of a computation knows."""
    fixed = {"analysis_id": analysis_id, "upload_id": upload_id}
    return {name: fixed.get(name) for name in results.COLUMNS}


def _load(service: Service, columns: Mapping[str, int | None], computed: Computed) -> bool:
    """Have the server read the rows from a file, where the operator allows it and the server too."""
    if not service.settings.local_infile or service.database.is_sqlite:
        return False
    path = computed.folder / "rows.csv"
    source = computed.folder / ROWS
    write_for_loading(source, path, columns)
    try:
        return results.load_file(service.database, path, n_rows=count_rows(source))
    finally:
        path.unlink()


def _settle(folder: Path) -> None:
    """Leave in the folder what stays, and see it on the disk."""
    try:
        (folder / ROWS).unlink()
        drop_progress(folder)
        sync_tree(folder)
    except FileNotFoundError as error:
        # Whoever deletes the upload takes its folders before its row.
        raise LeaseLostError from error
    except OSError as error:
        raise told_of_disk(error) from error


def _parts(
    service: Service, source: Path, columns: Mapping[str, int | None]
) -> Iterator[tuple[int, Callable[[Connection], None]]]:
    """Yield (how many rows, what inserts them) part by part, each as its database takes them fastest."""
    if service.database.is_sqlite:
        for rows in read_batches(source, columns, n_rows=_BATCH):
            yield len(rows), partial(results.insert_many, rows=rows)
        return
    for literals in read_literals(source, columns, n_rows=_BATCH):
        yield len(literals), partial(results.insert_literals, rows=literals)


def _switch(tx: Connection, job: Job, analysis_id: int) -> None:
    """The one moment in which a result appears."""
    upload = uploads.get(tx, job.upload_id, user_id=job.user_id)
    if upload is None or not jobs.finish(tx, job, analysis_id=analysis_id):
        raise LeaseLostError
    analyses.publish(tx, analysis_id, user_id=job.user_id)
    uploads.change(tx, job.upload_id, user_id=job.user_id, current_analysis_id=analysis_id)
