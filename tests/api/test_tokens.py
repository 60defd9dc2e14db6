"""Tokens: what is none of ours gets nowhere, on the API as on the dashboard; what ended stays ended."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from api.forged import FORGED, Real, compact, other_claims, signed
from api.shop import PASSWORD, Api, Person
from figures import note_figure
from rfm_testing import service_settings
from web.test_pages import visit

from rfm_backend.app import create_app
from rfm_backend.errors import InvalidOption, NotAuthenticated
from rfm_backend.services import accounts, open_service
from rfm_backend.services.tokens import authenticate
from rfm_backend.storage.migrate import migrate


@pytest.fixture(scope="module")
def person(api: Api) -> Person:
    return api.person()


@pytest.fixture(scope="module")
def real(api: Api, person: Person) -> Real:
    key = api.service.keys.tokens
    claims = jwt.decode(person.token, key, algorithms=["HS256"], audience="rfm-backend")
    made = Real(person.token, claims, key)
    # What is built by hand is a token where nothing is forged: the table tests what it changes.
    assert signed(compact(claims), key) == person.token
    return made


def answers(api: Api, token: str) -> tuple[tuple[int, bytes], tuple[int, str]]:
    """Return what the API and the dashboard say to a token, but for the request's own number."""
    shown = token.encode("utf-8", "surrogatepass").decode("latin-1")
    answer = api.ask("GET", "/api/user/profile", headers={"Authorization": f"Bearer {shown}"})
    page = visit(api, "GET", "/account", shown)
    body = re.sub(rb'"request_id": "\w+"', b"", answer.data)
    return (answer.status_code, body), (page.status_code, page.headers.get("Location", ""))


@pytest.mark.parametrize("forge", FORGED.values(), ids=list(FORGED))
def test_a_forged_token_gets_nowhere_in_the_same_words(
    api: Api, real: Real, forge: Callable[[Real], str]
) -> None:
    forged = forge(real)
    known = answers(api, "made-up")

    assert forged != real.token
    assert known[0][0] == 401
    assert b'"code": "not_authenticated"' in known[0][1]
    assert known[1] == (303, "/sign-in?next=/account")
    assert answers(api, forged) == known


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi"])
def test_without_a_token_one_is_asked_for(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = api.ask("GET", "/api/user/profile", headers=headers)

    assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")
    assert answer.json["message"].startswith("A token is needed")


def test_the_real_one_still_holds_after_all_of_them(api: Api, real: Real) -> None:
    assert len(FORGED) >= 100
    (status, _), (page, _) = answers(api, real.token)

    assert (status, page) == (200, 200)


def test_a_token_that_was_good_a_moment_ago_ends_with_its_time(api: Api, real: Real) -> None:
    token = other_claims(exp=int(time.time()) + 2)(real)
    before = answers(api, token)[0][0]
    time.sleep(2.1)

    assert (before, answers(api, token)[0][0]) == (200, 401)


@pytest.mark.parametrize("many", [50, pytest.param(1_000, marks=pytest.mark.security_long)])
def test_of_all_tokens_that_ended_none_is_let_in(tmp_path: Path, many: int) -> None:
    settings = service_settings("sqlite", tmp_path)
    migrate(settings)
    service = open_service(settings, bcrypt_cost=4)
    user = accounts.add_user(service, username="a", email="a@b.c", password=PASSWORD)
    tokens = [accounts.begin_login(service, user, device="", address="") for _ in range(many)]
    # Each was looked at while it held, so that what is remembered of it must not let it in.
    callers = [authenticate(service, f"Bearer {token}") for token in tokens]

    for caller in callers:
        accounts.log_out(service, caller)

    refused = 0
    for token in tokens:
        try:
            authenticate(service, f"Bearer {token}")
        except NotAuthenticated:
            refused += 1
    service.close()
    note_figure("tokens that ended and are refused", f"{refused} of {many}", "all")
    assert refused == many


def test_after_a_change_of_the_key_old_tokens_and_passwords_hold_and_new_ones_are_of_the_new(
    tmp_path: Path,
) -> None:
    old = service_settings("sqlite", tmp_path)
    migrate(old)
    service = open_service(old, bcrypt_cost=4)
    before = Api(app=create_app(service), service=service).person("budi")
    service.close()
    new = replace(old, secret_key="n" + old.secret_key, secret_key_old=old.secret_key)

    service = open_service(new, bcrypt_cost=4)
    api = Api(app=create_app(service), service=service)
    after = replace(before, app=api.app)
    wrong = api.ask("POST", "/api/auth/login", json={"identifier": "budi", "password": "wrong one"})
    body = {"identifier": "budi", "password": PASSWORD}
    logged_in = api.ask("POST", "/api/auth/login", json=body)

    assert after.ask("GET", "/api/user/profile").status_code == 200
    assert (wrong.status_code, logged_in.status_code) == (401, 200)
    token = logged_in.json["token"]
    assert jwt.decode(token, service.keys.tokens, algorithms=["HS256"], audience="rfm-backend")
    # Of the new key alone by now, beside the old one.
    assert api.ask("POST", "/api/auth/login", json=body).status_code == 200
    service.close()
    # The old key goes: its tokens with it, and whoever has logged in meanwhile gets in as before.
    service = open_service(replace(new, secret_key_old=""), bcrypt_cost=4)
    api = Api(app=create_app(service), service=service)
    assert replace(before, app=api.app).ask("GET", "/api/user/profile").status_code == 401
    assert (
        replace(before, app=api.app, token=token).ask("GET", "/api/user/profile").status_code == 200
    )
    assert api.ask("POST", "/api/auth/login", json=body).status_code == 200
    service.close()


@pytest.mark.parametrize("weak", ["short", "a" * 40, "change-me-" * 5])
def test_the_old_key_is_as_strong_as_the_new(tmp_path: Path, weak: str) -> None:
    with pytest.raises(InvalidOption, match="SECRET_KEY_OLD is"):
        open_service(replace(service_settings("sqlite", tmp_path), secret_key_old=weak))
