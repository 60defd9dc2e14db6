"""The section of a million results: each line ours against its peer in turn, or against its goal.

In:  how many customers, how many pairs.
Out: Markdown lines of one table.
"""

import itertools
import platform
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from million.asking import (
    bare_server,
    percentile_99,
    rate_of_profiles,
    read_whole,
    rfm_serve,
    time_pages,
)
from million.saving import publish_once, save_ours, save_peer
from million.stage import DATABASES, Stage, analyse_shop, open_stage

from rfm_backend.storage.results import Order, Wanted

_SEGMENT, _CLUSTER = "champions", 2
_ORDERS: tuple[Order, ...] = ("customer_id", "recency", "frequency", "monetary")
_FAST = [
    Wanted(order="customer_id"),
    Wanted(order="customer_id", descending=True),
    *(
        Wanted(segment=segment, cluster=cluster, order=order, descending=descending)
        for (segment, cluster), order, descending in itertools.product(
            ((_SEGMENT, None), (None, _CLUSTER)), _ORDERS, (False, True)
        )
    ),
]
_OTHER = [
    Wanted(segment=_SEGMENT, cluster=_CLUSTER, order="monetary"),
    Wanted(order="monetary", descending=True),
    Wanted(beginning="c00012"),
    Wanted(beginning="Name 123", order="recency"),
    Wanted(beginning="c99", segment=_SEGMENT, order="frequency"),
]
_FORMS = ("csv", "parquet", "json", "xlsx", "html")


def measure_results(folder: Path, *, n_customers: int, pairs: int) -> str:
    """Measure everything of the section and return it as Markdown."""
    source = analyse_shop(folder, n_customers=n_customers)
    lines = [
        f"## {n_customers:,} results",
        "",
        f"Measured on {date.today()}, Python {platform.python_version()}.",
        "Ratio = median of the ratios of pairs run in turn (lowest to highest).",
        "",
        "| database | what | ours | peer | ratio or figure | goal |",
        "|---|---|---|---|---|---|",
    ]
    for kind in DATABASES:
        for line in itertools.chain(
            _saving(kind, source, folder, pairs=pairs), _asking(kind, source, folder, pairs=pairs)
        ):
            print(line, file=sys.stderr, flush=True)
            lines.append(line)
    return "\n".join(lines) + "\n"


def _saving(kind: str, source: Path, folder: Path, *, pairs: int) -> Iterator[str]:
    ways: list[tuple[str, Callable[[], float], float]] = [
        ("saving", lambda: save_ours(kind, source, folder / "ours"), 1.0)
    ]
    if kind == "mysql":
        loading = lambda: save_ours(kind, source, folder / "ours", local_infile=True)  # noqa: E731
        ways.append(("saving with LOAD DATA", loading, 0.5))
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name, _, _ in ways}
    for _ in range(pairs):
        peer = save_peer(kind, source, folder / "peer")
        for name, way, _ in ways:
            runs[name].append((way(), peer))
    for name, _, goal in ways:
        yield _paired(kind, name, "executemany", runs[name], f"<= {goal:g}", "s")


def _asking(kind: str, source: Path, folder: Path, *, pairs: int) -> Iterator[str]:
    with open_stage(kind, folder / "asked") as stage:
        publish_once(stage, source)
        with rfm_serve(stage) as server:
            for wanted in (*_FAST, *_OTHER):
                goal = 20 if wanted in _FAST else 1_000
                times = time_pages(server, stage, wanted, n_pages=200 if goal == 20 else 20)
                yield _figure(kind, f"page: {_name(wanted)}, p99", percentile_99(times), goal, "ms")
        yield from _exports(kind, stage)
        with rfm_serve(stage) as server, bare_server() as bare:
            rates = [
                (rate_of_profiles(server), rate_of_profiles(bare)) for _ in range(max(3, pairs))
            ]
        yield _paired(kind, "profile requests", "bare Flask, same server", rates, ">= 0.5", "/s")


def _exports(kind: str, stage: Stage) -> Iterator[str]:
    """Read each whole form from a fresh server, whose memory then is that form's."""
    paths = {"JSON array": f"/api/rfm/results/{stage.upload_id}"}
    if kind == "sqlite":
        # Files are made from the analysis's own file, whatever the database.
        paths |= {form: f"/api/rfm/export/{stage.upload_id}?format={form}" for form in _FORMS}
    for name, path in paths.items():
        with rfm_serve(stage) as server:
            seconds, size, growth = read_whole(server, path)
        what = f"whole {name}, {size / 1e6:.0f} MB in {seconds:.0f} s: growth of memory"
        yield _figure(kind, what, growth, 100, "MiB")


def _paired(
    kind: str, name: str, peer_name: str, runs: list[tuple[float, float]], goal: str, unit: str
) -> str:
    ratios = [ours / peer for ours, peer in runs]
    ratio, bound = statistics.median(ratios), float(goal.split()[1])
    is_met = ratio <= bound if goal.startswith("<=") else ratio >= bound
    ours, peer = (statistics.median(values) for values in zip(*runs, strict=True))
    return (
        f"| {kind} | {name} | {ours:.1f} {unit} | {peer_name}: {peer:.1f} {unit} | "
        f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f}) | {goal} {_verdict(is_met=is_met)} |"
    )


def _figure(kind: str, name: str, value: float, goal: float, unit: str) -> str:
    verdict = _verdict(is_met=value <= goal)
    return f"| {kind} | {name} | {value:.1f} {unit} |  |  | <= {goal:g} {unit} {verdict} |"


def _verdict(*, is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _name(wanted: Wanted) -> str:
    chosen = [
        f"{name}={value}"
        for name, value in (
            ("segment", wanted.segment),
            ("cluster", wanted.cluster),
            ("q", wanted.beginning),
        )
        if value is not None
    ]
    direction = "descending" if wanted.descending else "ascending"
    return " ".join([*chosen, wanted.order, direction])
