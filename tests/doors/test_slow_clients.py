"""Those who send, or read, so slowly that they only hold a place: the others do not notice them."""

import contextlib
import http.client
import select
import socket
import threading
import time
from pathlib import Path

import pytest
from api.shop import SALES
from doors.real_server import (
    GOAL_SECONDS,
    RealServer,
    bearable,
    health_watched,
    p99,
    read_all,
    served,
)
from figures import note_figure

_BODY = (
    b"POST /api/upload HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nContent-Length: 1000000\r\n\r\n"
)


class Crowd:
    """Slow clients in one thread: each sends a byte now and then, and nobody's connection is awaited."""

    def __init__(self, server: RealServer, *, each: int) -> None:
        openings = {
            "header": b"GET /health HTTP/1.1\r\nX-Slow: ",
            "body": _BODY,
            "chunked": _BODY.replace(b"Content-Length: 1000000", b"Transfer-Encoding: chunked"),
            "silent": b"",
        }
        self.open: dict[int, tuple[socket.socket, str]] = {}
        self.cut: dict[str, list[float]] = {kind: [] for kind in openings}
        for kind, opening in openings.items():
            for _ in range(each):
                line = server.connect()
                line.sendall(opening)
                self.open[line.fileno()] = (line, kind)
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._trickle)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until all are cut, or it took too long."""
        until = time.monotonic() + seconds
        while self.open and time.monotonic() < until:
            time.sleep(0.05)
        self._ended.set()
        self._thread.join()
        for line, _ in self.open.values():
            line.close()

    def _trickle(self) -> None:
        poll = select.poll()
        for number in self.open:
            poll.register(number, select.POLLIN | select.POLLHUP)
        last = 0.0
        while not self._ended.is_set():
            for number, _ in poll.poll(100):
                poll.unregister(number)
                line, kind = self.open.pop(number)
                line.close()
                self.cut[kind].append(time.monotonic() - self._began)
            if time.monotonic() - last > 0.5:
                last = time.monotonic()
                for line, kind in list(self.open.values()):
                    if kind != "silent":
                        with contextlib.suppress(OSError):
                            line.send(b"1\r\nx\r\n" if kind == "chunked" else b"x")


def check_crowd(server: RealServer, *, each: int, silent_seconds: float) -> dict[str, float]:
    with health_watched(server) as seconds:
        crowd = Crowd(server, each=each)
        time.sleep(min(silent_seconds / 2, 5))
        assert len(crowd.open) == 4 * each  # nobody is cut before his time
        crowd.wait(silent_seconds * 2 + 5)
    assert {kind: len(cut) for kind, cut in crowd.cut.items()} == dict.fromkeys(crowd.cut, each)
    last = max(max(cut) for cut in crowd.cut.values())
    assert last < silent_seconds + 3
    return {"p99": p99(seconds), "last": last, "asked": len(seconds)}


def has_news(line: socket.socket) -> bool:
    return bool(select.select([line], [], [], 0)[0])


@pytest.mark.slow
def test_slow_clients_are_cut_and_nobody_notices_them(tmp_path: Path) -> None:
    with served(
        tmp_path, "--no-worker", "--silent-seconds", "1", RFM_MAX_UPLOAD_BYTES="1MiB"
    ) as server:
        limit = bearable(server)
        # One who does not read his answers, which are more than the two systems take off his hands.
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n" * 20)

        told = check_crowd(server, each=25, silent_seconds=1)

        assert told["p99"] < limit
        with reader:
            whole = 20 * len(server.ask("GET", "/docs/swagger-ui-bundle.js").content)
            assert len(read_all(reader)) < whole

        # Bodies that wait take the room of eight of the largest (3 MiB here); above that the largest go.
        lines = [server.connect() for _ in range(12)]
        for line in lines:
            line.sendall(_BODY.replace(b"1000000", b"3100000") + bytes(2_900_000))
        time.sleep(1.5)
        assert 4 <= sum(has_news(line) for line in lines) <= 6
        for line in lines:
            line.close()

        # Slow but sound: a body that moves at a kilobyte a second comes in whole.
        with server.connect() as line:
            body = b'{"identifier": "nobody", "password": "x"}'.ljust(3000)
            line.sendall(
                b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"Content-Type: application/json\r\nContent-Length: 3000\r\n\r\n"
            )
            for start in range(0, 3000, 500):
                time.sleep(0.4)
                line.sendall(body[start : start + 500])
            assert read_all(line).startswith(b"HTTP/1.1 401 ")


@pytest.mark.slow
def test_a_connection_in_use_is_kept_however_often_it_is_met_at_rest(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker", "--silent-seconds", "1") as server:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        # Another's requests have the server look round at any moment, not only when this one has asked.
        with health_watched(server):
            for _ in range(16):
                # A closed one raises here: nothing opens it again before its answer.
                line.request("GET", "/health")
                assert line.getresponse().read()
                time.sleep(0.25)

        # Silent from here on, it goes.
        assert line.sock is not None
        assert select.select([line.sock], [], [], 5)[0]
        line.close()


@pytest.mark.slow
def test_those_who_wait_for_jobs_leave_the_others_room(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker", RFM_SYNC_WAIT="60") as server:
        limit = bearable(server)
        sent = server.ask("POST", "/api/upload", files={"file": ("a.csv", SALES)}).json()
        lines = []
        for number in range(80):
            body = f'{{"seed": {number}}}'.encode()
            lines.append(server.connect())
            lines[-1].sendall(
                f"POST /api/rfm/process/{sent['upload_id']} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
        for _ in range(100):
            if sum(has_news(line) for line in lines) == 24:
                break
            time.sleep(0.1)

        with health_watched(server) as seconds:
            time.sleep(1)

        # 56 wait; the others have their job's number at once, and everybody else is served.
        answered = [line for line in lines if has_news(line)]
        assert len(answered) == 24
        assert all(line.recv(100).startswith(b"HTTP/1.1 202 ") for line in answered)
        assert p99(seconds) < limit
        for line in lines:
            line.close()
        server.process.kill()  # it would wait for those who wait


@pytest.mark.slow
@pytest.mark.security_long
def test_five_hundred_slow_clients_as_the_service_is_set(tmp_path: Path) -> None:
    with served(tmp_path, "--no-worker") as server:
        told = check_crowd(server, each=125, silent_seconds=30)

    note_figure("500 slow clients: /health p99", f"{told['p99'] * 1000:.1f} ms", "under 50 ms")
    note_figure("500 slow clients: the last is cut after", f"{told['last']:.1f} s", "about 30 s")
    assert told["p99"] < GOAL_SECONDS
