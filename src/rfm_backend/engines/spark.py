"""The Spark engine: the pipeline's SQL on a cluster, the customers brought home as Parquet.

In:  SQL from the pipeline, text tables, files that only the cluster reaches.
Out: rows, arrays, files; named tables until `close`.

What always holds
    * a statement over rows of files runs in Spark, and its table stands as Parquet in a folder that
      driver and executors share;
    * a statement over tables of this process runs in this process (`DuckDBEngine`); a table is brought
      home when such a statement asks for it, or for ``rowid``;
    * what `write_parts` and `write_far` write of tables in the folder, the executors write;
    * an executor that dies costs its tasks, never a row: tables are files, and parts of input files are
      cut alike whoever reads them.

What it does not do: it knows no role, no option and no definition of the pipeline.
"""

import itertools
import re
import shutil
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from rfm_backend.engines.dialect import to_spark
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.protocol import Kind, Rejected, Row
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.engines.spark_files import SharedFolder, far_failures
from rfm_backend.engines.spark_session import close_session, open_session, percent_done
from rfm_backend.engines.spark_sources import (
    View,
    first_rows_sql,
    location_of,
    ordinal_sql,
    parquet_view,
    plain_text_view,
    rejected_rows,
    rows_before,
)
from rfm_backend.engines.sql_parts import names_in, spark_name
from rfm_backend.errors import OutputExists
from rfm_backend.progress import Progress, Stage, Step
from rfm_backend.text_table import TextTable

if TYPE_CHECKING:
    import duckdb

_CREATE: Final = re.compile(
    r'CREATE OR REPLACE TEMP TABLE ("?)([A-Za-z_0-9]+)\1 AS (.*)', re.DOTALL
)
_POLL_SECONDS: Final = 0.2
_T = TypeVar("_T")


class SparkEngine:
    """Runs the pipeline's SQL in Spark; see `engines.protocol.Engine`.

    Parameters
    ----------
    master : str
        "spark://host:7077", "yarn", "k8s://..." or "local[4]".
    workdir : Path
        Where temporary files of this process go; the caller removes it.
    folder : str, optional
        Where tables stand while they are needed: a folder or address that driver and executors share.
        Default: `workdir`.
    memory_limit, threads : of the engine in this process.
    """

    stops_early = False

    def __init__(
        self,
        *,
        master: str,
        workdir: Path,
        folder: str | None = None,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> None:
        self._home = DuckDBEngine(workdir=workdir, memory_limit=memory_limit, threads=threads)
        self._session = open_session(master, folder=workdir)
        self._workdir = workdir
        self.files = SharedFolder(self._session, folder or str(workdir))
        self._numbers = itertools.count(1)
        self._views: dict[tuple[str, str, int], View] = {}
        self._rejected: dict[str, list[Rejected]] = {}
        self._asked_for: dict[str, tuple[View, TextTable]] = {}
        self._before: dict[str, list[int]] = {}
        self._tables: dict[str, str] = {}
        self._at_home: set[str] = set()
        self._tag = f"rfm-{id(self)}"
        self._lock = threading.RLock()

    # -- scanning -------------------------------------------------------------------------------

    def scan(
        self,
        table: TextTable,
        columns: Sequence[str],
        *,
        keep_rejects: bool = False,
        first_rows: int | None = None,
        ordinal: str | None = None,
        as_stored: Collection[str] = (),
    ) -> str:
        """Return a FROM item in parentheses that yields `columns` of `table` as text, blank NULL."""
        assert not as_stored
        with self._lock:
            view = self._view_of(table)
            if keep_rejects:
                self._asked_for[view.name] = (view, table)
            chosen = [quote_name(name) for name in columns]
            condition = ""
            if ordinal is not None or first_rows is not None:
                before = self._rows_before(view)
                if ordinal is not None:
                    chosen.append(f"{ordinal_sql(before)} AS {ordinal}")
                if first_rows is not None:
                    condition = f" WHERE {first_rows_sql(before, first_rows)}"
            return f"(SELECT {', '.join(chosen) or '1 AS one'} FROM {view.name}{condition})"

    def kinds(self, table: TextTable) -> Mapping[str, Kind]:
        """Return nothing: whatever a table holds, its view's columns are text."""
        del table
        return {}

    def _view_of(self, table: TextTable) -> View:
        key = (table.name, str(table.location or table.path), id(table.frame))
        if key not in self._views:
            name = f"rfm_view_{next(self._numbers)}"
            self._views[key] = self._make_view(table, name)
        return self._views[key]

    def _make_view(self, table: TextTable, name: str) -> View:
        view = None
        is_reachable = bool(table.location) or self.files.is_here
        if table.kind == "csv" and is_reachable:
            target = self.files.new(name)
            view = self._run(lambda: plain_text_view(self._session, table, name, target=target))
        elif table.kind == "parquet" and not table.stored_columns and is_reachable:
            view = parquet_view(self._session, location_of(table), table.columns, name)
        return view or self._rewritten_view(table, name)

    def _rewritten_view(self, table: TextTable, name: str) -> View:
        """Read a table in this process and hand it to Spark as Parquet of text."""
        if table.location:
            table = replace(
                table, path=self.files.fetch(table.location, self._workdir), location=""
            )
        chosen = ", ".join(
            f"{quote_name(column)} AS c{place}" for place, column in enumerate(table.columns)
        )
        path = self._workdir / f"{name}.parquet"
        source = self._home.scan(table, table.columns, keep_rejects=True)
        self._home.write(f"SELECT {chosen} FROM {source}", path, form="parquet")
        self._rejected[name] = self._home.take_rejects()
        view = parquet_view(self._session, self.files.publish(path), table.columns, name)
        assert view is not None
        return view

    def _rows_before(self, view: View) -> list[int]:
        if view.name not in self._before:
            self._before[view.name] = rows_before(self._session, view)
        return self._before[view.name]

    def take_rejects(self) -> list[Rejected]:
        """Return the rows that scans with ``keep_rejects`` refused, once each, and forget them."""
        with self._lock:
            asked, self._asked_for = self._asked_for, {}
            for name, (view, table) in asked.items():
                if name not in self._rejected:
                    self._rejected[name] = rejected_rows(self._session, view, table)
            return [row for name in asked for row in self._rejected[name]]

    # -- running --------------------------------------------------------------------------------

    def execute(
        self, sql: str, *, stage: Stage = "aggregate", progress: Progress | None = None
    ) -> None:
        """Run a statement that returns nothing, reporting percent to `progress`."""
        made = _CREATE.match(sql)
        if made is None or self._is_for_home(made[3]):
            self._home.execute(sql, stage=stage, progress=progress)
            if made is not None:
                self._at_home.add(made[2])
                self._tables.pop(made[2], None)
            return
        target = self._run(lambda: self._materialise(made[3]), stage=stage, progress=progress)
        with self._lock:
            self._session.read.parquet(target).createOrReplaceTempView(made[2])
            self._tables[made[2]] = target
            self._at_home.discard(made[2])

    def rows(self, sql: str) -> list[Row]:
        """Return all rows of a query as tuples of Python values."""
        if self._is_for_home(sql):
            return self._home.rows(sql)
        return self._run(lambda: [tuple(row) for row in self._session.sql(to_spark(sql)).collect()])

    def arrays(self, sql: str) -> dict[str, NDArray[np.generic]]:
        """Return the columns of a query as arrays, by name, in the query's order."""
        return self._home.arrays(self._home_sql(sql))

    def create_from_arrays(self, name: str, arrays: dict[str, NDArray[np.generic]]) -> None:
        """Make the table `name` of equally long arrays, row order kept."""
        self._home.create_from_arrays(name, arrays)
        self._at_home.add(name)

    def write(self, sql: str, path: Path, *, form: str) -> None:
        """Write a query's rows to `path` as "csv" or "parquet"."""
        self._home.write(self._home_sql(sql), path, form=form)

    def write_parts(self, sql: str, folder: Path) -> None:
        """Write a query's rows as Parquet into an empty folder here: ``part-00000.parquet`` and on."""
        if self._is_for_home(sql):
            self._home.write(sql, folder / "part-00000.parquet", form="parquet")
            return
        target = self.files.new(f"parts_{next(self._numbers)}")
        self._run(lambda: self._write_parquet(sql, target))
        written = self.files.fetch(target, self._workdir)
        for place, part in enumerate(sorted(written.glob("*.parquet"))):
            shutil.move(part, folder / f"part-{place:05}.parquet")

    def write_far(self, sql: str, address: str, *, force: bool) -> None:
        """Write a query's rows as Parquet to a folder at an address, its order from part to part."""
        with far_failures(address):
            if self.files.is_taken(address) and not force:
                raise OutputExists(
                    f"{address} is there already. Give --force to replace it, or another address.",
                    path=address,
                )
            if self._is_for_home(sql):
                path = self._workdir / f"part_{next(self._numbers)}.parquet"
                self._home.write(sql, path, form="parquet")
                self.files.replace(path, f"{address}/part-00000.parquet", folder=address)
                return
            self._run(lambda: self._write_parquet(sql, address))

    def write_text_far(self, text: str, address: str) -> None:
        """Write a text as UTF-8 to an address, in place of what stands there."""
        path = self._workdir / f"text_{next(self._numbers)}"
        path.write_text(text, "utf-8")
        with far_failures(address):
            self.files.replace(path, address, folder=address)

    def relation(self, sql: str) -> "duckdb.DuckDBPyRelation":
        """Return a query as a DuckDB relation, for callers that want to go on with it."""
        return self._home.relation(self._home_sql(sql))

    def interrupt(self) -> None:
        """Stop the running statement, from any thread."""
        self._session.interruptTag(self._tag)
        self._home.interrupt()

    def close(self) -> None:
        """Give memory, temporary files and the cluster's executors back."""
        self._home.close()
        self.files.remove()
        close_session(self._session)

    def _is_for_home(self, sql: str) -> bool:
        """Tell whether a statement runs in this process, its tables brought home."""
        words = names_in(sql)
        with self._lock:
            in_spark = words & self._tables.keys()
            if words & self._at_home or "rowid" in words:
                for name in sorted(in_spark):
                    self._bring_home(name)
                return True
            return not in_spark and not any(view.name in words for view in self._views.values())

    def _bring_home(self, name: str) -> None:
        """Move a table from the shared folder into this process, rows in their order."""
        self._home.execute(
            f"CREATE OR REPLACE TEMP TABLE {quote_name(name)} AS SELECT * FROM "
            f"{self._parquet_at_home(self._tables.pop(name))}"
        )
        self._at_home.add(name)

    def _home_sql(self, sql: str) -> str:
        """Return a statement of this process with the same rows."""
        if self._is_for_home(sql):
            return sql
        target = self._run(lambda: self._materialise(sql))
        return f"SELECT * FROM {self._parquet_at_home(target)}"

    def _parquet_at_home(self, target: str) -> str:
        folder = self.files.fetch(target, self._workdir)
        return f"read_parquet({quote_text(f'{folder}/*.parquet')})"

    def _materialise(self, sql: str) -> str:
        """Run a query in Spark and leave its rows as Parquet; return where."""
        frame = self._session.sql(to_spark(sql))
        # A column that is NULL throughout has no type, which no file can hold.
        typed = [
            f"CAST({spark_name(name)} AS STRING) AS {spark_name(name)}"
            if kind == "void"
            else spark_name(name)
            for name, kind in frame.dtypes
        ]
        target = self.files.new(f"table_{next(self._numbers)}")
        frame.selectExpr(*typed).write.parquet(target)
        return target

    def _write_parquet(self, sql: str, location: str) -> None:
        frame = self._session.sql(to_spark(sql))
        frame.write.mode("overwrite").option("compression", "zstd").parquet(location)

    def _run(
        self,
        statement: Callable[[], _T],
        *,
        stage: Stage = "aggregate",
        progress: Progress | None = None,
    ) -> _T:
        def tagged() -> _T:
            self._session.addTag(self._tag)
            try:
                return statement()
            finally:
                self._session.removeTag(self._tag)

        if progress is None:
            return tagged()
        with ThreadPoolExecutor(max_workers=1) as pool:
            running = pool.submit(tagged)
            furthest = 0
            try:
                while not wait([running], timeout=_POLL_SECONDS).done:
                    furthest = max(furthest, percent_done(self._session))
                    progress(Step(stage=stage, done=furthest, total=100, unit="percent"))
            except BaseException:
                # Cancelled or Ctrl-C: the cluster must not go on with what nobody waits for.
                while not running.done():
                    self._session.interruptTag(self._tag)
                    wait([running], timeout=_POLL_SECONDS)
                raise
            return running.result()
