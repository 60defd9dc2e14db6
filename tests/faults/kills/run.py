"""Kills web, worker and database at random under eight clients, and looks whether every promise holds.

cd tests && python -m faults.kills.run sqlite --kills 1000 --seed 1
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from faults.kills.client import Client
from faults.kills.journal import Journal
from faults.kills.service import RunningService
from faults.kills.stored import broken_rules
from faults.network import OwnServer, own_server

from rfm_backend.services import Service, open_service
from rfm_backend.storage import jobs
from rfm_backend.storage.database import WORK
from rfm_backend.storage.migrate import migrate

N_CLIENTS = 8
# Until a job whose worker was killed is another one's, and done.
_QUIET_SECONDS = 90
# Acknowledged answers between two kills, and how long they are waited for.
_PROGRESS = N_CLIENTS
_PROGRESS_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a run has to tell."""

    n_kills: int
    n_acknowledged: int
    n_unanswered: int
    n_results: int
    slowest_ready: float
    broken: tuple[str, ...]


def run(kind: str, folder: Path, *, n_kills: int, seed: int, least: int = 1) -> Told:
    """Kill until there were `n_kills`, at least `least` at a time.

    ``kind`` is "sqlite", or "mysql" with a server of its own.
    """
    chance = random.Random(seed)
    with ExitStack() as stack:
        server = stack.enter_context(own_server(folder / "server")) if kind == "mysql" else None
        (folder / "service").mkdir()
        service = RunningService(folder / "service", db_host=server.host if server else "")
        stack.callback(service.stop)
        migrate(service.settings)
        for name in ("web", "worker"):
            service.start(name)
        service.wait_ready()
        journal = Journal(folder / "journal")
        stack.callback(journal.close)
        clients = [Client(number, service.address, journal, seed) for number in range(N_CLIENTS)]
        broken: list[str] = []
        ended = threading.Event()
        threads = [
            threading.Thread(target=one.run, args=(ended, broken), daemon=True) for one in clients
        ]
        for thread in threads:
            thread.start()
        killed, slowest = 0, 0.0
        while killed < n_kills and not broken:
            _await_progress(journal, ended, broken)
            time.sleep(chance.uniform(0, 0.5))
            names = ["web", "worker", *(["database"] if server else [])]
            chosen = chance.sample(names, chance.randint(min(least, len(names)), len(names)))
            killed += len(chosen)
            slowest = max(slowest, _kill(service, server, chosen))
            print(f"{killed} kills, {journal.n_acknowledged} acknowledged", flush=True)
        ended.set()
        for thread in threads:
            thread.join()
        replayed = Journal(folder / "journal")
        stack.callback(replayed.close)
        broken += _compare(service, replayed, seed)
        return Told(
            n_kills=killed,
            n_acknowledged=journal.n_acknowledged,
            n_unanswered=sum(one.n_unanswered for one in clients),
            n_results=sum(
                known.is_processed
                for account in replayed.accounts.values()
                for known in account.uploads.values()
            ),
            slowest_ready=slowest,
            broken=tuple(broken),
        )


def _await_progress(journal: Journal, ended: threading.Event, broken: list[str]) -> None:
    """Wait until clients are well into their work again: killed at once, nothing would be at stake."""
    before, until = journal.n_acknowledged, time.monotonic() + _PROGRESS_SECONDS
    while journal.n_acknowledged < before + _PROGRESS and time.monotonic() < until and not broken:
        ended.wait(0.02)


def _kill(service: RunningService, server: OwnServer | None, names: list[str]) -> float:
    """Kill some, start them again, and return the seconds until the service was ready."""
    for name in names:
        if name == "database" and server is not None:
            server.kill()
        else:
            service.kill(name)
    began = time.monotonic()
    for name in names:
        if name == "database" and server is not None:
            server.start(is_awaited=False)
        elif name == "worker":
            service.start(name)
    if "web" in names:
        service.start("web")
    while True:
        service.wait_ready()
        if service.processes["worker"].poll() is None:
            return time.monotonic() - began
        service.start("worker")


def _compare(service: RunningService, journal: Journal, seed: int) -> list[str]:
    """Wait until no job is under way, compare with the journal, then look at rows and files."""
    broken = []
    opened = open_service(service.settings, patience=WORK)
    try:
        _wait_for_jobs(opened)
        for number in range(N_CLIENTS):
            try:
                Client(number, service.address, journal, seed).check()
            except AssertionError as error:
                broken.append(f"client {number}: {error}")
        for name in ("web", "worker"):
            service.kill(name)
            if "fault of ours" in service.log(name):
                broken.append(service.log(name)[-4000:])
        broken += broken_rules(opened)
    finally:
        opened.close()
    return broken


def _wait_for_jobs(opened: Service) -> None:
    until = time.monotonic() + _QUIET_SECONDS
    while any(opened.database.read(jobs.count_by_state).get(state) for state in jobs.ACTIVE):
        if time.monotonic() > until:
            return
        time.sleep(0.2)


def main() -> int:
    """Run as the arguments say; end with 1 where a promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["sqlite", "mysql"])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    print(f"{asked.kind}: seed {asked.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="rfm-kills-") as folder:
        told = run(asked.kind, Path(folder), n_kills=asked.kills, seed=asked.seed)
    print(told)
    return 1 if told.broken else 0


if __name__ == "__main__":
    sys.exit(main())
