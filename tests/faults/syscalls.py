"""Each write, sync, rename and removal of what the service does to its disk fails once, and all promises hold.

    cd tests && python -m faults.syscalls --every 1

In:  strace, which makes the Nth call of a kind fail, or kills the process at it.
Out: how many points there were, and what was not as it must be at any of them.

Each point is a process of its own over a fresh copy of a service: it does one thing, with one fault.
"""

import argparse
import io
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import sklearn.cluster  # noqa: F401  # what the computation imports late is there before the fork
import sqlalchemy as sa
from api.shop import SALES
from faults.kills.stored import broken_rules
from rfm_testing import service_settings

from rfm_backend.engines.parquet import count_rows
from rfm_backend.errors import NotFound, OutputFailed, RfmError
from rfm_backend.jobs import compute
from rfm_backend.jobs.leases import LEASE
from rfm_backend.jobs.publish import Computed, publish
from rfm_backend.pipeline.options import Options
from rfm_backend.services import Service, accounts, analyses, open_service, uploads
from rfm_backend.services.requests import AnalysisRequest
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage import jobs
from rfm_backend.storage import uploads as uploads_table
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.tables import JOBS

STRACE: Final = "/usr/bin/strace"
_CALLS: Final = (
    "write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "unlinkat", "mkdir", "rmdir", "ftruncate",
)  # fmt: skip
_FAULTS: Final = {
    "KILL": "signal=KILL",
    "EIO": "error=EIO",
    "ENOSPC": "error=ENOSPC",
}
_USER: Final = 1
_UPLOAD: Final = 1
# What the computation left, for the step that saves it.
_COMPUTED: Final = "computed"
_CUSTOMERS: Final = 70
_READY: Final = "ready"
_HEAD: Final = "head.json"


@dataclass(frozen=True, kw_only=True)
class Point:
    """The `nth` call of a kind in one thing that is done, and how it fails."""

    thing: str
    call: str
    fault: str
    nth: int


def _upload(service: Service) -> object:
    body = io.BytesIO(SALES + b"\n")
    made = uploads.receive(service, _USER, body, filename="b.csv", shop_id=None)
    return made.upload.id


def _process(service: Service) -> object:
    """Compute into the folder that the saving will find: what a job's child process does."""
    upload = uploads.get(service, _USER, _UPLOAD)
    folder = service.settings.data_dir / _COMPUTED
    folder.mkdir()
    return compute.compute(
        source=str(uploads.path_of(service, upload)),
        name=upload.filename,
        request=AnalysisRequest(options=Options()).to_json(),
        folder=str(folder),
        resources={"threads": 1},
    )


def _save(service: Service) -> object:
    job = service.database.write(lambda tx: jobs.claim(tx, worker="w", lease=LEASE))
    assert job is not None
    token, folder = service.files.new_folder(_USER)
    ready = service.settings.data_dir / _READY
    # By links: what is made ready is no part of the saving, and a computation's own fault is told in words.
    try:
        for path in sorted(ready.rglob("*")):
            if path.is_dir():
                (folder / path.relative_to(ready)).mkdir()
            elif path.name != _HEAD:
                os.link(path, folder / path.relative_to(ready))
    except OSError as error:
        raise OutputFailed("What was computed could not be written.") from error
    head = json.loads((ready / _HEAD).read_text())
    computed = Computed(head=head, token=token, folder=folder)
    return publish(service, job, computed, check=lambda: None, tell=_tell_nobody)


def _tell_nobody(done: int, total: int) -> None:
    del done, total


def _delete(service: Service) -> object:
    uploads.delete(service, _USER, _UPLOAD)
    return True


def _delete_account(service: Service) -> object:
    accounts.delete_account(service, _USER)
    return True


THINGS: Final[Mapping[str, Callable[[Service], object]]] = {
    "upload": _upload,
    "process": _process,
    "save": _save,
    "delete": _delete,
    "delete account": _delete_account,
}


def prepare(settings: ServiceSettings) -> bool:
    """Make what every point begins with: an upload with a result, and a job that waits."""
    migrate(settings)
    service = open_service(settings, bcrypt_cost=4)
    accounts.add_user(service, username="ann", email="a@test.com", password="correct horse")
    uploads.receive(service, _USER, io.BytesIO(SALES), filename="a.csv", shop_id=None)
    head = _process(service)
    ready = settings.data_dir / _READY
    (settings.data_dir / _COMPUTED).rename(ready)
    (ready / _HEAD).write_text(json.dumps(head))
    for seed in (1, 2):
        analyses.process(service, _USER, _UPLOAD, AnalysisRequest(options=Options(seed=seed)))
        if seed == 1:
            _save(service)
    service.close()
    return True


def do(thing: str, settings: ServiceSettings) -> dict[str, object]:
    """Do a thing and return what its caller would be told."""
    service = open_service(settings, bcrypt_cost=4)
    try:
        return {"done": THINGS[thing](service)}
    except RfmError as error:
        return {"refused": error.code}
    except Exception as error:  # noqa: BLE001  # it is told, as the web tells it
        return {"fault": f"{type(error).__name__}: {error}"}


def look(thing: str, settings: ServiceSettings, told: Mapping[str, object] | None) -> list[str]:
    """Return what is not as it must be after a thing was done, refused, or cut off; then do it again."""
    service = open_service(settings, bcrypt_cost=4)
    broken = []
    if told is not None and "fault" in told and thing != "process":
        broken.append(f"a fault of ours: {told['fault']}")
    if told is not None and "done" in told:
        broken += _CHECKS[thing](service, told["done"])
    if thing == "save":
        # As the worker that comes after does, once the lease has run out.
        service.database.write(
            lambda tx: tx.execute(
                sa.update(JOBS).where(JOBS.c.state == "running").values(state="queued")
            )
        )
    if not (thing in ("save", "delete", "delete account") and told is not None and "done" in told):
        broken += _again(thing, service)
    broken += broken_rules(service)
    service.close()
    return broken


def _again(thing: str, service: Service) -> list[str]:
    """Do a thing once more, which must go now, or be done already."""
    shutil.rmtree(service.settings.data_dir / _COMPUTED, ignore_errors=True)
    queued = service.database.read(jobs.count_by_state).get("queued", 0)
    if thing == "process" or (thing == "save" and not queued):
        return []
    try:
        value = THINGS[thing](service)
    except NotFound:
        return [] if thing == "delete" else ["not found the second time"]
    except Exception as error:  # noqa: BLE001  # it is told
        return [f"the second time: {type(error).__name__}: {error}"]
    return _CHECKS[thing](service, value)


def _check_upload(service: Service, value: object) -> list[str]:
    upload = uploads.get(service, _USER, int(str(value)))
    same = uploads.path_of(service, upload).read_bytes() == SALES + b"\n"
    return [] if same else ["the upload has other bytes"]


def _check_computed(service: Service, value: object) -> list[str]:
    del value
    n_rows = count_rows(service.settings.data_dir / _COMPUTED / compute.ROWS)
    return [] if n_rows == _CUSTOMERS else [f"computed {n_rows} rows"]


def _check_saved(service: Service, value: object) -> list[str]:
    head = analyses.current(service, _USER, _UPLOAD)
    return [] if head.id == value else [f"{value} was saved, and {head.id} is shown"]


def _check_deleted(service: Service, value: object) -> list[str]:
    del value
    there = service.database.read(lambda tx: uploads_table.all_of_user(tx, _USER))
    files = [*(service.settings.upload_dir / str(_USER)).glob("*/*")]
    return [f"left: {there} {files}"] if there or files else []


_CHECKS: Final = {
    "upload": _check_upload,
    "process": _check_computed,
    "save": _check_saved,
    "delete": _check_deleted,
    "delete account": _check_deleted,
}


class Lab:
    """A service as it is before a thing is done, and copies of it; each step in a process of its own.

    Processes are forked from this one, which has imported everything and run nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = folder / "before"
        self._settings = service_settings("sqlite", self._before, max_upload_bytes=1024 * 1024)
        assert self._in_child(lambda: prepare(self._settings)) is True

    def count(self, thing: str) -> Counter[str]:
        """Return how many calls of each kind a thing makes, in the thread that makes the most of them."""
        out = self._traced(thing, [f"trace={','.join(_CALLS)}"])[0]
        counted = Counter(
            (line.split()[0], line.split()[1].partition("(")[0])
            for line in out.splitlines()
            if "(" in line and "resumed" not in line
        )
        most: Counter[str] = Counter()
        for (_, call), number in counted.items():
            if call in _CALLS:
                most[call] = max(most[call], number)
        return most

    def try_point(self, point: Point) -> list[str]:
        """Return what is broken after a point."""
        inject = f"inject={point.call}:{_FAULTS[point.fault]}:when={point.nth}"
        _, told = self._traced(point.thing, [f"trace={point.call}", inject])
        broken = self._in_child(lambda: look(point.thing, self._copied, told))
        assert isinstance(broken, list)
        return [f"{point}: {one}" for one in broken]

    def _traced(self, thing: str, rules: list[str]) -> tuple[str, Mapping[str, object] | None]:
        """Do a thing under strace; return its notes, and what the caller was told if anything."""
        place = self._folder / "now"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._before, place)
        self._copied = replace(
            self._settings, data_dir=place / "data", upload_dir=place / "uploads"
        )
        notes = self._folder / "notes"
        go, told = os.pipe(), os.pipe()
        pid = os.fork()
        if pid == 0:
            # Left in every way there is, as the answer's own write may be the one that fails.
            try:
                os.read(go[0], 1)
                os.write(told[1], json.dumps(do(thing, self._copied)).encode())
            finally:
                os._exit(0)
        os.close(told[1])
        chosen = [part for rule in rules for part in ("-e", rule)]
        with subprocess.Popen(
            [STRACE, "-f", "-q", "-o", str(notes), *chosen, "-p", str(pid)],
            stderr=subprocess.DEVNULL,
        ) as tracing:
            while "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text():
                assert tracing.poll() is None
                time.sleep(0.002)
            os.write(go[1], b"x")
            with os.fdopen(told[0], "rb") as reading:
                answer = reading.read().decode()
            os.waitpid(pid, 0)
            tracing.wait()
        os.close(go[0])
        os.close(go[1])
        return notes.read_text(), json.loads(answer) if answer else None

    def _in_child(self, act: Callable[[], object]) -> object:
        """Return what a function returns in a process of its own."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            try:
                told = json.dumps(act())
            except BaseException:  # noqa: BLE001  # it is told
                told = json.dumps([traceback.format_exc()])
            with os.fdopen(writing, "w") as answer:
                answer.write(told)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            told = answer.read()
        os.waitpid(pid, 0)
        return json.loads(told)


def points_of(lab: Lab, things: Sequence[str]) -> list[Point]:
    """Return every point there is."""
    return [
        Point(thing=thing, call=call, fault=fault, nth=nth)
        for thing in things
        for call, most in sorted(lab.count(thing).items())
        for fault in _FAULTS
        for nth in range(1, most + 1)
    ]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a run has to tell: points tried, by the thing that was done, of so many; what was broken."""

    tried: Mapping[str, int]
    n_points: int
    broken: tuple[str, ...]


def run(folder: Path, *, things: Sequence[str] = tuple(THINGS), most: int, seed: int) -> Tried:
    """Try the points of some things, `most` of them by chance."""
    lab = Lab(folder)
    everything = points_of(lab, things)
    points = everything
    if len(points) > most:
        points = random.Random(seed).sample(points, most)
    broken: list[str] = []
    for number, point in enumerate(points, start=1):
        if number % 50 == 0:
            print(f"{number} of {len(points)} points", flush=True)
        found = lab.try_point(point)
        print(*found, sep="\n", end="\n" if found else "", flush=True)
        broken += found
    return Tried(
        tried=Counter(point.thing for point in points),
        n_points=len(everything),
        broken=tuple(broken),
    )


def main() -> int:
    """Try points as the arguments say; end with 1 where a promise was broken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--things", nargs="*", default=list(THINGS))
    parser.add_argument("--most", type=int, default=10**6)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    # A line of the log is a write too.
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="rfm-points-") as folder:
        told = run(Path(folder), things=asked.things, most=asked.most, seed=asked.seed)
    print(json.dumps({"tried": dict(told.tried), "points": told.n_points, "broken": told.broken}))
    return min(1, len(told.broken))


if __name__ == "__main__":
    sys.exit(main())
