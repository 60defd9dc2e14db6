"""A Spark cluster of its own on loopback: a master and two workers, as a site would run them.

In:  a folder for logs and work.
Out: the master's address; the numbers of the executors' processes, to be killed.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final, Self

import pytest

_PATIENCE: Final = 120
_MASTER: Final = "org.apache.spark.deploy.master.Master"
_WORKER: Final = "org.apache.spark.deploy.worker.Worker"
_EXECUTOR: Final = "CoarseGrainedExecutorBackend"


def java_or_skip() -> str:
    """Return the path of Java; without it a person's run skips, and CI fails."""
    pyspark_is_here = shutil.which("java") is not None
    try:
        import pyspark  # noqa: F401, PLC0415  # to know whether it is there
    except ImportError:
        pyspark_is_here = False
    java = shutil.which("java")
    if java is not None and pyspark_is_here:
        return java
    if os.environ.get("CI"):
        pytest.fail("CI has no Java or no pyspark: .ci/run installs the one, make setup the other.")
    pytest.skip("Java 17 or pyspark is absent.")


class Cluster:
    """A standalone master and two workers with one core each; leaving the block ends them."""

    def __init__(self, folder: Path) -> None:
        self._java = java_or_skip()
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._workers: list[Path] = []
        self.address = ""

    def __enter__(self) -> Self:
        try:
            log = self._start(
                "master", _MASTER, "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"
            )
            self.address = self._wait_for(log, r"Starting Spark master at (spark://\S+)")
            self._workers = [
                self._start(
                    f"worker{number}", _WORKER, "--host", "127.0.0.1", "--port", "0",
                    "--webui-port", "0", "--cores", "1", "--memory", "768M",
                    "--work-dir", str(self._folder / "work"), self.address,
                )
                for number in (1, 2)
            ]  # fmt: skip
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_for_workers(self) -> None:
        """Return once both workers are there; a driver can start meanwhile."""
        for log in self._workers:
            self._wait_for(log, r"(Successfully registered with master)")

    def stop(self) -> None:
        """End everything that was started here."""
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            process.wait(timeout=_PATIENCE)

    def executors(self) -> list[int]:
        """Return the process numbers of the executors of these workers."""
        workers = {process.pid for process in self._processes}
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if _EXECUTOR in command and parent in workers:
                found.append(int(entry.name))
        return found

    def kill_an_executor(self) -> int:
        """Kill one executor as soon as there is one, without warning; return its process number."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            for pid in self.executors():
                os.kill(pid, signal.SIGKILL)
                return pid
            time.sleep(0.05)
        raise AssertionError("No executor was started.")

    def _start(self, name: str, *command: str) -> Path:
        import pyspark  # noqa: PLC0415  # absent where these tests are skipped

        home = Path(pyspark.__file__).parent
        log = self._folder / f"{name}.log"
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_SCALA_VERSION": "2.13",
        }
        with log.open("wb") as writing:
            self._processes.append(
                subprocess.Popen(
                    [self._java, "-Xmx256m", *_OPENED, "-cp", f"{home / 'jars'}/*", *command],
                    stdout=writing,
                    stderr=subprocess.STDOUT,
                    env=environment,
                )
            )
        return log

    def _wait_for(self, log: Path, pattern: str) -> str:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if found := re.search(pattern, log.read_text(errors="replace")):
                return found[1]
            if any(process.poll() is not None for process in self._processes):
                break
            time.sleep(0.1)
        raise AssertionError(f"{log.name} never said {pattern}:\n{log.read_text()[-2000:]}")


# Java 17 opens these to Spark only when told; Spark's own scripts say the same.
_OPENED: Final = tuple(
    part
    for module in ("java.lang", "java.lang.invoke", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent", "sun.nio.ch", "sun.security.action")
    for part in ("--add-opens", f"java.base/{module}=ALL-UNNAMED")
)  # fmt: skip
