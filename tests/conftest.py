"""What every test may use: the folder of real data and an engine; and what none may: other machines."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import egress
import figures
import pytest

from rfm_backend.engines.duckdb import DuckDBEngine

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Refuse connections beyond loopback; the workers of one run share the file of refusals."""
    if not hasattr(config, "workerinput"):
        handle, name = tempfile.mkstemp(prefix="rfm-egress-")
        os.close(handle)
        os.environ[egress.NOTES] = name
    egress.guard(Path(os.environ[egress.NOTES]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which anything, a child process too, tried to reach another machine."""
    if hasattr(session.config, "workerinput"):
        return
    notes = Path(os.environ[egress.NOTES])
    told = notes.read_text("utf-8")
    notes.unlink()
    if told:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"\nTried to reach other machines:\n{told}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a failure beside the figures that its test noted."""
    if report.failed:
        figures.note_failure(report.nodeid)


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
