"""The page of columns: roles of a file, columns of a result, reasons for setting a row aside."""

import tomllib
from pathlib import Path

from docs_tools import markdown
from rfm_backend import columns as c
from rfm_backend.catalogue import words

_DESCRIBED = tomllib.loads(Path(__file__).with_name("columns.toml").read_text("utf-8"))
_ROLES = """\
## Roles: what a column of your file can be

Roles are found by the header and the content; `rfm inspect FILE` shows what was found, `--map ROLE=COLUMN` decides.
Needed are a customer, a date and money: `amount`, or `quantity` and `unit_price`."""
_RESULT = """\
## Columns of the result

Name, e-mail, phone and the columns of `--keep` follow where there are any.
With `--by` the group stands second."""
_REASONS = """\
## Reasons for setting a row aside

Every row of the input is kept, or set aside for one reason; the money of both adds up to all money."""


def page() -> str:
    """Return docs/reference/columns.md."""
    roles = [(f"`{name}`", _DESCRIBED["roles"][name]) for name in c.ROLES]
    result = [(f"`{name}`", *_DESCRIBED["result"][name]) for name in c.RESULT]
    english, indonesian = words("en"), words("id")
    reasons = [
        (f"`{key.partition('.')[2]}`", english(key), indonesian(key))
        for key in english.keys()  # noqa: SIM118 - the catalogue is no mapping
        if key.startswith("reasons.")
    ]
    return markdown.page(
        "Columns",
        "For whoever prepares a file or reads a result.",
        "src/rfm_backend/columns.py, docs_tools/columns.toml and the catalogue",
        [
            _ROLES,
            markdown.table(("role", "what it holds"), roles),
            _RESULT,
            markdown.table(("column", "values", "meaning"), result),
            _REASONS,
            markdown.table(("reason", "English", "Bahasa Indonesia"), reasons),
        ],
    )
