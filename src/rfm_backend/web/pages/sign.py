"""Signing in, signing up, signing out, and the trial."""

from flask import Response

from rfm_backend.errors import RfmError
from rfm_backend.services import accounts, trials
from rfm_backend.web.forms import Form, refused, sent_form
from rfm_backend.web.login import clear_login, device_key_of, safe_next, set_login
from rfm_backend.web.routing import Screen, Visit, page

HOME = "/history"
# Who has a new account has nothing to look at yet.
_FIRST_STEP = "/uploads/new"


@page("/sign-in", access="anyone")
def show_sign_in(visit: Visit) -> Screen | Response:
    """Sign in; the address to go on to comes along."""
    onward = safe_next(visit.request.args.get("next"), otherwise="")
    if visit.caller is not None:
        return Response(status=303, headers={"Location": onward or HOME})
    return Screen(template="sign_in.html", values={"form": Form(values={"next": onward})})


@page("/sign-in", method="POST", access="anyone")
def sign_in(visit: Visit) -> Screen | Response:
    """Check name and password, and begin a login."""
    form = sent_form(visit, "identifier", "password", "next")
    device_key = device_key_of(visit.service, visit.request)
    try:
        done = accounts.log_in(
            visit.service,
            identifier=form["identifier"],
            password=form["password"],
            device=visit.device,
            address=visit.address,
            device_key=device_key,
        )
    except RfmError as error:
        return refused("sign_in.html", form, error, visit)
    onward = safe_next(form["next"], otherwise=HOME)
    return set_login(visit.service, done.token, to=onward, device_key=device_key)


@page("/sign-up", access="anyone")
def show_sign_up(visit: Visit) -> Screen | Response:
    """Make an account."""
    if visit.caller is not None and visit.user.ends_at is None:
        return Response(status=303, headers={"Location": HOME})
    return Screen(
        template="sign_up.html",
        values={"form": Form(), "is_open": visit.service.settings.registration == "open"},
    )


@page("/sign-up", method="POST", access="anyone")
def sign_up(visit: Visit) -> Screen | Response:
    """Make the account, and begin a login."""
    form = sent_form(visit, "username", "email", "password")
    device_key = device_key_of(visit.service, visit.request)
    try:
        made = accounts.register(
            visit.service,
            username=form["username"],
            email=form["email"],
            password=form["password"],
            device=visit.device,
            address=visit.address,
            device_key=device_key,
            first_shop=visit.words("sign.first_shop"),
        )
    except RfmError as error:
        is_open = visit.service.settings.registration == "open"
        return refused("sign_up.html", form, error, visit, is_open=is_open)
    return set_login(visit.service, made.token, to=_FIRST_STEP, device_key=device_key)


@page("/sign-out", method="POST", access="anyone")
def sign_out(visit: Visit) -> Response:
    """End the login."""
    if visit.caller is not None:
        accounts.log_out(visit.service, visit.caller)
    return clear_login(visit.service, to="/")


@page("/try", method="POST", access="anyone")
def try_sample(visit: Visit) -> Response:
    """Begin a trial: a private account for a day, with a made-up shop."""
    if visit.caller is not None:
        return Response(status=303, headers={"Location": HOME})
    begun = trials.begin_trial(
        visit.service, language=visit.reader.language, device=visit.device, address=visit.address
    )
    return set_login(visit.service, begun.token, to=f"/jobs/{begun.job.id}")
