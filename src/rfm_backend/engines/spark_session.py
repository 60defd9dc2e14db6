"""The session with Spark: found, started, or refused in words.

In:  the master's address.
Out: a session of its own, with the settings on which equal results rest.

What always holds: pyspark is imported here alone, and late; what is missing is named with how to install it.
"""

import importlib.util
import re
import shutil
import subprocess
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rfm_backend.errors import InvalidOption, MissingExtra, Unavailable
from rfm_backend.settings import java_home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OLDEST_JAVA: Final = 17
# Parts of a file are cut by these alone, however many executors there are: row numbers rest on it.
# All of them hold for one run, so that it matters not that one machine has smaller parts.
_SETTINGS: Final = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    # DECIMAL(38,6) x DECIMAL(18,6) keeps its twelve digits, and what does not fit is an error.
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.files.maxPartitionBytes": str(8 * 1024 * 1024),
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # "A" and "a" are two columns of a file where they differ in more than case, and never one.
    "spark.sql.caseSensitive": "false",
    # The code made for a whole stage of these statements is too long for Java, which says so at length.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "false",
}

_START: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_ON_ONE_MACHINE: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # The 200 parts that a cluster likes would be 200 small tasks.
    "spark.sql.shuffle.partitions": "8",
}
_LOCK: Final = threading.Lock()
_open: set[int] = set()
_is_ours = True


def open_session(master: str, *, folder: Path) -> "SparkSession":
    """Return a session on `master`; settings of the environment (spark-defaults.conf) hold otherwise.

    Raises
    ------
    MissingExtra
        pyspark, or Java 17, is not installed.
    InvalidOption
        The address is none.
    Unavailable
        No such master answers.
    """
    _check_installed()
    if not re.match(r"(local(\[.*\])?$|spark://|yarn$|k8s://)", master):
        raise InvalidOption(
            f"{master!r} is no Spark master: write spark://HOST:7077, yarn, k8s://https://HOST:PORT or local[4].",
            option="spark_master",
        )
    with warnings.catch_warnings():
        # pyspark warns of the pandas beside it, which nothing here uses.
        warnings.simplefilter("ignore")
        session = _start(master, folder)
    runs_on = session.sparkContext.master
    if runs_on != master:
        close_session(session)
        raise InvalidOption(
            f"Spark runs in this process already, on {runs_on}: one process has one cluster, so {master} needs another.",
            option="spark_master",
        )
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    if _is_one_machine(master):
        # A file of some megabytes should keep more than one core busy there.
        session.conf.set("spark.sql.files.maxPartitionBytes", str(4 * 1024 * 1024))
    return session


def _is_one_machine(master: str) -> bool:
    return master.startswith("local") or "127.0.0.1" in master


def _start(master: str, folder: Path) -> "SparkSession":
    # Imported here: it is an extra, and takes a second.
    from py4j.protocol import Py4JError  # noqa: PLC0415
    from pyspark.errors import PySparkException  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    builder = SparkSession.builder.master(master).appName("rfm")
    for name, value in _START.items():
        builder = builder.config(name, value)
    builder = builder.config("spark.sql.warehouse.dir", str(folder / "warehouse"))
    if _is_one_machine(master):
        for name, value in _ON_ONE_MACHINE.items():
            builder = builder.config(name, value)
    global _is_ours  # noqa: PLW0603  # Spark has one context for each process
    try:
        with _LOCK:
            if not _open:
                _is_ours = SparkSession.getActiveSession() is None
            session = builder.getOrCreate().newSession()
            _open.add(id(session))
    except (PySparkException, Py4JError, OSError) as error:
        raise Unavailable(
            f"Spark could not be started on {master}: {first_line(error)}. Is the master running, and is the "
            "address right?",
            master=master,
        ) from error
    return session


def close_session(session: "SparkSession") -> None:
    """End a session; the last one that was opened here stops Spark, unless it ran before."""
    with _LOCK:
        _open.discard(id(session))
        if not _open and _is_ours:
            session.sparkContext.stop()


def percent_done(session: "SparkSession") -> int:
    """Return how far the stages under way are, in percent of their tasks."""
    tracker = session.sparkContext.statusTracker()
    done = total = 0
    for stage in tracker.getActiveStageIds():
        told = tracker.getStageInfo(stage)
        if told is not None:
            done += told.numCompletedTasks
            total += told.numTasks
    return 100 * done // total if total else 0


def _check_installed() -> None:
    if importlib.util.find_spec("pyspark") is None:
        raise MissingExtra(
            "The engine spark needs pyspark 4.3: install it with  pip install 'rfm-backend[spark]'.",
            extra="spark",
        )
    home = java_home()
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    version = _java_version(java) if java else 0
    if version < _OLDEST_JAVA:
        what = f"Java {version}" if version else "no Java"
        raise MissingExtra(
            f"The engine spark needs Java {_OLDEST_JAVA} or newer, and there is {what}: install it, on Debian "
            "and Ubuntu with  apt-get install openjdk-17-jre-headless, or set JAVA_HOME.",
            extra="java",
        )


def _java_version(java: str) -> int:
    """Return the major version of a Java, 0 where it does not run."""
    try:
        told = subprocess.run(  # noqa: S603  # the machine's own Java, no shell
            [java, "-version"], capture_output=True, text=True, check=True, timeout=60
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found[1]) if found else 0


def first_line(error: Exception) -> str:
    """Return what an error of Spark or Java says, without the stack that follows."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
