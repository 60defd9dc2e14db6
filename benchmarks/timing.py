"""Times whole processes: wall seconds, processor seconds, peak memory, alone or in pairs; waits for quiet."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

_QUIET_LOAD = 0.4


@dataclass(frozen=True)
class Run:
    """One finished process; memory is the largest resident size, in MiB."""

    wall: float
    processor: float
    memory: float


@dataclass(frozen=True)
class Pair:
    """Two commands run in turn: their medians and the median of the ratios ours / peer."""

    ours: Run
    peer: Run
    ratio: float
    lowest: float
    highest: float


def run_once(command: Sequence[str]) -> Run:
    """Run a command to its end and return what it cost.

    Raises
    ------
    RuntimeError
        The command failed; its last words are in the message.
    """
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} failed: {complaint.decode(errors='replace')[-500:]}"
        )
    # wait4 tells the largest of the process and the children that it waited for.
    return Run(wall=wall, processor=usage.ru_utime + usage.ru_stime, memory=usage.ru_maxrss / 1024)


def run_pairs(ours: Sequence[str], peer: Sequence[str], *, pairs: int) -> Pair:
    """Run both commands once unmeasured, then in turn `pairs` times."""
    run_once(ours)
    run_once(peer)
    measured = [(run_once(ours), run_once(peer)) for _ in range(pairs)]
    ratios = [mine.wall / theirs.wall for mine, theirs in measured]
    return Pair(
        ours=_median([mine for mine, _ in measured]),
        peer=_median([theirs for _, theirs in measured]),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
    )


def wait_until_quiet(*, most_seconds: float) -> float:
    """Wait until the machine has nothing else to do, and return the load that it has then.

    What one section leaves behind (pages that a server still writes) slows the next.
    """
    until = time.monotonic() + most_seconds
    while (load := os.getloadavg()[0]) > _QUIET_LOAD and time.monotonic() < until:
        print(f"waiting for a quiet machine: load {load:.2f}", file=sys.stderr, flush=True)
        time.sleep(10)
    return load


def _median(runs: Sequence[Run]) -> Run:
    return Run(
        wall=statistics.median(run.wall for run in runs),
        processor=statistics.median(run.processor for run in runs),
        memory=max(run.memory for run in runs),
    )
