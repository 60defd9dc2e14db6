"""The section of many users: what each request takes, a large deletion beside them, a steady load.

In:  how many users, uploads and rows; how long the load lasts.
Out: Markdown lines of one table.
"""

import itertools
import platform
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path

from many.filling import Filled, fill
from many.load import KINDS, Answers, Crowd, post, repeated
from million.asking import Server, percentile_99, rfm_serve, rfm_worker
from million.stage import PASSWORD, Stage, analyse_shop, open_stage
from timing import wait_until_quiet

from rfm_backend.services.uploads import receive

_PER_SECOND = 50
# The server goes on writing for a while after its last row of the filling.
_QUIET_SECONDS = 3_600


def measure_many(folder: Path, *, n_users: int, n_uploads: int, n_rows: int, seconds: float) -> str:
    """Measure everything of the section and return it as Markdown."""
    n_customers = n_rows // n_uploads
    source = analyse_shop(folder, n_customers=n_customers)
    lines = [
        f"## {n_users} users, {n_uploads:,} uploads, {n_customers * n_uploads:,} rows in MariaDB or MySQL",
        "",
        f"Measured on {date.today()}, Python {platform.python_version()}; load from a process of its own.",
        "",
        "| what | p50 | p99 | goal |",
        "|---|---|---|---|",
    ]
    with open_stage("mysql", folder / "many") as stage:
        filled = fill(stage, source, n_users=n_users, n_uploads=n_uploads)
        load = wait_until_quiet(most_seconds=_QUIET_SECONDS)
        lines[2] += f" Load of the machine before: {load:.2f}."
        with rfm_serve(stage) as server:
            crowd = Crowd(server, filled, n_customers=n_customers)
            for line in itertools.chain(
                _each(crowd), _beside_deletion(server, filled, crowd, rows=n_rows // 10)
            ):
                lines.append(line)
                print(line, file=sys.stderr, flush=True)
        # The server goes on clearing away what the deletion marked.
        wait_until_quiet(most_seconds=_QUIET_SECONDS)
        for line in _load(stage, filled, folder / "shop.csv", n_customers, seconds):
            lines.append(line)
            print(line, file=sys.stderr, flush=True)
    return "\n".join(lines) + "\n"


def _each(crowd: Crowd) -> Iterator[str]:
    crowd.ask_each([*KINDS], n_each=20)
    for kind, times in crowd.ask_each([*KINDS], n_each=300).times.items():
        yield _line(kind, times, 50)


def _beside_deletion(server: Server, filled: Filled, crowd: Crowd, *, rows: int) -> Iterator[str]:
    """Ask on while the account with the most rows is deleted."""

    def delete() -> float:
        began = time.perf_counter()
        connection = server.connect()
        headers = {"Authorization": f"Bearer {filled.tokens[0]}"}
        connection.request("DELETE", "/api/user/profile", headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"the deletion answered {answer.status}: {answer.read()!r}")
        return time.perf_counter() - began

    times: list[float] = []
    errors: list[str] = []
    with ThreadPoolExecutor(max_workers=1) as beside:
        deletion = beside.submit(delete)
        while not deletion.done():
            answers = crowd.ask_each([*KINDS], n_each=1)
            times += answers.all()
            errors += answers.errors
    what = (
        f"all of these while an account of {rows:,} rows is deleted, in {deletion.result():.0f} s"
    )
    yield _line(f"{what}; {len(errors)} errors", times, 50)


def _load(
    stage: Stage, filled: Filled, sales: Path, n_customers: int, seconds: float
) -> Iterator[str]:
    """Ask all kinds mixed while two jobs run and people log in."""
    with sales.open("rb") as stream:
        uploaded = receive(
            stage.service, stage.login.user.id, stream, filename="shop.csv", shop_id=None
        ).upload.id
    logins: list[float] = []
    errors: list[str] = []
    with ExitStack() as running:
        server = running.enter_context(rfm_serve(stage))
        running.enter_context(rfm_worker(stage))
        running.enter_context(rfm_worker(stage))
        jobs = _Jobs(server, stage.login.token, uploaded)
        running.enter_context(repeated(jobs.keep_two, every=0.2, errors=errors))
        running.enter_context(
            repeated(lambda: logins.append(_log_in(server, stage)), every=2, errors=errors)
        )
        crowd = Crowd(server, filled, n_customers=n_customers, seed=2)
        crowd.ask_mixed(per_second=_PER_SECOND, seconds=min(20, seconds / 5))
        memory = [server.memory()]
        with repeated(lambda: memory.append(server.memory()), every=seconds / 10, errors=errors):
            answers = crowd.ask_mixed(per_second=_PER_SECOND, seconds=seconds)
    answers.errors += errors
    if answers.errors:
        print("\n".join(answers.errors[:20]), file=sys.stderr, flush=True)
    yield from _told(answers, logins, jobs.n_done, seconds, memory)


def _told(
    answers: Answers, logins: list[float], n_jobs: int, seconds: float, memory: list[float]
) -> Iterator[str]:
    what = f"{_PER_SECOND} mixed requests per second for {seconds:.0f} s, two jobs running ({n_jobs} done)"
    yield _line(what, answers.all(), 200)
    for kind, times in sorted(answers.times.items()):
        yield _line(f"of it: {kind}", times, 200)
    minutes = ", ".join(f"{percentile_99(times):.0f}" for times in answers.by_minute())
    yield f"| p99 of each minute | | {minutes} ms | |"
    yield _line("logins beside them", logins, None)
    yield f"| errors | | {len(answers.errors)} of {len(answers.all()):,} | 0 {_verdict(not answers.errors)} |"
    tenths = ", ".join(f"{one:.0f}" for one in memory)
    yield f"| the server's memory at each tenth of that time | | {tenths} MiB | flat |"


class _Jobs:
    """Two jobs that are always running, each with a seed of its own."""

    def __init__(self, server: Server, token: str, upload_id: int) -> None:
        self._server, self._token, self._upload_id = server, token, upload_id
        self._running: list[int] = []
        self._seeds = itertools.count(1)
        self.n_done = 0

    def keep_two(self) -> None:
        """Begin new ones for those that have ended."""
        self._running = [one for one in self._running if not self._has_ended(one)]
        while len(self._running) < 2:
            options = {"seed": next(self._seeds)}
            path = f"/api/rfm/process/{self._upload_id}"
            status, told = post(self._server, self._token, path, options)
            if status != 202:
                raise RuntimeError(f"a job was answered with {status}: {told}")
            self._running.append(int(str(told["job_id"])))

    def _has_ended(self, job_id: int) -> bool:
        connection = self._server.connect()
        headers = {"Authorization": f"Bearer {self._token}"}
        connection.request("GET", f"/api/jobs/{job_id}", headers=headers)
        text = connection.getresponse().read()
        connection.close()
        if b'"failed"' in text:
            raise RuntimeError(f"a job failed: {text!r}")
        self.n_done += b'"done"' in text
        return b'"done"' in text


def _log_in(server: Server, stage: Stage) -> float:
    began = time.perf_counter()
    body = {"identifier": stage.login.user.username, "password": PASSWORD}
    status, told = post(server, "", "/api/auth/login", body)
    if status != 200:
        raise RuntimeError(f"a login was answered with {status}: {told}")
    return (time.perf_counter() - began) * 1_000


def _line(what: str, times: list[float], goal: float | None) -> str:
    worst = percentile_99(times)
    verdict = "" if goal is None else f"<= {goal:g} ms {_verdict(worst <= goal)}"
    return f"| {what} | {statistics.median(times):.1f} ms | {worst:.1f} ms | {verdict} |"


def _verdict(is_met: bool) -> str:  # noqa: FBT001  # one answer
    return "met" if is_met else "**missed**"
