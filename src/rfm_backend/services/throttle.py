"""How often a password may be tried: counted in the database, before any hash is computed.

In:  a `Service`, what was typed, the address that it came from.
Out: nothing, or `TooManyAttempts`.

What always holds
    * a try is counted before it is checked and given back where it was right, so that many at once, over
      several processes, get no more tries than one after the other;
    * what is counted is the name as it was typed: whether there is such an account makes no difference;
    * whoever has logged in to an account from an address is not locked out there by others' tries
      elsewhere;
    * names and addresses are kept as keyed hashes, and forgotten with their window.
"""

import hashlib
import hmac
import ipaddress
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.errors import NotAuthenticated, TooManyAttempts, WrongPassword
from rfm_backend.services.service import Service
from rfm_backend.storage import attempts

WINDOW_SECONDS: Final = 300
# In multiples of RFM_LOGIN_ATTEMPTS, which is for one name from one address.
_ONE_ADDRESS: Final = 5
_ONE_NAME: Final = 10
_ALL: Final = 100


@contextmanager
def login_try(service: Service, *, name: str, address: str, is_known: bool) -> Iterator[None]:
    """Let a login be tried within; one that ends in `NotAuthenticated` stays counted.

    Parameters
    ----------
    name : the username or e-mail address, as it is compared
    address : the client's
    is_known : whether the account was logged in to from this address before

    Raises
    ------
    TooManyAttempts
        Too many wrong ones within the window.
    """
    most = service.settings.login_attempts
    origin = network_of(address)
    limits = {f"login {name} {origin}": most, f"login from {origin}": most * _ONE_ADDRESS}
    if not is_known:
        limits |= {f"login {name}": most * _ONE_NAME, "login": most * _ALL}
    with _counted(service, limits):
        yield


@contextmanager
def password_try(service: Service, *, user_id: int) -> Iterator[None]:
    """Let an account's password be confirmed within; `WrongPassword` stays counted.

    Raises
    ------
    TooManyAttempts
        Too many wrong ones within the window.
    """
    with _counted(service, {f"password {user_id}": service.settings.login_attempts}):
        yield


def count_registration(service: Service, *, address: str) -> None:
    """Count an account that an address makes, or tries to.

    Raises
    ------
    TooManyAttempts
        The address made too many within the window.
    """
    most = service.settings.login_attempts * _ONE_ADDRESS
    _count(service, {f"register from {network_of(address)}": most}, _window())


def forget_old(service: Service) -> None:
    """Remove what was counted in windows that are over."""
    service.database.write(lambda tx: attempts.forget_old(tx, before=_window()))


def network_of(address: str) -> str:
    """Return what counts as one address: IPv6 gives a home 2**64 of them.

    Examples
    --------
    >>> network_of("203.0.113.7"), network_of("2001:db8:1:2:3::4"), network_of("::ffff:203.0.113.7")
    ('203.0.113.7', '2001:db8:1:2::/64', '203.0.113.7')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


def address_mark(service: Service, user_id: int, address: str) -> str:
    """Return what is kept of the address of an account's login: comparable, and not readable."""
    return _hidden(service, f"address {user_id} {network_of(address)}")


@contextmanager
def _counted(service: Service, limits: Mapping[str, int]) -> Iterator[None]:
    window = _window()
    _count(service, limits, window)
    try:
        yield
    except (NotAuthenticated, WrongPassword):
        raise
    except BaseException:
        _give_back(service, limits, window)
        raise
    _give_back(service, limits, window)


def _count(service: Service, limits: Mapping[str, int], window: int) -> None:
    subjects = [(_hidden(service, subject), most) for subject, most in limits.items()]

    def unit(tx: Connection) -> bool:
        # The narrowest first, and no further once one is full: what one address may not try any more
        # must not fill what all share.
        return all(attempts.count(tx, subject, window=window) <= most for subject, most in subjects)

    if not service.database.write(unit):
        wait = (window + 1) * WINDOW_SECONDS - int(time.time())
        raise TooManyAttempts(
            f"There were too many attempts. Wait {max(1, wait)} seconds, then try again.",
            retry_after=max(1, wait),
        )


def _give_back(service: Service, limits: Mapping[str, int], window: int) -> None:
    subjects = [_hidden(service, subject) for subject in limits]

    def unit(tx: Connection) -> None:
        for subject in subjects:
            attempts.give_back(tx, subject, window=window)

    service.database.write(unit)


def _window() -> int:
    return int(time.time()) // WINDOW_SECONDS


def _hidden(service: Service, text: str) -> str:
    return hmac.new(
        service.keys.throttle, text.encode("utf-8", "replace"), hashlib.sha256
    ).hexdigest()
