"""The account: name and address, password, logins, tokens for programs, what is kept, the end of it.

What always holds
    * the e-mail address, the password and the end of the account ask for the password again; a trial
      has none that anybody knows, so there a word is typed instead;
    * a token's text is shown in the answer to its making, and nowhere again.
"""

from collections.abc import Mapping
from typing import Final

from flask import Response

from rfm_backend.errors import InvalidRequest, NotAllowed, RfmError
from rfm_backend.services import accounts, logins, personal
from rfm_backend.statuses import status_of
from rfm_backend.web.failures import words_of
from rfm_backend.web.forms import Form, sent_form
from rfm_backend.web.login import clear_login, device_key_of, set_login
from rfm_backend.web.routing import Screen, Visit, page

_DONE: Final = ("username", "email", "password", "login", "logins", "token")
_DAYS: Final = ("30", "90", "365", "")
_MAY: Final = ("read", "write")


@page("/account")
def show_account(visit: Visit) -> Screen:
    """Show the account that is signed in."""
    return _shown(visit)


@page("/account/username", method="POST")
def change_username(visit: Visit) -> Screen | Response:
    """Change the username."""
    form = sent_form(visit, "username")
    try:
        accounts.change_profile(visit.service, visit.user, username=form["username"], email=None)
    except RfmError as error:
        return _refused(visit, "username", form, error)
    return _done("username")


@page("/account/email", method="POST")
def change_email(visit: Visit) -> Screen | Response:
    """Change the e-mail address; the password is asked again."""
    form = sent_form(visit, "email", "email_password")
    try:
        _refuse_trial(visit)
        accounts.confirm_password(
            visit.service, visit.user, form["email_password"], field="email_password"
        )
        accounts.change_profile(visit.service, visit.user, username=None, email=form["email"])
    except RfmError as error:
        return _refused(visit, "email", form, error)
    return _done("email")


@page("/account/password", method="POST")
def change_password(visit: Visit) -> Screen | Response:
    """Change the password: every other login ends."""
    form = sent_form(visit, "old_password", "password")
    device_key = device_key_of(visit.service, visit.request)
    try:
        _refuse_trial(visit)
        changed = accounts.change_password(
            visit.service,
            visit.known,
            old=form["old_password"],
            new=form["password"],
            device=visit.device,
            address=visit.address,
            device_key=device_key,
        )
    except RfmError as error:
        return _refused(visit, "password", form, error)
    to = "/account?done=password"
    return set_login(visit.service, changed.token, to=to, device_key=device_key)


@page("/account/logins/<int:login_id>/end", method="POST")
def end_login(visit: Visit) -> Response:
    """End one login."""
    logins.end_login(visit.service, visit.user.id, visit.path["login_id"])
    return _done("login")


@page("/account/logins/end-others", method="POST")
def end_other_logins(visit: Visit) -> Response:
    """End every login but this one."""
    logins.end_other_logins(visit.service, visit.known)
    return _done("logins")


@page("/account/logins/end-all", method="POST")
def end_everything(visit: Visit) -> Response:
    """End every login, this one too, and every token for programs."""
    accounts.log_out_everywhere(visit.service, visit.known)
    return clear_login(visit.service, to="/sign-in")


@page("/account/tokens", method="POST")
def make_token(visit: Visit) -> Screen:
    """Make a token for a program, and show it this once."""
    form = sent_form(visit, "name", "may", "days")
    try:
        if form["days"] not in _DAYS:
            raise InvalidRequest("A token holds for 30, 90 or 365 days, or always.", field="days")
        days = int(form["days"]) if form["days"] else None
        if form["may"] not in _MAY:
            raise InvalidRequest('A token may "read" or "write".', field="may", reason="choice")
        _, token = logins.add_token(
            visit.service,
            visit.user.id,
            name=form["name"],
            days=days,
            is_read_only=form["may"] == "read",
        )
    except RfmError as error:
        return _refused(visit, "token", form, error)
    return _shown(visit, token=token)


@page("/account/tokens/<int:token_id>/revoke", method="POST")
def revoke_token(visit: Visit) -> Response:
    """Revoke a token."""
    logins.revoke_token(visit.service, visit.user.id, visit.path["token_id"])
    return _done("token")


@page("/account/data")
def download_data(visit: Visit) -> Response:
    """Hand out everything that is kept of the account, as JSON."""
    return Response(
        personal.everything_of(visit.service, visit.user),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="rfm-my-data.json"'},
    )


@page("/account/delete")
def show_deletion(visit: Visit) -> Screen:
    """Say what goes with the account, and ask whether that is meant."""
    return _deletion(visit, Form())


@page("/account/delete", method="POST")
def delete_account(visit: Visit) -> Screen | Response:
    """Delete the account with everything in it, and sign out."""
    form = sent_form(visit, "password", "word")
    try:
        if visit.user.ends_at is None:
            accounts.confirm_password(visit.service, visit.user, form["password"], field="password")
        elif form["word"].strip().casefold() != visit.words("account.delete_word"):
            raise InvalidRequest("The word was not typed.", field="word", reason="delete_word")
    except RfmError as error:
        told = Form(values=form.values, errors={_place(error, form): words_of(error, visit.words)})
        return _deletion(visit, told, status=status_of(error))
    accounts.delete_account(visit.service, visit.user.id)
    return clear_login(visit.service, to="/")


def _shown(
    visit: Visit, *, forms: Mapping[str, Form] | None = None, token: str = "", status: int = 200
) -> Screen:
    done = visit.request.args.get("done", "")
    values = {
        "forms": {
            "username": Form(values={"username": visit.user.username}),
            "email": Form(values={"email": visit.user.email}),
            "password": Form(),
            "token": Form(values={"may": "read", "days": "90"}),
            **(forms or {}),
        },
        "done": done if done in _DONE and not forms and not token else "",
        "logins": logins.open_logins(visit.service, visit.user.id),
        "this_login": visit.known.login_token,
        "tokens": logins.tokens(visit.service, visit.user.id),
        "new_token": token,
        "days": _DAYS,
        "may": _MAY,
    }
    return Screen(template="account.html", values=values, status=status)


def _refused(visit: Visit, section: str, form: Form, error: RfmError) -> Screen:
    told = Form(values=form.values, errors={_place(error, form): words_of(error, visit.words)})
    return _shown(visit, forms={section: told}, status=status_of(error))


def _place(error: RfmError, form: Form) -> str:
    named = str(error.details.get("field", ""))
    return named if named in form.values else ""


def _deletion(visit: Visit, form: Form, *, status: int = 200) -> Screen:
    kept = personal.count_of(visit.service, visit.user)
    return Screen(
        template="account_delete.html", values={"form": form, "kept": kept}, status=status
    )


def _refuse_trial(visit: Visit) -> None:
    if visit.user.ends_at is not None:
        raise NotAllowed("A trial has neither address nor password.", reason="trial")


def _done(what: str) -> Response:
    return Response(status=303, headers={"Location": f"/account?done={what}"})
