"""The account as pages: what asks for the password, logins and tokens, the data, the end."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from api.shop import PASSWORD, Api, Person, open_api
from rfm_testing import service_settings
from web.test_pages import cookie, value_of, visit

from rfm_backend.services import trials


def send(api: Api, person: Person, path: str, **sent: str) -> Any:
    return visit(api, "POST", path, person.token, data=sent)


def log_in(api: Api, person: Person, password: str = PASSWORD) -> str:
    sent = {"identifier": person.name, "password": password}
    return str(api.ask("POST", "/api/auth/login", json=sent).json.get("token", ""))


def test_the_username_changes_without_the_password_and_a_taken_one_is_told(api: Api) -> None:
    person, other = api.person(), api.person()

    taken = send(api, person, "/account/username", username=other.name)
    done = send(api, person, "/account/username", username=f"Ibu {person.name}")

    assert taken.status_code == 409
    assert 'id="username-error"' in taken.text
    assert f'value="{other.name}"' in taken.text
    assert done.headers["Location"] == "/account?done=username"
    assert (
        "Your username is changed."
        in visit(api, "GET", "/account?done=username", person.token).text
    )


def test_the_e_mail_address_changes_only_with_the_password(api: Api) -> None:
    person = api.person()
    new = f"new-{person.name}@toko.example"

    wrong = send(api, person, "/account/email", email=new, email_password="wrong")
    kept = person.ask("GET", "/api/user/profile").json["email"]
    malformed = send(api, person, "/account/email", email="no", email_password=PASSWORD)
    done = send(api, person, "/account/email", email=new, email_password=PASSWORD)

    assert wrong.status_code == 403
    assert 'id="email_password-error"' in wrong.text
    assert new in wrong.text
    assert "wrong&#34;" not in wrong.text
    assert kept == f"{person.name}@test.com"
    assert 'id="email-error"' in malformed.text
    assert done.status_code == 303
    assert person.ask("GET", "/api/user/profile").json["email"] == new


def test_a_new_password_ends_every_other_login_and_this_one_goes_on(api: Api) -> None:
    person = api.person()
    elsewhere = log_in(api, person)

    wrong = send(api, person, "/account/password", old_password="x", password="a longer secret")
    short = send(api, person, "/account/password", old_password=PASSWORD, password="short")
    done = send(api, person, "/account/password", old_password=PASSWORD, password="a longer secret")

    assert 'id="old_password-error"' in wrong.text
    assert 'id="password-error"' in short.text
    assert visit(api, "GET", "/account", value_of(cookie(done))).status_code == 200
    assert visit(api, "GET", "/account", elsewhere).status_code == 303
    assert log_in(api, person) == ""
    assert log_in(api, person, "a longer secret")


def test_one_login_is_ended_or_all_others_and_never_somebody_elses(api: Api) -> None:
    person, other = api.person(), api.person()
    second, third = log_in(api, person), log_in(api, person)
    listed = person.ask("GET", "/api/user/logins").json["items"]
    theirs = other.ask("GET", "/api/user/logins").json["items"][0]["login_id"]
    newest = listed[0]["login_id"]

    foreign = send(api, person, f"/account/logins/{theirs}/end")
    one = send(api, person, f"/account/logins/{newest}/end")
    after_one = [visit(api, "GET", "/account", token).status_code for token in (second, third)]
    others = send(api, person, "/account/logins/end-others")

    assert foreign.status_code == 404
    assert (one.status_code, others.status_code) == (303, 303)
    assert after_one == [200, 303]
    assert visit(api, "GET", "/account", second).status_code == 303
    assert visit(api, "GET", "/account", person.token).status_code == 200
    assert visit(api, "GET", "/account", other.token).status_code == 200


def test_a_token_is_shown_once_works_and_is_revoked(api: Api) -> None:
    person = api.person()

    form = {"name": "ekspor malam", "may": "read"}
    made = send(api, person, "/account/tokens", **form, days="30")
    (token,) = set(re.findall(r">(rfm_[\w-]{43})<", made.text))
    twice = send(api, person, "/account/tokens", **form, days="30")
    odd = send(api, person, "/account/tokens", name="other", may="read", days="31")
    more = send(api, person, "/account/tokens", name="other", may="everything", days="30")
    headers = {"Authorization": f"Bearer {token}"}
    works = api.ask("GET", "/api/uploads", headers=headers)
    changes = api.ask("POST", "/api/shops", json={"name": "s"}, headers=headers)
    shown = visit(api, "GET", "/account", person.token).text
    number = person.ask("GET", "/api/user/tokens").json["items"][0]["token_id"]
    stranger = api.person()
    foreign = send(api, stranger, f"/account/tokens/{number}/revoke")
    send(api, person, f"/account/tokens/{number}/revoke")

    assert (twice.status_code, odd.status_code, foreign.status_code) == (409, 400, 404)
    assert 'id="name-error"' in twice.text
    assert (more.status_code, works.status_code) == (400, 200)
    assert 'id="may-error"' in more.text
    assert (changes.status_code, changes.json["code"]) == (403, "read_only_token")
    assert "<small>look only<br>" in shown
    assert token not in shown
    assert "ekspor malam" in shown
    assert api.ask("GET", "/api/uploads", headers=headers).status_code == 401


def test_everything_ends_at_once_this_login_and_the_tokens_too(api: Api) -> None:
    person = api.person()
    elsewhere = log_in(api, person)
    named = person.ask("POST", "/api/user/tokens", json={"name": "till"}).json["token"]

    done = send(api, person, "/account/logins/end-all")

    assert done.headers["Location"] == "/sign-in"
    assert value_of(cookie(done)) == ""
    for token in (person.token, elsewhere, named):
        headers = {"Authorization": f"Bearer {token}"}
        assert api.ask("GET", "/api/user/profile", headers=headers).status_code == 401
    assert log_in(api, person)


def test_the_data_are_everything_that_is_kept_and_no_secret(api: Api) -> None:
    person = api.person()
    person.upload(name="maret.csv")

    answer = visit(api, "GET", "/account/data", person.token)

    told = json.loads(answer.text)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert told["user"]["username"] == person.name
    assert [one["filename"] for one in told["uploads"]] == ["maret.csv"]
    assert "password" not in answer.text


def test_an_account_ends_with_its_password_and_everything_in_it(api: Api) -> None:
    person = api.person()
    person.upload(name="maret.csv")

    asked = visit(api, "GET", "/account/delete", person.token)
    wrong = send(api, person, "/account/delete", password="wrong", word="delete")
    empty = send(api, person, "/account/delete")
    still = visit(api, "GET", "/account", person.token)
    done = send(api, person, "/account/delete", password=PASSWORD)

    assert "1 uploads" in asked.text
    assert (wrong.status_code, empty.status_code, still.status_code) == (403, 403, 200)
    assert 'id="password-error"' in wrong.text
    assert done.headers["Location"] == "/"
    assert value_of(cookie(done)) == ""
    assert visit(api, "GET", "/account", person.token).status_code == 303
    assert log_in(api, person) == ""


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/account/delete", "password"),
        ("/account/email", "email_password"),
        ("/account/password", "old_password"),
    ],
)
def test_wrong_passwords_count_against_the_throttle_wherever_they_are_typed(
    tmp_path: Path, path: str, field: str
) -> None:
    settings = service_settings("sqlite", tmp_path, login_attempts=2)
    with open_api(settings, with_worker=False) as api:
        person = api.person()

        tries = [send(api, person, path, **{field: "wrong"}).status_code for _ in range(3)]
        right = send(api, person, "/account/delete", password=PASSWORD)

        assert tries == [403, 403, 429]
        assert right.status_code == 429
        assert "too many attempts" in right.text
        assert visit(api, "GET", "/account", person.token).status_code == 200


def test_a_trial_types_a_word_and_has_neither_address_nor_password_to_change(
    tmp_path: Path,
) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        begun = trials.begin_trial(api.service, language="id", device="", address="127.0.0.1")
        person = Person(api.app, begun.user.username, begun.user.id, begun.token)
        page = visit(api, "GET", "/account", begun.token).text
        email = send(api, person, "/account/email", email="a@b.example", email_password="x")
        password = send(api, person, "/account/password", old_password="x", password="long enough")
        asked = visit(api, "GET", "/account/delete", begun.token, headers={"Accept-Language": "id"})
        wrong = send(api, person, "/account/delete", word="yes", password="x")
        done = send(api, person, "/account/delete", word=" Delete ")

        assert 'action="/account/email"' not in page
        assert 'action="/account/password"' not in page
        assert re.search(
            r'deleted on <time datetime="[^"]+">\d+ \w+ 20\d\d, \d\d:\d\d UTC</time>', page
        )
        assert (email.status_code, password.status_code, wrong.status_code) == (403, 403, 400)
        assert "“hapus”" in asked.text
        assert done.headers["Location"] == "/"
        assert visit(api, "GET", "/account", begun.token).status_code == 303
