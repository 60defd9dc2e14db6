"""Static files: each under an address that holds the hash of its content, so that browsers may keep it.

In:  the folder static/.
Out: addresses for templates; answers, compressed where the browser takes that.
"""

import gzip
import hashlib
from functools import cache
from importlib import resources
from typing import Final

from flask import Request, Response
from werkzeug.exceptions import NotFound

_KINDS: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FOREVER: Final = "public, max-age=31536000, immutable"
_HASH_LENGTH: Final = 16


def address_of(name: str) -> str:
    """Return the address of a static file; it changes with the file."""
    return f"/static/{_hash(name)}/{name}"


def answer_file(request: Request, *, digest: str, name: str) -> Response:
    """Return a static file.

    Raises
    ------
    NotFound
        There is none of this name, or its content is another one by now.
    """
    if name not in _names() or digest != _hash(name):
        raise NotFound
    packed = request.accept_encodings.quality("gzip") > 0
    answer = Response(
        _packed(name) if packed else _content(name),
        content_type=_KINDS[name.rpartition(".")[2]],
        headers={"Cache-Control": _FOREVER},
    )
    answer.vary.add("Accept-Encoding")
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


@cache
def _names() -> frozenset[str]:
    """Return what may be asked for: files of a known kind in static/, and in vendor/ below it."""
    found = set()
    top = resources.files("rfm_backend.web") / "static"
    vendor = top / "vendor"
    for prefix, folder in (
        ("", top),
        *((f"vendor/{one.name}/", one) for one in vendor.iterdir() if one.is_dir()),
    ):
        found |= {
            prefix + entry.name
            for entry in folder.iterdir()
            if entry.is_file() and entry.name.rpartition(".")[2] in _KINDS
        }
    return frozenset(found)


@cache
def _content(name: str) -> bytes:
    return (resources.files("rfm_backend.web") / "static" / name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_content(name), compresslevel=9, mtime=0)


@cache
def _hash(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:_HASH_LENGTH]
