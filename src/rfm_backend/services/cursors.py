"""Cursors: where a list goes on, as a text that a client hands back.

In:  whole numbers; or a text that claims to be a cursor.
Out: text; or the numbers.
"""

import base64
import json

from rfm_backend.errors import InvalidRequest


def pack_cursor(*values: int) -> str:
    """Return a place in a list as text."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def unpack_cursor(cursor: str | None, n_values: int) -> tuple[int, ...] | None:
    """Return the place that `pack_cursor` wrote.

    Raises
    ------
    InvalidRequest
        Nobody wrote it.
    """
    if cursor is None:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        values = None
    is_right = isinstance(values, list) and len(values) == n_values
    if not is_right or not all(type(one) is int and abs(one) < 2**63 for one in values):
        raise InvalidRequest(
            "The cursor is none of ours: use next_cursor of the page before.", field="cursor"
        )
    return tuple(values)
