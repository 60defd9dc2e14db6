"""What every test may use: the folder of real data and an engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rfm_backend.engines.duckdb import DuckDBEngine

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data, by default ``../shared/data``; without it the test is skipped."""
    folder = Path(os.environ.get("RFM_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if folder.is_dir():
        return folder
    pytest.skip("The data folder is absent: set RFM_TEST_DATA to run this test.")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDBEngine]:
    """A fresh DuckDB engine with two threads."""
    folder = tmp_path / "engine"
    folder.mkdir()
    fresh = DuckDBEngine(workdir=folder, threads=2)
    yield fresh
    fresh.close()
