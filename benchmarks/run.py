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

from beside_spark.section import measure_spark
from many.section import measure_many
from million.section import measure_results
from scale.section import measure_scale
from timing import Pair, run_once, run_pairs

HERE = Path(__file__).resolve().parent
_SECTIONS = ("jobs", "scale", "spark", "results", "users")
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
        choices=_SECTIONS,
        help="measure one section, and keep the others as they stand",
    )
    parser.add_argument("--customers", type=int, default=1_000_000, help="of the saved results")
    parser.add_argument(
        "--sizes",
        type=_numbers,
        default=[1_000_000, 5_000_000, 20_000_000],
        help="lines of the growing shops, with commas",
    )
    parser.add_argument(
        "--spark-sizes",
        type=_numbers,
        default=[200_000, 1_000_000, 4_000_000],
        help="rows of the shops that Spark reads too, with commas",
    )
    parser.add_argument("--spark-master", default="local[2]", help="where Spark runs")
    parser.add_argument("--many-customers", type=int, default=2_000_000, help="of one large shop")
    parser.add_argument("--uploads", type=int, default=1_000, help="of many users")
    parser.add_argument("--many-rows", type=int, default=5_000_000, help="of all these uploads")
    parser.add_argument("--load-seconds", type=float, default=60, help="of many users' requests")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    asked = parser.parse_args()
    data = Path(os.environ.get("RFM_TEST_DATA") or HERE.parent.parent / "shared" / "data")
    sections = _sections(asked.out)
    with tempfile.TemporaryDirectory(prefix="rfm-bench-") as folder:
        if asked.only in (None, "jobs"):
            lines = list(measure(data, Path(folder), rows=asked.rows, pairs=asked.pairs))
            sections["jobs"] = report(lines, pairs=asked.pairs)
        if asked.only in (None, "scale"):
            sections["scale"] = measure_scale(
                Path(folder) / "scale",
                sizes=asked.sizes,
                n_customers=asked.many_customers,
                picture=asked.out.with_name("scale.svg"),
            )
        if asked.only in (None, "spark"):
            sections["spark"] = measure_spark(
                Path(folder) / "spark", sizes=asked.spark_sizes, master=asked.spark_master
            )
        if asked.only in (None, "results"):
            sections["results"] = measure_results(
                Path(folder), n_customers=asked.customers, pairs=min(asked.pairs, 2)
            )
        if asked.only in (None, "users"):
            sections["users"] = measure_many(
                Path(folder) / "users",
                n_users=100,
                n_uploads=asked.uploads,
                n_rows=asked.many_rows,
                seconds=asked.load_seconds,
            )
    text = "\n\n".join(one.strip() for one in sections.values() if one) + "\n"
    asked.out.write_text(text, encoding="utf-8")
    print(text)


def _numbers(text: str) -> list[int]:
    return [int(float(size)) for size in text.split(",")]


def _sections(path: Path) -> dict[str, str]:
    """Return the sections of an earlier report, empty where there is none."""
    before = path.read_text("utf-8") if path.exists() else "# Results\n"
    jobs, *others = before.split("\n## ")
    found = dict.fromkeys(_SECTIONS, "") | {"jobs": jobs}
    for text in others:
        heading = text.partition("\n")[0]
        found[next(name for name in _SECTIONS if name in heading)] = f"## {text}"
    return found


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
