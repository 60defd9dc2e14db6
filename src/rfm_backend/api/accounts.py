"""Endpoints of accounts: /api/auth/..., /api/user/..."""

import datetime as dt
from typing import Final

from flask import Response

from rfm_backend.api.routing import Answer, Call, Shown, route
from rfm_backend.api.shapes.accounts import (
    LoggedInAnswer,
    LogIn,
    LoginTold,
    NewToken,
    PasswordChange,
    Profile,
    ProfileAnswer,
    ProfileChange,
    Register,
    TokenMade,
    TokenTold,
)
from rfm_backend.api.shapes.base import Message, Page
from rfm_backend.services import accounts, logins, personal
from rfm_backend.storage.api_tokens import ApiToken
from rfm_backend.storage.users import User

_TAG: Final = "Accounts"
_USER: Final = {
    "user_id": 1,
    "username": "admin",
    "email": "admin@test.com",
    "created_at": "2026-11-24T08:15:30.123456Z",
}
_TOKEN: Final = {
    "token_id": 1,
    "name": "nightly export",
    "hint": "rfm_Xy3k…",
    "is_read_only": True,
    "created_at": "2026-11-24T08:15:30.123456Z",
    "last_used_at": None,
    "expires_at": "2027-11-24T08:15:30.123456Z",
}
_LOGIN: Final = {
    "login_id": 1,
    "device": "curl/8.5.0",
    "created_at": "2026-11-24T08:15:30.123456Z",
    "last_used_at": "2026-11-24T08:20:00.000000Z",
    "expires_at": "2026-11-24T16:15:30.123456Z",
    "is_this_one": True,
}


@route(
    "POST",
    "/api/auth/register",
    tag=_TAG,
    access="anyone",
    body=Register,
    body_example={"username": "admin", "email": "admin@test.com", "password": "admin123"},
    answers={
        201: Shown(
            shape=LoggedInAnswer,
            example={"message": "registered", "user_id": 1, "token": "eyJ..."},
            meaning="The account is made and logged in.",
        )
    },
    problems=(403, 409, 429),
)
def register(call: Call) -> Answer:
    """Make an account.

    Outside development common passwords are refused.
    """
    sent = call.sent(Register)
    made = accounts.register(
        call.service,
        username=sent.username,
        email=sent.email,
        password=sent.password,
        device=call.device,
        address=call.address,
    )
    told = LoggedInAnswer(message="registered", user_id=made.user.id, token=made.token)
    return Answer(value=told, status=201)


@route(
    "POST",
    "/api/auth/login",
    tag=_TAG,
    access="anyone",
    body=LogIn,
    body_example={"identifier": "admin", "password": "admin123"},
    answers={
        200: Shown(
            shape=LoggedInAnswer,
            example={"message": "logged in", "user_id": 1, "token": "eyJ..."},
            meaning="The token holds for 8 hours.",
        )
    },
    problems=(401, 429),
)
def login(call: Call) -> Answer:
    """Log in by username or e-mail address."""
    sent = call.sent(LogIn)
    done = accounts.log_in(
        call.service,
        identifier=sent.identifier,
        password=sent.password,
        device=call.device,
        address=call.address,
    )
    return Answer(value=LoggedInAnswer(message="logged in", user_id=done.user.id, token=done.token))


@route(
    "POST",
    "/api/auth/logout",
    tag=_TAG,
    scope="login",
    answers={200: Shown(shape=Message, example={"message": "logged out"}, meaning="Done.")},
)
def logout(call: Call) -> Answer:
    """End the login whose token asks."""
    accounts.log_out(call.service, call.known)
    return Answer(value=Message(message="logged out"))


@route(
    "POST",
    "/api/auth/logout-everywhere",
    tag=_TAG,
    scope="login",
    answers={
        200: Shown(
            shape=Message,
            example={"message": "logged out everywhere"},
            meaning="Done: no token holds.",
        )
    },
)
def logout_everywhere(call: Call) -> Answer:
    """End every login of the account, and revoke every named token.

    For the day when a token may be in other hands; a single one is ended by its number.
    """
    accounts.log_out_everywhere(call.service, call.known)
    return Answer(value=Message(message="logged out everywhere"))


@route(
    "GET",
    "/api/user/profile",
    tag=_TAG,
    scope="read",
    answers={200: Shown(shape=Profile, example=_USER, meaning="The account.")},
)
def read_profile(call: Call) -> Answer:
    """Show the account."""
    return Answer(value=_profile(call.user))


@route(
    "PUT",
    "/api/user/profile",
    tag=_TAG,
    scope="login",
    body=ProfileChange,
    body_example={"username": "newusername", "email": "newemail@gmail.com"},
    answers={
        200: Shown(
            shape=ProfileAnswer,
            example={
                "message": "profile updated",
                "user": {**_USER, "username": "newusername", "email": "newemail@gmail.com"},
            },
            meaning="The account after the change.",
        )
    },
    problems=(409,),
)
def change_profile(call: Call) -> Answer:
    """Change username, e-mail address or both."""
    sent = call.sent(ProfileChange)
    user = accounts.change_profile(
        call.service, call.user, username=sent.username, email=sent.email
    )
    return Answer(value=ProfileAnswer(message="profile updated", user=_profile(user)))


@route(
    "PUT",
    "/api/user/profile/password",
    tag=_TAG,
    scope="login",
    body=PasswordChange,
    body_example={"old_password": "oldpass123", "new_password": "newpass123"},
    answers={
        200: Shown(
            shape=LoggedInAnswer,
            example={"message": "password changed", "user_id": 1, "token": "eyJ..."},
            meaning="Every login so far has ended; this one is new. Named tokens go on, since none of them reaches the account: revoke them one by one, or all at once with logout-everywhere.",
        )
    },
    problems=(403, 429),
)
def change_password(call: Call) -> Answer:
    """Change the password, which ends every login."""
    sent = call.sent(PasswordChange)
    done = accounts.change_password(
        call.service,
        call.known,
        old=sent.old_password,
        new=sent.new_password,
        device=call.device,
        address=call.address,
    )
    told = LoggedInAnswer(message="password changed", user_id=done.user.id, token=done.token)
    return Answer(value=told)


@route(
    "DELETE",
    "/api/user/profile",
    tag=_TAG,
    scope="login",
    answers={
        200: Shown(
            shape=Message,
            example={"message": "account deleted"},
            meaning="Rows, files and models are gone.",
        )
    },
)
def delete_profile(call: Call) -> Answer:
    """Delete the account with everything in it."""
    accounts.delete_account(call.service, call.user.id)
    return Answer(value=Message(message="account deleted"))


@route(
    "GET",
    "/api/user/tokens",
    tag=_TAG,
    scope="login",
    answers={
        200: Shown(
            shape=Page[TokenTold],
            example={"items": [_TOKEN], "next_cursor": None},
            meaning="The named tokens.",
        )
    },
)
def list_tokens(call: Call) -> Answer:
    """List the named tokens, without the tokens themselves."""
    found = logins.tokens(call.service, call.user.id)
    told = [TokenTold.model_validate(_token(one)) for one in found]
    return Answer(value=Page[TokenTold](items=told, next_cursor=None))


@route(
    "POST",
    "/api/user/tokens",
    tag=_TAG,
    scope="login",
    body=NewToken,
    body_example={"name": "nightly export", "expires_in_days": 365, "is_read_only": True},
    answers={
        201: Shown(
            shape=TokenMade,
            example={**_TOKEN, "message": "token created", "token": "rfm_Xy3k..."},
            meaning="The token is shown this once.",
        )
    },
    problems=(409,),
)
def create_token(call: Call) -> Answer:
    """Make a named token for a program.

    It reaches uploads, analyses, results and jobs, and never the account: no profile change, no password,
    no login, no other token, no deletion. With `is_read_only` it changes nothing.
    """
    sent = call.sent(NewToken)
    made, token = logins.add_token(
        call.service,
        call.user.id,
        name=sent.name,
        days=sent.expires_in_days,
        is_read_only=sent.is_read_only,
    )
    told = TokenMade.model_validate({**_token(made), "message": "token created", "token": token})
    return Answer(value=told, status=201)


@route(
    "DELETE",
    "/api/user/tokens/<int:token_id>",
    tag=_TAG,
    scope="login",
    answers={200: Shown(shape=Message, example={"message": "token revoked"}, meaning="Done.")},
    problems=(404,),
)
def revoke_token(call: Call) -> Answer:
    """Revoke a named token."""
    logins.revoke_token(call.service, call.user.id, call.path["token_id"])
    return Answer(value=Message(message="token revoked"))


@route(
    "GET",
    "/api/user/logins",
    tag=_TAG,
    scope="login",
    answers={
        200: Shown(
            shape=Page[LoginTold],
            example={"items": [_LOGIN], "next_cursor": None},
            meaning="The logins that hold.",
        )
    },
)
def list_logins(call: Call) -> Answer:
    """List the logins that hold: device, last use."""
    told = [
        LoginTold(
            login_id=one.id,
            device=one.device,
            created_at=one.created_at,
            last_used_at=one.last_used_at,
            expires_at=one.expires_at,
            is_this_one=one.token_id == call.known.login_token,
        )
        for one in logins.open_logins(call.service, call.user.id)
    ]
    return Answer(value=Page[LoginTold](items=told, next_cursor=None))


@route(
    "DELETE",
    "/api/user/logins/<int:login_id>",
    tag=_TAG,
    scope="login",
    answers={200: Shown(shape=Message, example={"message": "login ended"}, meaning="Done.")},
    problems=(404,),
)
def end_login(call: Call) -> Answer:
    """End a login."""
    logins.end_login(call.service, call.user.id, call.path["login_id"])
    return Answer(value=Message(message="login ended"))


@route(
    "GET",
    "/api/user/export",
    tag=_TAG,
    scope="login",
    answers={
        200: Shown(
            shape=None,
            example={"user": _USER, "uploads": [], "analyses": [], "logins": []},
            meaning="Everything that is kept of the user, but for his files and results, which have "
            "exports of their own.",
        )
    },
)
def export_user(call: Call) -> Response:
    """Hand out everything that is kept of the user."""
    parts = personal.everything_of(call.service, call.user)
    return Response(
        (part.encode() for part in parts),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="rfm-user.json"'},
        direct_passthrough=True,
    )


def _profile(user: User) -> Profile:
    return Profile(
        user_id=user.id, username=user.username, email=user.email, created_at=user.created_at
    )


def _token(one: ApiToken) -> dict[str, int | str | dt.datetime | None]:
    return {
        "token_id": one.id,
        "name": one.name,
        "hint": one.hint,
        "is_read_only": one.is_read_only,
        "created_at": one.created_at,
        "last_used_at": one.last_used_at,
        "expires_at": one.expires_at,
    }
