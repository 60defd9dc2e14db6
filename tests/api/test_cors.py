"""Which web pages may call the API: those of the list, in development those of this machine, no others."""

from dataclasses import replace
from pathlib import Path

import pytest
from api.shop import Api
from rfm_testing import service_settings

from rfm_backend.app import create_app
from rfm_backend.services import open_service


def allowed(folder: Path, origin: str, **values: object) -> str | None:
    """Return which origin an answer to a page of `origin` lets in."""
    service = open_service(replace(service_settings("sqlite", folder), **values))  # type: ignore[arg-type]
    answer = Api(app=create_app(service), service=service).ask(
        "OPTIONS",
        "/api/auth/login",
        headers={"Origin": origin, "Access-Control-Request-Method": "POST"},
    )
    service.close()
    assert "Access-Control-Allow-Credentials" not in answer.headers
    found: str | None = answer.headers.get("Access-Control-Allow-Origin")
    return found


@pytest.mark.parametrize(
    ("origin", "development", "listed"),
    [
        ("https://a.example", False, True),
        ("https://a.example.evil.example", False, False),
        ("https://aXexample", False, False),
        ("http://a.example", False, False),
        ("http://localhost:3000", False, False),
        ("http://localhost:3000", True, False),
        ("null", False, False),
    ],
)
def test_with_a_list_only_its_origins_are_let_in(
    tmp_path: Path, origin: str, *, development: bool, listed: bool
) -> None:
    environment = "development" if development else "production"
    found = allowed(tmp_path, origin, environment=environment, cors_origins=("https://a.example",))

    assert found == (origin if listed else None)


@pytest.mark.parametrize(
    ("origin", "environment", "is_let_in"),
    [
        ("http://localhost:3000", "development", True),
        ("http://127.0.0.1", "development", True),
        ("http://localhost.evil.example", "development", False),
        ("https://a.example", "development", False),
        ("http://localhost:3000", "production", False),
    ],
)
def test_without_a_list_only_this_machine_and_only_in_development(
    tmp_path: Path, origin: str, environment: str, *, is_let_in: bool
) -> None:
    assert allowed(tmp_path, origin, environment=environment) == (origin if is_let_in else None)
