"""Pictures of the dashboard's pages, for looking at them and for the documentation.

    python -m docs_tools.pictures [FOLDER]

In:  nothing: a service of its own is started, over a database that goes when it ends.
Out: docs/pictures/<page>-<desk|phone>.png in English, light; with FOLDER every language and theme, there.

Debian's Chromium draws them.
"""

import itertools
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Page, expect, sync_playwright
from waitress.server import create_server

from rfm_backend.app import create_app
from rfm_backend.jobs.worker import Worker
from rfm_backend.services import open_service
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.migrate import migrate

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking")
SIZES = {"desk": (1280, 800), "phone": (360, 740)}
# A page's name and its address.  Those for users are drawn in a trial whose analysis is ready.
FOR_ANYONE = {"start": "/", "sign-in": "/sign-in", "sign-up": "/sign-up", "no-page": "/nowhere"}
FOR_USERS = {"history": "/history", "account": "/account", "shops": "/shops"}
# Below the address of the trial's analysis.
OF_ANALYSIS = {
    "overview": "",
    "overview-cell": "?cell=35&by=revenue",
    "segment": "/segments/champions",
    "customers": "/customers",
    "customer": "/customers/10004",
    "settings": "/settings",
    "rules": "/rules",
}
_READY_WITHIN_MS = 120_000
_TALLEST = 2_000


def main(arguments: list[str]) -> int:
    """Draw every page; return the exit code."""
    folder = Path(arguments[0]) if arguments else PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    looks = itertools.product(("en", "id"), ("light", "dark")) if arguments else [("en", "light")]
    with (
        running_service() as address,
        sync_playwright() as player,
        player.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS)) as browser,
    ):
        for language, theme in looks:
            context = browser.new_context(base_url=address)
            context.add_cookies(
                [
                    {"name": "rfm_language", "value": language, "url": address},
                    {"name": "rfm_theme", "value": theme, "url": address},
                ]
            )
            ending = f"-{language}-{theme}" if arguments else ""
            _draw_pages(context.new_page(), folder, ending)
            context.close()
    print(f"The pictures are in {folder}.")
    return 0


@contextmanager
def running_service() -> Iterator[str]:
    """Run a service and a worker over a database of their own; yield its address."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ServiceSettings(
            environment="development",
            data_dir=Path(folder) / "data",
            upload_dir=Path(folder) / "uploads",
        )
        migrate(settings)
        service = open_service(settings)
        worker = Worker(service)
        server: Any = create_server(cast("Any", create_app(service)), host="127.0.0.1", port=0)
        threads = [threading.Thread(target=run, daemon=True) for run in (server.run, worker.run)]
        for thread in threads:
            thread.start()
        try:
            yield f"http://127.0.0.1:{server.effective_port}"
        finally:
            worker.stop()
            threads[1].join()
            server.close()
            service.close()


def _draw_pages(page: Page, folder: Path, ending: str) -> None:
    for name, address in FOR_ANYONE.items():
        _draw(page, address, folder, name, ending)
    page.goto("/")
    page.locator("form[action='/try'] button").click()
    expect(page.locator(".state.ready")).to_be_visible(timeout=_READY_WITHIN_MS)
    analysis = page.locator("a[href^='/analyses/']").first.get_attribute("href")
    for name, address in FOR_USERS.items():
        _draw(page, address, folder, name, ending)
    for name, below in OF_ANALYSIS.items():
        _draw(page, f"{analysis}{below}", folder, name, ending)
    # A newer analysis, with the table of eleven segments, to compare.
    page.goto(f"{analysis}/settings")
    page.locator("select[name='segments']").select_option("eleven")
    page.locator(".act button").click()
    page.wait_for_url(lambda url: "settings" not in url)
    page.goto("/history")
    expect(page.locator(".state.ready")).to_be_visible(timeout=_READY_WITHIN_MS)
    newer = page.locator("a[href^='/analyses/']").first.get_attribute("href") or ""
    _draw(page, f"{analysis}/compare/{newer.rpartition('/')[2]}", folder, "compare", ending)


def _draw(page: Page, address: str, folder: Path, name: str, ending: str) -> None:
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(address)
        for figure in page.locator("figure.chart").all():
            expect(figure).to_have_attribute("data-drawn", "true")
        tall = int(page.evaluate("document.documentElement.scrollHeight"))
        # Those of the documentation show how a long list begins; the others are whole, to be looked at.
        shown = tall if ending else min(tall, _TALLEST)
        page.screenshot(
            path=folder / f"{name}-{size}{ending}.png",
            full_page=True,
            clip={"x": 0, "y": 0, "width": width, "height": shown},
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
