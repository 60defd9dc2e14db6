"""A page that notes what goes wrong on it, and is checked for who can use it."""

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Request

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
WAIT_MS = 10_000


@dataclass
class Watched:
    """A page and what went wrong on it; a test names what it expects to go wrong."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    allowed: tuple[str, ...] = ()

    def listen(self) -> None:
        """Note errors in the console, breaches of the content policy among them, and requests to others."""

        def note_console(told: ConsoleMessage) -> None:
            if told.type == "error":
                self.faults.append(told.text)

        def note_request(sent: Request) -> None:
            if not sent.url.startswith((self.address, "data:")):
                self.faults.append(f"a request to {sent.url}")

        self.page.on("console", note_console)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", note_request)

    def look(self, language: str, theme: str) -> None:
        """Choose language and theme."""
        self.page.context.add_cookies(
            [
                {"name": "rfm_language", "value": language, "url": self.address},
                {"name": "rfm_theme", "value": theme, "url": self.address},
            ]
        )

    def sign_in(self, token: str) -> None:
        """Carry a login."""
        self.page.context.add_cookies(
            [{"name": "rfm_login", "value": token, "url": self.address, "httpOnly": True}]
        )

    def check_access(self) -> None:
        """Fail on what axe finds, and on a page that is wider than its window."""
        for figure in self.page.locator("figure.chart").all():
            figure.and_(self.page.locator("[data-drawn]")).wait_for(timeout=WAIT_MS)
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "axe.run({resultTypes: ['violations']}).then(told => told.violations.map("
            "one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 150)).join(' | ')))"
        )
        assert found == [], f"{self.page.url}: {found}"
        assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
