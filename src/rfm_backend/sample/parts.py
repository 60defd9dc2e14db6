"""Runs the shop's query in stretches, several at a time, and puts the stretches into one file.

In:  a `shop.Plan`, where the file goes, a folder for its parts.
Out: the file.

What always holds: the stretches do not depend on the threads, and are put together in their order;
memory and, for CSV, disk hold no more than a few stretches beside the file.

DuckDB runs one range of numbers on one core, whatever its threads: that is why the work is cut here.
"""

import shutil
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

from rfm_backend.engines.quoting import quote_text
from rfm_backend.errors import OutputFailed
from rfm_backend.progress import Progress, Step
from rfm_backend.sample.shop import Plan, shop_query

FORMATS: Final = {
    ".csv": "FORMAT csv, HEADER",
    ".parquet": "FORMAT parquet, COMPRESSION zstd",
}
# Small, because a stretch that has begun is always finished: COPY in DuckDB 2.0 can lock itself up
# for ever when it is interrupted, while a stretch of this size takes half a second.
_ROWS_PER_PART: Final = 250_000
# Enough for any number of rows: nothing is gathered, only buffers are held.
_MEMORY_LIMIT: Final = "600MB"
_POLL_SECONDS: Final = 0.2


def write_parts(
    plan: Plan, path: Path, *, workdir: Path, threads: int | None, progress: Progress
) -> None:
    """Write the shop to `path`, by its suffix as CSV or Parquet."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY_LIMIT,
        "temp_directory": str(workdir),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if threads is not None:
        config["threads"] = threads
    with duckdb.connect(config=config) as connection:
        cores = int(str(connection.sql("SELECT current_setting('threads')").fetchall()[0][0]))
        try:
            if path.suffix.lower() == ".csv":
                _write_csv(connection, plan, path, cores, progress)
            else:
                _write_parquet(connection, plan, path, cores, progress)
        except duckdb.IOException as error:
            raise OutputFailed(f"{path.name} could not be written: the disk refused it.") from error


def _write_csv(
    connection: duckdb.DuckDBPyConnection, plan: Plan, path: Path, cores: int, progress: Progress
) -> None:
    with path.open("wb") as whole:
        for part in _parts(connection, plan, path, cores, progress):
            with part.open("rb") as source:
                if whole.tell() > 0:
                    source.readline()
                shutil.copyfileobj(source, whole, 1 << 20)
            part.unlink()


def _write_parquet(
    connection: duckdb.DuckDBPyConnection, plan: Plan, path: Path, cores: int, progress: Progress
) -> None:
    parts = list(_parts(connection, plan, path, cores, progress))
    if len(parts) == 1:
        parts[0].replace(path)
        return
    listed = ", ".join(quote_text(str(part)) for part in parts)
    sql = (
        f"COPY (SELECT * FROM read_parquet([{listed}])) TO {quote_text(str(path))} "
        f"({FORMATS['.parquet']})"
    )
    # In a thread of its own: in this one, Ctrl-C would interrupt it.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(_copy, connection, sql, path).result()


def _parts(
    connection: duckdb.DuckDBPyConnection, plan: Plan, path: Path, cores: int, progress: Progress
) -> Iterator[Path]:
    """Yield the parts in order, as many at work as there are cores."""
    how = FORMATS[path.suffix.lower()]
    pool = ThreadPoolExecutor(max_workers=cores)
    running: deque[Future[Path]] = deque()

    def start(first: int) -> None:
        last = min(first + _ROWS_PER_PART, plan.rows)
        part = path.with_name(f"part-{first}{path.suffix}")
        sql = f"COPY ({shop_query(plan, first, last)}) TO {quote_text(str(part))} ({how})"
        running.append(pool.submit(_copy, connection, sql, part))

    firsts = iter(range(0, plan.rows, _ROWS_PER_PART))
    try:
        for first in islice(firsts, cores):
            start(first)
        done = 0
        while running:
            while not running[0].done():
                wait([running[0]], timeout=_POLL_SECONDS)
                progress(Step(stage="save", done=done, total=plan.rows, unit="rows"))
            part = running.popleft().result()
            done = min(done + _ROWS_PER_PART, plan.rows)
            for first in islice(firsts, 1):
                start(first)
            yield part
    finally:
        # Only where something failed or was stopped is anything still running here.
        pool.shutdown(cancel_futures=True)


def _copy(connection: duckdb.DuckDBPyConnection, sql: str, part: Path) -> Path:
    with connection.cursor() as cursor:
        cursor.execute(sql)
    return part
