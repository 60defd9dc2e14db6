"""The child process: what it answers, and that whatever it does to itself stays its own trouble."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rfm_backend.child import Child, Limits, Process, missing_limits
from rfm_backend.errors import FileTooComplex, OutputFailed, UnreadableFile
from rfm_backend.fork_server import ForkServer

Run = Callable[..., object]
ROOM = Limits(memory_bytes=1024**3, seconds=30)


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    made = ForkServer(["json", "rfm_backend.reading.workbook_reader"])
    yield made
    made.close()


@pytest.fixture(params=["fresh", "forked"])
def result_of(request: pytest.FixtureRequest, forks: ForkServer) -> Callable[..., object]:
    return partial(run, start=None if request.param == "fresh" else forks.start)


def run(
    function: str,
    limits: Limits = ROOM,
    *,
    start: Callable[[], Process] | None,
    **arguments: object,
) -> object:
    with Child(function, arguments, limits, start=start) as child:
        while child.is_running():
            child.wait_a_little()
        return child.result("sales.xlsx")


def test_a_value_comes_back(result_of: Run) -> None:
    assert result_of("json:dumps", obj={"a": [1, None]}) == '{"a": [1, null]}'


def test_a_long_answer_does_not_fill_the_pipe(result_of: Run) -> None:
    assert result_of("json:dumps", obj="x" * 3_000_000) == '"' + "x" * 3_000_000 + '"'


def test_what_a_function_prints_is_no_answer(
    result_of: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert result_of("builtins:print", end="noise", flush=True) is None
    assert capfd.readouterr().out == ""


def test_an_error_of_ours_comes_back_as_itself(result_of: Run) -> None:
    function = "rfm_backend.reading.workbook_reader:read_sheet"
    arguments: dict[str, Any] = {"name": "sales.xlsx", "target": "x", "sheet": None, "folder": "."}

    with pytest.raises(UnreadableFile, match=r"sales\.xlsx is a damaged workbook, or none"):
        result_of(function, path=os.devnull, **arguments)


def test_a_crash_is_an_error_in_words(result_of: Run) -> None:
    with pytest.raises(FileTooComplex, match=r"sales\.xlsx could not be read"):
        result_of("os:abort")


def test_an_error_of_nobodys_ends_the_child_only(result_of: Run) -> None:
    with pytest.raises(FileTooComplex, match="or it is damaged"):
        result_of("os:rmdir", path="/there/is/none")


def test_a_full_disk_is_told_as_such(result_of: Run) -> None:
    with pytest.raises(OutputFailed, match="disk is full"):
        result_of("shutil:copyfile", src=__file__, dst="/dev/full")


def test_too_much_memory_ends_the_child_only(result_of: Run) -> None:
    small = Limits(memory_bytes=200 * 1024**2, seconds=30)

    with pytest.raises(FileTooComplex):
        result_of("builtins:bytearray", small, source=500 * 1024**2)


def test_too_much_time_ends_the_child(result_of: Run) -> None:
    began = time.monotonic()

    with pytest.raises(FileTooComplex):
        result_of("signal:pause", Limits(memory_bytes=1024**3, seconds=0.5))
    assert time.monotonic() - began < 5


def test_a_child_that_nobody_waits_for_any_more_is_ended(forks: ForkServer) -> None:
    began = time.monotonic()

    for start in (None, forks.start):
        with Child("signal:pause", {}, ROOM, start=start) as child:
            assert child.is_running()

    assert time.monotonic() - began < 5


def test_each_system_says_which_limits_it_lacks() -> None:
    # That Linux keeps them is what the tests above show; the others were not tried.
    assert missing_limits("linux") == ()
    for system in ("win32", "darwin"):
        memory, killed = missing_limits(system)
        assert "none on its memory" in memory
        assert "goes on to its end" in killed


def test_each_child_is_a_process_of_its_own_under_one_server(forks: ForkServer) -> None:
    one, two = (run("os:getpid", start=forks.start) for _ in range(2))
    assert one != two
    assert run("os:getppid", start=forks.start) == run("os:getppid", start=forks.start)


def test_a_fork_server_that_died_is_started_anew(forks: ForkServer) -> None:
    server = run("os:getppid", start=forks.start)
    assert isinstance(server, int)
    os.kill(server, 9)

    assert run("os:getppid", start=forks.start) != server


def test_a_fork_server_stays_when_the_thread_that_asked_first_ends() -> None:
    own = ForkServer(["json"])
    servers: list[object] = []

    for _ in range(2):
        # Linux ends a process with the thread that began it.
        asking = threading.Thread(target=lambda: servers.append(run("os:getppid", start=own.start)))
        asking.start()
        asking.join()

    own.close()
    assert servers[0] == servers[1]


def test_a_fork_server_that_cannot_be_started_is_told_and_started_at_the_next_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = ForkServer(["json"])
    with monkeypatch.context() as gone:
        gone.setattr(sys, "executable", str(tmp_path / "python"))
        with pytest.raises(FileNotFoundError):
            own.start()

    assert run("json:dumps", start=own.start, obj=1) == "1"
    own.close()


def test_children_end_with_their_server_and_leave_no_descriptor_open(forks: ForkServer) -> None:
    run("os:getpid", start=forks.start)
    before = len(list(Path("/proc/self/fd").iterdir()))
    own = ForkServer(["json"])
    with Child("signal:pause", {}, ROOM, start=own.start) as child:
        assert child.is_running()
        own.close()
        with pytest.raises(FileTooComplex):
            child.result("sales.xlsx")
    del child

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_fork_server_that_dies_while_it_is_asked_is_started_anew() -> None:
    own = ForkServer(["json"])
    own.warm()
    server = run("os:getppid", start=own.start)
    assert isinstance(server, int)
    os.kill(server, signal.SIGSTOP)
    asked: list[object] = []
    asking = threading.Thread(target=lambda: asked.append(run("os:getppid", start=own.start)))
    asking.start()
    time.sleep(0.3)
    assert asking.is_alive()

    os.kill(server, signal.SIGKILL)
    asking.join()
    own.close()

    assert isinstance(asked[0], int)
    assert asked[0] != server


def test_a_fork_server_ends_by_itself_once_nobody_can_ask(forks: ForkServer) -> None:
    own = ForkServer(["json"])
    with Child("signal:pause", {}, ROOM, start=own.start) as waiting:
        # One that still runs holds up neither the next nor the end.
        assert run("json:dumps", start=own.start, obj=1) == "1"
        assert waiting.is_running()
        process, channel = own._running()
        channel.close()

        assert process.wait(30) == 0
    own.close()


def test_a_child_that_has_ended_can_be_killed_again(forks: ForkServer) -> None:
    with Child("os:getpid", {}, ROOM, start=forks.start) as child:
        child.result("sales.xlsx")

        child.kill()

        assert not child.is_running()
