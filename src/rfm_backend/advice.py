"""How a message names an option, so that each door says it in its own words.

In:  an option's name among `Options`, and a value.
Out: marked text inside a message; the message as the terminal and the library say it, or the API.

What always holds: a message without marks is the same at every door.
"""

import re
from collections.abc import Callable
from typing import Final

# Characters that no keyboard writes and no font shows.
_OPENS, _CLOSES = "\ue000", "\ue001"
_MARKED: Final = re.compile(f"{_OPENS}([a-z_]+)=([^{_CLOSES}]*){_CLOSES}")
_TERMINAL: Final = {"mapping": "--map"}
_INSPECT: Final = "inspect"


def option(name: str, value: str = "") -> str:
    """Return an option as a part of a message."""
    return f"{_OPENS}{name}={value}{_CLOSES}"


def role_option(role: str) -> str:
    """Return what names the column of a role."""
    return option("mapping", f"{role}=COLUMN")


def inspection() -> str:
    """Return what shows a file's columns."""
    return option(_INSPECT)


def for_the_terminal(message: str) -> str:
    """Return a message whose options are those of the command line.

    Examples
    --------
    >>> for_the_terminal(f"Say {option('date_format', 'dmy')}.")
    'Say --date-format dmy.'
    """
    return _said(message, _flag)


def for_the_api(message: str) -> str:
    """Return a message whose options are fields of a request.

    Examples
    --------
    >>> for_the_api(f"Say {option('date_format', 'dmy')}.")
    'Say "date_format": "dmy".'
    >>> for_the_api(f"Say {role_option('amount')}.")
    'Say "mapping": {"amount": "COLUMN"}.'
    """
    return _said(message, _field)


def _said(message: str, say: Callable[[str, str], str]) -> str:
    return _MARKED.sub(lambda found: say(found[1], found[2]), message)


def _flag(name: str, value: str) -> str:
    if name == _INSPECT:
        return "rfm inspect FILE"
    flag = _TERMINAL.get(name, f"--{name.replace('_', '-')}")
    return f"{flag} {value}".rstrip()


def _field(name: str, value: str) -> str:
    if name == _INSPECT:
        return "GET /api/uploads/{upload_id}/preview"
    if name == "mapping":
        role, _, column = value.partition("=")
        return f'"mapping": {{"{role}": "{column}"}}'
    return f'"{name}": "{value}"' if value else f'"{name}"'
