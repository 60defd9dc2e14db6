"""What every answer of a production service tells a browser, errors included."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from api.shop import Api, open_api
from rfm_testing import service_settings


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    settings = replace(service_settings("sqlite", tmp_path), environment="production")
    with open_api(settings, with_worker=False) as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/docs", 200),
        ("GET", "/nowhere", 404),
        ("DELETE", "/health", 405),
        ("GET", "/api/uploads", 401),
        ("POST", "/api/auth/login", 400),
    ],
)
def test_every_answer_of_a_production_service_protects_its_reader(
    api: Api, method: str, path: str, status: int
) -> None:
    answer = api.ask(method, path)
    policy = answer.headers["Content-Security-Policy"]

    assert answer.status_code == status
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "default-src 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.mimetype.startswith("text/"):
        assert answer.content_type.endswith("; charset=utf-8")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
@pytest.mark.parametrize("path", ["/health", "/api/uploads"])
def test_a_method_that_nothing_declares_is_refused(api: Api, method: str, path: str) -> None:
    answer = api.ask(method, path)

    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
