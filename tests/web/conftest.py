"""The dashboard on a real server, and Debian's Chromium to look at it.

A page that a test is given fails it on any error in the console, breach of the content policy,
failed script, or request to another host.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from api.shop import Api, open_api
from playwright.sync_api import Browser, sync_playwright
from rfm_testing import service_settings
from waitress.server import create_server
from web.shown import Shown, grouped_sales, odd_sales
from web.watched import WAIT_MS, Watched

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The application over SQLite, and a worker beside it."""
    settings = service_settings("sqlite", tmp_path_factory.mktemp("dashboard"))
    with open_api(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def address(api: Api) -> Iterator[str]:
    """The address of a server that answers."""
    server: Any = create_server(cast("Any", api.app), host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    server.task_dispatcher.shutdown()
    server.asyncore.close_all(server._map)
    thread.join(5)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; where it is missing they fail."""
    assert CHROMIUM.exists(), (
        "The tests of the dashboard need Debian's chromium: apt-get install chromium"
    )
    with (
        sync_playwright() as player,
        player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as opened,
    ):
        yield opened


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    """A fresh visitor's page."""
    context = browser.new_context(base_url=address, locale="en-GB")
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    seen = Watched(page=page, address=address)
    seen.listen()
    yield seen
    context.close()
    assert [one for one in seen.faults if not one.startswith(seen.allowed or "\0")] == []


@pytest.fixture(scope="session")
def shown(api: Api) -> Shown:
    """An analysis of 70 customers with names and e-mails."""
    return Shown(api.person())


@pytest.fixture(scope="session")
def odd(api: Api) -> Shown:
    """An analysis whose customers are called oddly."""
    return Shown(api.person(), odd_sales())


@pytest.fixture(scope="session")
def grouped(shown: Shown) -> Shown:
    """A later analysis for the same shop, scored within cities."""
    return Shown(shown.person, grouped_sales(), by="country")
