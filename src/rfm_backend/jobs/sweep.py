"""Ends what was begun and not finished: deletions, half-written analyses, files of nobody; and trials.

In:  a `Service`.
Out: nothing left over; run at a worker's start and every hour.

What always holds: what a job may still be working on is left alone: it is younger than any lease.
"""

import datetime as dt
import logging
from typing import Final

from rfm_backend.services import Service
from rfm_backend.services.accounts import delete_account, finish_deletion
from rfm_backend.services.throttle import forget_old as forget_old_tries
from rfm_backend.services.uploads import delete, expired, remove_analysis, remove_upload
from rfm_backend.storage import analyses, logins, uploads, users
from rfm_backend.storage.rows import utc_now

_LOG: Final = logging.getLogger("rfm_backend.sweep")
_LOGINS_ARE_KEPT: Final = dt.timedelta(days=30)
# A computation may take RFM_JOB_SECONDS before its rows are written, but its row comes after that.
_HALF_WRITTEN_AFTER: Final = dt.timedelta(hours=1)


def sweep(service: Service) -> None:
    """End deletions, remove what is left over, forget what is too old."""
    for user_id, upload_id in expired(service):
        delete(service, user_id, upload_id)
    for user_id in service.database.read(lambda tx: users.ended(tx, utc_now())):
        delete_account(service, user_id)
    for user_id in service.database.read(users.being_deleted):
        finish_deletion(service, user_id)
    for user_id, upload_id in service.database.read(uploads.being_deleted):
        remove_upload(service, user_id, upload_id)
    before = utc_now() - _HALF_WRITTEN_AFTER
    for user_id, analysis_id, folder in service.database.read(
        lambda tx: analyses.unpublished(tx, before)
    ):
        remove_analysis(service, user_id, analysis_id, folder)
    service.database.write(lambda tx: logins.forget_old(tx, utc_now() - _LOGINS_ARE_KEPT))
    forget_old_tries(service)
    strays = service.files.sweep(
        is_upload=lambda user_id, token: service.database.read(
            lambda tx: uploads.is_token(tx, user_id=user_id, token=token)
        ),
        is_analysis=lambda user_id, token: service.database.read(
            lambda tx: analyses.is_folder(tx, user_id=user_id, token=token)
        ),
        is_user=lambda user_id: service.database.read(lambda tx: users.exists(tx, user_id)),
    )
    if strays:
        _LOG.info("%d files of nobody were removed", strays)
