"""The section of Spark: both engines over made-up shops of growing size, and a line through each.

In:  the numbers of rows, where Spark's master is.
Out: Markdown lines.

Each run is a process of its own; the results of both engines are compared byte for byte.  What starting a
session costs is measured with a file of one row.  From three sizes on, seconds = start + rate x rows is fitted
by least squares; where the two lines meet is told, and what they say of a billion rows, with its 95 %
interval, marked as extrapolated.
"""

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

# Student's t for 95 %, two-sided, by degrees of freedom (NIST handbook, table 1.3.6.7.2).
_T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306}
_FAR = 1_000_000_000
_FEWEST_SIZES = 3


@dataclass(frozen=True, kw_only=True)
class Line:
    """seconds = start + rate x rows, and half of the 95 % interval around it at a billion rows."""

    start: float
    rate: float
    half_far: float

    def at(self, rows: float) -> float:
        """Return the seconds that the line says."""
        return self.start + self.rate * rows


def measure_spark(folder: Path, *, sizes: Sequence[int], master: str) -> str:
    """Measure, compare and fit; return the section as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "## Spark beside DuckDB on the same cores: spark",
        "",
        (
            f"Measured on {date.today()} with {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"pyspark {version('pyspark')}, master `{master}`."
        ),
        "Seconds of whole commands, from CSV to CSV; both wrote the same bytes and told the same.",
        "",
        "| rows | DuckDB | Spark | ratio |",
        "|---|---|---|---|",
    ]
    found: dict[str, list[tuple[int, float]]] = {"duckdb": [], "spark": []}
    for rows in (1, *sizes):
        lines.append(_measured(folder, rows, master, found))
        print(lines[-1], file=sys.stderr, flush=True)
    if len(sizes) >= _FEWEST_SIZES:
        # What one row takes is the start alone: it is shown, and not fitted.
        fitted = {engine: _fitted(pairs[1:]) for engine, pairs in found.items()}
        lines += ["", *_told(fitted)]
    return "\n".join(lines) + "\n"


def _measured(
    folder: Path, rows: int, master: str, found: dict[str, list[tuple[int, float]]]
) -> str:
    """Run both engines over one size, note their seconds and return the line of the table."""
    sales = folder / "sales.csv"
    if rows == 1:
        sales.write_text("customer,date,amount\nann,2024-01-05,1\n")
    else:
        _run("sample", str(sales), "--rows", str(rows), "--force")
    told = {}
    for engine, pairs in found.items():
        seconds, told[engine] = _segment(folder, engine, master)
        pairs.append((rows, seconds))
    if told["duckdb"] != told["spark"]:
        raise RuntimeError(f"of {rows:,} rows Spark gives another result than DuckDB")
    duckdb, spark = (found[engine][-1][1] for engine in ("duckdb", "spark"))
    return f"| {rows:,} | {duckdb:.1f} s | {spark:.1f} s | {spark / duckdb:.1f} |"


def _segment(folder: Path, engine: str, master: str) -> tuple[float, object]:
    """Return the seconds of one run and all that it says."""
    out = folder / f"{engine}.csv"
    extra = ["--spark-master", master] if engine == "spark" else []
    order = ["segment", str(folder / "sales.csv"), "-o", str(out), "--force", "--json"]
    begun = time.perf_counter()
    summary = _run(*order, "--engine", engine, *extra)
    seconds = time.perf_counter() - begun
    return seconds, (hashlib.sha256(out.read_bytes()).hexdigest(), json.loads(summary))


def _fitted(pairs: list[tuple[int, float]]) -> Line:
    n = len(pairs)
    mean_x = sum(x for x, _ in pairs) / n
    mean_y = sum(y for _, y in pairs) / n
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    rate = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    start = mean_y - rate * mean_x
    left = sum((y - start - rate * x) ** 2 for x, y in pairs)
    error = math.sqrt(left / (n - 2)) * math.sqrt(1 + 1 / n + (_FAR - mean_x) ** 2 / spread)
    return Line(start=start, rate=rate, half_far=_T95.get(n - 2, 2.0) * error)


def _told(fitted: dict[str, Line]) -> Iterator[str]:
    """Yield a table of the lines, and from how many rows Spark is the quicker."""
    yield "| engine | start | per million rows | a billion rows, extrapolated (95 % interval) |"
    yield "|---|---|---|---|"
    for engine, line in fitted.items():
        far, half = line.at(_FAR), line.half_far
        interval = f"{max(0.0, far - half) / 60:.0f} to {(far + half) / 60:.0f}"
        yield f"| {engine} | {line.start:.1f} s | {line.rate * 1e6:.2f} s | {far / 60:.0f} min ({interval}) |"
    yield ""
    yield _break_even(**fitted)


def _break_even(duckdb: Line, spark: Line) -> str:
    """Return from how many rows Spark is the quicker, on these cores, or how many times the cores it takes."""
    gain = duckdb.rate - spark.rate
    if gain > 0:
        rows = max(0.0, (spark.start - duckdb.start) / gain)
        return f"On these cores Spark is the quicker from {rows / 1e6:,.0f} million rows on."
    times = spark.rate * _FAR / (duckdb.at(_FAR) - spark.start)
    return (
        "On these cores Spark is never the quicker.  For a billion rows, extrapolated, it takes "
        f"{times:.1f} times as many cores to be as quick, if rows alone were the work and cores shared it evenly."
    )


def _run(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("rfm")), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
