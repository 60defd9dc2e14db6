"""Starts child processes that have loaded their modules already: forks of one that did nothing else.

In:  the names of modules.
Out: `ForkServer.start`, for `Child`; a child then begins in milliseconds, where a fresh interpreter takes
     seconds to load scikit-learn.

What always holds
    * what is forked has loaded modules and computed nothing: no thread of a pool, no lock, no data of
      an earlier child;
    * children end with their server, and the server with its owner: not with the thread that asked first;
    * what a child is sent and what it answers go through pipes of its own, as with a fresh interpreter.

What it does not do: there is no fork on Windows, and macOS's own libraries do not survive one; `start`
is for Linux, and `has_forks` tells.
"""

import array
import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import IO, Final

from rfm_backend.child import die_with, serve

has_forks: Final = sys.platform == "linux"
_START: Final = (
    "import sys, rfm_backend.fork_server as f; f.serve_forks(int(sys.argv[1]), sys.argv[2:])"
)
_STARTED: Final = b"+"
# Loading the modules takes a few seconds; a server that has not answered by then never will.
_ANSWER_SECONDS: Final = 60.0


class ForkServer:
    """A process that forks; it is started at the first child, or by `warm`, and again where it died."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = tuple(modules)
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Start the process, which then loads its modules."""
        with self._lock:
            self._running()

    def start(self) -> "Forked":
        """Return a new child.

        Raises
        ------
        OSError
            The process cannot be started, or died twice in a row.
        """
        with self._lock:
            try:
                return self._fork()
            except (OSError, IndexError):
                # It died: its line is broken, or ended without the descriptor that was asked for.
                self._end()
                return self._fork()

    def close(self) -> None:
        """End the process, and with it children that still run."""
        with self._lock:
            self._end()

    def _fork(self) -> "Forked":
        process, channel = self._running()
        order_out, order_in = os.pipe()
        answer_out, answer_in = os.pipe()
        descriptors: list[int] = []
        try:
            socket.send_fds(channel, [_STARTED], [order_out, answer_in])
            descriptors = socket.recv_fds(channel, 1, 1)[1]
        finally:
            os.close(order_out)
            os.close(answer_in)
            if not descriptors:
                os.close(order_in)
                os.close(answer_out)
        return Forked(process.pid, descriptors[0], order_in, answer_out)

    def _running(self) -> tuple["subprocess.Popen[bytes]", socket.socket]:
        if self._process is None or self._channel is None or self._process.poll() is not None:
            self._end()
            ours, theirs = socket.socketpair()
            ours.settimeout(_ANSWER_SECONDS)
            self._channel = ours
            with theirs:
                self._process = self._launched(theirs.fileno())
        return self._process, self._channel

    def _launched(self, channel: int) -> "subprocess.Popen[bytes]":
        """Start the process in a thread that waits for its end.

        Linux ends a process with the thread that began it (`child.die_with`), and a request's may end soon.
        """
        started: Future[subprocess.Popen[bytes]] = Future()

        def keep() -> None:
            try:
                process = subprocess.Popen(  # noqa: S603  # our own interpreter, no shell
                    [sys.executable, "-c", _START, str(os.getpid()), *self._modules],
                    stdin=channel,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            except OSError as error:
                started.set_exception(error)
            else:
                started.set_result(process)
                process.wait()

        threading.Thread(target=keep, daemon=True).start()
        return started.result()

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None


class Forked:
    """A forked child, known by a descriptor: its number may be another's once it has ended."""

    def __init__(self, parent: int, process: int, order_in: int, answer_out: int) -> None:
        self.parent = parent
        self.stdin: IO[bytes] = os.fdopen(order_in, "wb")
        self.stdout: IO[bytes] = os.fdopen(answer_out, "rb")
        self._process = process

    def poll(self) -> int | None:
        """Return 0 once it has ended: how, its answer tells; None while it runs."""
        return 0 if self._ends_within(0) else None

    def wait(self) -> int:
        """Wait for the end."""
        self._ends_within(None)
        return 0

    def kill(self) -> None:
        """End it at once."""
        if not self._ends_within(0):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def _ends_within(self, milliseconds: int | None) -> bool:
        ended = select.poll()
        ended.register(self._process, select.POLLIN)
        return bool(ended.poll(milliseconds))

    def __del__(self) -> None:
        os.close(self._process)


def serve_forks(parent: int, modules: Sequence[str]) -> None:
    """Be the server: load the modules, then fork at each request on standard input."""
    die_with(parent)
    channel = socket.socket(fileno=os.dup(0))
    for name in modules:
        importlib.import_module(name)
    while True:
        told, descriptors, _, _ = socket.recv_fds(channel, 1, 2)
        _bury()
        if not told:
            os._exit(0)
        child = os.fork()
        if (
            child == 0
        ):  # pragma: no cover  # what is noted of a fork begins below the frame that forked
            _be_child(channel, array.array("i", descriptors))
        for one in descriptors:
            os.close(one)
        handle = os.pidfd_open(child)
        socket.send_fds(channel, [_STARTED], [handle])
        os.close(handle)


def _be_child(channel: socket.socket, descriptors: "array.array[int]") -> None:
    """Serve one order, and never come back to where the server is."""
    try:
        channel.close()
        for place, one in enumerate(descriptors):
            os.dup2(one, place)
            os.close(one)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # the order's pipe
        serve()
    finally:
        os._exit(1)


def _bury() -> None:
    """Let go of children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
