"""The page of settings, from the table in settings/table.py."""

from docs_tools import markdown
from rfm_backend.settings import SETTINGS

_WORDS = """\
Settings are variables of the environment, or lines `NAME=value` of a file `.env` in the folder where `rfm` is started.
The environment goes before `.env`, and both go before the default; an empty variable counts as one that is not set.
A value that cannot be used is refused by name.
The library reads none of them: its caller passes what it wants."""
_SERVICE_WORDS = """\
What `rfm serve`, `rfm worker`, `python app.py` and `python migrate.py` read besides."""


def page() -> str:
    """Return docs/reference/settings.md."""
    return markdown.page(
        "Settings",
        "For whoever sets up the machine that `rfm` runs on.",
        "src/rfm_backend/settings/table.py",
        [_WORDS, _table("analysis"), "## The service", _SERVICE_WORDS, _table("service")],
    )


def _table(door: str) -> str:
    rows = [
        (markdown.code(row.name), row.kind, markdown.code(row.default) or "none", row.help)
        for row in SETTINGS
        if row.door == door
    ]
    return markdown.table(("setting", "kind", "default", "what it does"), rows)
