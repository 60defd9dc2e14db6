"""SIGTERM: what is under way is finished, the job is handed back, and the process is gone in ten seconds."""

import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from api.shop import SALES
from doors.real_server import RealServer, read_all, served
from figures import note_figure

from rfm_backend.storage.database import SQLITE_FILE

pytestmark = pytest.mark.slow

_MOST_SECONDS = 10
_HEAD = SALES.partition(b"\n")[0] + b"\n"
_ROWS = b"\n".join(
    b"c%d,Z%d,2024-01-%02d,%d,N,e@x.org" % (n % 9000, n, 1 + n % 28, 1 + n % 900)
    for n in range(150_000)
)


def test_what_is_under_way_is_finished_and_the_job_is_handed_back(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        small, large = upload(server, _HEAD + _ROWS[:1_000_000]), upload(server, _HEAD + _ROWS)
        assert server.ask("POST", f"/api/rfm/process/{small}").status_code == 200
        told: dict[str, int] = {}

        def wait_for_job() -> None:
            told["process"] = server.ask("POST", f"/api/rfm/process/{large}").status_code

        waiting = threading.Thread(target=wait_for_job)
        waiting.start()
        wait_until_running(tmp_path)
        body = form(SALES + b"\n\n")
        sending = opened(server, "POST", "/api/upload", body, n_bytes=len(body) // 2)
        reading = opened(server, "GET", f"/api/rfm/results/{small}", b"", is_slow=True)
        time.sleep(0.3)

        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        time.sleep(2)
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        sending.sendall(body[len(body) // 2 :])
        with sending, reading:
            sent, read = read_all(sending), read_all(reading)
        waiting.join()
        code = server.process.wait(20)
        seconds = time.monotonic() - began

    note_figure("SIGTERM with requests under way: gone after", f"{seconds:.1f} s", "10 s")
    assert sent.startswith(b"HTTP/1.1 201 ")
    assert read.startswith(b"HTTP/1.1 200 ")
    # More than the two systems take off the server's hands, to its last byte.
    assert len(read) > 1_000_000
    assert read.endswith(b"]\n\r\n0\r\n\r\n")
    assert told == {"process": 202}
    assert (code, seconds < _MOST_SECONDS) == (0, True)
    assert jobs_of(tmp_path)[-1] == ("queued", 0, None)
    assert "Traceback" not in server.log


def upload(server: RealServer, content: bytes) -> int:
    answer = server.ask("POST", "/api/upload", files={"file": ("a.csv", content)})
    return int(answer.json()["upload_id"])


def form(content: bytes) -> bytes:
    return (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.csv"\r\n\r\n'
        + content
        + b"\r\n--x--\r\n"
    )


def opened(
    server: RealServer,
    method: str,
    path: str,
    body: bytes,
    *,
    n_bytes: int = 0,
    is_slow: bool = False,
) -> socket.socket:
    """Send a request up to a number of bytes of its body; where slow, take the answer in small parts."""
    line = socket.socket()
    if is_slow:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(20)
    line.connect(("127.0.0.1", server.port))
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n"
        f"Connection: close\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    line.sendall(head.encode() + body[:n_bytes])
    return line


def jobs_of(folder: Path) -> list[tuple[str, int, str | None]]:
    base = sqlite3.connect(folder / "data" / SQLITE_FILE)
    try:
        return base.execute("SELECT state, attempts, worker FROM jobs ORDER BY id").fetchall()
    finally:
        base.close()


def wait_until_running(folder: Path) -> None:
    for _ in range(400):
        if jobs_of(folder)[-1][0] == "running":
            return
        time.sleep(0.05)
    raise AssertionError(jobs_of(folder))
