"""How often a password may be tried: counted in the database, before any hash is computed.

In:  a `Service`, what was typed, the address that it came from.
Out: nothing, or `TooManyAttempts`.

What always holds
    * a try is counted before it is checked and given back where it was right, so that many at once, over
      several processes, get no more tries than one after the other;
    * in no five minutes whatever are there more tries than the limit: they are counted in steps of ten
      seconds, and a step is forgotten once all of it is five minutes old;
    * a try that is refused is counted nowhere, so that it neither fills a narrower limit nor prolongs this;
    * what is counted is the name as it was typed: whether there is such an account makes no difference;
    * whoever has logged in to an account from an address or a device is not locked out there by others'
      tries elsewhere; a device has a counter of its own, which nobody at the same address fills;
    * names and addresses are kept as keyed hashes, and forgotten with their time.
"""

import hashlib
import hmac
import ipaddress
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.errors import NotAuthenticated, TooManyAttempts, WrongPassword
from rfm_backend.services.service import Keys, Service
from rfm_backend.storage import attempts

WINDOW_SECONDS: Final = 300
STEP_SECONDS: Final = 10
_STEPS: Final = WINDOW_SECONDS // STEP_SECONDS
# In multiples of RFM_LOGIN_ATTEMPTS, which is for one name from one address.
_ONE_ADDRESS: Final = 5
_ONE_NAME: Final = 10
_ALL: Final = 100


@contextmanager
def login_try(
    service: Service, *, name: str, address: str, is_known: bool, known_device: str = ""
) -> Iterator[None]:
    """Let a login be tried within; one that ends in `NotAuthenticated` stays counted.

    Parameters
    ----------
    name : the username or e-mail address, as it is compared
    address : the client's
    is_known : whether the account was logged in to from this address before
    known_device : the mark of a device that the account was logged in to from before

    Raises
    ------
    TooManyAttempts
        Too many wrong ones within the window.
    """
    most = service.settings.login_attempts
    origin = network_of(address)
    place = f"device {known_device}" if known_device else origin
    # The narrowest first.
    limits = {f"login {name} {place}": most, f"login from {origin}": most * _ONE_ADDRESS}
    if not (is_known or known_device):
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
    _count(service, {f"register from {network_of(address)}": most}, _step())


def forget_old(service: Service) -> None:
    """Remove what counts no more."""
    service.database.write(lambda tx: attempts.forget_old(tx, before=_step() - _STEPS))


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


def address_marks(service: Service, user_id: int, address: str) -> list[str]:
    """Return what is kept of the address of an account's login, the way of now first: comparable, not readable."""
    text = f"address {user_id} {network_of(address)}"
    return [_hidden(keys, text) for keys in service.all_keys]


@contextmanager
def _counted(service: Service, limits: Mapping[str, int]) -> Iterator[None]:
    step = _step()
    _count(service, limits, step)
    try:
        yield
    except (NotAuthenticated, WrongPassword):
        raise
    except BaseException:
        _give_back(service, limits, step)
        raise
    _give_back(service, limits, step)


def _count(service: Service, limits: Mapping[str, int], step: int) -> None:
    subjects = [(_hidden(service.keys, subject), most) for subject, most in limits.items()]

    def unit(tx: Connection) -> None:
        for subject, most in subjects:
            counted = attempts.count(tx, subject, step=step, since=step - _STEPS)
            if sum(tries for _, tries in counted) > most:
                # Ends the transaction as if nothing had been counted, under the narrower limits too.
                raise _told(counted, most)

    service.database.write(unit)


def _told(counted: Sequence[tuple[int, int]], most: int) -> TooManyAttempts:
    """Return the refusal: when enough of the tries, this one apart, are too old to count."""
    gone = list(accumulate(tries for _, tries in counted))
    left = [gone[-1] - 1 - so_far for so_far in gone]
    last = next(at for (at, _), tries in zip(counted, left, strict=True) if tries < most)
    over = (last + _STEPS + 1) * STEP_SECONDS
    wait = max(1, math.ceil(over - time.time()))
    return TooManyAttempts(
        f"There were too many attempts. Wait {wait} seconds, then try again.", retry_after=wait
    )


def _give_back(service: Service, limits: Mapping[str, int], step: int) -> None:
    subjects = [_hidden(service.keys, subject) for subject in limits]

    def unit(tx: Connection) -> None:
        for subject in subjects:
            attempts.give_back(tx, subject, step=step)

    service.database.write(unit)


def _step() -> int:
    return int(time.time()) // STEP_SECONDS


def _hidden(keys: Keys, text: str) -> str:
    return hmac.new(keys.throttle, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
