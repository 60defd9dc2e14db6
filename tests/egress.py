"""Refuses every connection beyond loopback, in this process and in the Python processes it starts.

In:  nothing; `guard` is called by conftest.py, and by guard/sitecustomize.py in children.
Out: a refused connection raises `BeyondLoopbackError` where it was tried, and is noted in the file that
     RFM_TEST_EGRESS names, so that the run fails even where somebody caught the error.

What it does not do: it sees what Python's sockets do, not what a library in C does by itself.
"""

import ipaddress
import os
import sys
from pathlib import Path
from typing import Final

NOTES: Final = "RFM_TEST_EGRESS"
_FOLDER: Final = Path(__file__).resolve().parent / "guard"
_LOCAL: Final = (None, "", "localhost", "0.0.0.0", "::")  # noqa: S104  # to listen on, not to reach


class BeyondLoopbackError(Exception):
    """A test tried to reach another machine."""


def guard(notes: Path) -> None:
    """Refuse connections from now on; they are noted in a file."""
    os.environ[NOTES] = str(notes)
    paths = [str(_FOLDER), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    sys.addaudithook(_look)


def _look(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not _is_here(host):
        with Path(os.environ[NOTES]).open("a", encoding="utf-8") as noting:
            noting.write(f"{event} {host} by {sys.argv[:3]}\n")
        raise BeyondLoopbackError(f"{event}: {host} is not on this machine.")


def _is_here(host: object) -> bool:
    if host in _LOCAL:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False
