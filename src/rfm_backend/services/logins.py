"""Logins that hold, and named tokens: look at them, end them.

In:  a `Service`, a user's number.
Out: rows; a named token's text, once.
"""

import datetime as dt

from sqlalchemy.engine import Connection

from rfm_backend.errors import NotFound
from rfm_backend.services.keeping import checked_name
from rfm_backend.services.service import Service
from rfm_backend.services.tokens import PREFIX, Caller, new_api_token
from rfm_backend.storage import api_tokens
from rfm_backend.storage import logins as rows
from rfm_backend.storage.api_tokens import ApiToken
from rfm_backend.storage.logins import Login
from rfm_backend.storage.rows import utc_now


def open_logins(service: Service, user_id: int) -> list[Login]:
    """Return the logins that hold, the newest first."""
    return service.database.read(lambda tx: rows.open_ones(tx, user_id))


def end_login(service: Service, user_id: int, login_id: int) -> None:
    """End a login.

    Raises
    ------
    NotFound
        None of this number holds.
    """
    if not service.database.write(lambda tx: rows.end(tx, user_id=user_id, login_id=login_id)):
        raise NotFound("There is no login of this number among yours.")


def end_other_logins(service: Service, caller: Caller) -> int:
    """End every login but the one that asks; return how many ended."""
    return service.database.write(
        lambda tx: rows.end_others(tx, caller.user.id, token_id=caller.login_token or "")
    )


def tokens(service: Service, user_id: int) -> list[ApiToken]:
    """Return the named tokens, the newest first."""
    return service.database.read(lambda tx: api_tokens.of_user(tx, user_id))


def add_token(
    service: Service, user_id: int, *, name: str, days: int | None, is_read_only: bool
) -> tuple[ApiToken, str]:
    """Make a named token; return what is kept of it, and its text.

    Raises
    ------
    InvalidRequest
        The name has characters that do not show.
    AlreadyTaken
        There is one of this name.
    """
    name = checked_name(name)
    token, token_hash = new_api_token()
    expires_at = None if days is None else utc_now() + dt.timedelta(days=days)

    def unit(tx: Connection) -> ApiToken:
        api_tokens.add(
            tx,
            user_id=user_id,
            name=name,
            token_hash=token_hash,
            is_read_only=is_read_only,
            hint=token[: len(PREFIX) + 4] + "…",
            expires_at=expires_at,
        )
        made = api_tokens.by_hash(tx, token_hash)
        assert made is not None
        return made

    return service.database.write(unit), token


def revoke_token(service: Service, user_id: int, token_id: int) -> None:
    """Revoke a named token.

    Raises
    ------
    NotFound
        There is none of this number.
    """
    if not service.database.write(lambda tx: api_tokens.remove(tx, token_id, user_id=user_id)):
        raise NotFound("There is no token of this number among yours.")
