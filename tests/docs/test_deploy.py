"""The files of deploy/ name what there is: settings, files, commands; and the page about them tells the truth."""

import configparser
import json
import logging
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from api.shop import open_api
from docs import pages
from rfm_testing import service_settings

from rfm_backend.cli import rfm
from rfm_backend.logs import set_up_logs
from rfm_backend.settings import SETTINGS, ServiceSettings

DEPLOY = pages.REPOSITORY / "deploy"
PAGE = (pages.DOCS / "how-to" / "deploy.md").read_text("utf-8")
KNOWN = {row.name for row in SETTINGS}
# Python's own, and MySQL's image's.
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.strip().partition(" ") for line in lines)]


def is_command(words: list[str]) -> bool:
    """Tell whether `rfm` has such a command with such options."""
    command = rfm.get_command(click.Context(rfm), words[1])
    assert command is not None
    options = {name for one in command.params for name in one.opts}
    return words[0].endswith("rfm") and set(words[2:]) <= options


def test_the_image_is_made_of_what_is_named() -> None:
    ignored = (pages.REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }

    assert ignored[0] == "*"
    assert copied == let_in
    assert all((pages.REPOSITORY / source).exists() for source in copied)
    assert ("USER", "rfm") in instructions()
    assert any(word == "HEALTHCHECK" and "/ready" in rest for word, rest in instructions())
    assert is_command(json.loads(dict(instructions())["CMD"]))


def test_the_image_sets_settings_that_there_are() -> None:
    (values,) = (rest for word, rest in instructions() if word == "ENV")
    names = {pair.partition("=")[0] for pair in values.split()}

    assert names - OTHERS <= KNOWN
    assert not names & {"SECRET_KEY", "DB_PASS", "RFM_METRICS_TOKEN"}


def test_the_services_of_the_compose_file_are_closed_up() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]

    assert set(services) == {"db", "migrate", "web", "worker"}
    for name in ("migrate", "web", "worker"):
        made = services[name]
        assert is_command(made["command"])
        assert made["read_only"] is True
        assert made["cap_drop"] == ["ALL"]
        assert set(made["environment"]) <= KNOWN
        # A secret has no default: without it nothing starts.
        for secret in ("SECRET_KEY", "DB_PASS"):
            assert made["environment"][secret].startswith(f"${{{secret}:?")
    assert services["web"]["ports"] == ["127.0.0.1:5000:5000"]
    assert "ports" not in services["db"]


def test_the_unit_runs_a_command_that_there_is_and_waits_for_it() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    unit.read(DEPLOY / "rfm.service", "utf-8")
    service = unit["Service"]

    assert is_command(shlex.split(service["ExecStart"]))
    assert {pair.partition("=")[0] for pair in service["Environment"].split()} <= KNOWN
    assert service["User"] == "rfm"
    assert int(service["TimeoutStopSec"]) > 10


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_waits_longer_than_a_process_call_and_hides_the_figures(name: str) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    (seconds,) = re.findall(r"(?:proxy_read_timeout|response_header_timeout) (\d+)s", text)

    assert int(seconds) > ServiceSettings().sync_wait
    assert "/metrics" in text
    assert "127.0.0.1:5000" in text


@pytest.fixture
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])


@pytest.mark.usefixtures("_restored")
def test_the_fields_of_a_log_line_are_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_api(service_settings("sqlite", tmp_path), with_worker=False) as api:
        set_up_logs(as_json=True)
        api.ask("GET", "/api/uploads")

    told = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert set(told) <= set(re.findall(r"`(\w+)`", PAGE))
