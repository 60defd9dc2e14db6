"""What an operator does with accounts.

In:  a `Service`, a username or an e-mail address.
Out: the account changed, or gone.
"""

from sqlalchemy.engine import Connection

from rfm_backend.errors import NotFound
from rfm_backend.services.accounts import delete_account, key_of, set_password
from rfm_backend.services.passwords import check_new_password
from rfm_backend.services.service import Service
from rfm_backend.storage import users
from rfm_backend.storage.users import User


def all_accounts(service: Service) -> list[User]:
    """Return every account."""
    return service.database.read(users.all_users)


def reset_password(service: Service, identifier: str, password: str) -> None:
    """Give an account a new password.

    Raises
    ------
    NotFound
        There is no such account.
    InvalidRequest
        The password is not accepted.
    """
    user = _account(service, identifier)
    check_new_password(service, password, username=user.username, email=user.email)
    set_password(service, user, password)


def disable(service: Service, identifier: str, *, is_disabled: bool) -> None:
    """Keep an account out, or let it in again; its logins end either way, its named tokens rest meanwhile.

    Raises
    ------
    NotFound
        There is no such account.
    """
    user = _account(service, identifier)

    def unit(tx: Connection) -> None:
        users.change(tx, user.id, is_disabled=is_disabled)
        users.end_all_tokens(tx, user.id)

    service.database.write(unit)


def delete(service: Service, identifier: str) -> None:
    """Delete an account with everything in it.

    Raises
    ------
    NotFound
        There is no such account.
    """
    delete_account(service, _account(service, identifier).id)


def _account(service: Service, identifier: str) -> User:
    found = service.database.read(lambda tx: users.by_identifier(tx, key_of(identifier)))
    if found is None:
        raise NotFound(f"There is no account {identifier!r}.")
    return found
