"""The page of the dashboard's addresses, from the pages: what each is for, and who may see it."""

import importlib
import re

from docs_tools import markdown
from rfm_backend.web.routing import PAGES

_WORDS = """\
A login is the cookie `rfm_login` (`__Host-rfm_login` outside development): it carries a token like the API's, and the API never looks at it.
The cookie `rfm_device` (`__Host-rfm_device`) knows a browser again that has logged in before; it lets nobody in.
A request other than GET that a page of another site sends is refused with 403.
Whoever asks for a page that needs a login, and has none, is led to `/sign-in` and back."""
_ACCESS = {"anyone": "anyone", "user": "login"}


def page() -> str:
    """Return docs/reference/pages.md."""
    # Importing the application is what declares the pages.
    importlib.import_module("rfm_backend.app")
    rows = [
        (markdown.code(f"{one.method} {_path(one.path)}"), _ACCESS[one.access], one.summary + ".")
        for one in PAGES
    ]
    return markdown.page(
        "Pages of the dashboard",
        "For whoever changes the dashboard, or sets rules for its addresses in a proxy.",
        "the pages in src/rfm_backend/web/pages",
        [_WORDS, markdown.table(("address", "who", "what for"), rows)],
    )


def _path(path: str) -> str:
    return re.sub(r"<(?:int|string|path):(\w+)>", r"{\1}", path)
