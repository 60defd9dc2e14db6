"""Queries on ``upload_history`` and ``stored_files``: what came in, and the bytes behind it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rfm_backend.storage.rows import add_row, as_value, as_values, utc_now
from rfm_backend.storage.tables import STORED_FILES, UPLOAD_HISTORY


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that came in; ``filename`` is for display only."""

    id: int
    user_id: int
    shop_id: int
    filename: str
    format: str
    header_hash: str | None
    created_at: dt.datetime
    current_analysis_id: int | None
    stored_file_id: int
    sha256: str
    token: str
    size_bytes: int


_JOINED = UPLOAD_HISTORY.join(STORED_FILES, STORED_FILES.c.id == UPLOAD_HISTORY.c.stored_file_id)
ALIVE = UPLOAD_HISTORY.c.deleting_at.is_(None)


def add(
    tx: Connection,
    *,
    user_id: int,
    shop_id: int,
    stored_file_id: int,
    filename: str,
    format: str,  # noqa: A002  # the column's name
    header_hash: str | None,
) -> int:
    """Note an upload and return its number."""
    return add_row(
        tx,
        UPLOAD_HISTORY,
        user_id=user_id,
        shop_id=shop_id,
        stored_file_id=stored_file_id,
        filename=filename,
        format=format,
        header_hash=header_hash,
        created_at=utc_now(),
    )


def find_stored(tx: Connection, *, user_id: int, sha256: str) -> int | None:
    """Return the number of a user's stored bytes of a hash."""
    chosen = sa.select(STORED_FILES.c.id).where(
        STORED_FILES.c.user_id == user_id, STORED_FILES.c.sha256 == sha256
    )
    return tx.execute(chosen).scalar()


def add_stored(tx: Connection, *, user_id: int, sha256: str, token: str, size_bytes: int) -> int:
    """Note stored bytes and return their number."""
    return add_row(
        tx,
        STORED_FILES,
        user_id=user_id,
        sha256=sha256,
        token=token,
        size_bytes=size_bytes,
        created_at=utc_now(),
    )


def first_of_stored(tx: Connection, stored_file_id: int, *, user_id: int) -> int | None:
    """Return the first upload over the same bytes."""
    chosen = sa.select(sa.func.min(UPLOAD_HISTORY.c.id)).where(
        UPLOAD_HISTORY.c.stored_file_id == stored_file_id,
        UPLOAD_HISTORY.c.user_id == user_id,
        ALIVE,
    )
    return tx.execute(chosen).scalar()


def space_used(tx: Connection, user_id: int) -> tuple[int, int]:
    """Return (uploads, bytes stored) of a user."""
    uploads = sa.select(sa.func.count()).where(UPLOAD_HISTORY.c.user_id == user_id, ALIVE)
    stored = sa.select(sa.func.coalesce(sa.func.sum(STORED_FILES.c.size_bytes), 0)).where(
        STORED_FILES.c.user_id == user_id
    )
    return int(tx.execute(uploads).scalar_one()), int(tx.execute(stored).scalar_one())


def all_bytes(tx: Connection) -> list[tuple[int, int, str, str]]:
    """Return (upload, owner, token, SHA-256) of every upload of everybody: for the operator's check."""
    columns = UPLOAD_HISTORY.c
    chosen = sa.select(columns.id, columns.user_id, STORED_FILES.c.token, STORED_FILES.c.sha256)
    rows = tx.execute(chosen.select_from(_JOINED).where(ALIVE).order_by(columns.id))
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def count_by_shop(tx: Connection, user_id: int) -> dict[int, int]:
    """Return how many uploads each of a user's shops has, those being deleted too."""
    chosen = (
        sa.select(UPLOAD_HISTORY.c.shop_id, sa.func.count())
        .where(UPLOAD_HISTORY.c.user_id == user_id)
        .group_by(UPLOAD_HISTORY.c.shop_id)
    )
    return {int(row[0]): int(row[1]) for row in tx.execute(chosen)}


def get(tx: Connection, upload_id: int, *, user_id: int) -> Upload | None:
    """Return a user's upload."""
    chosen = _chosen(user_id).where(UPLOAD_HISTORY.c.id == upload_id)
    return as_value(Upload, tx.execute(chosen).first())


def page(
    tx: Connection, user_id: int, *, before: int | None, limit: int, shop_id: int | None
) -> list[Upload]:
    """Return a user's uploads, the newest first, those before a number."""
    chosen = _chosen(user_id).order_by(UPLOAD_HISTORY.c.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(UPLOAD_HISTORY.c.id < before)
    if shop_id is not None:
        chosen = chosen.where(UPLOAD_HISTORY.c.shop_id == shop_id)
    return as_values(Upload, tx.execute(chosen))


def change(tx: Connection, upload_id: int, *, user_id: int, **values: Any) -> bool:  # noqa: ANN401
    """Change an upload; return whether it was there."""
    return _update(tx, upload_id, user_id, values)


def begin_deletion(tx: Connection, upload_id: int, *, user_id: int) -> bool:
    """Hide an upload for good; return whether it was there."""
    return _update(tx, upload_id, user_id, {"deleting_at": utc_now()})


def being_deleted(tx: Connection) -> list[tuple[int, int]]:
    """Return (user, upload) of those whose deletion has begun and not ended."""
    chosen = sa.select(UPLOAD_HISTORY.c.user_id, UPLOAD_HISTORY.c.id).where(
        UPLOAD_HISTORY.c.deleting_at.is_not(None)
    )
    return [(int(row[0]), int(row[1])) for row in tx.execute(chosen)]


def remove(tx: Connection, upload_id: int, *, user_id: int) -> int | None:
    """Remove the row; return the number of the bytes behind it."""
    mine = (UPLOAD_HISTORY.c.id == upload_id, UPLOAD_HISTORY.c.user_id == user_id)
    stored_id = tx.execute(sa.select(UPLOAD_HISTORY.c.stored_file_id).where(*mine)).scalar()
    tx.execute(sa.delete(UPLOAD_HISTORY).where(*mine))
    return stored_id


def remove_stored(tx: Connection, stored_id: int, *, user_id: int) -> str | None:
    """Remove the row of stored bytes and return their token; None where it is gone already.

    Raises
    ------
    IntegrityError
        An upload needs them.
    """
    mine = (STORED_FILES.c.id == stored_id, STORED_FILES.c.user_id == user_id)
    token = tx.execute(sa.select(STORED_FILES.c.token).where(*mine)).scalar()
    tx.execute(sa.delete(STORED_FILES).where(*mine))
    return token


def all_of_user(tx: Connection, user_id: int) -> list[int]:
    """Return the numbers of a user's uploads, those being deleted too."""
    chosen = sa.select(UPLOAD_HISTORY.c.id).where(UPLOAD_HISTORY.c.user_id == user_id)
    return [int(row[0]) for row in tx.execute(chosen)]


def older_than(tx: Connection, moment: dt.datetime) -> list[tuple[int, int]]:
    """Return (user, upload) of the uploads before a moment."""
    chosen = sa.select(UPLOAD_HISTORY.c.user_id, UPLOAD_HISTORY.c.id).where(
        UPLOAD_HISTORY.c.created_at < moment, ALIVE
    )
    return [(int(row[0]), int(row[1])) for row in tx.execute(chosen)]


def is_token(tx: Connection, *, user_id: int, token: str) -> bool:
    """Tell whether a file of a user belongs to stored bytes."""
    chosen = sa.select(STORED_FILES.c.id).where(
        STORED_FILES.c.token == token, STORED_FILES.c.user_id == user_id
    )
    return tx.execute(chosen).first() is not None


def _chosen(user_id: int) -> sa.Select[Any]:
    own = [field for field in Upload.__dataclass_fields__ if field in UPLOAD_HISTORY.c]
    return (
        sa.select(
            *(UPLOAD_HISTORY.c[name] for name in own),
            STORED_FILES.c.sha256,
            STORED_FILES.c.token,
            STORED_FILES.c.size_bytes,
        )
        .select_from(_JOINED)
        .where(UPLOAD_HISTORY.c.user_id == user_id, ALIVE)
    )


def _update(tx: Connection, upload_id: int, user_id: int, values: dict[str, Any]) -> bool:
    change = sa.update(UPLOAD_HISTORY).where(
        UPLOAD_HISTORY.c.id == upload_id, UPLOAD_HISTORY.c.user_id == user_id, ALIVE
    )
    return tx.execute(change.values(**values)).rowcount > 0
