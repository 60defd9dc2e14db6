"""The API's description: valid OpenAPI, true examples, no word from another host."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from api.shop import Api
from openapi_spec_validator import OpenAPIV31SpecValidator

from rfm_backend.api.openapi import describe
from rfm_backend.api.routing import PARAMETER, ROUTES, Route


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


def test_links_lead_from_what_makes_a_thing_to_what_uses_it(api: Api) -> None:
    paths = api.ask("GET", "/openapi.json").json["paths"]
    names = {one["operationId"] for methods in paths.values() for one in methods.values()}
    uploaded = paths["/api/upload"]["post"]["responses"]["201"]["links"]
    processed = paths["/api/rfm/process/{file_id}"]["post"]["responses"]

    assert uploaded["process"]["parameters"] == {"path.file_id": "$response.body#/upload_id"}
    assert {"read_results", "read_upload", "delete_upload", "preview_upload"} <= set(uploaded)
    assert {"read_results", "read_analysis", "compare_analyses"} <= set(processed["200"]["links"])
    assert {"read_job", "cancel_job"} <= set(processed["202"]["links"])
    for methods in paths.values():
        for one in methods.values():
            for answer in one["responses"].values():
                for link in answer.get("links", {}).values():
                    assert link["operationId"] in names


def test_the_collection_for_postman_holds_every_call() -> None:
    reference = Path(__file__).resolve().parents[2] / "docs" / "reference"
    told = json.loads((reference / "rfm-backend.postman_collection.json").read_text("utf-8"))
    first, *folders = told["item"]
    known = {one["key"] for one in told["variable"]}

    calls = {
        (
            item["request"]["method"],
            re.sub(r"\{\{(\w+)\}\}", r"{\1}", item["request"]["url"]["raw"]),
        )
        for folder in folders
        for item in folder["item"]
    }
    assert calls == {
        (route.method, "{baseUrl}" + PARAMETER.sub(r"{\2}", route.path)) for route in ROUTES
    }
    assert [item["request"]["url"]["raw"] for item in first["item"]][:4] == [
        "{{baseUrl}}/api/auth/register",
        "{{baseUrl}}/api/auth/login",
        "{{baseUrl}}/api/upload",
        "{{baseUrl}}/api/rfm/process/{{file_id}}",
    ]
    assert set(re.findall(r"\{\{(\w+)\}\}", json.dumps(told["item"]))) <= known
