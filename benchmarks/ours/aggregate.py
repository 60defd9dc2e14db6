"""Reading, cleaning with its accounting and aggregating: one row per customer, no scores."""

import sys
import tempfile
from pathlib import Path

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.library import read_sources
from rfm_backend.pipeline.aggregate import aggregate_customers
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.run import map_and_clean
from rfm_backend.progress import no_progress

if __name__ == "__main__":
    source, out = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        options = Options()
        tables = read_sources(source, options, workdir=Path(folder), progress=no_progress)
        engine = DuckDBEngine(workdir=Path(folder))
        request, _ = map_and_clean(tables, options, engine, progress=no_progress)
        aggregate_customers(request, engine, progress=no_progress)
        engine.write(
            "SELECT customer_id, recency, frequency, monetary FROM customers", Path(out), form="csv"
        )
