"""The API's description: valid OpenAPI, true examples, no word from another host."""

import re
from typing import Any

import pytest
from api.shop import Api
from openapi_spec_validator import OpenAPIV31SpecValidator

from rfm_backend.api.openapi import describe
from rfm_backend.api.routing import ROUTES, Route


def test_the_description_is_valid_and_complete(api: Api) -> None:
    told: Any = api.ask("GET", "/openapi.json").json

    assert list(OpenAPIV31SpecValidator(told).iter_errors()) == []
    operations = [
        (method.upper(), path) for path, methods in told["paths"].items() for method in methods
    ]
    assert len(operations) == len(ROUTES)
    assert {
        one["operationId"] for methods in told["paths"].values() for one in methods.values()
    } == {route.name for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_example_has_the_shape_that_it_shows(route: Route) -> None:
    assert route.summary
    if route.body is not None:
        route.body.model_validate(route.body_example)
    for shown in route.answers.values():
        assert shown.example is not None
        if shown.shape is not None:
            for one in shown.example if isinstance(shown.example, list) else [shown.example]:
                shown.shape.model_validate(one, strict=False)


def test_the_page_asks_no_other_host(api: Api) -> None:
    page = api.ask("GET", "/docs").text

    assert not re.search(r"(?:https?:)?//\w", page)
    for name in re.findall(r'(?:src|href)="([^"]+)"', page):
        answer = api.ask("GET", name)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert api.ask("GET", "/docs/../app.py").status_code == 404
    assert describe(ROUTES)["openapi"] == "3.1.0"


def test_health_readiness_and_figures(api: Api) -> None:
    assert api.ask("GET", "/health").json == {"status": "ok"}
    assert api.ask("GET", "/ready").json == {"status": "ready"}
    own = api.ask("GET", "/metrics")
    assert "rfm_requests_total" in own.text
    far = api.ask("GET", "/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert far.status_code == 401
