"""The service in processes of its own, as an operator runs it: web and worker, on a port that stays."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import requests
from rfm_testing import service_settings

from rfm_backend.settings import ServiceSettings


class RunningService:
    """`rfm serve --no-worker` and `rfm worker` over one folder."""

    def __init__(self, folder: Path, *, db_host: str = "") -> None:
        made = service_settings("sqlite", folder)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        # The limits are those of the tests; everything else is as it is for everybody.
        self.settings: ServiceSettings = replace(
            made, db_host=db_host, db_name="rfm_killed", quota_files=100_000
        )
        self._folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *, around: Sequence[str] = ()) -> None:
        """Start "web" or "worker"; `around` is a command that runs it."""
        order = {
            "web": ["serve", "--no-worker", "--port", str(self.port)],
            "worker": ["worker"],
        }[name]
        settings = self.settings
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        values = {
            "FLASK_ENV": "development",
            "SECRET_KEY": settings.secret_key,
            "RFM_DATA_DIR": str(settings.data_dir),
            "UPLOAD_DIR": str(settings.upload_dir),
            "DB_HOST": settings.db_host,
            "DB_NAME": settings.db_name,
            "RFM_LOGIN_ATTEMPTS": "1000000",
            "RFM_QUOTA_FILES": str(settings.quota_files),
            "RFM_MAX_UPLOAD_BYTES": "1MiB",
            "RFM_THREADS": "1",
            "TMPDIR": str(temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with (self._folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*around, sys.executable, "-m", "rfm_backend", *order],
                env={**os.environ, **values},
                cwd=self._folder,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self, name: str) -> None:
        """End a process as the system does when memory is short."""
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait()

    def wait_ready(self, seconds: float = 90) -> float:
        """Wait until /ready says so; return the seconds that took."""
        began = time.monotonic()
        while True:
            try:
                if requests.get(f"{self.address}/ready", timeout=10).status_code == 200:
                    return time.monotonic() - began
            except requests.RequestException:
                pass
            if time.monotonic() - began > seconds:
                raise AssertionError((self._folder / "web.log").read_text()[-3000:])
            time.sleep(0.02)

    def stop(self) -> None:
        """End what still runs."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()

    def log(self, name: str) -> str:
        path = self._folder / f"{name}.log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""
