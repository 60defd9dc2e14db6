"""Ends what was begun and not finished: deletions, half-written analyses, files of nobody; and trials.

In:  a `Service`.
Out: nothing left over; run at a worker's start and every hour, busy or not.

What always holds: what a job may still be working on is left alone: it is younger than any lease.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from rfm_backend.errors import NotFound, OverQuota, Unavailable
from rfm_backend.services import Service
from rfm_backend.services.accounts import delete_account, finish_deletion
from rfm_backend.services.analyses import delete as delete_analysis
from rfm_backend.services.analyses import outdated
from rfm_backend.services.throttle import forget_old as forget_old_tries
from rfm_backend.services.uploads import delete, expired, remove_analysis, remove_upload
from rfm_backend.storage import analyses, logins, uploads, users

_T = TypeVar("_T")
_LOG: Final = logging.getLogger("rfm_backend.sweep")
# Also how long an address or a device counts as known: who looks at his customers once a quarter is.
_LOGINS_ARE_KEPT: Final = dt.timedelta(days=90)
# A computation may take RFM_JOB_SECONDS before its rows are written, but its row comes after that.
_HALF_WRITTEN_AFTER: Final = dt.timedelta(hours=1)


def sweep(service: Service, *, now: dt.datetime) -> None:
    """End deletions, remove what is left over, forget what is too old.

    Parameters
    ----------
    now : the moment that ages are counted to, UTC without its zone, as the tables keep times

    Raises
    ------
    Unavailable
        The database went away.
    """
    read = service.database.read
    _each(expired(service), lambda one: delete(service, *one))
    _each(outdated(service), lambda one: delete_analysis(service, *one))
    _each(read(lambda tx: users.ended(tx, now)), lambda one: delete_account(service, one))
    _each(read(users.being_deleted), lambda one: finish_deletion(service, one))
    _each(read(uploads.being_deleted), lambda one: remove_upload(service, *one))
    before = now - _HALF_WRITTEN_AFTER
    _each(
        read(lambda tx: analyses.unpublished(tx, before)),
        lambda one: remove_analysis(service, *one),
    )
    service.database.write(lambda tx: logins.forget_old(tx, now - _LOGINS_ARE_KEPT))
    forget_old_tries(service)
    strays = service.files.sweep(
        is_upload=lambda user_id, token: read(
            lambda tx: uploads.is_token(tx, user_id=user_id, token=token)
        ),
        is_analysis=lambda user_id, token: read(
            lambda tx: analyses.is_folder(tx, user_id=user_id, token=token)
        ),
        is_user=lambda user_id: read(lambda tx: users.exists(tx, user_id)),
        now=now.replace(tzinfo=dt.UTC).timestamp(),
    )
    if service.database.reserve is not None:
        service.database.reserve.refill()
    if strays:
        _LOG.info("%d files of nobody were removed", strays)


def _each(things: Iterable[_T], end: Callable[[_T], None]) -> None:
    """End each of what was begun; one that a disk will not let go keeps none of the others."""
    for one in things:
        try:
            end(one)
        except NotFound:
            # Its owner was quicker.
            continue
        except (OverQuota, Unavailable) as error:
            # The disk's refusal is this one's alone, and the next sweep tries again; without the database
            # there is nothing to go on with.
            if not isinstance(error.__cause__, OSError):
                raise
            _LOG.exception("a deletion could not be ended")
