"""Tokens: what a login gives, and whose a token is.

In:  an account; the text behind "Bearer".
Out: a signed token (HS256, 8 hours); a `Caller`.

What always holds
    * a token holds while its login is open and its version is the account's: logging out, a password
      change or a deletion ends it at the next request;
    * a named token reaches data, and never the account itself; one for reading alone changes nothing;
    * a token has the one form that `issue` gives it: no other header, no claim more or less, no other type;
    * after a change of SECRET_KEY the tokens of SECRET_KEY_OLD hold to their end, and none is made with it;
    * whatever a token's text is, the answer is a caller or `NotAuthenticated`.
"""

import datetime as dt
import hashlib
import json
import re
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import jwt
from jwt.utils import base64url_decode, base64url_encode
from sqlalchemy.engine import Connection

from rfm_backend.errors import LoginNeeded, NotAuthenticated, ReadOnlyToken
from rfm_backend.services.service import Service
from rfm_backend.storage import api_tokens, logins, users
from rfm_backend.storage.users import User

# What a call does: looks at data, changes data, or concerns the account itself.
Scope = Literal["read", "write", "login"]
LIFE: Final = dt.timedelta(hours=8)
PREFIX: Final = "rfm_"
_ISSUER: Final = "rfm-backend"
_CLAIMS: Final[dict[str, type]] = {
    "exp": int, "iat": int, "nbf": int, "tv": int, "sub": str, "jti": str, "iss": str, "aud": str, "typ": str,
}  # fmt: skip
# The header of every token of ours, in the one way that it is written.
_HEADER: Final = base64url_encode(b'{"alg":"HS256","typ":"JWT"}').decode("ascii")
_INVALID: Final = "The token is invalid or has expired. Log in again to get a new one."
_USER_ID: Final = re.compile(r"[1-9][0-9]{0,17}")
_TOKEN_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_JWT: Final = jwt.PyJWT(options={"enforce_minimum_key_length": True})


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: the account, and by which login or named token."""

    user: User
    login_token: str | None = None
    api_token_id: int | None = None
    is_read_only: bool = False


def issue(service: Service, user: User, *, token_id: str) -> tuple[str, dt.datetime]:
    """Return a token for a login, and when it runs out."""
    now = dt.datetime.now(dt.UTC)
    expires = now + LIFE
    claims = {
        "iss": _ISSUER,
        "aud": _ISSUER,
        "typ": "access",
        "sub": str(user.id),
        "jti": token_id,
        "tv": user.token_version,
        "iat": now,
        "nbf": now,
        "exp": expires,
    }
    token = _JWT.encode(claims, service.keys.tokens, algorithm="HS256")
    return token, expires.replace(tzinfo=None)


def new_token_id() -> str:
    """Return the name of a login's token: 256 bits that nobody can guess."""
    return secrets.token_urlsafe(32)


def new_api_token() -> tuple[str, str]:
    """Return a named token's text, and the hash that is kept of it."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, _hashed(token)


def authenticate(service: Service, authorization: str | None) -> Caller:
    """Return whose token the header ``Authorization`` carries.

    Raises
    ------
    NotAuthenticated
        There is none, or it does not hold (any more).
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("A token is needed: send the header  Authorization: Bearer <token>.")
    token = token.strip()
    caller = (
        _by_api_token(service, token) if token.startswith(PREFIX) else _by_login(service, token)
    )
    if caller is None or caller.user.is_disabled:
        raise NotAuthenticated(_INVALID)
    return caller


def check_scope(caller: Caller, scope: Scope) -> None:
    """Let a login do everything, and a named token what it was made for.

    Raises
    ------
    LoginNeeded
        The call concerns the account itself, and a named token asks.
    ReadOnlyToken
        The call changes data, and the token is for reading alone.
    """
    if caller.login_token is not None or scope == "read":
        return
    if scope == "login":
        raise LoginNeeded(
            "A named token is for data alone, and this concerns the account. Log in with the password "
            "(POST /api/auth/login), and use the token of that login."
        )
    if caller.is_read_only:
        raise ReadOnlyToken(
            "This token is for reading alone. Make one that may write, or use the token of a login."
        )


def _by_login(service: Service, token: str) -> Caller | None:
    claims = _claims(service, token)
    if claims is None:
        return None
    user_id, token_id, version = claims

    held = service.database.look(lambda tx: logins.holder(tx, user_id=user_id, token_id=token_id))
    if held is None or held[0].token_version != version:
        return None
    user, used = held
    if logins.is_stale(used):
        service.database.write(lambda tx: logins.note_use(tx, user_id=user_id, token_id=token_id))
    return Caller(user=user, login_token=token_id)


def _by_api_token(service: Service, token: str) -> Caller | None:
    def unit(tx: Connection) -> tuple[User | None, api_tokens.ApiToken | None]:
        found = api_tokens.by_hash(tx, _hashed(token))
        return (users.by_id(tx, found.user_id), found) if found else (None, None)

    user, found = service.database.read(unit)
    if user is None or found is None:
        return None
    if found.last_used_at is None or logins.is_stale(found.last_used_at):
        service.database.write(lambda tx: api_tokens.note_use(tx, found.id, user_id=user.id))
    return Caller(user=user, api_token_id=found.id, is_read_only=found.is_read_only)


def _claims(service: Service, token: str) -> tuple[int, str, int] | None:
    """Return (user, token id, version) of a token that is ours and has not run out."""
    for keys in service.all_keys:
        try:
            user_id, token_id, version, expires = _signed(token, keys.tokens)
        except NotAuthenticated:
            continue
        return None if expires <= time.time() else (user_id, token_id, version)
    return None


@lru_cache(maxsize=4_096)
def _signed(token: str, key: bytes) -> tuple[int, str, int, int]:
    """Return (user, token id, version, end) of a token that we signed.

    Kept for the next request, since a signature that was right stays right; what may change, its end
    and its login, is asked each time.

    Raises
    ------
    NotAuthenticated
        It is none of ours.  That is not kept: whoever makes tokens up pushes none out.
    """
    found = _checked(token, key)
    if found is None:
        raise NotAuthenticated(_INVALID)
    return found


def _checked(token: str, key: bytes) -> tuple[int, str, int, int] | None:
    if not _is_as_issued(token):
        return None
    try:
        claims = _JWT.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=_ISSUER,
            issuer=_ISSUER,
            options={"require": list(_CLAIMS)},
        )
    except (jwt.InvalidTokenError, ValueError, OverflowError, RecursionError):
        return None
    # A bool is an int to Python, and 7.0 a time to the library: neither is one to us.
    if {name: type(value) for name, value in claims.items()} != _CLAIMS:
        return None
    if claims["typ"] != "access" or not _is_as_written(token, claims):
        return None
    # As `issue` makes them: nothing else reaches the database, which may compare more loosely.
    if not (_TOKEN_ID.fullmatch(claims["jti"]) and _USER_ID.fullmatch(claims["sub"])):
        return None
    # None of ours begins later than it is made or lives longer, whoever could sign it.
    if claims["nbf"] != claims["iat"] or claims["exp"] - claims["iat"] > LIFE.total_seconds():
        return None
    return int(claims["sub"]), claims["jti"], claims["tv"], claims["exp"]


def _is_as_issued(token: str) -> bool:
    """Tell whether a token's text is the one way to write it.

    Python's base64 passes over marks that are none of its own, and over bits that are left at the end:
    many texts would be one token, and a list of ended texts no list of ended tokens.
    """
    try:
        parts = [part.encode("ascii") for part in token.split(".")]
        return parts[0] == _HEADER.encode() and all(
            base64url_encode(base64url_decode(part)) == part for part in parts
        )
    except ValueError:
        return False


def _is_as_written(token: str, claims: dict[str, object]) -> bool:
    """Tell whether the claims are in the text once each, in the form that the library writes."""
    written = json.dumps(claims, separators=(",", ":")).encode()
    return base64url_decode(token.split(".")[1]) == written


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
