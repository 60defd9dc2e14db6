"""Figures against their goals, as the long forms measure them, and the one table they end in.

In:  tests that call `note_figure`; RFM_FIGURES names the file that what they note is added to.
Out: rows of the table; a test that failed without a figure has a row too.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One row of the table."""

    what: str
    figure: str
    goal: str
    is_met: bool


def note_figure(name: str, figure: str, goal: str) -> None:
    """Print a figure beside its goal, and add it to the file that RFM_FIGURES names, if it does."""
    sys.stderr.write(f"\n{name}: {figure} (goal: {goal})\n")
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    _add("figure", test, name, figure, goal)


def note_failure(test: str) -> None:
    """Note that a test failed: the figures that it noted are not met."""
    _add(_FAILED, test)


def run_tests(arguments: Sequence[str]) -> list[Figure]:
    """Run pytest in a process of its own and return the figures of its tests."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as notes:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", "-q", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "RFM_FIGURES": notes.name},
            check=False,
        )
        lines = [line.rstrip("\n").split("\t") for line in notes]
    failed = {test for kind, test, *_ in lines if kind == _FAILED}
    figures = [
        Figure(what=what, figure=figure, goal=goal, is_met=test not in failed)
        for kind, test, what, figure, goal in (line for line in lines if line[0] != _FAILED)
    ]
    silent = failed - {test for kind, test, *_ in lines if kind != _FAILED}
    figures += [
        Figure(what=test, figure="failed", goal="passes", is_met=False) for test in sorted(silent)
    ]
    if done.returncode != 0 and not failed:
        figures.append(Figure(what="the tests", figure="did not run", goal="run", is_met=False))
    return figures


def print_table(figures: Sequence[Figure]) -> int:
    """Print the table; return 0 where every goal is met, else 1."""
    lines = ["", "| what | figure | goal | |", "|---|---|---|---|"]
    for one in figures:
        verdict = "met" if one.is_met else "MISSED"
        lines.append(f"| {one.what} | {one.figure} | {one.goal} | {verdict} |")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(one.is_met for one in figures) else 1


def _add(*parts: str) -> None:
    if path := os.environ.get("RFM_FIGURES"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("\t".join(parts) + "\n")
