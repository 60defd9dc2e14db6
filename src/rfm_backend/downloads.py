"""Files as HTTP hands them out, for the API's answers and the dashboard's pages.

In:  the path of a file, the name that it has for a person.
Out: an answer that offers it for saving; read in parts, so that its size does not matter.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from flask import Response

_CHUNK: Final = 1024 * 1024


def hand_out(path: Path, *, name: str, content_type: str, is_temporary: bool = False) -> Response:
    """Return a file as an answer; a temporary one is removed once it has been sent.

    Raises
    ------
    FileNotFoundError
        It is not there.
    """
    answer = Response(
        _read(path),
        content_type=content_type,
        headers={
            "Content-Disposition": _attachment(name),
            "Content-Length": str(path.stat().st_size),
        },
        direct_passthrough=True,
    )
    if is_temporary:
        # It goes with the last byte, or when the client hangs up before the first.
        answer.call_on_close(lambda: path.unlink(missing_ok=True))
    return answer


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _attachment(name: str) -> str:
    """Return a header that offers a file under its name, whatever is in it (RFC 6266)."""
    plain = "".join(
        mark if mark.isascii() and mark.isprintable() and mark not in '"\\' else "_"
        for mark in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
