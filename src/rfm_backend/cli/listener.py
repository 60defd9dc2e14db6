"""The socket of `rfm serve`: waitress, with patience that ends and limits before any work.

In:  the application, its limits.
Out: a server to run.

What always holds
    * a request has its header whole within `silent_seconds`; a body and an answer move at 500 bytes a
      second at least, counted over that time; a connection without a request is closed after it;
    * only an upload with a token may be large, and all that waits, bodies and answers, takes a bounded part of the disk;
    * what the server itself refuses is a problem with the security headers, as the application's are;
    * told to stop, it takes no new connection and ends once those under way are answered.

Waitress alone closes who is silent, and asks that twice a minute: one byte a second keeps a connection,
and a client that stops reading a long answer keeps a thread, for ever.
"""

import contextlib
import copy
import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import create_server
from waitress.task import ErrorTask, ThreadedTaskDispatcher

from rfm_backend.api import analyses
from rfm_backend.api.problems import of_server
from rfm_backend.services import passwords

if sys.platform != "win32":
    import resource

__all__ = ["SILENT_SECONDS", "make_server"]

SILENT_SECONDS: Final = 30.0
_LEAST_BYTES_A_SECOND: Final = 500
# A thread costs little, and one waits with each process call that is not done yet.
THREADS: Final = analyses.MOST_WAITING + passwords.MOST_WAITING + 8
# An answer goes to the disk where its reader is slow, and sets its thread free.
_MOST_ANSWER_BYTES: Final = 1024**3
_MOST_CONNECTIONS: Final = 2_000
# A connection, the file of its body, and the file that the form's parser writes.
_FILES_EACH: Final = 3
_OTHER_FILES: Final = 200
_MOST_HEADER_BYTES: Final = 32 * 1024
_MOST_SMALL_BODY: Final = 2 * 1024**2
# As many uploads of the largest size may wait on the disk at once.
_LARGEST_AT_ONCE: Final = 8
# The API's and the pages': who asks shows a token there, or a cookie that holds one.
_UPLOADS: Final = ("/api/upload", "/uploads")


def make_server(
    app: object,
    *,
    host: str,
    port: int,
    most_body: int,
    headers: Mapping[str, str],
    stopping: threading.Event,
    stop_seconds: float,
    silent_seconds: float = SILENT_SECONDS,
    trusted_proxy: str = "",
) -> Any:  # noqa: ANN401  # waitress' own types name one of two classes
    """Return a server that listens; its `run` serves until `stopping` is set, and `stop_seconds` longer at most."""
    dispatcher = _Dispatcher()
    dispatcher.set_thread_count(THREADS)
    server: Any = create_server(
        app,  # type: ignore[arg-type]  # any WSGI application
        host=host,
        port=port,
        _dispatcher=dispatcher,
        threads=THREADS,
        connection_limit=_connections(),
        asyncore_use_poll=True,
        outbuf_high_watermark=_MOST_ANSWER_BYTES,
        max_request_header_size=_MOST_HEADER_BYTES,
        max_request_body_size=most_body,
        cleanup_interval=1,
        ident=None,
        # Without a trusted proxy nothing believes them, and /metrics must see that there are some.
        clear_untrusted_proxy_headers=bool(trusted_proxy),
        **_believed(trusted_proxy),
    )
    watch = _Watch(silent_seconds=silent_seconds, most_waiting=_LARGEST_AT_ONCE * most_body)
    end = _End(_sockets(server), stopping=stopping, seconds=stop_seconds)
    for one in _sockets(server):
        one.channel_class = _Channel
        one.problem_headers = headers
        one.maintenance = lambda now, one=one: end.look(watch, one.active_channels, now)
    return server


def _believed(proxy: str) -> dict[str, Any]:
    """Return what the server is told about the one proxy whose word on the client's address counts."""
    if not proxy:
        return {}
    return {"trusted_proxy": proxy, "trusted_proxy_headers": {"x-forwarded-for"}}


def _sockets(server: Any) -> list[Any]:  # noqa: ANN401
    """Return the listening sockets: a name such as localhost has two addresses."""
    several = getattr(server, "map", None)
    return [server] if several is None else [one for one in several.values() if hasattr(one, "adj")]


def _connections() -> int:
    """Return how many connections the open files of this process allow, after asking for more."""
    if sys.platform == "win32":
        return _MOST_CONNECTIONS
    wanted = _MOST_CONNECTIONS * _FILES_EACH + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return max(20, min(_MOST_CONNECTIONS, (soft - _OTHER_FILES) // _FILES_EACH))


class _Parser(HTTPRequestParser):
    """A request as it comes in: large only where it is an upload and carries a token."""

    path: str

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # Two lengths for one body: a proxy may believe the other one.
        if (
            "CONTENT_LENGTH" in self.headers and self.chunked
        ) or "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding contradict each other")
        is_known = "AUTHORIZATION" in self.headers or "COOKIE" in self.headers
        if self.path.rstrip("/") not in _UPLOADS or not is_known:
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = min(self.adj.max_request_body_size, _MOST_SMALL_BODY)


class _Problem(ErrorTask):
    """The answer to what never reaches the application."""

    def execute(self) -> None:
        server: Any = self.channel.server
        error: Any = self.request
        number = secrets.token_hex(8)
        told = of_server(error.error.code, number, most_bytes=error.adj.max_request_body_size)
        body = (json.dumps(told) + "\n").encode()
        self.status = f"{told['status']} {told['title']}"
        self.response_headers = [
            ("Content-Type", "application/problem+json"),
            ("X-Request-Id", number),
            *server.problem_headers.items(),
        ]
        self.set_close_on_finish()
        channel: Any = self.channel
        channel.is_to_linger = True
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):
    """A connection that counts what moves on it."""

    parser_class = _Parser
    error_task_class = _Problem
    n_moved = 0
    # What is refused before it has come in is read away for a while: a connection that is closed with
    # something unread is reset, and the client never sees why.
    is_to_linger = False
    is_lingering = False

    def readable(self) -> bool:
        return self.is_lingering or super().readable()

    def handle_read(self) -> None:
        if not self.is_lingering:
            super().handle_read()
        elif not self.recv(self.adj.recv_bytes):
            self.handle_close()

    def handle_close(self) -> None:
        if not self.is_to_linger or self.is_lingering or not self.connected:
            super().handle_close()
            return
        self.is_lingering, self.will_close = True, False
        try:
            cast("socket.socket", self.socket).shutdown(socket.SHUT_WR)
        except OSError:
            super().handle_close()

    def recv(self, buffer_size: int) -> bytes:
        data = super().recv(buffer_size)
        self.n_moved += len(data)
        return data

    def send(self, data: bytes, do_close: bool = True) -> int:  # noqa: FBT001, FBT002  # waitress' own
        n_sent = super().send(data, do_close)
        self.n_moved += n_sent
        return n_sent


@dataclass
class _Wait:
    """What a connection is waited for, since when, and how much had moved on it then."""

    state: str
    since: float
    n_moved: int


class _Watch:
    """Looks at every connection once a second and closes those that hold up the others."""

    def __init__(self, *, silent_seconds: float, most_waiting: int) -> None:
        self._seconds = silent_seconds
        self._most_waiting = most_waiting
        self._waits: dict[_Channel, _Wait] = {}

    def look(self, channels: dict[int, _Channel], now: float) -> None:
        """Close who is too slow, and the largest bodies where they take too much of the disk."""
        del now  # the wall's clock, which may be set
        moment = time.monotonic()
        open_ones = list(channels.values())
        for channel in open_ones:
            if self._is_too_slow(channel, moment):
                # Not will_close: that waits until the client takes what is sent to it.
                channel.handle_close()
        self._waits = {one: wait for one, wait in self._waits.items() if one.connected}
        sizes = {one: _waiting_bytes(one) for one in open_ones if one.connected}
        total = sum(sizes.values())
        for channel in sorted(sizes, key=lambda one: sizes[one], reverse=True):
            if total <= self._most_waiting:
                return
            total -= sizes[channel]
            channel.handle_close()

    def _is_too_slow(self, channel: _Channel, moment: float) -> bool:
        state = _state(channel)
        wait = self._waits.get(channel)
        # One that is looked at once a second may be at rest each time, and busy in between.
        was_used = wait is not None and state == "request" and channel.n_moved != wait.n_moved
        if wait is None or wait.state != state or state == "us" or was_used:
            self._waits[channel] = _Wait(state, moment, channel.n_moved)
            return False
        if moment - wait.since < self._seconds:
            return False
        is_moving = channel.n_moved - wait.n_moved >= self._seconds * _LEAST_BYTES_A_SECOND
        if state in ("body", "answer") and is_moving:
            self._waits[channel] = _Wait(state, moment, channel.n_moved)
            return False
        return True


class _Dispatcher(ThreadedTaskDispatcher):
    """The threads; those that still work when the server ends have had their time."""

    def shutdown(self, cancel_pending: bool = True, timeout: int = 1) -> bool:  # noqa: FBT001, FBT002  # waitress' own
        return super().shutdown(cancel_pending, timeout)


class _End:
    """Ends the server: no new connections, those that wait for a request closed, the others answered."""

    def __init__(
        self, sockets: Sequence[Any], *, stopping: threading.Event, seconds: float
    ) -> None:
        self._sockets = sockets
        self._stopping = stopping
        self._seconds = seconds
        self._until: float | None = None

    def look(self, watch: _Watch, channels: dict[int, _Channel], now: float) -> None:
        """Have the slow cut; where the end has begun, leave the server's loop once nobody is left."""
        watch.look(channels, now)
        if not self._stopping.is_set():
            return
        if self._until is None:
            self._until = time.monotonic() + self._seconds
            for one in self._sockets:
                one.accepting = False
                # Closed, it would take this look with it; shut, it refuses who comes.
                with contextlib.suppress(OSError):
                    one.socket.shutdown(socket.SHUT_RDWR)
        everybody = [one for here in self._sockets for one in [*here.active_channels.values()]]
        for channel in everybody:
            if _state(channel) in ("request", "lingering"):
                channel.handle_close()
        if time.monotonic() > self._until or not any(one.connected for one in everybody):
            raise SystemExit(0)


def _state(channel: _Channel) -> str:
    """Return what a connection is waited for."""
    if channel.is_lingering:
        return "lingering"
    if channel.total_outbufs_len > 0:
        return "answer"
    if channel.requests:
        return "us"
    if channel.request is None:
        return "request"
    return "body" if channel.request.headers_finished else "header"


def _waiting_bytes(channel: _Channel) -> int:
    coming = channel.request.body_bytes_received if channel.request else 0
    coming += sum(one.body_bytes_received for one in list(channel.requests))
    return coming + channel.total_outbufs_len
