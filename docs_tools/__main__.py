"""Write the pages of docs/reference and .env.example, or with ``--check`` say which of them differ from the code.

    python -m docs_tools [--check]

In:  the package: its commands, settings, columns, errors, public names and segment tables.
Out: docs/reference/*, .env.example; a page that no longer belongs there is removed.
"""

import difflib
import sys
from pathlib import Path

from docs_tools import (
    api_page,
    columns_page,
    command_page,
    env_example,
    errors_page,
    library_page,
    pages_page,
    postman,
    segments_page,
    settings_page,
)

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
PAGES = {
    "../../.env.example": env_example.page,
    "api.md": api_page.page,
    "cli.md": command_page.page,
    "columns.md": columns_page.page,
    "errors.md": errors_page.page,
    "library.md": library_page.page,
    "rfm-backend.postman_collection.json": postman.page,
    "openapi.json": api_page.collection,
    "pages.md": pages_page.page,
    "segments.md": segments_page.page,
    "settings.md": settings_page.page,
}
_SHOWN_LINES = 40


def main(arguments: list[str]) -> int:
    """Write or check every page; return the exit code."""
    if "--check" in arguments:
        return _check()
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, make_page in PAGES.items():
        (REFERENCE / name).write_text(make_page(), encoding="utf-8")
    for stray in _strays():
        stray.unlink()
    return 0


def _check() -> int:
    differences: list[str] = []
    for name, make_page in PAGES.items():
        path = REFERENCE / name
        stands = path.read_text("utf-8").splitlines() if path.exists() else []
        differences += difflib.unified_diff(
            stands, make_page().splitlines(), path.name, "the code", lineterm="", n=1
        )
    differences += [f"docs/reference/{stray.name} belongs to nothing" for stray in _strays()]
    if not differences:
        print("docs/reference says what the code does.")
        return 0
    print("\n".join(differences[:_SHOWN_LINES]))
    print("docs/reference differs from the code: run `make docs` and commit it.")
    return 1


def _strays() -> list[Path]:
    return [path for path in sorted(REFERENCE.glob("*")) if path.name not in PAGES]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
