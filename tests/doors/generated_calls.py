"""Calls that schemathesis makes up from the API's description, and what it finds wrong with the answers.

Its phases: the examples, the corners of every value (coverage), random values (fuzzing), and chains of
calls along the description's links (stateful).  They go to a server on loopback, as a client's do.
"""

import collections
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import schemathesis
from api.shop import SALES, Api
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from waitress.server import create_server

SEED = 20261126
SINGLE = ("examples", "coverage", "fuzzing")
# What ends the caller's own account or token: done by somebody who is there for it alone.
_ENDS_ITS_CALLER = {
    ("DELETE", "/api/user/profile"),
    ("PUT", "/api/user/profile"),
    ("PUT", "/api/user/profile/password"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/logout-everywhere"),
    ("DELETE", "/api/user/logins/{login_id}"),
}
# Every check of schemathesis is on.  Four of its complaints are no faults, each for a reason of its own:
# a 422 says that the form was right and the meaning was not, such as a file without customers;
_ALSO_RIGHT = ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "503", "507"]
# a body that is wrong and too large as well is refused for its size, without being read;
_ALSO_REFUSED = ["4xx", "503", "507"]
# these fields have rules that no schema can say, and a 400 that names one of them is right;
_BEYOND_A_SCHEMA = {
    "username": "only characters that can be seen, and no @",
    "email": "the form of an e-mail address",
    "name": "only characters that can be seen",
    "filename": "something is left of it once folders and what cannot be seen are cut off",
    "cursor": "the service wrote it",
    "model": "not together with model_from",
    "since": "not after until",
    "thresholds": "each step above the one before",
    "scores": "thresholds only with its steps beside it",
}
# and a 404 may be about a shop that the body names, not about the upload that was just made.
_NO_SHOP = "There is no shop of this number among yours."
_TOML = (
    'dimensions = 2\nmatch = "first"\notherwise = "rest"\n'
    '[[segment]]\nkey = "best"\nr = [4, 5]\nf = [4, 5]'
)
_SAME = {"file_id": "upload_id", "other_id": "analysis_id"}


@dataclass
class Found:
    """What a run has seen: calls by operation and status, links followed, complaints."""

    answers: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter)
    phases: collections.Counter[str] = field(default_factory=collections.Counter)
    links: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter)
    complaints: dict[str, str] = field(default_factory=dict)

    @property
    def n_calls(self) -> int:
        return sum(self.answers.values())

    def answered(self, label: str) -> set[int]:
        """Return the statuses that a call was answered with."""
        return {status for name, status in self.answers if name == label}


@contextmanager
def listening(api: Api) -> Iterator[str]:
    """Serve the application on a port of its own, as `rfm serve` does."""
    server: Any = create_server(
        cast("Any", api.app), host="127.0.0.1", port=0, threads=8, ident=None
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        thread.join(5)


def single_calls(api: Api, address: str, *, most: int, seed: int = SEED) -> Found:
    """Make up calls one by one: examples, corners, and up to `most` random ones for each operation."""
    phases = {"stateful": {"enabled": False}}
    told = api.ask("GET", "/openapi.json").json
    return _run(api, address, told, phases=phases, most=most, seed=seed)


def chains(api: Api, address: str, *, most: int, seed: int = SEED) -> Found:
    """Make up chains of calls along the links of the description."""
    told = api.ask("GET", "/openapi.json").json
    # Schemathesis begins no chain with a call that may name a thing which nobody makes on the way.
    form = told["paths"]["/api/upload"]["post"]["requestBody"]["content"]["multipart/form-data"]
    del form["schema"]["properties"]["shop_id"]
    phases: dict[str, object] = {name: {"enabled": False} for name in SINGLE}
    phases["stateful"] = {
        "max-steps": 12,
        # Beside the links, what the library finds by names: more chains, none wrong.
        "inference": {"algorithms": ["dependency-analysis"]},
        "generation": {"mode": "positive", "max-examples": most},
    }
    return _run(api, address, told, phases=phases, most=most, seed=seed)


def _run(
    api: Api, address: str, told: dict[str, Any], *, phases: dict[str, Any], most: int, seed: int
) -> Found:
    config = SchemathesisConfig.from_dict(
        {
            "seed": seed,
            "base-url": address,
            "continue-on-failure": True,
            "request-timeout": 60,
            "generation": {"max-examples": most, "database": "none", "no-shrink": True},
            "checks": {
                "positive_data_acceptance": {"expected-statuses": _ALSO_RIGHT},
                "negative_data_rejection": {"expected-statuses": _ALSO_REFUSED},
            },
            "phases": phases,
            "operations": [
                {"include-name": name, "phases": {"stateful": {"enabled": False}}}
                for name in _without_links(told)
            ],
        }
    )
    schema = schemathesis.openapi.from_dict(told, config=config)
    schema.auth(refresh_interval=None)(_callers(api))
    things = _Things()
    hooks: dict[str, Callable[..., Any]] = {
        "map_body": _map_body,
        "filter_failure": _is_a_fault,
        "after_call": things.note,
        "map_path_parameters": things.put_in,
    }
    for name, hook in hooks.items():
        # The library marks what it is given, which a method does not allow.
        schema.hook(name)(functools.partial(hook))
    return _watch(from_schema(schema).execute())


def _without_links(told: dict[str, Any]) -> list[str]:
    """Return the calls that no link starts from or leads to."""
    calls = {
        one["operationId"]: (f"{method.upper()} {path}", one)
        for path, methods in told["paths"].items()
        for method, one in methods.items()
    }
    linked = set()
    for name, (_, one) in calls.items():
        for answer in one["responses"].values():
            for link in answer.get("links", {}).values():
                linked |= {name, link["operationId"]}
    return [label for name, (label, _) in calls.items() if name not in linked]


class _Things:
    """What the caller has made so far, so that made-up calls find something there."""

    def __init__(self) -> None:
        self._known: dict[str, list[object]] = collections.defaultdict(list)

    def note(self, _: Any, case: Any, response: Any) -> None:
        if response.status_code not in (200, 201, 202) or case.method.upper() != "POST":
            return
        for name, value in response.json().items():
            if name.endswith("_id") and isinstance(value, int):
                self._known[name].append(value)

    def put_in(self, _: Any, path_parameters: Any) -> Any:
        return {name: self._made(name, value) for name, value in (path_parameters or {}).items()}

    def _made(self, name: str, value: object) -> object:
        if name == "customer_id" and isinstance(value, str) and len(value) % 2:
            return f"c{len(value) % 70:03}"
        known = self._known[_SAME.get(name, name)]
        if not known or not isinstance(value, int) or isinstance(value, bool) or value % 4 == 0:
            return value
        return known[-1 - value % min(len(known), 3)]


def _map_body(context: Any, body: Any) -> Any:
    """Let most well-made bodies be sound, so that what follows has something to work on."""
    if not isinstance(body, dict) or len(str(body)) % 4 == 0:
        return body
    match context.operation.label:
        case "POST /api/upload" if "file" in body:
            return {**body, "file": SALES + b"\n" * (len(str(body)) % 7)}
        case "POST /api/segments/tables" if "toml" in body:
            return {**body, "toml": _TOML}
        case "POST /api/rfm/process/{file_id}" if isinstance(body.get("n_clusters"), int):
            return {"n_clusters": body["n_clusters"]}
    return body


def _is_a_fault(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Tell whether a complaint stands."""
    match type(failure).__name__, response.status_code:
        case "RejectedPositiveData", 400:
            return response.json().get("field", "") not in _BEYOND_A_SCHEMA
        case "EnsureResourceAvailability", 404:
            return bool(response.json()["message"] != _NO_SHOP)
    return True


def _callers(api: Api) -> type:
    """Return who calls: one person throughout, and one for each call that ends its caller."""
    steady = api.person().token

    class Callers:
        def get(self, case: Any, _: Any) -> str:
            is_end = (case.method.upper(), case.path) in _ENDS_ITS_CALLER
            return api.person().token if is_end else steady

        def set(self, case: Any, data: str, _: Any) -> None:
            case.headers = case.headers or {}
            case.headers["Authorization"] = f"Bearer {data}"

    return Callers


def _watch(stream: Any) -> Found:
    found = Found()
    for event in stream:
        if isinstance(event, events.NonFatalError):
            found.complaints[f"error | {event.label}"] = repr(event.value)
        if isinstance(event, events.FatalError):
            found.complaints["error"] = repr(event.exception)
        if isinstance(event, events.ScenarioFinished):
            _note(found, event)
    return found


def _note(found: Found, event: Any) -> None:
    recorder = event.recorder
    for case_id, interaction in recorder.interactions.items():
        status = interaction.response.status_code if interaction.response else 0
        node = recorder.cases[case_id]
        found.answers[node.value.operation.label, status] += 1
        found.phases[event.phase.value] += 1
        if node.transition is not None:
            found.links[node.transition.id, status] += 1
    for case_id, checks in recorder.checks.items():
        for check in (one for one in checks if one.failure_info is not None):
            failure = check.failure_info.failure
            answer = recorder.interactions[case_id].response
            label = recorder.cases[case_id].value.operation.label
            found.complaints.setdefault(
                f"{check.name} | {label} | {failure.title}",
                f"[{event.phase.value}] {failure.message}\n{check.failure_info.code_sample}\n"
                f"{answer.status_code if answer else ''} {answer.content[:500] if answer else b''!r}",
            )
