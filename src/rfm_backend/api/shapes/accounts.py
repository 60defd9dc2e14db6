"""Shapes of accounts, logins and named tokens."""

from typing import Final

from pydantic import Field
from pydantic.types import JsonValue

from rfm_backend.api.shapes.base import Moment, Sent, Told
from rfm_backend.services.passwords import LONGEST, SHORTEST

# What a new password must have is checked, in words of its own, by services/passwords.py.
_NEW_PASSWORD: Final[dict[str, JsonValue]] = {"minLength": SHORTEST, "maxLength": LONGEST}


class Register(Sent):
    """A new account."""

    username: str = Field(min_length=1, max_length=50)
    email: str = Field(min_length=3, max_length=254)
    password: str = Field(max_length=4096, json_schema_extra=_NEW_PASSWORD)


class LogIn(Sent):
    """Username or e-mail address, and the password."""

    identifier: str = Field(max_length=400)
    password: str = Field(max_length=4096)


class LoggedInAnswer(Told):
    """A token for the header  Authorization: Bearer <token>."""

    message: str
    user_id: int
    token: str


class Profile(Told):
    """An account."""

    user_id: int
    username: str
    email: str
    created_at: Moment


class ProfileChange(Sent):
    """A new username, e-mail address, or both."""

    username: str | None = Field(default=None, min_length=1, max_length=50)
    email: str | None = Field(default=None, min_length=3, max_length=254)


class ProfileAnswer(Told):
    """The account after the change."""

    message: str
    user: Profile


class PasswordChange(Sent):
    """The password that holds, and the one that shall."""

    old_password: str = Field(max_length=4096)
    new_password: str = Field(max_length=4096, json_schema_extra=_NEW_PASSWORD)


class NewToken(Sent):
    """A named token for a program."""

    name: str = Field(min_length=1, max_length=100)
    expires_in_days: int | None = Field(default=None, ge=1, le=3650)
    is_read_only: bool = Field(
        default=False, description="Whether it looks at data and changes none."
    )


class TokenTold(Told):
    """A named token, without the token itself."""

    token_id: int
    name: str
    hint: str
    is_read_only: bool
    created_at: Moment
    last_used_at: Moment | None
    expires_at: Moment | None


class TokenMade(TokenTold):
    """A named token: ``token`` is shown this once."""

    message: str
    token: str


class LoginTold(Told):
    """A login that holds."""

    login_id: int
    device: str
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    is_this_one: bool
