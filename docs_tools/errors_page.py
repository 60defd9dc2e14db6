"""The page of errors, from the tree in errors.py and the exit codes of the command."""

import re

from docs_tools import markdown
from rfm_backend import errors
from rfm_backend.cli.exits import EXIT_CODES, FAULT
from rfm_backend.errors import RfmError

_WORDS = """\
Every error that the package raises on purpose is an `RfmError`.
Its text says what is wrong, where, and what to do.
`.code` is the stable word for programs, `.details` holds values for a screen.
The command `rfm` ends with 0 when it is done, and else with the code below; wrong usage is 2, and an unexpected fault of ours is 1."""


def page() -> str:
    """Return docs/reference/errors.md."""
    rows = [
        (f"`{kind.__name__}`", f"`{kind.code}`", str(_exit_code(kind)), _first_line(kind))
        for kind in all_errors()
    ]
    drawing = re.split(r"\n\s*\n", errors.__doc__ or "")[1]
    return markdown.page(
        "Errors",
        "For whoever catches errors in a script, or reads an exit code.",
        "src/rfm_backend/errors.py",
        [
            _WORDS,
            f"```text\n{drawing}\n```",
            markdown.table(("error", "code", "exit code of `rfm`", "when"), rows),
        ],
    )


def all_errors() -> list[type[RfmError]]:
    """Return the classes of errors.py in the order in which they are drawn."""
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, RfmError)
    ]


def _exit_code(kind: type[RfmError]) -> int:
    return next((code for parent, code in EXIT_CODES if issubclass(kind, parent)), FAULT)


def _first_line(kind: type[RfmError]) -> str:
    return (kind.__doc__ or "").partition("\n")[0]
