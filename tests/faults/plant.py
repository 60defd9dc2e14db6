"""Plants each fault in a copy of the package and runs the tests that must see it."""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.planted import FAULTS, Fault

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PACKAGE = REPOSITORY / "src" / "rfm_backend"
_TESTS_FAILED = 1


def is_seen(fault: Fault) -> bool:
    """Plant `fault` in a copy of the package and tell whether the tests fail (not: break down)."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "rfm_backend"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        module = copy / fault.module
        text = module.read_text("utf-8")
        if text.count(fault.right) != 1:
            raise SystemExit(f"{fault.module} does not hold once: {fault.right}")
        module.write_text(text.replace(fault.right, fault.wrong), "utf-8")
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-x",
                "-p",
                "no:cacheprovider",
                *fault.tests.split(),
            ],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            check=False,
        )
    return done.returncode == _TESTS_FAILED


def plant_all() -> int:
    """Plant all faults, two at a time, and return how many were seen; each is printed."""
    n_seen = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for fault, seen in zip(FAULTS, pool.map(is_seen, FAULTS), strict=True):
            print(f"{'seen  ' if seen else 'UNSEEN'}  {fault.module}: {fault.wrong}", flush=True)
            n_seen += seen
    return n_seen
