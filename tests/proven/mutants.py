"""Makes the proven modules wrong, one way at a time, and lists the ways that no test sees.

In:  ``--most N`` (all) after the first ``--skip N`` (none) of the order that ``--seed S`` gives, ``--only PART``
     of a module's path, ``--seconds S`` (60) of tests that one has to live through, ``--at-once N`` (as many as
     there are cores); what `measure` (branches.py) wrote, which is made first where it is missing.
Out: a line for each mutation; at the end the figures, and the survivors as rows of docs/security/mutants.md.
     A survivor that stands there already is named so.  It ends with 1 where one does not.

What always holds
    * the package is changed in copies alone, one for each that is tried at the same time, and each mutation is
      tried in a process of its own;
    * a mutation is seen where a test fails, hangs, or the package does not load.

The processes are forks of this one, which has loaded the libraries and nothing of ours: loading them takes
most of the time of most tests.  What has seen a mutation of a module goes early among the tests of the next.
"""

import argparse
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import entry_points
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import pytest
from proven.branches import DATA, PACKAGE, measure
from proven.mutations import Mutation, all_mutations, tests_for

_REPOSITORY: Final = PACKAGE.parent.parent
_NAMED: Final = _REPOSITORY / "docs" / "security" / "mutants.md"
_LOADED: Final = (
    "alembic.command", "bcrypt", "duckdb", "flask", "flask_cors", "hypothesis.strategies", "jwt", "numpy",
    "pydantic", "pymysql", "requests", "sqlalchemy.dialects.mysql", "sqlalchemy.dialects.sqlite", "waitress",
)  # fmt: skip
_LONGEST: Final = 3.0
_SPARE_SECONDS: Final = 60.0
# pytest's words: passed, failed, not collected, and for a conftest that fails or a test that is not there.
_OUTCOMES: Final = {0: "survived", 1: "failed", 2: "broken", 4: "broken"}


# Of a process of the pool: the one copy that is its own, and how often each test of a module has failed.
_COPIES: Final[list["Copy"]] = []
_SEEN_BY: Final = defaultdict[str, Counter[str]](Counter)


class Copy:
    """A copy of the package that is made wrong in one place at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        shutil.copytree(
            PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__")
        )

    def outcome(self, mutation: Mutation, tests: list[str], seconds: float) -> str:
        """Return "survived", "failed", "hung" or "broken"."""
        self._write(mutation.module, mutation.text)
        most = _LONGEST * seconds + _SPARE_SECONDS
        try:
            outcome = self._run(tests, most)
        finally:
            self._write(mutation.module, (PACKAGE / mutation.module).read_text("utf-8"))
        # A test of each endpoint is not there where its endpoint is not; without the mutation all are.
        if outcome == "broken" and self._run(["--collect-only", *tests], most) != "survived":
            raise SystemExit("The tests have changed: python -m proven.branches")
        return outcome

    @property
    def failed(self) -> str:
        """The test that failed in the last run; "" where none did."""
        lines = (self.folder / "log").read_text("utf-8", "replace").splitlines()
        told = (line.partition(" ")[2] for line in lines if line.startswith(("FAILED ", "ERROR ")))
        return next((name.partition(" - ")[0] for name in told), "")

    def _write(self, module: str, text: str) -> None:
        path = self.folder / PACKAGE.name / module
        path.write_text(text, "utf-8")
        # What was compiled is told from this by second and size alone, which may be the same.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    def _run(self, tests: list[str], most_seconds: float) -> str:
        child = os.fork()
        if child == 0:
            self._be_child(tests)
        until = time.monotonic() + most_seconds
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > until:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return "hung"
            time.sleep(0.05)
        code = os.waitstatus_to_exitcode(status)
        if code not in _OUTCOMES:
            log = (self.folder / "log").read_text("utf-8", "replace")
            raise SystemExit(f"The tests could not be run: {log}")
        return _OUTCOMES[code]

    def _be_child(self, tests: list[str]) -> None:
        """Run the tests over the copy, and never come back."""
        code = 3
        try:
            os.setpgid(0, 0)
            log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.chdir(_REPOSITORY)
            sys.path.insert(0, str(self.folder))
            os.environ["PYTHONPATH"] = str(self.folder)
            # Nobody reads what two sides of an assertion were, and to write that in takes longer than most tests.
            quick = ["--assert=plain", "-p", "no:cacheprovider"]
            code = pytest.main(["-n", "0", "-q", "-x", *quick, *tests])
        except BaseException:  # noqa: BLE001  # told, and no more: what comes after is the parent's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def try_all(mutations: list[Mutation], *, seconds: float, at_once: int) -> list[Mutation]:
    """Try each, print what came of it, and return the survivors."""
    survivors, outcomes = [], Counter[str]()
    with (
        tempfile.TemporaryDirectory(prefix="rfm-mutants-") as folder,
        # Forks, which have loaded what this process has.
        ProcessPoolExecutor(
            at_once, get_context("fork"), initializer=_prepare, initargs=(folder,)
        ) as pool,
    ):
        tried = {pool.submit(_try, mutation, seconds): mutation for mutation in mutations}
        for number, done in enumerate(as_completed(tried), 1):
            mutation = tried[done]
            if done.exception() is not None:
                pool.shutdown(cancel_futures=True)
            outcome = done.result()
            outcomes[outcome] += 1
            print(
                f"{number}/{len(mutations)} {outcome:9} {mutation.module}:{mutation.line} "
                f"{mutation.operator}: {mutation.before}  =>  {mutation.after}",
                flush=True,
            )
            if outcome in ("survived", "unreached"):
                survivors.append(mutation)
    print(
        f"\n{len(mutations)} mutations: " + ", ".join(f"{n} {name}" for name, n in outcomes.items())
    )
    return survivors


def _prepare(folder: str) -> None:
    """Make the copy that this process of the pool changes."""
    _COPIES.append(Copy(Path(tempfile.mkdtemp(dir=folder))))


def _try(mutation: Mutation, most_seconds: float) -> str:
    seen_by, copy = _SEEN_BY[mutation.module], _COPIES[0]
    tests, seconds = tests_for(mutation, seen_by, most_seconds)
    if not tests:
        return "unreached"
    outcome = copy.outcome(mutation, tests, seconds)
    if outcome == "failed":
        seen_by[copy.failed] += 1
    return outcome


def row_of(mutation: Mutation) -> str:
    """Return the beginning of a survivor's row."""
    texts = (text.replace("|", "\\|") for text in (mutation.before, mutation.after))
    return "| {} | `{}` | `{}` |".format(mutation.module, *texts)


def main() -> int:
    """Do what the arguments ask for; return 0 where every survivor is named."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--most", type=int, default=sys.maxsize)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    if not DATA.exists():
        measure()
    for name in (*_LOADED, *(plugin.module for plugin in entry_points(group="pytest11"))):
        importlib.import_module(name)
    mutations = [one for one in all_mutations() if asked.only in one.module]
    random.Random(asked.seed).shuffle(mutations)
    chosen = mutations[asked.skip :][: asked.most]
    print(f"{len(chosen)} of {len(mutations)} mutations, seed {asked.seed}, after {asked.skip}")
    survivors = try_all(chosen, seconds=asked.seconds, at_once=asked.at_once)
    named = _NAMED.read_text("utf-8") if _NAMED.exists() else ""
    unnamed = [one for one in survivors if row_of(one) not in named]
    print(f"{len(survivors)} survived, {len(survivors) - len(unnamed)} of them named with a reason")
    print("\n".join(f"{row_of(one)} line {one.line} |" for one in unnamed))
    return 1 if unnamed else 0


if __name__ == "__main__":
    raise SystemExit(main())
