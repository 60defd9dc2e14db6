"""Prints one table of what this project costs, each figure a ratio against a peer run beside it.

Run by ``make bench``.  Needs the extras of ``dev`` and RFM_TEST_DATA (default ``../shared/data``).
"""

import argparse
import datetime as dt
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from million.section import measure_results
from timing import Pair, run_once, run_pairs

HERE = Path(__file__).resolve().parent
PACKAGES = ("duckdb", "numpy", "scikit-learn", "fastexcel", "pandas", "polars", "python-calamine")


@dataclass(frozen=True)
class Line:
    """One line of the table; ``goal`` is the ratio that should not be exceeded."""

    name: str
    peer_name: str
    pair: Pair
    goal: float | None


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000, help="rows of the made-up shop")
    parser.add_argument("--pairs", type=int, default=3, help="measured pairs of each line")
    parser.add_argument(
        "--only",
        choices=("jobs", "results"),
        help="measure one section, and keep the other as it stands",
    )
    parser.add_argument("--customers", type=int, default=1_000_000, help="of the saved results")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    asked = parser.parse_args()
    data = Path(os.environ.get("RFM_TEST_DATA") or HERE.parent.parent / "shared" / "data")
    jobs, results = _sections(asked.out)
    with tempfile.TemporaryDirectory(prefix="rfm-bench-") as folder:
        if asked.only != "results":
            lines = list(measure(data, Path(folder), rows=asked.rows, pairs=asked.pairs))
            jobs = report(lines, pairs=asked.pairs)
        if asked.only != "jobs":
            results = measure_results(
                Path(folder), n_customers=asked.customers, pairs=min(asked.pairs, 2)
            )
    text = f"{jobs.rstrip()}\n\n{results}".rstrip() + "\n"
    asked.out.write_text(text, encoding="utf-8")
    print(text)


def _sections(path: Path) -> tuple[str, str]:
    """Return the two sections of an earlier report, empty where there is none."""
    before = path.read_text("utf-8") if path.exists() else "# Results\n"
    jobs, mark, results = before.partition("\n## ")
    return jobs, f"## {results}" if mark else ""


def measure(data: Path, folder: Path, *, rows: int, pairs: int) -> Iterator[Line]:
    """Yield the lines of the table as they are measured."""
    python, rfm = sys.executable, str(Path(sys.executable).with_name("rfm"))
    out = str(folder / "out.csv")
    workbook = str(data / "online_retail" / "Online_Retail.xlsx")
    text = str(data / "online_retail" / "Online_Retail.csv")
    peers, ours = HERE / "peers", HERE / "ours"

    def job(path: str) -> list[str]:
        return [rfm, "segment", path, "-o", out, "--force", "--quiet"]

    yield _line(
        "`rfm --help`",
        "bare `import click`",
        [rfm, "--help"],
        [python, "-c", "import click"],
        pairs * 3,
        2.0,
    )
    yield _line(
        "XLSX, reading with all checks",
        "bare calamine read",
        [python, str(ours / "read.py"), workbook],
        [python, str(peers / "calamine_read.py"), workbook],
        pairs,
        1.4,
    )
    yield _line(
        "XLSX, whole job",
        "pandas + openpyxl + scikit-learn recipe",
        job(workbook),
        [python, str(peers / "recipe.py"), workbook, out],
        max(1, pairs // 2),
        None,
    )
    yield _line(
        "CSV, whole job",
        "pandas + scikit-learn recipe",
        job(text),
        [python, str(peers / "recipe.py"), text, out],
        pairs * 2,
        0.45,
    )
    yield _line(
        "of it: scikit-learn's import",
        "the same recipe",
        [python, "-c", "import sklearn.cluster"],
        [python, str(peers / "recipe.py"), text, out],
        pairs,
        None,
    )
    shop = str(folder / "shop.csv")
    run_once([rfm, "sample", shop, "--rows", str(rows), "--force"])
    polars = [python, str(peers / "polars_rfm.py"), shop, out]
    size = f"{rows / 1e6:g} M rows, {Path(shop).stat().st_size / 1e9:.1f} GB"
    yield _line(
        f"{size}: reading and aggregating",
        "Polars by hand, streaming",
        [python, str(ours / "aggregate.py"), shop, out],
        polars,
        pairs,
        1.2,
    )
    yield _line(
        f"{size}: whole job",
        "Polars by hand, streaming (aggregating only)",
        job(shop),
        polars,
        pairs,
        2.0,
    )


def _line(
    name: str, peer_name: str, ours: list[str], peer: list[str], pairs: int, goal: float | None
) -> Line:
    print(f"measuring: {name} ...", file=sys.stderr, flush=True)
    return Line(name=name, peer_name=peer_name, pair=run_pairs(ours, peer, pairs=pairs), goal=goal)


def report(lines: list[Line], *, pairs: int) -> str:
    """Return the table as Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    machine = (
        f"Measured on {dt.date.today()} with {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}; {versions}."
    )
    method = (
        f"Whole processes in turn, {pairs} pairs or more; ratio = median of the pairs' ratios "
        "(lowest to highest). Memory is the largest process."
    )
    text = [
        "# Results",
        "",
        machine,
        method,
        "",
        "| ours | peer | ours s | peer s | ratio | goal | ours MiB | peer MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        pair = line.pair
        goal = "" if line.goal is None else f"<= {line.goal:g}"
        verdict = (
            "" if line.goal is None else (" met" if pair.ratio <= line.goal else " **missed**")
        )
        text.append(
            f"| {line.name} | {line.peer_name} | {pair.ours.wall:.2f} | {pair.peer.wall:.2f} | "
            f"{pair.ratio:.2f} ({pair.lowest:.2f}-{pair.highest:.2f}) | {goal}{verdict} | "
            f"{pair.ours.memory:.0f} | {pair.peer.memory:.0f} |"
        )
    return "\n".join(text) + "\n"


if __name__ == "__main__":
    main()
