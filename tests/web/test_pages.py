"""Pages without a browser: who may see them, their headers, cookies, static files, words."""

import datetime as dt
import gzip
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from api.shop import PASSWORD, Api, Person, open_api
from rfm_testing import service_settings
from web.owned import own_everything

from rfm_backend import errors
from rfm_backend.app import create_app
from rfm_backend.catalogue import LANGUAGES, words
from rfm_backend.errors import RfmError
from rfm_backend.jobs.sweep import sweep
from rfm_backend.services import open_service, trials
from rfm_backend.storage import users
from rfm_backend.storage.rows import utc_now
from rfm_backend.web.routing import PAGES, Page
from rfm_backend.web.static_files import address_of

VENDOR = Path(__file__).parents[2] / "src" / "rfm_backend" / "web" / "static" / "vendor"
_THING = re.compile(r"<(?:int|path|string):\w+>")
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


def visit(api: Api, method: str, path: str, token: str | None = None, **values: Any) -> Any:
    """Ask for a page as a browser does, with a login where there is one."""
    client = api.app.test_client(use_cookies=False)
    headers = {"Accept": "text/html", **values.pop("headers", {})}
    if token is not None:
        headers["Cookie"] = f"rfm_login={token}"
    answer = client.open(path, method=method, headers=headers, **values)
    # The test client leaves the temporary file of a large body open.
    answer.request.environ["wsgi.input"].close()
    return answer


def cookie(answer: Any, name: str = "rfm_login") -> str:
    return next((one for one in answer.headers.getlist("Set-Cookie") if name in one), "")


def value_of(text: str) -> str:
    return text.partition("=")[2].partition(";")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.method} {page.path}")
def test_a_page_for_users_lets_nobody_else_in(api: Api, page: Page) -> None:
    path = _THING.sub("1", page.path)
    if page.access == "anyone":
        # What anyone may send is tried below, one by one.
        if page.method == "GET":
            assert "/sign-in" not in visit(api, "GET", path).headers.get("Location", "")
        return

    for token in (None, "nonsense", "rfm_" + "x" * 43):
        answer = visit(api, page.method, path, token)
        if page.method == "GET":
            assert answer.headers["Location"] == f"/sign-in?next={path}"
        else:
            assert answer.status_code == 401


@pytest.fixture(scope="module")
def owned(api: Api) -> tuple[Person, dict[str, int | str]]:
    """Somebody with one of everything."""
    return own_everything(api)


@pytest.mark.parametrize(
    "page",
    [one for one in PAGES if "<" in one.path and one.access == "user"],
    ids=lambda page: f"{page.method} {page.path}",
)
def test_another_persons_thing_is_not_there(
    api: Api, owned: tuple[Person, dict[str, int | str]], page: Page
) -> None:
    (owner, named), stranger = owned, api.person()
    path = re.sub(r"<\w+:(\w+)>", lambda found: str(named[found[1]]), page.path)
    missing = _THING.sub("999999999", page.path)

    theirs, none = (visit(api, page.method, one, stranger.token) for one in (path, missing))

    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.text.replace(path, "") == none.text.replace(missing, "")
    # An empty form is refused, or done with: 404 it is not.
    assert visit(api, page.method, path, owner.token).status_code in (
        # A job that has ended leads on to its result.
        (200, 303) if page.method == "GET" else (200, 303, 400, 422)
    )


def test_a_named_token_is_no_login_and_a_login_is_no_way_into_the_api(api: Api) -> None:
    person = api.person()
    named = person.ask("POST", "/api/user/tokens", json={"name": "t"}).json["token"]

    assert visit(api, "GET", "/history", named).status_code == 303
    assert visit(api, "GET", "/history", person.token).status_code == 200
    asked = visit(api, "GET", "/api/user/profile", person.token)
    assert (asked.status_code, asked.json["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": ""}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, True),
        ({"Origin": "http://localhost"}, False),
        ({"Origin": "https://LOCALHOST"}, False),
        ({"Origin": "http://localhost:8080"}, True),
        ({"Origin": "http://localhost.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "http://[::1"}, True),
        ({"Origin": ""}, True),
        ({}, False),
    ],
)
def test_what_another_site_sends_is_refused(
    api: Api, headers: dict[str, str], *, is_refused: bool
) -> None:
    sending = [
        page for page in PAGES if page.method != "GET" and (is_refused or page.path != "/try")
    ]

    for page in sending:
        answer = visit(api, page.method, _THING.sub("1", page.path), headers=headers)
        assert (answer.status_code == 403) is is_refused
        assert not (is_refused and answer.headers.getlist("Set-Cookie"))


def test_a_page_carries_its_policy_and_is_not_kept(api: Api) -> None:
    for path, status in (("/", 200), ("/nowhere", 404), ("/sign-in", 200)):
        answer = visit(api, "GET", path)
        assert answer.status_code == status
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Cookie" in answer.headers["Vary"]
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_program_that_is_lost_is_told_as_before(api: Api) -> None:
    assert api.ask("GET", "/nowhere").content_type == "application/problem+json"
    html = {"Accept": "text/html"}
    assert api.ask("GET", "/api/nowhere", headers=html).content_type == "application/problem+json"
    assert api.ask("GET", "/nowhere", headers=html).content_type.startswith("text/html")
    assert api.ask("PUT", "/sign-in", headers=html).status_code == 405


def test_a_login_sets_a_cookie_that_no_script_reads(api: Api) -> None:
    person = api.person()
    sent = {"identifier": person.name, "password": PASSWORD, "next": "/account"}

    answer = visit(api, "POST", "/sign-in", data=sent, headers=SAME_SITE)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie(answer).split("; "))
    assert "Secure" not in cookie(answer)
    assert visit(api, "GET", "/history", value_of(cookie(answer))).status_code == 200


def test_outside_development_the_cookie_belongs_to_this_host_alone(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path, environment="production")
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        sent = {"identifier": person.name, "password": PASSWORD}
        answer = visit(api, "POST", "/sign-in", data=sent)
        set_cookie = cookie(answer)

        assert set_cookie.startswith("__Host-rfm_login=")
        assert "Secure" in set_cookie
        assert "Domain" not in set_cookie
        headers = {"Cookie": set_cookie.partition(";")[0]}
        assert visit(api, "GET", "/history", headers=headers).status_code == 200
        # The plain name, which a neighbour could set, counts for nothing.
        assert visit(api, "GET", "/history", person.token).status_code == 303


@pytest.mark.parametrize(
    "onward", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "x"]
)
def test_a_login_leads_to_no_other_site(api: Api, onward: str) -> None:
    person = api.person()
    sent = {"identifier": person.name, "password": PASSWORD, "next": onward}

    assert visit(api, "POST", "/sign-in", data=sent).headers["Location"] == "/history"
    assert visit(api, "POST", "/display", data={"next": onward}).headers["Location"] == "/"


def test_a_wrong_password_is_told_in_the_readers_language(api: Api) -> None:
    sent = {"identifier": "nobody", "password": "wrong", "next": ""}
    headers = {"Accept-Language": "id-ID,id;q=0.9,en;q=0.5"}

    answer = visit(api, "POST", "/sign-in", data=sent, headers=headers)

    assert answer.status_code == 401
    assert 'lang="id"' in answer.text
    assert "kata sandinya salah" in answer.text
    assert 'value="nobody"' in answer.text
    assert "wrong" not in answer.text


def test_an_account_made_in_indonesian_has_its_first_shop_in_indonesian(api: Api) -> None:
    sent = {"username": "Ibu Sari", "email": "sari@toko.example", "password": PASSWORD}
    answer = visit(api, "POST", "/sign-up", data=sent, headers={"Accept-Language": "id"})
    token = value_of(cookie(answer))

    told = api.ask("GET", "/api/shops", headers={"Authorization": f"Bearer {token}"})
    assert [shop["name"] for shop in told.json["items"]] == ["Toko"]


def test_signing_out_ends_the_login_itself(api: Api) -> None:
    person = api.person()

    answer = visit(api, "POST", "/sign-out", person.token)

    assert value_of(cookie(answer)) == ""
    assert person.ask("GET", "/api/user/profile").status_code == 401


def test_language_and_theme_are_chosen_and_kept(api: Api) -> None:
    chosen = visit(api, "POST", "/display", data={"language": "id", "next": "/sign-up"})
    nonsense = visit(api, "POST", "/display", data={"language": "xx", "theme": "<b>"})
    dark = visit(api, "GET", "/", headers={"Cookie": "rfm_theme=dark; rfm_language=id"})

    assert chosen.headers["Location"] == "/sign-up"
    assert value_of(cookie(chosen, "rfm_language")) == "id"
    assert nonsense.headers.getlist("Set-Cookie") == []
    assert '<html lang="id" data-theme="dark">' in dark.text


def test_htmx_is_told_of_a_failure_in_a_place_of_its_own(api: Api) -> None:
    answer = visit(api, "GET", "/history/1", headers={"HX-Request": "true"})

    assert answer.status_code == 401
    assert answer.headers["HX-Retarget"] == "#notice"
    assert "<html" not in answer.text


def test_a_hostile_file_name_is_shown_as_text(api: Api) -> None:
    person = api.person()
    person.upload(name="<img src=x onerror=alert(1)>.csv")

    text = visit(api, "GET", "/history", person.token).text

    assert "<img" not in text
    assert "&lt;img src=x" in text


def test_older_uploads_are_a_page_away(api: Api) -> None:
    person = api.person()
    numbers = [person.upload(name=f"{place}.csv") for place in range(27)]

    first = visit(api, "GET", "/history", person.token).text
    second = visit(api, "GET", f"/history?before={numbers[2]}", person.token).text

    assert f"/history?before={numbers[2]}" in first
    assert ("26.csv" in first, "2.csv" in first, ">1.csv" in first) == (True, True, False)
    assert (">1.csv" in second, ">0.csv" in second, "2.csv" in second) == (True, True, False)
    for nonsense in ("x", "-1", "9" * 30, "%00"):
        answer = visit(api, "GET", f"/history?before={nonsense}", person.token)
        assert answer.status_code == 200


def test_a_static_file_may_be_kept_for_as_long_as_it_stays(api: Api) -> None:
    address = address_of("style.css")

    plain = visit(api, "GET", address)
    packed = visit(api, "GET", address, headers={"Accept-Encoding": "gzip, br"})

    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert visit(api, "GET", "/static/0000000000000000/style.css").status_code == 404
    for name in ("../app.py", "vendor/README.md", "__init__.py", "vendor/echarts/LICENSE", "x.css"):
        assert visit(api, "GET", f"/static/{address.split('/')[2]}/{name}").status_code == 404


def test_script_and_style_stay_below_500_kilobytes_compressed(api: Api) -> None:
    page = visit(api, "GET", "/").text
    files = re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css))"', page)
    sizes = [len(visit(api, "GET", one, headers={"Accept-Encoding": "gzip"}).data) for one in files]

    assert len(files) == 6
    assert sum(sizes) < 500_000


def test_third_party_files_are_what_the_table_says() -> None:
    table = (VENDOR / "README.md").read_text("utf-8")
    told = dict(re.findall(r"\| (\S+\.(?:js|css)) \| ([0-9a-f]{64}) \|", table))
    there = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.suffix in (".js", ".css")
    }

    assert told == there
    assert all(
        (folder / "LICENSE").exists()
        for folder in VENDOR.iterdir()
        if folder.is_dir() and not folder.name.startswith("_")
    )


def test_every_error_has_words_in_both_languages() -> None:
    kinds, found = [RfmError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= {kind.code} if kind is not RfmError else set()
    assert errors.NotFound.code in found

    missing = {
        (language, code)
        for language in LANGUAGES
        for code in found
        if f"problems.{code}" not in words(language)
    }

    assert missing == set()


def test_a_trial_ends_with_everything_in_it(tmp_path: Path) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        begun = visit(api, "POST", "/try", headers={"Accept-Language": "id"})
        token = value_of(cookie(begun))
        other = api.person()
        shown = visit(api, "GET", "/history", token)
        assert "Penjualan contoh.csv" in shown.text
        user = api.service.database.read(users.all_users)[0]
        assert user.ends_at is not None
        assert dt.timedelta(hours=23) < user.ends_at - utc_now() <= dt.timedelta(days=1)

        sweep(api.service, now=utc_now())
        assert visit(api, "GET", "/history", token).status_code == 200
        api.service.database.write(lambda tx: users.change(tx, user.id, ends_at=utc_now()))
        sweep(api.service, now=utc_now())

        assert visit(api, "GET", "/history", token).status_code == 303
        assert [one.id for one in api.service.database.read(users.all_users)] == [other.user_id]
        assert not (api.service.settings.upload_dir / str(user.id)).exists()


def test_there_are_not_more_trials_than_there_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "MOST_TRIALS", 0)
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        answer = visit(api, "POST", "/try")

    assert answer.status_code == 503
    assert "trying the sample" in answer.text


def test_where_registration_is_closed_nothing_offers_an_account(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path, registration="closed")
    with open_api(settings, with_worker=False) as api:
        start, up = (visit(api, "GET", path) for path in ("/", "/sign-up"))

        assert "/try" not in start.text
        assert '<input id="password"' not in up.text
        assert visit(api, "POST", "/try").status_code == 403
        sent = {"username": "a", "email": "a@b.c", "password": PASSWORD}
        assert visit(api, "POST", "/sign-up", data=sent).status_code == 403


def test_a_database_that_is_away_is_told_as_a_page(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path, db_host="127.0.0.1:1")
    service = open_service(settings)
    away = Api(app=create_app(service), service=service)
    person = visit(away, "GET", "/history", "e30.e30.x")
    login = visit(away, "POST", "/sign-in", data={"identifier": "a", "password": "b"})
    service.close()

    assert person.status_code == 303
    assert login.status_code == 503
    assert "database does not answer" in login.text
