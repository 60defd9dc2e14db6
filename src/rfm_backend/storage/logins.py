"""Queries on ``logins``: one row per token that a login gave."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rfm_backend.storage.rows import add_row, as_values, columns_of, utc_now
from rfm_backend.storage.tables import LOGINS, USERS
from rfm_backend.storage.users import ALIVE, User

# A login's last use is written at most this often: a request need not write.
_USE_IS_NOTED_AFTER = dt.timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class Login:
    """One login: where from, when, and until when its token holds."""

    id: int
    device: str
    token_id: str
    created_at: dt.datetime
    last_used_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None


_HOLDER: Final = (
    sa.select(*columns_of(User, USERS), LOGINS.c.last_used_at)
    .join(LOGINS, LOGINS.c.user_id == USERS.c.id)
    .where(
        LOGINS.c.token_id == sa.bindparam("held_token"),
        USERS.c.id == sa.bindparam("holder_id"),
        LOGINS.c.ended_at.is_(None),
        ALIVE,
    )
)


def add(
    tx: Connection,
    *,
    user_id: int,
    token_id: str,
    device: str,
    address_mark: str,
    device_mark: str | None,
    expires_at: dt.datetime,
) -> int:
    """Note a login."""
    now = utc_now()
    return add_row(
        tx,
        LOGINS,
        user_id=user_id,
        token_id=token_id,
        device=device[:200],
        address_mark=address_mark,
        device_mark=device_mark,
        created_at=now,
        last_used_at=now,
        expires_at=expires_at,
    )


def is_known_address(tx: Connection, *, user_id: int, marks: Sequence[str]) -> bool:
    """Tell whether the account was logged in to from this address, as far back as logins are kept."""
    return _is_there(tx, user_id, LOGINS.c.address_mark.in_(marks))


def is_known_device(tx: Connection, *, user_id: int, marks: Sequence[str]) -> bool:
    """Tell whether the account was logged in to from this device, as far back as logins are kept."""
    return _is_there(tx, user_id, LOGINS.c.device_mark.in_(marks))


def _is_there(tx: Connection, user_id: int, test: sa.ColumnElement[bool]) -> bool:
    found = sa.select(LOGINS.c.id).where(LOGINS.c.user_id == user_id, test)
    return tx.execute(found.limit(1)).first() is not None


def holder(tx: Connection, *, user_id: int, token_id: str) -> tuple[User, dt.datetime] | None:
    """Return whose login it is and when it was last used, None where it does not hold.

    One statement, made once, because every request with a token asks it.
    """
    row = tx.execute(_HOLDER, {"holder_id": user_id, "held_token": token_id}).first()
    if row is None:
        return None
    *values, used = row
    names = (field.name for field in fields(User))
    return User(**dict(zip(names, values, strict=True))), used


def is_stale(last_used_at: dt.datetime) -> bool:
    """Tell whether a use now is worth noting."""
    return utc_now() - last_used_at > _USE_IS_NOTED_AFTER


def note_use(tx: Connection, *, user_id: int, token_id: str) -> None:
    """Note that a login is in use."""
    tx.execute(
        sa.update(LOGINS)
        .where(LOGINS.c.token_id == token_id, LOGINS.c.user_id == user_id)
        .values(last_used_at=utc_now())
    )


def page(tx: Connection, user_id: int, *, before: int | None, limit: int) -> list[Login]:
    """Return what is kept of a user's logins, ended ones too, the newest first."""
    chosen = (
        sa.select(*columns_of(Login, LOGINS))
        .where(LOGINS.c.user_id == user_id)
        .order_by(LOGINS.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        chosen = chosen.where(LOGINS.c.id < before)
    return as_values(Login, tx.execute(chosen))


def open_ones(tx: Connection, user_id: int) -> list[Login]:
    """Return the logins that still hold, the newest first."""
    chosen = (
        sa.select(*columns_of(Login, LOGINS))
        .where(
            LOGINS.c.user_id == user_id,
            LOGINS.c.ended_at.is_(None),
            LOGINS.c.expires_at > utc_now(),
        )
        .order_by(LOGINS.c.id.desc())
    )
    return as_values(Login, tx.execute(chosen))


def end(tx: Connection, *, user_id: int, login_id: int | None = None, token_id: str = "") -> bool:
    """End one login, by its number or its token; return whether it was open."""
    which = LOGINS.c.id == login_id if login_id is not None else LOGINS.c.token_id == token_id
    ended = tx.execute(
        sa.update(LOGINS)
        .where(which, LOGINS.c.user_id == user_id, LOGINS.c.ended_at.is_(None))
        .values(ended_at=utc_now())
    )
    return ended.rowcount > 0


def end_all(tx: Connection, user_id: int) -> None:
    """End every login of a user."""
    tx.execute(
        sa.update(LOGINS)
        .where(LOGINS.c.user_id == user_id, LOGINS.c.ended_at.is_(None))
        .values(ended_at=utc_now())
    )


def end_others(tx: Connection, user_id: int, *, token_id: str) -> int:
    """End every login of a user but the one of a token; return how many ended."""
    ended = tx.execute(
        sa.update(LOGINS)
        .where(
            LOGINS.c.user_id == user_id,
            LOGINS.c.token_id != token_id,
            LOGINS.c.ended_at.is_(None),
        )
        .values(ended_at=utc_now())
    )
    return ended.rowcount


def forget_old(tx: Connection, before: dt.datetime) -> int:
    """Remove the logins whose token ran out before a moment; return how many."""
    return tx.execute(sa.delete(LOGINS).where(LOGINS.c.expires_at < before)).rowcount
