"""What Spark costs beside DuckDB: both engines over made-up shops of growing size, and a line through it.

    .venv/bin/python benchmarks/spark_cost.py --rows 200000 1000000 4000000
    .venv/bin/python benchmarks/spark_cost.py --rows 20000000 --master spark://127.0.0.1:7077

Each run is a process of its own; the results of both engines are compared byte for byte.  From three
sizes on, seconds = start + rate x rows is fitted by least squares, and told for a billion rows with its
95 % interval, marked as extrapolated.
"""

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Student's t for 95 %, two-sided, by degrees of freedom (NIST handbook, table 1.3.6.7.2).
_T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306}
_FAR = 1_000_000_000


def main() -> None:
    """Measure, compare and fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000, 1_000_000, 4_000_000])
    parser.add_argument("--master", default="local[2]")
    asked = parser.parse_args()
    seconds: dict[str, list[tuple[int, float]]] = {"duckdb": [], "spark": []}
    with tempfile.TemporaryDirectory(prefix="rfm-spark-") as name:
        folder = Path(name)
        for rows in asked.rows:
            sales = folder / "sales.csv"
            _run("sample", str(sales), "--rows", str(rows), "--force")
            told = {}
            for engine, spent in seconds.items():
                extra = ["--spark-master", asked.master] if engine == "spark" else []
                out = folder / f"{engine}.csv"
                begun = time.perf_counter()
                summary = _run(
                    "segment",
                    str(sales),
                    "-o",
                    str(out),
                    "--force",
                    "--json",
                    "--engine",
                    engine,
                    *extra,
                )
                spent.append((rows, time.perf_counter() - begun))
                told[engine] = (_digest(out), json.loads(summary))
            alike = told["duckdb"] == told["spark"]
            print(
                f"{rows:>12,} rows  DuckDB {seconds['duckdb'][-1][1]:7.1f} s  Spark {seconds['spark'][-1][1]:7.1f} s  "
                f"{'the same' if alike else 'DIFFERENT'}",
                flush=True,
            )
            if not alike:
                sys.exit(1)
    if len(asked.rows) >= 3:
        for engine, pairs in seconds.items():
            print(_line(engine, pairs))


def _line(engine: str, pairs: list[tuple[int, float]]) -> str:
    """Return the fitted cost and what it says of a billion rows."""
    n = len(pairs)
    mean_x = sum(x for x, _ in pairs) / n
    mean_y = sum(y for _, y in pairs) / n
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    rate = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    start = mean_y - rate * mean_x
    left = sum((y - start - rate * x) ** 2 for x, y in pairs)
    error = math.sqrt(left / (n - 2)) * math.sqrt(1 + 1 / n + (_FAR - mean_x) ** 2 / spread)
    half = _T95.get(n - 2, 2.0) * error
    far = start + rate * _FAR
    return (
        f"{engine}: {start:.1f} s + {rate * 1e6:.2f} s per million rows; a billion rows, extrapolated: "
        f"{far / 3600:.1f} h, 95 % interval {max(0.0, far - half) / 3600:.1f} to {(far + half) / 3600:.1f} h"
    )


def _run(*arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("rfm")), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
