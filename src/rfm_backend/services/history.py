"""The history: a user's uploads, each with its shop, the analysis that it shows, and what is under way.

In:  a `Service`, a user's number.
Out: `Entry`, the newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.engine import Connection

from rfm_backend.services.service import Service
from rfm_backend.services.uploads import no_upload
from rfm_backend.storage import analyses, jobs, named, uploads
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.jobs import Job
from rfm_backend.storage.uploads import Upload

State = Literal["waiting", "running", "ready", "failed", "cancelled", "new"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One upload as a person looks at it."""

    upload: Upload
    shop: str
    analysis: AnalysisHead | None
    job: Job | None

    @property
    def state(self) -> State:
        """What is the case: work under way goes before what is there."""
        if self.job is not None and self.job.state in jobs.ACTIVE:
            return "running" if self.job.state == "running" else "waiting"
        if self.job is not None and self.job.state == "failed":
            return "failed"
        if self.analysis is not None:
            return "ready"
        return "cancelled" if self.job is not None and self.job.state == "cancelled" else "new"


def page(
    service: Service, user_id: int, *, before: int | None, limit: int, shop_id: int | None = None
) -> list[Entry]:
    """Return a user's uploads, of all shops or one, the newest first."""

    def unit(tx: Connection) -> list[Entry]:
        found = uploads.page(tx, user_id, before=before, limit=limit, shop_id=shop_id)
        return _entries(tx, user_id, found)

    return service.database.read(unit)


def entry(service: Service, user_id: int, upload_id: int) -> Entry:
    """Return one upload.

    Raises
    ------
    NotFound
        There is no such upload.
    """

    def unit(tx: Connection) -> list[Entry]:
        found = uploads.get(tx, upload_id, user_id=user_id)
        return _entries(tx, user_id, [found] if found else [])

    entries = service.database.read(unit)
    if not entries:
        raise no_upload()
    return entries[0]


def _entries(tx: Connection, user_id: int, found: Sequence[Upload]) -> list[Entry]:
    shops = {shop.id: shop.name for shop in named.shops(tx, user_id)}
    newest = jobs.newest_of_uploads(tx, [one.id for one in found], user_id=user_id)
    return [
        Entry(
            upload=one,
            shop=shops.get(one.shop_id, ""),
            analysis=None
            if one.current_analysis_id is None
            else analyses.get(tx, one.current_analysis_id, user_id=user_id),
            job=newest.get(one.id),
        )
        for one in found
    ]
