import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rfm_backend import errors
from rfm_backend.cli import rfm
from rfm_backend.cli.exits import Guarded, exit_code, tell_fault

RFM = (sys.executable, "-m", "rfm_backend")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidOption("x"), 2),
        (errors.InvalidRuleTable("x"), 2),
        (errors.OutputExists("x"), 2),
        (errors.MissingExtra("x"), 2),
        (click.UsageError("x"), 2),
        (errors.UnusableInput("x"), 3),
        (errors.FileNotFound("x"), 3),
        (errors.AmbiguousNumbers("x"), 3),
        (errors.UnknownCustomer("x"), 3),
        (errors.OutputFailed("x"), 1),
        (errors.Cancelled("x"), 130),
        (click.Abort(), 130),
        (ZeroDivisionError("x"), 1),
    ],
)
def test_each_failure_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            errors.NoUsableRows("No row is left. Look at it."),
            3,
            "Error: No row is left Look at it.",
        ),
        (errors.InvalidOption("Odd."), 2, "Error: Odd."),
        (errors.Cancelled("x"), 130, "Stopped. What was not finished was not written."),
        (KeyboardInterrupt(), 130, "Stopped. What was not finished was not written."),
    ],
)
def test_a_failure_is_told_in_words_on_standard_error(
    error: BaseException, code: int, said: str
) -> None:
    @click.command(cls=Guarded, invoke_without_command=True)
    def failing() -> None:
        raise error

    found = CliRunner().invoke(failing, [])

    assert (found.exit_code, found.stdout) == (code, "")
    assert found.stderr.strip().replace(". Look", " Look") == said


def test_a_fault_of_ours_is_a_sentence_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RFM_DEBUG", raising=False)

    tell_fault(ZeroDivisionError, ZeroDivisionError("by nothing"), None)

    told = capsys.readouterr().err
    assert "a fault of rfm, not of your file: ZeroDivisionError: by nothing" in told
    assert "RFM_DEBUG=1" in told
    assert "Traceback" not in told


def test_a_fault_of_ours_shows_its_trace_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RFM_DEBUG", "1")
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        tell_fault(ZeroDivisionError, error, error.__traceback__)

    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("debug", ["", "1"])
def test_an_unexpected_exception_ends_the_process_with_one(debug: str) -> None:
    script = (
        "import rfm_backend.cli as cli\n"
        "def fail(*_, **__): raise RuntimeError('odd')\n"
        "cli.rfm.invoke = fail\n"
        "import sys; sys.argv = ['rfm', 'sample', 'x.csv']\n"
        "cli.main()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "RFM_DEBUG": debug},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert ("Traceback" in done.stderr) == bool(debug)
    assert "RuntimeError: odd" in done.stderr


def test_a_reader_that_hangs_up_is_no_failure(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [*RFM, "sample", str(tmp_path / "shop.csv"), "--rows", "10"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdout is not None
    running.stdout.close()

    _, said = running.communicate(timeout=60)

    assert (running.returncode, said) == (0, b"")


def writing_a_large_sample(folder: Path) -> subprocess.Popen[str]:
    """Return a process that is in the middle of it."""
    running = subprocess.Popen(
        [*RFM, "sample", str(folder / "shop.csv"), "--rows", "50000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not list(folder.glob(".rfm-work-*/part-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_cleans_up_and_leaves_with_130(tmp_path: Path, number: int) -> None:
    running = writing_a_large_sample(tmp_path)

    running.send_signal(number)
    out, said = running.communicate(timeout=60)

    assert (running.returncode, out) == (130, "")
    assert said.strip() == "Stopped. What was not finished was not written."
    assert list(tmp_path.iterdir()) == []


def test_the_next_sample_removes_what_a_killed_one_left_beside_it(tmp_path: Path) -> None:
    running = writing_a_large_sample(tmp_path)
    running.kill()
    running.communicate(timeout=60)
    left = list(tmp_path.iterdir())

    subprocess.run([*RFM, "sample", str(tmp_path / "small.csv"), "--rows", "10"], check=True)

    assert len(left) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["small.csv"]


def test_errors_are_coloured_on_a_terminal_unless_that_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = CliRunner().invoke(rfm, ["sample", "shop.doc"], color=True)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = CliRunner().invoke(rfm, ["sample", "shop.doc"], color=True)

    assert coloured.exit_code == plain.exit_code == 2
    assert "\x1b[31m" in coloured.stderr
    assert "\x1b" not in plain.stderr


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("There is no /dev/full here.")
    with full.open("w") as nowhere:
        done = subprocess.run(
            [*RFM, "sample", str(tmp_path / "shop.csv"), "--rows", "10"],
            stdout=nowhere,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert os.strerror(errno.ENOSPC) in done.stderr
    assert "Traceback" not in done.stderr
