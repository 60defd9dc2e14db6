"""The login of a browser: a cookie that carries the token of a login, the same as the API's.

A second cookie knows the browser again, so that its owner gets in while others try his name.

In:  a request; the token of a new login.
Out: a `Caller`; an answer that sets or clears the cookie.

What always holds
    * the device's cookie is set by a login that succeeded, and stays when it ends;
    * scripts cannot read the cookies, and a page of another site cannot send them with a form;
    * outside development it has the `__Host-` prefix: encrypted connections alone, this host alone;
    * the API never looks at it, and a named token is no login.
"""

import datetime as dt
from typing import Final

from flask import Request, Response

from rfm_backend.errors import NotAuthenticated
from rfm_backend.services import Service
from rfm_backend.services.devices import cookie_of, key_of_cookie, new_device_key
from rfm_backend.services.tokens import LIFE, Caller, authenticate

_NAME: Final = "rfm_login"
_DEVICE: Final = "rfm_device"
# As long as the logins are kept that know it (jobs/sweep.py); each login begins it anew.
_DEVICE_LIFE: Final = dt.timedelta(days=90)


def caller_of(service: Service, request: Request) -> Caller | None:
    """Return whose login the cookie carries, None where none holds."""
    token = request.cookies.get(_cookie(service))
    if not token:
        return None
    try:
        caller = authenticate(service, f"Bearer {token}")
    except NotAuthenticated:
        return None
    return caller if caller.login_token is not None else None


def device_key_of(service: Service, request: Request) -> str:
    """Return the key that the browser has, or a new one to give it once it has logged in."""
    text = request.cookies.get(_cookie(service, _DEVICE), "")
    return key_of_cookie(service, text) or new_device_key()


def set_login(service: Service, token: str, *, to: str, device_key: str = "") -> Response:
    """Return the way on for a browser that has logged in."""
    answer = Response(status=303, headers={"Location": to})
    answer.set_cookie(
        _cookie(service),
        token,
        max_age=LIFE,
        path="/",
        secure=not service.settings.is_development,
        httponly=True,
        samesite="Lax",
    )
    if device_key:
        answer.set_cookie(
            _cookie(service, _DEVICE),
            cookie_of(service, device_key),
            max_age=_DEVICE_LIFE,
            path="/",
            secure=not service.settings.is_development,
            httponly=True,
            samesite="Lax",
        )
    return answer


def clear_login(service: Service, *, to: str) -> Response:
    """Return the way on for a browser that has logged out."""
    answer = Response(status=303, headers={"Location": to})
    answer.delete_cookie(
        _cookie(service),
        path="/",
        secure=not service.settings.is_development,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _cookie(service: Service, name: str = _NAME) -> str:
    return name if service.settings.is_development else f"__Host-{name}"


def safe_next(text: str | None, *, otherwise: str) -> str:
    r"""Return an address of this site to go on to; anything else becomes `otherwise`.

    Examples
    --------
    >>> safe_next("/history?before=7", otherwise="/")
    '/history?before=7'
    >>> [
    ...     safe_next(text, otherwise="/")
    ...     for text in ("//evil.com", "/\\evil.com", "https://a.b", "/\t/a")
    ... ]
    ['/', '/', '/', '/']
    """
    if text is None or not text.startswith("/") or text[1:2] in ("/", "\\"):
        return otherwise
    if (
        len(text) > 1_000
        or not text.isascii()
        or any(mark <= " " or mark == "\x7f" for mark in text)
    ):
        return otherwise
    return text
