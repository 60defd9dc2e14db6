"""Runs a function in a child process with limits on memory and time.

In:  the name of a function ("package.module:function") and its arguments as JSON values.
Out: what the function returns, a JSON value; or the error of ours that it raised.

What always holds
    * a child that crashes, is killed or goes over a limit becomes an error in words;
    * nothing that a child prints reaches the terminal; no child outlives its parent on Linux;
    * nothing is pickled.

What it does not do: not every system has every limit; `missing_limits` says which are lacking.
"""

import contextlib
import ctypes
import errno
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final, Protocol, Self

from rfm_backend import errors
from rfm_backend.errors import FileTooComplex, RfmError

if sys.platform != "win32":
    import resource

_POLL_SECONDS: Final = 0.02
_PR_SET_PDEATHSIG: Final = 1
_END: Final = b"\n"
_START = "import rfm_backend.child as c; c.serve()"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a child may use: bytes of private memory, seconds on the clock."""

    memory_bytes: int
    seconds: float


def missing_limits(platform: str = sys.platform) -> tuple[str, ...]:
    """Return what `platform` cannot hold a child to, in sentences; nothing on Linux."""
    if platform == "linux":
        return ()
    return (
        "On this system an analysis has a limit on its time (RFM_JOB_SECONDS), and none on its memory.",
        "On this system an analysis goes on to its end when its worker is killed.",
    )


class Process(Protocol):
    """What a child runs in: a started process that serves one order (`serve`)."""

    parent: int
    stdin: IO[bytes]
    stdout: IO[bytes]

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""

    def wait(self) -> int:
        """Wait for the end and return the exit code."""

    def kill(self) -> None:
        """End it at once."""


class Child:
    """A started child; `result` waits for it, leaving the block ends it.

    Parameters
    ----------
    function : "package.module:function"
    arguments : its arguments, JSON values
    limits : what it may use
    start : what starts a process; a fresh interpreter, or a fork of one that has loaded its modules
        (fork_server.py)
    """

    def __init__(
        self,
        function: str,
        arguments: Mapping[str, object],
        limits: Limits,
        *,
        start: Callable[[], Process] | None = None,
    ) -> None:
        self._deadline = time.monotonic() + limits.seconds
        self._limits = limits
        self._process = (start or _Fresh)()
        self._answer = b""
        # Read as it comes: a child whose answer fills the pipe would wait for ever.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        order = {
            "function": function,
            "arguments": dict(arguments),
            "memory_bytes": limits.memory_bytes,
            "parent": self._process.parent,
        }
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.close()

    def _read(self) -> None:
        self._answer = self._process.stdout.read()

    def is_running(self) -> bool:
        """Tell whether the child still works, ending it once its time is over."""
        if self._process.poll() is not None:
            return False
        if time.monotonic() > self._deadline:
            self.kill()
            return False
        return True

    def wait_a_little(self) -> None:
        """Sleep for the time after which asking again makes sense."""
        time.sleep(_POLL_SECONDS)

    def result(self, name: str) -> object:
        """Return what the function returned, once the child has ended.

        Raises
        ------
        RfmError
            The error of ours that the function raised.
        FileTooComplex
            The child died: over its memory or time, or the file made a library crash.
        """
        code = self._process.wait()
        self._reader.join()
        # A child that was killed while it answered leaves half an answer.
        if code == 0 and self._answer.endswith(_END):
            told = json.loads(self._answer)
            if "error" not in told:
                return told["value"]
            kind = getattr(errors, told["error"])
            raise kind(told["message"], **told["details"])
        over_time = time.monotonic() > self._deadline
        why = (
            f"it took longer than {self._limits.seconds:g} seconds"
            if over_time
            else f"it needs more than {self._limits.memory_bytes / 1024**3:g} GiB of memory, "
            "or it is damaged"
        )
        raise FileTooComplex(
            f"{name} could not be read: {why}. Save it as CSV, or split it.", file=name
        )

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        self._reader.join()
        self._process.stdout.close()


class _Fresh:
    """A fresh interpreter."""

    def __init__(self) -> None:
        self.parent = os.getpid()
        started = subprocess.Popen(  # noqa: S603  # our own interpreter, no shell
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert started.stdin is not None
        assert started.stdout is not None
        self.stdin: IO[bytes] = started.stdin
        self.stdout: IO[bytes] = started.stdout
        self.poll, self.wait, self.kill = started.poll, started.wait, started.kill


def serve() -> None:
    """Be the child: read one order from standard input, answer on standard output."""
    order = json.loads(sys.stdin.readline())
    answer_to = os.dup(1)
    # What a library prints must not be taken for the answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    die_with(int(order["parent"]))
    _limit_memory(int(order["memory_bytes"]))
    module, function = str(order["function"]).split(":")
    try:
        value = getattr(importlib.import_module(module), function)(**order["arguments"])
        answer: dict[str, object] = {"value": value}
    except RfmError as error:
        details = {key: value for key, value in error.details.items() if _is_plain(value)}
        answer = {"error": type(error).__name__, "message": error.written, "details": details}
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        told = "The server's disk is full: the work could not be done. Tell its operator."
        answer = {"error": "OutputFailed", "message": told, "details": {}}
    except MemoryError:
        os._exit(1)
    with os.fdopen(answer_to, "wb") as pipe:
        pipe.write(json.dumps(answer).encode() + _END)
    # Nothing is left to tidy up, and a library's own tidying may take a second.
    os._exit(0)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float | bool | None)


def _limit_memory(n_bytes: int) -> None:
    if sys.platform != "win32":
        # Private memory, and not addresses: libraries reserve far more of those than they use.
        resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with(parent: int) -> None:
    """Ask Linux to end this process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
