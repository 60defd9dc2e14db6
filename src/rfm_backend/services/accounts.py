"""Accounts: register, log in, change, delete.

In:  a `Service`, what a person typed.
Out: `User`, tokens.

What always holds
    * username and e-mail address are compared normalised (NFKC, case folded); both are unique, also where
      two register at once;
    * deletion hides the account first, then removes rows and files, and says so only once they are gone;
      what was begun is ended by the next sweep.
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.errors import InvalidRequest, NotAllowed, NotAuthenticated, WrongPassword
from rfm_backend.services.devices import device_marks
from rfm_backend.services.passwords import (
    check_new_password,
    check_password,
    hash_password,
    is_right,
)
from rfm_backend.services.service import Service
from rfm_backend.services.throttle import (
    address_marks,
    count_registration,
    login_try,
    password_try,
)
from rfm_backend.services.tokens import Caller, issue, new_token_id
from rfm_backend.services.uploads import remove_upload
from rfm_backend.storage import api_tokens, jobs, logins, named, uploads, users
from rfm_backend.storage.named import Shop
from rfm_backend.storage.users import User

FIRST_SHOP: Final = "Shop"
_MOST_NAME: Final = 50
_MOST_EMAIL: Final = 254
_EMAIL: Final = re.compile(
    r"[^\s@\x00-\x1f<>()\[\],;:\"\\]{1,64}@[^\s@\x00-\x1f<>()\[\],;:\"\\]{1,189}"
)
_WRONG_LOGIN: Final = "The username, e-mail address or password is wrong."


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """An account and the token of its new login."""

    user: User
    token: str


def register(
    service: Service,
    *,
    username: str,
    email: str,
    password: str,
    device: str,
    address: str,
    device_key: str = "",
    first_shop: str = FIRST_SHOP,
) -> LoggedIn:
    """Make an account and log it in; `device_key` is that of a browser (devices.py).

    Raises
    ------
    TooManyAttempts
        The address made too many.
    NotAllowed
        Registration is closed.
    InvalidRequest
        A name, an address or a password of a form that is not accepted.
    AlreadyTaken
        The username or the address is somebody's.
    """
    if service.settings.registration == "closed":
        raise NotAllowed(
            "Registration is closed here: ask the operator for an account.",
            reason="registration_closed",
        )
    count_registration(service, address=address)
    user = add_user(
        service, username=username, email=email, password=password, first_shop=first_shop
    )
    token = begin_login(service, user, device=device, address=address, device_key=device_key)
    return LoggedIn(user=user, token=token)


def add_user(
    service: Service,
    *,
    username: str,
    email: str,
    password: str,
    first_shop: str = FIRST_SHOP,
    ends_at: dt.datetime | None = None,
) -> User:
    """Make an account, whether registration is open or not: errors are those of `register`."""
    username, email = checked_username(username), checked_email(email)
    check_new_password(service, password, username=username, email=email)
    kept = hash_password(service, password)

    def unit(tx: Connection) -> User:
        user_id = users.add(
            tx,
            username=username,
            username_key=key_of(username),
            email=email,
            email_key=key_of(email),
            password_hash=kept,
            ends_at=ends_at,
        )
        named.add(tx, Shop, user_id=user_id, name=first_shop)
        made = users.by_id(tx, user_id)
        assert made is not None
        return made

    return service.database.write(unit)


def log_in(
    service: Service,
    *,
    identifier: str,
    password: str,
    device: str,
    address: str,
    device_key: str = "",
) -> LoggedIn:
    """Log in by username or e-mail address; `device_key` is that of a browser (devices.py).

    Raises
    ------
    NotAuthenticated
        There is no such account, it is disabled, or the password is wrong: all in the same words.
    TooManyAttempts
        Too many wrong ones: said before the password is looked at.
    """
    key = key_of(identifier)

    def look(tx: Connection) -> tuple[User | None, bool, str]:
        found = users.by_identifier(tx, key)
        # Asked for somebody who is not there too: both ways take the same steps.
        number = found.id if found else 0
        marks = address_marks(service, number, address)
        own = device_marks(service, number, device_key)
        is_known = logins.is_known_address(tx, user_id=number, marks=marks)
        return (
            found,
            is_known,
            own[0] if logins.is_known_device(tx, user_id=number, marks=own) else "",
        )

    user, is_known, known_device = service.database.read(look)
    with login_try(
        service, name=key, address=address, is_known=is_known, known_device=known_device
    ):
        checked = check_password(service, password, user.password_hash if user else None)
        if user is None or not checked.is_right or user.is_disabled:
            raise NotAuthenticated(_WRONG_LOGIN)
    if checked.is_outdated:
        kept = hash_password(service, password)
        service.database.write(
            lambda tx: users.renew_hash(tx, user.id, verified=user.password_hash, renewed=kept)
        )
    token = begin_login(service, user, device=device, address=address, device_key=device_key)
    return LoggedIn(user=user, token=token)


def log_out(service: Service, caller: Caller) -> None:
    """End the login whose token asks."""
    token_id = caller.login_token or ""
    service.database.write(lambda tx: logins.end(tx, user_id=caller.user.id, token_id=token_id))


def log_out_everywhere(service: Service, caller: Caller) -> None:
    """End every login and every named token: what to do when one of them may be in other hands."""

    def unit(tx: Connection) -> None:
        users.end_all_tokens(tx, caller.user.id)
        logins.end_all(tx, caller.user.id)
        api_tokens.remove_all(tx, caller.user.id)

    service.database.write(unit)


def change_profile(
    service: Service, user: User, *, username: str | None, email: str | None
) -> User:
    """Change username, e-mail address or both.

    Raises
    ------
    InvalidRequest, AlreadyTaken
        As in `register`.
    """
    values: dict[str, object] = {}
    if username is not None:
        name = checked_username(username)
        values |= {"username": name, "username_key": key_of(name)}
    if email is not None:
        address = checked_email(email)
        values |= {"email": address, "email_key": key_of(address)}

    def unit(tx: Connection) -> User | None:
        if values:
            users.change(tx, user.id, **values)
        return users.by_id(tx, user.id)

    changed = service.database.write(unit)
    if changed is None:
        raise NotAuthenticated("The account does not exist any more.")
    return changed


def confirm_password(service: Service, user: User, password: str, *, field: str) -> None:
    """Let nobody go on but who knows the account's password.

    Raises
    ------
    WrongPassword
        It is not the account's; ``field`` names where it was typed.
    TooManyAttempts
        Too many wrong ones.
    """
    with password_try(service, user_id=user.id):
        if not is_right(service, password, user.password_hash):
            raise WrongPassword("The password is wrong.", field=field)


def change_password(
    service: Service,
    caller: Caller,
    *,
    old: str,
    new: str,
    device: str,
    address: str,
    device_key: str = "",
) -> LoggedIn:
    """Change the password: every login ends, and this one gets a new token; named tokens go on.

    Raises
    ------
    WrongPassword
        The old one is not the account's.
    TooManyAttempts
        Too many wrong ones.
    InvalidRequest
        The new one is not accepted.
    """
    user = caller.user
    confirm_password(service, user, old, field="old_password")
    check_new_password(service, new, username=user.username, email=user.email)
    set_password(service, user, new)
    changed = service.database.read(lambda tx: users.by_id(tx, user.id))
    if changed is None:
        raise NotAuthenticated("The account does not exist any more.")
    token = begin_login(service, changed, device=device, address=address, device_key=device_key)
    return LoggedIn(user=changed, token=token)


def set_password(service: Service, user: User, password: str) -> None:
    """Set a password that was checked, and end every login."""
    kept = hash_password(service, password)

    def unit(tx: Connection) -> None:
        users.change(tx, user.id, password_hash=kept)
        users.end_all_tokens(tx, user.id)
        logins.end_all(tx, user.id)

    service.database.write(unit)


def delete_account(service: Service, user_id: int) -> None:
    """Delete an account with everything in it; it is gone when this returns."""

    def hide(tx: Connection) -> None:
        users.begin_deletion(tx, user_id)
        logins.end_all(tx, user_id)
        jobs.cancel_all_of_user(tx, user_id)

    service.database.write(hide)
    finish_deletion(service, user_id)


def finish_deletion(service: Service, user_id: int) -> None:
    """Remove what is left of an account whose deletion has begun."""
    everything = service.database.read(lambda tx: uploads.all_of_user(tx, user_id))
    for upload_id in everything:
        remove_upload(service, user_id, upload_id)
    service.files.drop_user(user_id)
    service.database.write(lambda tx: users.remove(tx, user_id))
    # A worker that was late may have made a folder meanwhile.
    service.files.drop_empty(user_id)


def key_of(text: str) -> str:
    """Return what a username or an e-mail address is compared by.

    Examples
    --------
    >>> key_of(" Ａdmin@Test.com ")
    'admin@test.com'
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())


def checked_username(text: str) -> str:
    """Return a username as it is kept.

    Raises
    ------
    InvalidRequest
        Empty, too long, an e-mail address, or with characters that do not show.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= _MOST_NAME or "@" in name or not name.isprintable():
        raise InvalidRequest(
            f"A username has 1 to {_MOST_NAME} characters that can be seen, and no @.",
            field="username",
        )
    return name


def checked_email(text: str) -> str:
    """Return an e-mail address as it is kept.

    Raises
    ------
    InvalidRequest
        It has not the form of one.
    """
    address = unicodedata.normalize("NFC", text).strip()
    if len(address) > _MOST_EMAIL or not _EMAIL.fullmatch(address) or not address.isprintable():
        raise InvalidRequest("The e-mail address has not the form name@example.com.", field="email")
    return address


def begin_login(
    service: Service, user: User, *, device: str, address: str, device_key: str = ""
) -> str:
    """Note a login and return its token.

    Raises
    ------
    NotAuthenticated
        The account was deleted meanwhile.
    """
    token_id = new_token_id()
    token, expires_at = issue(service, user, token_id=token_id)
    mark = address_marks(service, user.id, address)[0]
    device_mark = next(iter(device_marks(service, user.id, device_key)), None)

    def unit(tx: Connection) -> bool:
        if not users.hold(tx, user.id):
            return False
        logins.add(
            tx,
            user_id=user.id,
            token_id=token_id,
            device=device,
            address_mark=mark,
            device_mark=device_mark,
            expires_at=expires_at,
        )
        return True

    if not service.database.write(unit):
        raise NotAuthenticated("The account does not exist any more.")
    return token
