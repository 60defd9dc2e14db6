"""The import contracts of pyproject.toml refuse what they are there to refuse.

That the code keeps them is `lint-imports`, which `make check` runs; here a copy of the package is
given one wrong import at a time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

WRONG_IMPORTS = [
    ("pipeline/score.py", "import os", "The pipeline is pure"),
    ("pipeline/score.py", "import pathlib", "The pipeline is pure"),
    ("pipeline/score.py", "import duckdb", "The pipeline is pure"),
    ("pipeline/score.py", "import rfm_backend.settings", "The pipeline is pure"),
    ("pipeline/score.py", "import rfm_backend.output.report", "Imports point downwards"),
    ("pipeline/score.py", "import sklearn", "Only what fits"),
    ("reading/source.py", "import duckdb", "know DuckDB"),
    ("reading/source.py", "import rfm_backend.pipeline.score", "Imports point downwards"),
    ("errors.py", "import rfm_backend.columns", "Imports point downwards"),
    ("output/report.py", "import rfm_backend.library", "Imports point downwards"),
    ("web/charts.py", "import rfm_backend.api.routing", "Imports point downwards"),
    ("web/charts.py", "import rfm_backend.storage.users", "Pages ask services"),
    ("utils/__init__.py", "", "Imports point downwards"),
]


def run_contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of the project that stands in `folder`."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def broken(output: str) -> str:
    """Return the broken contracts' names, with the line breaks of the narrow terminal undone."""
    return " ".join(output.partition("Broken contracts")[2].split())


@pytest.mark.parametrize(("module", "line", "contract"), WRONG_IMPORTS)
def test_a_wrong_import_breaks_its_contract(
    module: str, line: str, contract: str, tmp_path: Path
) -> None:
    shutil.copytree(
        REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "rfm_backend" / module
    planted.parent.mkdir(exist_ok=True)
    before = planted.read_text("utf-8") if planted.exists() else ""
    planted.write_text(before + "\n" + line + "\n", encoding="utf-8")

    run = run_contracts(tmp_path)

    assert run.returncode == 1, run.stdout + run.stderr
    assert contract in broken(run.stdout)
