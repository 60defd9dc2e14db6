"""What Spark costs beside DuckDB: both engines over made-up shops of growing size, and a line through it.

    .venv/bin/python benchmarks/spark_cost.py --rows 200000 1000000 4000000
    .venv/bin/python benchmarks/spark_cost.py --rows 20000000 --master spark://127.0.0.1:7077

Each run is a process of its own; the results of both engines are compared byte for byte.  What starting a
session costs is measured with a file of one row.  From three sizes on, seconds = start + rate x rows is fitted
by least squares; where the two lines meet is told, and what they say of a billion rows, with its 95 %
interval, marked as extrapolated.
"""

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Student's t for 95 %, two-sided, by degrees of freedom (NIST handbook, table 1.3.6.7.2).
_T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306}
_FAR = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """seconds = start + rate x rows, and half of the 95 % interval around it at a billion rows."""

    start: float
    rate: float
    half_far: float

    def at(self, rows: float) -> float:
        """Return the seconds that the line says."""
        return self.start + self.rate * rows


def main() -> None:
    """Measure, compare and fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000, 4_000_000])
    parser.add_argument("--master", default="local[2]")
    asked = parser.parse_args()
    found: dict[str, list[tuple[int, float]]] = {"duckdb": [], "spark": []}
    with tempfile.TemporaryDirectory(prefix="rfm-spark-") as name:
        folder = Path(name)
        (folder / "one.csv").write_text("customer,date,amount\nann,2024-01-05,1\n")
        start = {engine: _segment(folder, "one.csv", engine, asked.master)[0] for engine in found}
        print(f"one row: DuckDB {start['duckdb']:.1f} s, Spark {start['spark']:.1f} s", flush=True)
        for rows in asked.rows:
            _run("sample", str(folder / "sales.csv"), "--rows", str(rows), "--force")
            told = {}
            for engine, pairs in found.items():
                seconds, told[engine] = _segment(folder, "sales.csv", engine, asked.master)
                pairs.append((rows, seconds))
            alike = told["duckdb"] == told["spark"]
            print(
                f"{rows:>12,} rows  DuckDB {found['duckdb'][-1][1]:7.1f} s  Spark {found['spark'][-1][1]:7.1f} s  "
                f"{'the same' if alike else 'DIFFERENT'}",
                flush=True,
            )
            if not alike:
                sys.exit(1)
    if len(asked.rows) >= 3:
        lines = {engine: _fitted(pairs) for engine, pairs in found.items()}
        print("\n".join([*(_told(*pair) for pair in lines.items()), _break_even(**lines)]))


def _segment(folder: Path, name: str, engine: str, master: str) -> tuple[float, object]:
    """Return the seconds of one run and all that it says."""
    out = folder / f"{engine}.csv"
    extra = ["--spark-master", master] if engine == "spark" else []
    begun = time.perf_counter()
    summary = _run(
        "segment",
        str(folder / name),
        "-o",
        str(out),
        "--force",
        "--json",
        "--engine",
        engine,
        *extra,
    )
    return time.perf_counter() - begun, (_digest(out), json.loads(summary))


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


def _told(engine: str, line: Line) -> str:
    far, half = line.at(_FAR), line.half_far
    return (
        f"{engine}: {line.start:.1f} s + {line.rate * 1e6:.2f} s per million rows; a billion rows, extrapolated: "
        f"{far / 3600:.1f} h, 95 % interval {max(0.0, far - half) / 3600:.1f} to {(far + half) / 3600:.1f} h"
    )


def _break_even(duckdb: Line, spark: Line) -> str:
    """Return from how many rows Spark is the quicker, on these cores, and how many times the cores it takes."""
    gain = duckdb.rate - spark.rate
    if gain > 0:
        rows = max(0.0, (spark.start - duckdb.start) / gain)
        return f"break-even: {rows / 1e6:,.0f} million rows"
    times = spark.rate * _FAR / (duckdb.at(_FAR) - spark.start)
    return (
        "break-even: none on these cores; for a billion rows, extrapolated, and if rows alone were the work and "
        f"cores shared it evenly, at {times:.0f} times as many"
    )


def _run(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("rfm")), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
