"""All faults in their long forms, and one table of figure against goal.  Run by ``make check-faults``.

    cd tests && python -m faults.check --kills 1000 --deletions 500

It ends with 1 where a goal is missed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from faults.deletions import delete_at_random, own_api
from faults.kills.run import run
from faults.plant import REPOSITORY, plant_all
from faults.planted import FAULTS
from figures import Figure, print_table, run_tests

_READY_SECONDS = 5


def planted(_: argparse.Namespace) -> list[Figure]:
    """Plant a fault in each stage of the pipeline."""
    n_seen = plant_all()
    return [
        Figure(
            what="faults planted in the stages, seen by the tests",
            figure=f"{n_seen} of {len(FAULTS)}",
            goal="all",
            is_met=n_seen == len(FAULTS),
        )
    ]


def kills(asked: argparse.Namespace) -> list[Figure]:
    """Kill web, worker and database, half the times over SQLite, half over a MariaDB server."""
    figures = []
    for kind in ("sqlite", "mysql"):
        with tempfile.TemporaryDirectory(prefix="rfm-kills-") as folder:
            told = run(kind, Path(folder), n_kills=asked.kills // 2, seed=asked.seed)
        print(told, flush=True)
        figures += [
            Figure(
                what=f"{kind}: broken promises after {told.n_kills} kills, "
                f"{told.n_acknowledged} acknowledged answers",
                figure=str(len(told.broken)),
                goal="0",
                is_met=not told.broken,
            ),
            Figure(
                what=f"{kind}: slowest to be ready again",
                figure=f"{told.slowest_ready:.1f} s",
                goal=f"{_READY_SECONDS} s",
                is_met=told.slowest_ready <= _READY_SECONDS,
            ),
        ]
    return figures


def points(asked: argparse.Namespace) -> list[Figure]:
    """Have each system call fail once, in processes forked from one that has run nothing yet."""
    order = [sys.executable, "-m", "faults.syscalls", "--most", str(asked.points)]
    told = ""
    with subprocess.Popen(
        order, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE, text=True, bufsize=1
    ) as done:
        assert done.stdout is not None
        for told in done.stdout:
            print(told, end="", flush=True)
    found = json.loads(told)
    tried = sum(found["tried"].values())
    return [
        Figure(
            what=f"failing system calls, {tried:,} of {found['points']:,} points: promises broken",
            figure=str(len(found["broken"])),
            goal="0",
            is_met=done.returncode == 0,
        )
    ]


def deletions(asked: argparse.Namespace) -> list[Figure]:
    """Delete accounts while their jobs run."""
    left = []
    for kind in ("sqlite", "mysql"):
        with (
            tempfile.TemporaryDirectory(prefix="rfm-deleted-") as folder,
            own_api(Path(folder), kind) as api,
        ):
            left += delete_at_random(api, n_times=asked.deletions // 2, seed=asked.seed)
    return [
        Figure(
            what=f"left of {asked.deletions} accounts deleted while their jobs ran",
            figure=str(len(left)),
            goal="0",
            is_met=not left,
        )
    ]


def short(_: argparse.Namespace) -> list[Figure]:
    """Run the tests whose short form is their only one; they note their figures."""
    names = ("patience", "disk_full", "stopping")
    return run_tests([f"tests/faults/test_{name}.py" for name in names])


CHECKS: Mapping[str, Callable[[argparse.Namespace], list[Figure]]] = {
    "planted": planted,
    "short": short,
    "deletions": deletions,
    "points": points,
    "kills": kills,
}


def main() -> int:
    """Check what the arguments name, by default everything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*CHECKS, []], default=list(CHECKS))
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--points", type=int, default=10**6)
    parser.add_argument("--deletions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    figures = [figure for part in asked.parts for figure in CHECKS[part](asked)]
    return print_table(figures)


if __name__ == "__main__":
    raise SystemExit(main())
