"""Shapes of accounts, logins and named tokens."""

from pydantic import Field

from rfm_backend.api.shapes.base import Moment, Sent, Told


class Register(Sent):
    """A new account."""

    username: str = Field(max_length=200)
    email: str = Field(max_length=400)
    password: str = Field(max_length=4096)


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

    username: str | None = Field(default=None, max_length=200)
    email: str | None = Field(default=None, max_length=400)


class ProfileAnswer(Told):
    """The account after the change."""

    message: str
    user: Profile


class PasswordChange(Sent):
    """The password that holds, and the one that shall."""

    old_password: str = Field(max_length=4096)
    new_password: str = Field(max_length=4096)


class NewToken(Sent):
    """A named token for a program."""

    name: str = Field(min_length=1, max_length=100)
    expires_in_days: int | None = Field(default=None, ge=1, le=3650)


class TokenTold(Told):
    """A named token, without the token itself."""

    token_id: int
    name: str
    hint: str
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
