"""Uploads: files that come in, and what becomes of them.

In:  a `Service`, the number of a user, a stream.
Out: `Upload`.

What always holds
    * the bytes are whole, synced and under their name before a row tells of them;
    * one user's same bytes are stored once, and counted once; each upload is a row of its own;
    * deletion hides an upload first, removes its rows and files, and then its row.
"""

import contextlib
import datetime as dt
import re
import time
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.errors import InvalidRequest, NotAuthenticated, NotFound, OverQuota, Unavailable
from rfm_backend.reading.source import recognise
from rfm_backend.services.service import Service
from rfm_backend.storage import analyses, jobs, named, uploads, users
from rfm_backend.storage.files import Readable, Received
from rfm_backend.storage.uploads import Upload

_MOST_NAME: Final = 255
_ROWS_AT_ONCE: Final = 20_000
_LONGEST_REST: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A new upload; ``same_as`` is an earlier one of the same bytes."""

    upload: Upload
    same_as: int | None


def receive(
    service: Service, user_id: int, stream: Readable, *, filename: str, shop_id: int | None
) -> Stored:
    """Take in a file.

    Raises
    ------
    TooLarge, OverQuota
        Larger than one upload may be; more than the user's space or the disk holds.
    UnreadableFile
        It is plainly no table.
    NotFound
        There is no such shop.
    """
    settings = service.settings
    name = display_name(filename)
    shop = _shop_of(service, user_id, shop_id)
    count, used = service.database.read(lambda tx: uploads.space_used(tx, user_id))
    if count >= settings.quota_files:
        raise OverQuota(
            f"You have {count} uploads, which is the limit here: delete some that are not needed."
        )
    if service.files.bytes_free() < 2 * settings.max_upload_bytes:
        raise OverQuota("The server's disk is nearly full: nothing can be uploaded now.")
    received = service.files.receive(stream, most_bytes=settings.max_upload_bytes)
    try:
        form = recognise(received.path, name)
        return _note(service, user_id, received, name=name, form=form, shop_id=shop, used=used)
    finally:
        with contextlib.suppress(OSError):  # if it stays, the sweep takes it
            received.path.unlink(missing_ok=True)


def get(service: Service, user_id: int, upload_id: int) -> Upload:
    """Return a user's upload.

    Raises
    ------
    NotFound
        He has none of this number.
    """
    found = service.database.look(lambda tx: uploads.get(tx, upload_id, user_id=user_id))
    if found is None:
        raise no_upload()
    return found


def page(
    service: Service, user_id: int, *, before: int | None, limit: int, shop_id: int | None = None
) -> list[Upload]:
    """Return a user's uploads, the newest first."""
    return service.database.look(
        lambda tx: uploads.page(tx, user_id, before=before, limit=limit, shop_id=shop_id)
    )


def change(
    service: Service, user_id: int, upload_id: int, *, filename: str | None, shop_id: int | None
) -> Upload:
    """Rename an upload, or give it to another shop.

    Raises
    ------
    NotFound
        There is no such upload, or no such shop.
    """
    values: dict[str, object] = {}
    if filename is not None:
        values["filename"] = display_name(filename)
    if shop_id is not None:
        values["shop_id"] = _shop_of(service, user_id, shop_id)

    def unit(tx: Connection) -> Upload | None:
        if values:
            uploads.change(tx, upload_id, user_id=user_id, **values)
        return uploads.get(tx, upload_id, user_id=user_id)

    changed = service.database.write(unit)
    if changed is None:
        raise no_upload()
    return changed


def delete(service: Service, user_id: int, upload_id: int) -> None:
    """Delete an upload with its analyses; it is gone when this returns.

    Raises
    ------
    NotFound
        There is no such upload.
    """

    def hide(tx: Connection) -> bool:
        jobs.cancel_all_of_upload(tx, upload_id, user_id=user_id)
        return uploads.begin_deletion(tx, upload_id, user_id=user_id)

    if not service.database.write(hide):
        raise no_upload()
    remove_upload(service, user_id, upload_id)


def remove_upload(service: Service, user_id: int, upload_id: int) -> None:
    """Remove what is left of an upload whose deletion has begun."""
    found = service.database.read(lambda tx: analyses.of_upload(tx, upload_id, user_id=user_id))
    for analysis_id, folder in found:
        remove_analysis(service, user_id, analysis_id, folder)
    stored_id = service.database.write(lambda tx: uploads.remove(tx, upload_id, user_id=user_id))
    if stored_id is None:
        return
    with contextlib.suppress(IntegrityError):  # another upload needs the same bytes
        token = service.database.write(
            lambda tx: uploads.remove_stored(tx, stored_id, user_id=user_id)
        )
        if token is not None:
            service.files.drop_upload(user_id, token)


def remove_analysis(service: Service, user_id: int, analysis_id: int, folder: str) -> None:
    """Remove an analysis that nobody sees (any more): its rows in parts, its files, itself."""
    n_rows = _ROWS_AT_ONCE
    while n_rows == _ROWS_AT_ONCE:
        began = time.monotonic()
        n_rows = service.database.write(
            lambda tx: analyses.remove_rows(tx, analysis_id, most=_ROWS_AT_ONCE)
        )
        # A large account has many parts: between them is the turn of those who wait for an answer.
        service.stopping.wait(min(_LONGEST_REST, (time.monotonic() - began) / 2))
    service.files.drop_analysis(user_id, folder)
    service.database.write(lambda tx: analyses.remove(tx, analysis_id, user_id=user_id))


def path_of(service: Service, upload: Upload) -> Path:
    """Return where the bytes of an upload stand."""
    return service.files.upload_path(upload.user_id, upload.token)


def display_name(text: str) -> str:
    r"""Return a file name as it is shown: its last part, printable, not too long.

    Examples
    --------
    >>> display_name("C:\\data\\Penjualan 2024.xlsx"), display_name("../../etc/passwd")
    ('Penjualan 2024.xlsx', 'passwd')

    Raises
    ------
    InvalidRequest
        Nothing is left of it.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text))[-1]
    name = "".join(mark for mark in last if mark.isprintable()).strip().strip(".")
    if not name:
        raise InvalidRequest("The file has no name: send one, such as sales.csv.", field="filename")
    if len(name) <= _MOST_NAME:
        return name
    stem, dot, suffix = name.rpartition(".")
    end = f"{dot}{suffix}" if dot and len(suffix) <= 10 else ""
    return (stem if end else name)[: _MOST_NAME - len(end)] + end


def no_upload() -> NotFound:
    """Return the answer for an upload that is not there, or is somebody else's."""
    return NotFound("There is no upload of this number among yours.")


def expired(service: Service) -> list[tuple[int, int]]:
    """Return (user, upload) of what RFM_KEEP_DAYS says has been kept long enough."""
    days = service.settings.keep_days
    if days is None:
        return []
    moment = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=days)
    return service.database.read(lambda tx: uploads.older_than(tx, moment))


def _note(
    service: Service,
    user_id: int,
    received: Received,
    *,
    name: str,
    form: str,
    shop_id: int,
    used: int,
) -> Stored:
    known = service.database.read(
        lambda tx: uploads.find_stored(tx, user_id=user_id, sha256=received.sha256)
    )
    if known is None and used + received.size_bytes > service.settings.quota_bytes:
        raise OverQuota(
            f"Your uploads would take more than {service.settings.quota_bytes:,} bytes, which is the "
            "limit here: delete some that are not needed."
        )
    # Also where the bytes are known: those may be on their way out.
    token = service.files.keep(received, user_id=user_id)
    new = _New(
        user_id=user_id, received=received, token=token, name=name, form=form, shop_id=shop_id
    )
    try:
        stored = service.database.write(lambda tx: _add_row(tx, new))
    except IntegrityError:
        # The same bytes came twice at once, or went meanwhile: now that is settled.
        stored = service.database.write(lambda tx: _add_row(tx, new))
    except NotAuthenticated:
        # The account was deleted meanwhile: its folder must not come back.
        service.files.drop_upload(user_id, token)
        if not service.database.read(lambda tx: users.exists(tx, user_id)):
            service.files.drop_empty(user_id)
        raise
    except Unavailable as error:
        # Whether a row was kept whose database went away is not known; of one that had no room it is.
        if error.details.get("reason") != "disk_full":
            raise
        service.files.drop_upload(user_id, token)
        raise OverQuota("The server's disk is full: nothing can be uploaded now.") from error
    if stored.upload.token != token:
        service.files.drop_upload(user_id, token)
    return stored


@dataclass(frozen=True, kw_only=True)
class _New:
    """Bytes that have their place, and what their row will say."""

    user_id: int
    received: Received
    token: str
    name: str
    form: str
    shop_id: int


def _add_row(tx: Connection, new: _New) -> Stored:
    user_id, received = new.user_id, new.received
    if not users.hold(tx, user_id):
        raise NotAuthenticated("The account does not exist any more.")
    stored_id = uploads.find_stored(tx, user_id=user_id, sha256=received.sha256)
    same_as = None
    if stored_id is None:
        stored_id = uploads.add_stored(
            tx,
            user_id=user_id,
            sha256=received.sha256,
            token=new.token,
            size_bytes=received.size_bytes,
        )
    else:
        same_as = uploads.first_of_stored(tx, stored_id, user_id=user_id)
    upload_id = uploads.add(
        tx,
        user_id=user_id,
        shop_id=new.shop_id,
        stored_file_id=stored_id,
        filename=new.name,
        format=new.form,
        header_hash=None,
    )
    upload = uploads.get(tx, upload_id, user_id=user_id)
    assert upload is not None
    return Stored(upload=upload, same_as=same_as)


def _shop_of(service: Service, user_id: int, shop_id: int | None) -> int:
    def unit(tx: Connection) -> int | None:
        if shop_id is None:
            return next((shop.id for shop in named.shops(tx, user_id)), None)
        found = named.shop(tx, shop_id, user_id=user_id)
        return found.id if found else None

    found = service.database.read(unit)
    if found is None:
        raise NotFound("There is no shop of this number among yours.")
    return found
