"""Every hostile and odd file through upload and process of the real service."""

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from doors.real_server import GOAL_SECONDS, RealServer, bearable, health_watched, p99, served
from figures import note_figure

MOST_SECONDS = 10
MOST_BYTES = 1024**3
# Those that are made to take memory, time or the process: one of each kind.
WORST = (
    "xlsx/synthetic/bomb_lying_size.xlsx",
    "xlsx/synthetic/bomb_whitespace_1GB.xlsx",
    "xlsx/synthetic/bomb_overlap_2000x10MB.xlsx",
    "xlsx/synthetic/billion_laughs_sst.xlsx",
    "xlsx/synthetic/xxe_file_sheet.xlsx",
    "xlsx/synthetic/sparse_far_cell.xlsx",
    "xlsx/synthetic/zip_encrypted_flag.xlsx",
    "xlsx/synthetic/nested_zip.xlsx",
    "csv/synthetic/bomb.csv.gz",
)


@dataclass
class Seen:
    """What the files came to: status and code of each, seconds, and the most memory of a child."""

    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    child_bytes: int = 0


def corpus(data_dir: Path) -> list[Path]:
    files = [path for path in sorted((data_dir / "corpus").rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix not in (".md", ".py")]


def send(server: RealServer, path: Path, seen: Seen) -> None:
    """Upload and process one file, and note what is wrong with the answer."""
    began = time.monotonic()
    with path.open("rb") as file:
        answer = server.ask("POST", "/api/upload", files={"file": (path.name, file)})
    if answer.status_code == 201:
        upload_id = answer.json()["upload_id"]
        answer = server.ask("POST", f"/api/rfm/process/{upload_id}")
        server.ask("DELETE", f"/api/uploads/{upload_id}")
    seconds = time.monotonic() - began
    told = answer.json()
    seen.answers[str(path)] = (answer.status_code, told.get("code", ""))
    if answer.status_code == 200:
        return
    seen.slowest = max(seen.slowest, seconds)
    words = told["message"]
    if not (
        answer.status_code in (400, 413, 422)
        and re.fullmatch(r"[a-z_]+", told["code"])
        and len(words) > 20
        and seconds < MOST_SECONDS
        and not re.search(r"Traceback|Error\b|duckdb|(?<!/api)/uploads/|/tmp/|rfm_backend", words)
    ):
        seen.faults.append(f"{path.name}: {answer.status_code} in {seconds:.1f} s: {words}")


def run(server: RealServer, files: list[Path]) -> tuple[Seen, list[float]]:
    seen, ended = Seen(), threading.Event()
    watching = threading.Thread(target=_watch_children, args=(server, seen, ended))
    watching.start()
    with health_watched(server) as seconds:
        for path in files:
            send(server, path, seen)
    ended.set()
    watching.join()
    return seen, seconds


def _watch_children(server: RealServer, seen: Seen, ended: threading.Event) -> None:
    """Note the most memory that any process below the service's has."""
    while not ended.wait(0.02):
        for pid in _below(server.process.pid):
            try:
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                if line.startswith("VmHWM:"):
                    seen.child_bytes = max(seen.child_bytes, int(line.split()[1]) * 1024)


def _below(pid: int) -> Iterator[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield child
        yield from _below(child)


def check(server: RealServer, seen: Seen, seconds: list[float], limit: float) -> None:
    assert seen.faults == []
    assert server.process.poll() is None
    assert p99(seconds) < limit
    assert seen.child_bytes < MOST_BYTES
    assert "Traceback" not in server.log


@pytest.mark.slow
def test_the_worst_files_come_to_a_refusal_in_words(data_dir: Path, tmp_path: Path) -> None:
    files = [data_dir / "corpus" / name for name in WORST]
    with served(tmp_path) as server:
        limit = bearable(server)
        seen, seconds = run(server, files)
        check(server, seen, seconds, limit)
        assert {status for status, _ in seen.answers.values()} <= {413, 422}

        # A name as long as may be, in letters of several bytes.
        path = data_dir / "corpus" / "csv" / "synthetic" / "ok.csv"
        name = "\u65e5" * 250 + ".csv"
        answer = server.ask("POST", "/api/upload", files={"file": (name, path.read_bytes())})
        done = server.ask("POST", f"/api/rfm/process/{answer.json()['upload_id']}")
        assert (answer.json()["filename"], done.status_code) == (name, 200)
        shown = server.ask("GET", f"/api/uploads/{answer.json()['upload_id']}/preview")
        assert shown.status_code == 200


@pytest.mark.slow
@pytest.mark.security_long
def test_every_file_comes_to_a_result_or_a_refusal_in_words(data_dir: Path, tmp_path: Path) -> None:
    files = corpus(data_dir)
    with served(tmp_path) as server:
        seen, seconds = run(server, files)

        n_results = sum(status == 200 for status, _ in seen.answers.values())
        told = f"{n_results} results, {len(files) - n_results} refusals, {len(seen.faults)} faults"
        note_figure(f"corpus of {len(files)} files", told, "0 faults")
        note_figure("corpus: /health p99", f"{p99(seconds) * 1000:.1f} ms", "under 50 ms")
        note_figure("corpus: the slowest refusal", f"{seen.slowest:.1f} s", "at most 10 s")
        note_figure("corpus: the largest child", f"{seen.child_bytes / 1024**2:.0f} MiB", "1 GiB")
        check(server, seen, seconds, GOAL_SECONDS)
