"""Queries on ``api_tokens``: named tokens for programs; only a token's hash is kept."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.errors import AlreadyTaken
from rfm_backend.storage.rows import add_row, as_value, as_values, columns_of, utc_now
from rfm_backend.storage.tables import API_TOKENS


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A named token, without the token: ``hint`` is its beginning."""

    id: int
    user_id: int
    name: str
    hint: str
    is_read_only: bool
    created_at: dt.datetime
    last_used_at: dt.datetime | None
    expires_at: dt.datetime | None


def add(
    tx: Connection,
    *,
    user_id: int,
    name: str,
    token_hash: str,
    hint: str,
    is_read_only: bool,
    expires_at: dt.datetime | None,
) -> int:
    """Keep a token and return its number.

    Raises
    ------
    AlreadyTaken
        The user has a token of this name.
    """
    try:
        return add_row(
            tx,
            API_TOKENS,
            user_id=user_id,
            name=name,
            token_hash=token_hash,
            hint=hint,
            is_read_only=is_read_only,
            created_at=utc_now(),
            expires_at=expires_at,
        )
    except IntegrityError as error:
        raise AlreadyTaken(
            f"There is a token named {name!r} already. Revoke it, or choose another name.",
            field="name",
        ) from error


def by_hash(tx: Connection, token_hash: str) -> ApiToken | None:
    """Return the token of a hash that has not run out."""
    chosen = sa.select(*columns_of(ApiToken, API_TOKENS)).where(
        API_TOKENS.c.token_hash == token_hash,
        sa.or_(API_TOKENS.c.expires_at.is_(None), API_TOKENS.c.expires_at > utc_now()),
    )
    return as_value(ApiToken, tx.execute(chosen).first())


def note_use(tx: Connection, token_id: int, *, user_id: int) -> None:
    """Note that a token is in use."""
    tx.execute(
        sa.update(API_TOKENS)
        .where(API_TOKENS.c.id == token_id, API_TOKENS.c.user_id == user_id)
        .values(last_used_at=utc_now())
    )


def of_user(tx: Connection, user_id: int) -> list[ApiToken]:
    """Return a user's tokens, the newest first."""
    chosen = (
        sa.select(*columns_of(ApiToken, API_TOKENS))
        .where(API_TOKENS.c.user_id == user_id)
        .order_by(API_TOKENS.c.id.desc())
    )
    return as_values(ApiToken, tx.execute(chosen))


def page(tx: Connection, user_id: int, *, before: int | None, limit: int) -> list[ApiToken]:
    """Return a user's tokens, the newest first, those before a number."""
    chosen = (
        sa.select(*columns_of(ApiToken, API_TOKENS))
        .where(API_TOKENS.c.user_id == user_id)
        .order_by(API_TOKENS.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        chosen = chosen.where(API_TOKENS.c.id < before)
    return as_values(ApiToken, tx.execute(chosen))


def remove(tx: Connection, token_id: int, *, user_id: int) -> bool:
    """Revoke a token; return whether it was there."""
    gone = sa.delete(API_TOKENS).where(API_TOKENS.c.id == token_id, API_TOKENS.c.user_id == user_id)
    return tx.execute(gone).rowcount > 0


def remove_all(tx: Connection, user_id: int) -> None:
    """Revoke every token of a user."""
    tx.execute(sa.delete(API_TOKENS).where(API_TOKENS.c.user_id == user_id))
