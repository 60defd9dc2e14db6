"""Runs the tests of the proven modules, and tells which branches of them no test takes.

In:  nothing; or "--kept", to look again at what the last run wrote.
Out: `Branches`; for each line the tests that run it, and the time of each test, for `make mutants`.

What a child runs counts as what the process itself runs; what is killed at once leaves no word.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proven.modules import PROVEN, TESTS

_REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
PACKAGE: Final = _REPOSITORY / "src" / "rfm_backend"
_FOLDER: Final = _REPOSITORY / "out" / "proven"
DATA: Final = _FOLDER / "coverage"
TIMES: Final = _FOLDER / "times.xml"
_REPORT: Final = _FOLDER / "coverage.json"


@dataclass(frozen=True, kw_only=True)
class Branches:
    """How many there are in all and how many are taken; ``missing`` names the others, and lines."""

    n_all: int
    n_taken: int
    missing: list[str]


def measure() -> Branches:
    """Run the tests and return what they take; those that fail, for want of time say, tell it themselves."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    for old in _FOLDER.glob("coverage*"):
        old.unlink()
    coverage = ["--cov", "--cov-context=test", f"--cov-report=json:{_REPORT}"]
    order = [sys.executable, "-m", "pytest", "-n", "2", "-q", *coverage, f"--junitxml={TIMES}"]
    # What these tests measure by themselves is another table's.
    told = {name: value for name, value in os.environ.items() if name != "RFM_FIGURES"}
    subprocess.run(
        [*order, *TESTS],
        cwd=_REPOSITORY,
        env={**told, "COVERAGE_FILE": str(DATA)},
        check=False,
    )
    return kept()


def kept() -> Branches:
    """Return what the tests took in the last run."""
    files = json.loads(_REPORT.read_text("utf-8"))["files"]
    found = [files[f"src/rfm_backend/{module}"] for module in PROVEN]
    missing = [
        f"{module}:{first}->{second if second > 0 else 'exit'}"
        for module, file in zip(PROVEN, found, strict=True)
        for first, second in file["missing_branches"]
    ]
    missing += [
        f"{module}:{line}"
        for module, file in zip(PROVEN, found, strict=True)
        for line in file["missing_lines"]
    ]
    return Branches(
        n_all=sum(file["summary"]["num_branches"] for file in found),
        n_taken=sum(file["summary"]["covered_branches"] for file in found),
        missing=missing,
    )


if __name__ == "__main__":
    done = kept() if "--kept" in sys.argv[1:] else measure()
    print(f"{done.n_taken} of {done.n_all} branches are taken")
    print("\n".join(done.missing))
    raise SystemExit(1 if done.missing else 0)
