"""Queries on ``users``."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.errors import AlreadyTaken
from rfm_backend.storage.rows import add_row, as_value, as_values, columns_of, utc_now
from rfm_backend.storage.tables import USERS


@dataclass(frozen=True, kw_only=True)
class User:
    """An account; the keys are what uniqueness is judged by."""

    id: int
    username: str
    username_key: str
    email: str
    email_key: str
    password_hash: str
    token_version: int
    is_disabled: bool
    created_at: dt.datetime
    updated_at: dt.datetime
    deleting_at: dt.datetime | None
    ends_at: dt.datetime | None


ALIVE = USERS.c.deleting_at.is_(None)


def add(
    tx: Connection,
    *,
    username: str,
    username_key: str,
    email: str,
    email_key: str,
    password_hash: str,
    ends_at: dt.datetime | None = None,
) -> int:
    """Add an account and return its number.

    Raises
    ------
    AlreadyTaken
        ``field`` says whether it is the username or the email.
    """
    now = utc_now()
    values = {
        "username": username,
        "username_key": username_key,
        "email": email,
        "email_key": email_key,
        "password_hash": password_hash,
        "token_version": 1,
        "is_disabled": False,
        "created_at": now,
        "updated_at": now,
        "ends_at": ends_at,
    }
    _refuse_taken(tx, username_key=username_key, email_key=email_key, besides=None)
    try:
        return add_row(tx, USERS, **values)
    except IntegrityError as error:
        raise _taken(error) from error


def by_id(tx: Connection, user_id: int) -> User | None:
    """Return an account that is not being deleted."""
    return _one(tx, USERS.c.id == user_id)


def by_identifier(tx: Connection, key: str) -> User | None:
    """Return the account of a username or an e-mail address, already normalised.

    A username goes first: an address that is somebody's username is not another one's way in.
    """
    return _one(tx, USERS.c.username_key == key) or _one(tx, USERS.c.email_key == key)


def renew_hash(tx: Connection, user_id: int, *, verified: str, renewed: str) -> None:
    """Replace the hash that a login verified, unless the password was changed meanwhile."""
    tx.execute(
        sa.update(USERS)
        .where(USERS.c.id == user_id, USERS.c.password_hash == verified, ALIVE)
        .values(password_hash=renewed)
    )


def change(tx: Connection, user_id: int, **values: Any) -> bool:  # noqa: ANN401  # a column's value
    """Change an account; return whether it was there.

    Raises
    ------
    AlreadyTaken
        The new username or e-mail address is somebody else's.
    """
    _refuse_taken(
        tx,
        username_key=values.get("username_key"),
        email_key=values.get("email_key"),
        besides=user_id,
    )
    change = sa.update(USERS).where(USERS.c.id == user_id, ALIVE)
    try:
        return tx.execute(change.values(updated_at=utc_now(), **values)).rowcount > 0
    except IntegrityError as error:
        raise _taken(error) from error


def end_all_tokens(tx: Connection, user_id: int) -> None:
    """Make every token issued so far worthless from the next request on."""
    raised = USERS.c.token_version + 1
    tx.execute(sa.update(USERS).where(USERS.c.id == user_id).values(token_version=raised))


def begin_deletion(tx: Connection, user_id: int) -> None:
    """Hide an account for good: its name and address are free again, its tokens worthless."""
    gone = f"deleted-{user_id}"
    tx.execute(
        sa.update(USERS)
        .where(USERS.c.id == user_id)
        .values(
            deleting_at=utc_now(),
            username=gone,
            username_key=gone,
            email=gone,
            email_key=gone,
            password_hash="",
            token_version=USERS.c.token_version + 1,
        )
    )


def remove(tx: Connection, user_id: int) -> None:
    """Remove the row, and with it every row that names it."""
    tx.execute(sa.delete(USERS).where(USERS.c.id == user_id))


def being_deleted(tx: Connection) -> list[int]:
    """Return the accounts whose deletion has begun and not ended."""
    found = tx.execute(sa.select(USERS.c.id).where(USERS.c.deleting_at.is_not(None)))
    return [int(row[0]) for row in found]


def ended(tx: Connection, moment: dt.datetime) -> list[int]:
    """Return the accounts whose time was over at a moment."""
    chosen = sa.select(USERS.c.id).where(USERS.c.ends_at <= moment, ALIVE)
    return [int(row[0]) for row in tx.execute(chosen)]


def count_ending(tx: Connection) -> int:
    """Return how many accounts there are that will end."""
    chosen = sa.select(sa.func.count()).where(USERS.c.ends_at.is_not(None), ALIVE)
    return int(tx.execute(chosen).scalar_one())


def all_users(tx: Connection) -> list[User]:
    """Return every account, for the operator's list."""
    chosen = sa.select(*columns_of(User, USERS)).where(ALIVE).order_by(USERS.c.id)
    return as_values(User, tx.execute(chosen))


def hold(tx: Connection, user_id: int) -> bool:
    """Keep an account from being deleted until the transaction ends; return whether it is there."""
    mine = sa.select(USERS.c.id).where(USERS.c.id == user_id, ALIVE).with_for_update(read=True)
    return tx.execute(mine).first() is not None


def exists(tx: Connection, user_id: int) -> bool:
    """Tell whether there is a row of this number, also one that is being deleted."""
    return tx.execute(sa.select(USERS.c.id).where(USERS.c.id == user_id)).first() is not None


def _one(tx: Connection, test: sa.ColumnElement[bool]) -> User | None:
    chosen = sa.select(*columns_of(User, USERS)).where(test, ALIVE)
    return as_value(User, tx.execute(chosen).first())


def _refuse_taken(
    tx: Connection, *, username_key: str | None, email_key: str | None, besides: int | None
) -> None:
    """Say which of the two is taken; the unique keys decide where two come at once."""
    for name, key in (("username", username_key), ("email", email_key)):
        if key is None:
            continue
        holder = tx.execute(sa.select(USERS.c.id).where(USERS.c[f"{name}_key"] == key)).first()
        if holder is not None and holder[0] != besides:
            raise already_taken(name)


def _taken(error: IntegrityError) -> Exception:
    text = str(error.orig)
    for name in ("username", "email"):
        if f"{name}_key" in text:
            return already_taken(name)
    return error


def already_taken(field: str) -> AlreadyTaken:
    """Return the refusal of a username or an e-mail address in use."""
    what = {"username": "This username", "email": "This e-mail address"}[field]
    return AlreadyTaken(f"{what} is taken. Choose another one.", field=field)
