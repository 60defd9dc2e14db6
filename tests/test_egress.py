"""The guard of egress.py refuses what it is there to refuse, in children of children too."""

import os
import subprocess
import sys
from pathlib import Path

import egress
import pytest

# An address of the documentation's range: nobody's.
FAR = "192.0.2.1"
REACH = f"import socket; socket.create_connection(('{FAR}', 80), 1)"
CHILD = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {REACH!r}]))"
# What a library might do that asks its maker for news, and says nothing when it fails.
CAUGHT = REACH.replace("; ", "\ntry: ") + "\nexcept Exception: pass"
RESOLVE = "import socket; socket.getaddrinfo('shop.example', 80)"
UDP = f"import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{FAR}', 53))"
NEAR = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(("localhost", server.getsockname()[1])).close()
"""


def run(code: str, notes: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, egress.NOTES: str(notes)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("code", [REACH, CHILD, RESOLVE, UDP])
def test_another_machine_is_not_reached(code: str, tmp_path: Path) -> None:
    done = run(code, tmp_path / "notes")

    assert done.returncode == 1
    assert "BeyondLoopbackError" in done.stderr
    assert (tmp_path / "notes").read_text().startswith("socket.")


def test_a_try_that_was_hushed_up_is_noted(tmp_path: Path) -> None:
    done = run(CAUGHT, tmp_path / "notes")

    assert done.returncode == 0
    assert FAR in (tmp_path / "notes").read_text()


def test_this_machine_is_reached(tmp_path: Path) -> None:
    done = run(NEAR, tmp_path / "notes")

    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "notes").exists()
