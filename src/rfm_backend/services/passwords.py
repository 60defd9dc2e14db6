"""Passwords: what is accepted, how they are kept, how one is checked.

In:  a password as a person typed it.
Out: a hash; yes or no, and whether to hash it anew.

What always holds
    * any Unicode up to 1,024 characters counts in full: bcrypt alone reads 72 bytes and no more, so it
      is given base64(HMAC-SHA-256(key, password)), 44 characters without a zero byte;
    * at most as many hashes are computed at once as there are cores, and few wait for their turn, so that
      logins can neither starve the rest nor hold every thread;
    * a login with an unknown name costs as much time as one with a wrong password, also where the hash was
      made with less work than is asked for now, or may be one of SECRET_KEY_OLD.
"""

import base64
import hashlib
import hmac
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

import bcrypt
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from rfm_backend.errors import InvalidRequest, Unavailable
from rfm_backend.services.service import Keys, Service

SHORTEST: Final = 8
LONGEST: Final = 1_024
_SCHEME: Final = "hmac-sha256+bcrypt:"
# bcrypt's least.
_LEAST_COST: Final = 4
_CORES: Final = max(1, os.cpu_count() or 1)
_AT_ONCE: Final = threading.BoundedSemaphore(_CORES)
# At a quarter of a second each nobody waits longer than about two seconds.
MOST_WAITING: Final = _CORES * 8
_PLACES: Final = threading.BoundedSemaphore(MOST_WAITING)


def check_new_password(service: Service, password: str, *, username: str, email: str) -> None:
    """Refuse a password that is too short, too long, the account's own name, or a common one.

    Raises
    ------
    InvalidRequest
        The message says what to change.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidRequest(
            f"A password has {SHORTEST} to {LONGEST:,} characters; this one has {len(password):,}.",
            field="password",
            reason="password_length",
        )
    if service.settings.is_development:
        return
    folded = password.casefold()
    if folded in (username.casefold(), email.casefold(), email.casefold().partition("@")[0]):
        raise InvalidRequest(
            "The password is the account's own name: choose another.",
            field="password",
            reason="password_is_name",
        )
    if folded in _common():
        raise InvalidRequest(
            "This password is one of the most common ones: choose another, such as a few words.",
            field="password",
            reason="password_common",
        )


def hash_password(service: Service, password: str) -> str:
    """Return what is kept of a password."""
    with _turn():
        salt = bcrypt.gensalt(service.bcrypt_cost)
        condensed = _condensed(service.keys, password)
        return _SCHEME + bcrypt.hashpw(condensed, salt).decode("ascii")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Whether a password is the one kept, and whether it should be hashed anew: less work, or an old key."""

    is_right: bool
    is_outdated: bool


def check_password(service: Service, password: str, kept: str | None) -> Checked:
    """Compare a password with what is kept; with None it takes its time and says no."""
    against = kept if kept and kept.startswith(_SCHEME) else _nobodys(service.bcrypt_cost)
    known = against.removeprefix(_SCHEME).encode("ascii")
    cost = int(known.split(b"$")[2])
    fits, used = False, service.keys
    with _turn():
        for used in service.all_keys:
            fits = bcrypt.checkpw(_condensed(used, password[: LONGEST + 1]), known)
            _spend(cost, service.bcrypt_cost)
            if fits:
                break
    return Checked(
        is_right=fits and kept is not None and len(password) <= LONGEST,
        is_outdated=cost < service.bcrypt_cost or used is not service.keys,
    )


def is_right(service: Service, password: str, kept: str | None) -> bool:
    """Tell whether a password is the one kept."""
    return check_password(service, password, kept).is_right


def _spend(cost: int, asked: int) -> None:
    """Take the time that a hash of less work left over: 2**asked - 2**cost is the sum of what lies between."""
    for between in range(max(cost, _LEAST_COST), asked):
        bcrypt.hashpw(b"nobody", bcrypt.gensalt(between))


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a core to hash on; where too many wait already, say so at once."""
    if not _PLACES.acquire(blocking=False):
        raise Unavailable(
            "Too many log in at this moment. Try again in a few seconds.", reason="too_many_logins"
        )
    try:
        with _AT_ONCE:
            yield
    finally:
        _PLACES.release()


def _condensed(keys: Keys, password: str) -> bytes:
    digest = hmac.new(
        keys.passwords, password.encode("utf-8", "surrogatepass"), hashlib.sha256
    ).digest()
    return base64.b64encode(digest)


@cache
def _nobodys(cost: int) -> str:
    return _SCHEME + bcrypt.hashpw(b"nobody", bcrypt.gensalt(cost)).decode("ascii")


@cache
def _common() -> frozenset[str]:
    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)
