"""Who may call what: every route, by nobody, by its owner, by somebody else, by somebody deleted."""

import re
from dataclasses import replace

import pytest
from api.shop import Api, Person
from flask import Flask

from rfm_backend.api.dispatch import register
from rfm_backend.api.routing import ROUTES, Route
from rfm_backend.errors import LoginNeeded
from rfm_backend.web.routing import PAGES

# Routes whose address names a thing of a user's, and how the thing is called.
_THING = re.compile(r"<(?:int|path|string):(\w+)>")


@pytest.fixture(scope="module")
def owner(api: Api) -> Person:
    return api.person()


@pytest.fixture(scope="module")
def things(owner: Person) -> dict[str, object]:
    """One of everything, of the owner's."""
    upload_id = owner.upload()
    analysis = owner.process(upload_id)["analysis_id"]
    other = owner.process(upload_id, n_clusters=3)["analysis_id"]
    job = owner.ask(
        "POST",
        f"/api/rfm/process/{upload_id}",
        json={"n_clusters": 4},
        headers={"Prefer": "respond-async"},
    )
    mapping = owner.ask(
        "POST", "/api/mappings", json={"name": "m", "columns": {"customer_id": "c"}}
    )
    table = owner.ask(
        "POST",
        "/api/segments/tables",
        json={
            "name": "t",
            "toml": 'dimensions = 2\nmatch = "first"\notherwise = "rest"\n[[segment]]\nkey = "best"\nr = [4, 5]\nf = [4, 5]\n',
        },
    )
    token = owner.ask("POST", "/api/user/tokens", json={"name": "t"})
    logins = owner.ask("GET", "/api/user/logins").json["items"]
    return {
        "upload_id": upload_id,
        "file_id": upload_id,
        "analysis_id": analysis,
        "other_id": other,
        "customer_id": "c001",
        "job_id": job.json["job_id"],
        "mapping_id": mapping.json["mapping_id"],
        "table_id": table.json["table_id"],
        "token_id": token.json["token_id"],
        "login_id": logins[0]["login_id"],
    }


_MISSING = dict.fromkeys(
    ("upload_id", "file_id", "analysis_id", "other_id"), 999999999
) | dict.fromkeys(("job_id", "mapping_id", "table_id", "token_id", "login_id"), 999999999)


# What concerns the account itself, written down by hand: no named token may ever do one of these.
_ACCOUNT = {
    "logout", "logout_everywhere", "change_profile", "change_password", "delete_profile", "list_tokens",
    "create_token", "revoke_token", "list_logins", "end_login", "export_user",
}  # fmt: skip


def address(route: Route, values: dict[str, object]) -> str:
    return _THING.sub(lambda found: str(values[found[1]]), route.path)


def test_the_application_has_no_route_but_the_declared_ones(api: Api) -> None:
    declared = {(route.path, route.method) for route in ROUTES}
    declared |= {(page.path, page.method) for page in PAGES}
    served = {
        (rule.rule, method)
        for rule in api.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert served == declared


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_nobody_gets_in_without_a_token(api: Api, route: Route) -> None:
    answer = api.ask(route.method, address(route, {**_MISSING, "customer_id": "x", "name": "x"}))

    if route.access == "user":
        assert (answer.status_code, answer.json["code"]) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    elif route.access == "anyone":
        assert answer.status_code != 401


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if "<" in route.path and route.access == "user"],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_another_persons_thing_is_not_there(
    api: Api, owner: Person, things: dict[str, object], route: Route
) -> None:
    stranger = api.person()
    body = route.body_example if route.body else None
    theirs = stranger.ask(route.method, address(route, things), json=body)
    missing = stranger.ask(
        route.method, address(route, {**things, **_MISSING, "customer_id": "c001"}), json=body
    )

    assert (theirs.status_code, missing.status_code) == (404, 404)
    # The same answer to the last byte, but for the request's own number.
    without = [re.sub(rb'"request_id": "\w+"', b"", one.data) for one in (theirs, missing)]
    assert without[0] == without[1]
    assert owner.ask("GET", "/api/user/profile").status_code == 200


def test_every_route_says_what_a_named_token_may() -> None:
    for route in ROUTES:
        if route.access != "user":
            assert route.scope is None, route.path
        elif route.name in _ACCOUNT:
            assert route.scope == "login", route.path
        else:
            assert route.scope == ("read" if route.method == "GET" else "write"), route.path


def test_a_route_that_says_nothing_is_for_no_named_token(api: Api) -> None:
    person = api.person()
    person.token = person.ask("POST", "/api/user/tokens", json={"name": "t"}).json["token"]
    app = Flask("one more")
    one = replace(next(route for route in ROUTES if route.name == "list_shops"), scope=None)
    register(app, [one], api.service)
    app.register_error_handler(LoginNeeded, lambda error: (error.code, 403))

    answer = Person(app, person.name, person.user_id, person.token).ask("GET", "/api/shops")

    assert (answer.status_code, answer.text) == (403, "login_needed")


@pytest.mark.parametrize("is_read_only", [True, False], ids=["read", "write"])
def test_a_named_token_does_what_it_is_for_and_never_touches_the_account(
    api: Api, is_read_only: bool
) -> None:
    person = api.person()
    sent = {"name": "t", "is_read_only": is_read_only}
    named = person.ask("POST", "/api/user/tokens", json=sent).json
    assert named["is_read_only"] is is_read_only
    program = Person(api.app, person.name, person.user_id, named["token"])

    for route in ROUTES:
        if route.access != "user":
            continue
        values = {**_MISSING, "token_id": named["token_id"], "customer_id": "x"}
        answer = program.ask(route.method, address(route, values), json=route.body_example)
        refused = (answer.status_code, answer.json["code"] if answer.status_code == 403 else "")
        if route.name in _ACCOUNT:
            assert refused == (403, "login_needed"), route.path
        elif is_read_only and route.method != "GET":
            assert refused == (403, "read_only_token"), route.path
        else:
            assert answer.status_code in (200, 201, 400, 404), (route.path, answer.text)
    # The account stands as before, and its login may do all of it.
    assert person.ask("GET", "/api/user/profile").json["username"] == person.name
    assert len(person.ask("GET", "/api/user/tokens").json["items"]) == 1


def test_a_deleted_person_is_nobody(api: Api) -> None:
    gone = api.person()
    upload_id = gone.upload()
    assert gone.ask("DELETE", "/api/user/profile").status_code == 200

    for route in ROUTES:
        if route.access == "user":
            values = {**_MISSING, "upload_id": upload_id, "file_id": upload_id, "customer_id": "x"}
            assert gone.ask(route.method, address(route, values)).status_code == 401


def test_every_answer_carries_the_headers(api: Api, owner: Person) -> None:
    answers = [
        api.ask("GET", "/health"),
        api.ask("GET", "/nowhere"),
        api.ask("POST", "/health"),
        api.ask("GET", "/api/user/profile"),
        owner.ask("GET", "/api/user/profile"),
        owner.ask("POST", "/api/shops", data="{", content_type="application/json"),
    ]

    assert [one.status_code for one in answers] == [200, 404, 405, 401, 200, 400]
    for one in answers:
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert one.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in one.headers["Content-Security-Policy"]
        assert "Authorization" in one.headers["Vary"]
        assert len(one.headers["X-Request-Id"]) == 16
        if one.status_code >= 400:
            assert one.content_type == "application/problem+json"
            assert one.json["request_id"] == one.headers["X-Request-Id"]
