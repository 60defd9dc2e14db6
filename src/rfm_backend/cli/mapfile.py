"""Saved maps: which column has which role, kept as a small TOML file for the next export.

In:  a path, role -> column.
Out: the file, or the roles read back.

What always holds: what was written reads back the same; a map of unknown roles is refused.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from rfm_backend import columns as c
from rfm_backend.errors import InvalidOption

_HEADER = "# Columns of a sales file, for  rfm segment --use-map.\n\n[columns]\n"


def read_map(path: Path) -> dict[str, str]:
    """Return role -> column as saved in `path`.

    Raises
    ------
    InvalidOption
        The file is missing, is no map, or names a role that does not exist.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InvalidOption(f"There is no map {path}. --save-map writes one.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidOption(f"{path} is no map: {error}. --save-map writes one.") from error
    columns = table.get("columns")
    if not isinstance(columns, dict) or not all(isinstance(v, str) for v in columns.values()):
        raise InvalidOption(
            f'{path} is no map: it needs a table [columns] with lines such as customer_id = "Buyer".'
        )
    unknown = sorted(set(columns) - set(c.ROLES))
    if unknown:
        raise InvalidOption(
            f"{path} names roles that do not exist: {', '.join(unknown)}. "
            f"The roles are: {', '.join(c.ROLES)}."
        )
    return columns


def map_text(columns: Mapping[str, str]) -> str:
    r"""Return the TOML text of a map, roles in their usual order.

    Examples
    --------
    >>> print(map_text({"amount": 'Total "net"', "customer_id": "Buyer"}))
    # Columns of a sales file, for  rfm segment --use-map.
    <BLANKLINE>
    [columns]
    customer_id = "Buyer"
    amount = "Total \"net\""
    <BLANKLINE>
    """
    lines = [f"{role} = {_quoted(columns[role])}\n" for role in c.ROLES if role in columns]
    return _HEADER + "".join(lines)


def _quoted(text: str) -> str:
    """Return `text` as a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escape(mark) for mark in escaped) + '"'


def _escape(mark: str) -> str:
    return f"\\u{ord(mark):04x}" if ord(mark) < 32 or ord(mark) == 127 else mark
