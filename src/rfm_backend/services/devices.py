"""Devices: how a browser is known again that has logged in to an account before.

In:  a `Service`, the text of a browser's cookie.
Out: a device's key, what is kept of it, the text of the cookie.

What always holds
    * a key is made here and signed: a text that somebody else made up is no key;
    * what is kept of it is a keyed hash for one account: two accounts of one browser do not show as such;
    * it lets nobody in: it only spares its owner what strangers' tries have filled (throttle.py).
"""

import hashlib
import hmac
import re
import secrets
from typing import Final

from jwt.utils import base64url_encode

from rfm_backend.services.service import Keys, Service

_FORM: Final = re.compile(r"([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")


def new_device_key() -> str:
    """Return a key for a browser: 256 bits that nobody can guess."""
    return secrets.token_urlsafe(32)


def cookie_of(service: Service, key: str) -> str:
    """Return what the browser keeps: the key, signed."""
    return f"{key}.{_signature(service.keys, key)}"


def key_of_cookie(service: Service, text: str) -> str:
    """Return the key that a cookie carries, "" where it is none of ours."""
    found = _FORM.fullmatch(text)
    if found is None:
        return ""
    for keys in service.all_keys:
        if hmac.compare_digest(_signature(keys, found[1]), found[2]):
            return found[1]
    return ""


def device_marks(service: Service, user_id: int, key: str) -> list[str]:
    """Return what is kept of an account's device, the way of now first; nothing for no key."""
    text = f"device {user_id} {key}".encode()
    return [_hash(keys, text).hex() for keys in service.all_keys] if key else []


def _signature(keys: Keys, key: str) -> str:
    return base64url_encode(_hash(keys, f"cookie {key}".encode())).decode("ascii")


def _hash(keys: Keys, text: bytes) -> bytes:
    return hmac.new(keys.devices, text, hashlib.sha256).digest()
