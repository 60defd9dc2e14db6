"""The child process: what it answers, and that whatever it does to itself stays its own trouble."""

import os
import time
from typing import Any

import pytest

from rfm_backend.child import Child, Limits, missing_limits
from rfm_backend.errors import FileTooComplex, UnreadableFile

ROOM = Limits(memory_bytes=1024**3, seconds=30)


def result_of(function: str, limits: Limits = ROOM, **arguments: object) -> object:
    with Child(function, arguments, limits) as child:
        while child.is_running():
            child.wait_a_little()
        return child.result("sales.xlsx")


def test_a_value_comes_back() -> None:
    assert result_of("json:dumps", obj={"a": [1, None]}) == '{"a": [1, null]}'


def test_a_long_answer_does_not_fill_the_pipe() -> None:
    assert result_of("json:dumps", obj="x" * 3_000_000) == '"' + "x" * 3_000_000 + '"'


def test_what_a_function_prints_is_no_answer(capfd: pytest.CaptureFixture[str]) -> None:
    assert result_of("builtins:print", sep="noise") is None
    assert capfd.readouterr().out == ""


def test_an_error_of_ours_comes_back_as_itself() -> None:
    function = "rfm_backend.reading.workbook_reader:read_sheet"
    arguments: dict[str, Any] = {"name": "sales.xlsx", "target": "x", "sheet": None, "folder": "."}

    with pytest.raises(UnreadableFile, match=r"sales\.xlsx is a damaged workbook, or none"):
        result_of(function, path=os.devnull, **arguments)


def test_a_crash_is_an_error_in_words() -> None:
    with pytest.raises(FileTooComplex, match=r"sales\.xlsx could not be read"):
        result_of("os:abort")


def test_too_much_memory_ends_the_child_only() -> None:
    small = Limits(memory_bytes=200 * 1024**2, seconds=30)

    with pytest.raises(FileTooComplex):
        result_of("builtins:bytearray", small, source=500 * 1024**2)


def test_too_much_time_ends_the_child() -> None:
    began = time.monotonic()

    with pytest.raises(FileTooComplex):
        result_of("signal:pause", Limits(memory_bytes=1024**3, seconds=0.5))
    assert time.monotonic() - began < 5


def test_each_system_says_which_limits_it_lacks() -> None:
    # That Linux keeps them is what the tests above show; the others were not tried.
    assert missing_limits("linux") == ()
    for system in ("win32", "darwin"):
        memory, killed = missing_limits(system)
        assert "none on its memory" in memory
        assert "goes on to its end" in killed
