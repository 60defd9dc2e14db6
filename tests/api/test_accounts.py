"""Accounts: registering, logging in and out, changing, deleting; tokens that end when they should."""

import secrets
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import sqlalchemy as sa
from api.shop import PASSWORD, Api, open_api
from rfm_testing import service_settings

from rfm_backend.services import accounts, open_service
from rfm_backend.services.accounts import key_of
from rfm_backend.storage import users
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import MAPPINGS


def register(api: Api, **values: Any) -> Any:
    name = f"n{secrets.token_hex(5)}"
    body = {"username": name, "email": f"{name}@x.org", "password": PASSWORD, **values}
    return api.ask("POST", "/api/auth/register", json=body)


def login(api: Api, identifier: str, password: str = PASSWORD) -> Any:
    body = {"identifier": identifier, "password": password}
    return api.ask("POST", "/api/auth/login", json=body)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": " "}, "username"),
        ({"username": "a@b"}, "username"),
        ({"username": "x" * 51}, "username"),
        ({"username": "a\u0000b"}, "username"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@c.org"}, "email"),
        ({"email": "x" * 250 + "@c.org"}, "email"),
        ({"password": "1234567"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"username": 7}, "username"),
        ({"admin": True}, "admin"),
    ],
)
def test_a_registration_of_another_form_is_refused_by_field(
    api: Api, values: dict[str, Any], field: str
) -> None:
    answer = register(api, **values)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert answer.json["field"] == field


@pytest.mark.parametrize("length", [8, 1024])
def test_the_longest_name_and_address_and_both_ends_of_a_password_are_taken(
    api: Api, length: int
) -> None:
    own = secrets.token_hex(25)
    longest = {"username": own, "email": f"{own:x<64}@{'c' * 185}.org", "password": own[0] * length}
    assert (len(longest["username"]), len(longest["email"])) == (50, 254)

    assert register(api, **longest).status_code == 201
    assert register(api, username=str(length)[0]).status_code == 201

    same = {"identifier": longest["email"], "password": longest["password"]}
    assert api.ask("POST", "/api/auth/login", json=same).status_code == 200


def test_a_name_or_address_in_use_is_told_by_field(api: Api) -> None:
    person = api.person()

    for taken in (person.name, person.name.upper(), f" {person.name} "):
        answer = register(api, username=taken)
        assert (answer.status_code, answer.json["field"]) == (409, "username")
    # Full-width letters are the same letters.
    wide = "".join(chr(ord(mark) + 0xFEE0) for mark in person.name)
    assert key_of(wide) == person.name
    assert register(api, username=wide).status_code == 409
    answer = register(api, email=f"{person.name}@TEST.com")
    assert (answer.status_code, answer.json["code"]) == (409, "already_taken")
    assert answer.json["field"] == "email"


def test_of_twenty_who_register_one_name_at_once_one_gets_it(api: Api) -> None:
    name, answers = f"n{secrets.token_hex(5)}", []

    def attempt(number: int) -> None:
        answers.append(register(api, username=name, email=f"{name}{number}@x.org").status_code)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(answers) == {201: 1, 409: 19}


def test_a_wrong_password_and_an_unknown_name_are_told_alike(api: Api) -> None:
    person = api.person()

    wrong, unknown = login(api, person.name, "wrong password"), login(api, "nobody-at-all")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json["message"] == unknown.json["message"]
    assert wrong.json["code"] == unknown.json["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "password",
    [
        "пароль-с-кириллицей",
        "🙂" * 64,
        "x" * 72 + "a",
        " leading and trailing ",
        "nul\0inside it",
        "é" * 1024,
    ],
    ids=["cyrillic", "emoji", "73 bytes", "blanks", "nul", "longest"],
)
def test_every_character_of_a_password_counts(api: Api, password: str) -> None:
    person = api.person(password=password)

    assert login(api, person.name, password).status_code == 200
    assert login(api, person.name, password[:-1]).status_code == 401
    assert login(api, person.name, password + "b").status_code == 401


def test_a_login_hashes_anew_what_was_hashed_with_less_work(api: Api) -> None:
    person = api.person()
    old = api.service.database.read(lambda tx: users.by_id(tx, person.user_id))
    assert old is not None
    assert "$04$" in old.password_hash

    stronger = replace(api.service, bcrypt_cost=5)
    accounts.log_in(stronger, identifier=person.name, password=PASSWORD, device="", address="")

    new = api.service.database.read(lambda tx: users.by_id(tx, person.user_id))
    assert new is not None
    assert "$05$" in new.password_hash
    assert login(api, person.name).status_code == 200


def test_a_login_that_a_password_change_overtook_does_not_undo_it(api: Api) -> None:
    person = api.person()
    verified = api.service.database.read(lambda tx: users.by_id(tx, person.user_id))
    assert verified is not None
    change = {"old_password": PASSWORD, "new_password": "another horse"}
    assert person.ask("PUT", "/api/user/profile/password", json=change).status_code == 200

    api.service.database.write(
        lambda tx: users.renew_hash(
            tx, person.user_id, verified=verified.password_hash, renewed=verified.password_hash
        )
    )

    assert login(api, person.name, "another horse").status_code == 200
    assert login(api, person.name).status_code == 401


def test_logging_out_ends_this_login_and_no_other(api: Api) -> None:
    person = api.person()
    other = login(api, person.name).json["token"]

    assert person.ask("POST", "/api/auth/logout").status_code == 200
    assert person.ask("GET", "/api/user/profile").status_code == 401
    person.token = other
    assert person.ask("GET", "/api/user/profile").status_code == 200


def test_logging_out_everywhere_ends_every_login_and_every_named_token(api: Api) -> None:
    person = api.person()
    named = person.ask("POST", "/api/user/tokens", json={"name": "n"}).json["token"]
    first, second = person.token, login(api, person.name).json["token"]

    assert person.ask("POST", "/api/auth/logout-everywhere").status_code == 200

    codes = []
    for token in (first, second, named):
        person.token = token
        codes.append(person.ask("GET", "/api/user/profile").status_code)
    assert codes == [401, 401, 401]
    assert login(api, person.name).status_code == 200


def test_a_password_change_needs_the_old_one_and_ends_every_login(api: Api) -> None:
    person = api.person()
    other = login(api, person.name).json["token"]
    named = person.ask("POST", "/api/user/tokens", json={"name": "n"}).json["token"]
    change = {"old_password": "wrong wrong", "new_password": "another horse"}
    refused = person.ask("PUT", "/api/user/profile/password", json=change)
    assert (refused.status_code, refused.json["code"]) == (403, "wrong_password")

    change["old_password"] = PASSWORD
    done = person.ask("PUT", "/api/user/profile/password", json=change)

    assert person.ask("GET", "/api/user/profile").status_code == 401
    person.token = other
    assert person.ask("GET", "/api/user/profile").status_code == 401
    person.token = done.json["token"]
    assert person.ask("GET", "/api/user/profile").status_code == 200
    assert login(api, person.name).status_code == 401
    assert login(api, person.name, "another horse").status_code == 200
    # What reaches no account need not end with its password.
    person.token = named
    assert person.ask("GET", "/api/user/profile").status_code == 200


def test_a_profile_change_keeps_to_the_rules_of_registration(api: Api) -> None:
    person, other = api.person(), api.person()

    taken = person.ask("PUT", "/api/user/profile", json={"username": other.name})
    assert (taken.status_code, taken.json["field"]) == (409, "username")
    wrong = person.ask("PUT", "/api/user/profile", json={"email": "nobody"})
    assert (wrong.status_code, wrong.json["field"]) == (400, "email")
    # One's own name in other letters is free.
    same = person.ask("PUT", "/api/user/profile", json={"username": person.name.upper()})
    assert same.json["user"]["username"] == person.name.upper()


def test_named_tokens_are_shown_once_and_end_when_revoked(api: Api) -> None:
    person = api.person()
    made = person.ask("POST", "/api/user/tokens", json={"name": "till", "expires_in_days": 1}).json
    listed = person.ask("GET", "/api/user/tokens").json["items"]

    assert [one["name"] for one in listed] == ["till"]
    assert "token" not in listed[0]
    assert listed[0]["hint"] == made["token"][: len("rfm_") + 4] + "…"
    again = person.ask("POST", "/api/user/tokens", json={"name": "till"})
    assert (again.status_code, again.json["field"]) == (409, "name")

    login_token, person.token = person.token, made["token"]
    assert person.ask("GET", "/api/user/profile").json["username"] == person.name
    person.token = login_token
    assert person.ask("DELETE", f"/api/user/tokens/{made['token_id']}").status_code == 200
    person.token = made["token"]
    assert person.ask("GET", "/api/user/profile").status_code == 401


def test_logins_are_listed_and_ended_one_by_one(api: Api) -> None:
    person = api.person()
    other = login(api, person.name).json["token"]
    found = person.ask("GET", "/api/user/logins").json["items"]
    assert [one["is_this_one"] for one in found] == [False, True]

    ended = person.ask("DELETE", f"/api/user/logins/{found[0]['login_id']}")

    assert ended.status_code == 200
    person.token, mine = other, person.token
    assert person.ask("GET", "/api/user/profile").status_code == 401
    person.token = mine
    assert len(person.ask("GET", "/api/user/logins").json["items"]) == 1


def test_everything_kept_of_a_user_is_handed_out_without_secrets(api: Api) -> None:
    person = api.person()
    person.upload(name="mine.csv")
    person.ask("POST", "/api/user/tokens", json={"name": "n"})

    answer = person.ask("GET", "/api/user/export")

    told = answer.json
    assert told["user"]["email"] == f"{person.name}@test.com"
    assert [one["filename"] for one in told["uploads"]] == ["mine.csv"]
    assert [one["name"] for one in told["tokens"]] == ["n"]
    for secret in ("password_hash", "bcrypt", "token_hash", person.token):
        assert secret not in answer.text


def test_what_is_kept_is_handed_out_to_the_last_row_in_parts(api: Api) -> None:
    person, stranger = api.person(), api.person()
    now = utc_now()
    rows = [
        {
            "user_id": person.user_id,
            "name": f"mapping {number} ☕",
            "columns": "{}",
            "created_at": now,
        }
        for number in range(2_000)
    ]
    api.service.database.write(lambda tx: tx.execute(sa.insert(MAPPINGS), rows))
    person.ask("POST", "/api/auth/logout-everywhere")
    again = api.ask(
        "POST", "/api/auth/login", json={"identifier": person.name, "password": PASSWORD}
    )
    person.token = again.json["token"]

    told = person.ask("GET", "/api/user/export").json
    foreign = stranger.ask("GET", "/api/user/export").json

    names = [one["name"] for one in told["mappings"]]
    assert names == [f"mapping {number} ☕" for number in reversed(range(2_000))]
    assert [one["ended_at"] is None for one in told["logins"]] == [True, False]
    assert foreign["mappings"] == []
    assert list(told) == list(foreign)


def test_production_refuses_common_passwords_and_closed_registration(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path, environment="production")
    with open_api(settings, with_worker=False) as api:
        refused = register(api, password="admin123")
        assert (refused.status_code, refused.json["field"]) == (400, "password")
        assert "common" in refused.json["message"]
        named = register(api, username="averylongname", password="AVeryLongName")
        assert (named.status_code, named.json["field"]) == (400, "password")
        assert register(api).status_code == 201
        assert "Strict-Transport-Security" in api.ask("GET", "/health").headers
    closed = service_settings("sqlite", tmp_path / "closed", registration="closed")
    with open_api(closed, with_worker=False) as api:
        answer = register(api)
        assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_passwords_are_kept_at_cost_twelve(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    migrate(settings)
    service = open_service(settings)
    user = accounts.add_user(service, username="a", email="a@b.org", password=PASSWORD)
    service.close()

    kept = user.password_hash.partition(":")[2]
    assert kept.startswith("$2b$12$")
    # Not the bare password: a table of it elsewhere does not open this one.
    assert not bcrypt.checkpw(PASSWORD.encode(), kept.encode())
