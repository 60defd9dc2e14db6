"""What the service logs of each request: who, what, how it went; and nothing of what was sent."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from api.shop import PASSWORD, Api, open_api
from rfm_testing import service_settings

from rfm_backend.app import create_app
from rfm_backend.logs import set_up_logs
from rfm_backend.services import open_service


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as opened:
        yield opened


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])


@pytest.mark.usefixtures("_restored")
def test_a_request_is_one_line_of_json_with_its_number(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(as_json=True)
    person = api.person("siti")

    answer = person.ask("GET", "/api/uploads/77")

    *before, last = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert last["request_id"] == answer.headers["X-Request-Id"]
    assert (last["method"], last["route"]) == ("GET", "/api/uploads/<int:upload_id>")
    assert (last["status"], last["user_id"]) == (404, person.user_id)
    assert last["address"] == "127.0.0.1"
    assert last["time"].endswith("+00:00")
    (registered,) = (one for one in before if one.get("route") == "/api/auth/register")
    assert (registered["status"], registered["user_id"]) == (201, person.user_id)


@pytest.mark.usefixtures("_restored")
def test_logins_are_logged_with_whom_they_let_in_and_no_secret(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(as_json=True)
    person = api.person("siti")
    for password in (PASSWORD, "a wrong one entirely"):
        api.ask("POST", "/api/auth/login", json={"identifier": "siti", "password": password})
    person.ask("GET", "/api/user/profile")

    told = capsys.readouterr().err

    lines = [json.loads(line) for line in told.splitlines()]
    logins = [one for one in lines if one.get("route") == "/api/auth/login"]
    assert [(one["status"], one["user_id"]) for one in logins] == [(200, 1), (401, None)]
    for secret in (PASSWORD, "a wrong one entirely", person.token, "siti@test.com"):
        assert secret not in told


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize("as_json", [True, False])
def test_what_a_stranger_sends_begins_no_line(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    set_up_logs(as_json=as_json)

    logging.getLogger("rfm_backend.x").info(
        "asked for %s", "a\r\nb", extra={"fields": {"address": "1\n2"}}
    )

    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.usefixtures("_restored")
def test_what_watches_the_service_is_not_logged(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs(as_json=True)

    api.ask("GET", "/health")

    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("_restored")
def test_a_fault_is_logged_with_its_trace_and_told_without_a_word_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = open_service(service_settings("sqlite", tmp_path))
    app = create_app(service)

    def fail() -> str:
        raise RuntimeError("SELECT secret FROM /srv/rfm")

    app.add_url_rule("/fails", view_func=fail)
    set_up_logs(as_json=True)
    answer = Api(app=app, service=service).ask("GET", "/fails")
    service.close()

    fault, request = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert "RuntimeError: SELECT secret" in fault["trace"]
    assert fault["request_id"] == request["request_id"] == answer.json["request_id"]
    assert request["status"] == 500
