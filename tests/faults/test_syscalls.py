"""A sample of the points at which a write, a sync, a rename or a removal fails: all promises hold at each."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.syscalls import STRACE

_TESTS = Path(__file__).resolve().parent.parent


@pytest.mark.slow
def test_at_a_sample_of_points_of_failure_all_promises_hold() -> None:
    allowed = [STRACE, "-o", os.devnull, "true"]
    if not Path(STRACE).exists() or subprocess.run(allowed, check=False).returncode:
        pytest.skip(f"{STRACE} is not there, or may not trace: apt-get install strace")

    # In a process of its own, which forks: this one has threads.
    order = [sys.executable, "-m", "faults.syscalls", "--most", "10", "--seed", "20261127"]
    done = subprocess.run(
        [*order, "--things", "upload", "save", "delete"],
        cwd=_TESTS,
        capture_output=True,
        text=True,
        check=False,
    )

    told = json.loads(done.stdout.splitlines()[-1])
    assert told["broken"] == []
    assert sum(told["tried"].values()) == 10
    assert told["points"] > 300
