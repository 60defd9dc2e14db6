"""The DuckDB engine: SQL in this process, spilling to disk under a memory limit.

In:  SQL from the pipeline, text tables from `reading`.
Out: rows, arrays, files; named tables until `close`.

What always holds
    * nothing is downloaded: no extension is installed or loaded by itself;
    * every column leaves `scan` as text, unless it is asked for as it is stored: whole numbers without ".0", at most 15 significant digits;
    * a statement can be stopped from another thread, or by a progress callback that raises.

What it does not do: it knows no role, no option and no definition of the pipeline.
"""

import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, TypeVar

import duckdb
import numpy as np
from numpy.typing import NDArray

from rfm_backend.engines.parquet import zoned_text_sql
from rfm_backend.engines.protocol import Kind, Rejected, Row
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import FileTooComplex, InvalidOption, OutputFailed, UnreadableFile
from rfm_backend.progress import Progress, Stage, Step
from rfm_backend.text_table import TextTable

# 20 million rows take no longer with this than with all the memory they would like.
_MEMORY_LIMIT: Final = "600MB"
_POLL_SECONDS: Final = 0.1
# A line of more is no line of a table.  The buffer is what one thread reads at a time: DuckDB's own choice
# follows the longest line, and left a file of 45 MB to one thread.
_MOST_LINES_OF_A_CELL: Final = 20
_MAX_LINE_BYTES: Final = 4 * 1024 * 1024
_BUFFER_BYTES: Final = 16 * 1024 * 1024
_INTERRUPTED: Final = "Query interrupted"
_T = TypeVar("_T")


class DuckDBEngine:
    """Runs the pipeline's SQL in DuckDB; see `engines.protocol.Engine`.

    Parameters
    ----------
    memory_limit : str, optional
        As "1.5GB"; above it DuckDB spills to `workdir`.  Default: 600MB.
    threads : int, optional
        Default: the cores this process may use.
    workdir : Path
        Where temporary files go; the caller removes it.
    """

    stops_early = True

    def __init__(
        self, *, workdir: Path, memory_limit: str | None = None, threads: int | None = None
    ) -> None:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "temp_directory": str(workdir),
            "threads": threads or _cores(),
            "preserve_insertion_order": True,
            "memory_limit": memory_limit or _MEMORY_LIMIT,
        }
        try:
            self._connection = duckdb.connect(config=settings)
        except duckdb.Error as error:
            raise InvalidOption(
                f"The memory limit {memory_limit!r} cannot be used: write it as 1.5GB or 800MB.",
                option="memory_limit",
            ) from error
        self._connection.execute("SET TimeZone = 'UTC'; SET lock_configuration = true")
        self._workdir = workdir
        self._frames: dict[int, str] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

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
        source = self._source(table, columns, keep_rejects=keep_rejects, as_stored=as_stored)
        if first_rows is not None:
            source = f"(SELECT * FROM {source} LIMIT {first_rows})"
        if ordinal is not None:
            source = f"(SELECT *, row_number() OVER () AS {ordinal} FROM {source})"
        return source

    def kinds(self, table: TextTable) -> Mapping[str, Kind]:
        """Return which columns of `table` a scan can yield as they are stored, and what they hold."""
        if table.kind == "csv" or table.stored_columns:
            return {}
        types = self._types_of(self._stored_source(table))
        return {name: kind for name, type_name in types.items() if (kind := _kind_of(type_name))}

    def _source(
        self,
        table: TextTable,
        columns: Sequence[str],
        *,
        keep_rejects: bool,
        as_stored: Collection[str],
    ) -> str:
        if table.kind == "csv":
            return self._scan_csv(table, columns, keep_rejects=keep_rejects)
        if table.stored_columns:
            return _scan_sheet(table, columns)
        return self._as_text(self._stored_source(table), columns, as_stored)

    def _stored_source(self, table: TextTable) -> str:
        if table.kind == "parquet":
            return f"read_parquet({quote_text(str(table.path))})"
        return self._frame_source(table)

    def _scan_csv(self, table: TextTable, columns: Sequence[str], *, keep_rejects: bool) -> str:
        dialect = table.dialect
        if dialect is None or table.path is None:
            raise UnreadableFile(f"{table.name} has no dialect.", file=table.name)
        types = ", ".join(f"{quote_text(name)}: 'VARCHAR'" for name in table.columns)
        skip = dialect.skip_lines + (1 if table.has_header else 0)
        options = [
            "auto_detect = false",
            "header = false",
            f"skip = {skip}",
            f"delim = {quote_text(dialect.path_delimiter)}",
            f"quote = {quote_text(dialect.quote)}",
            f"escape = {quote_text(dialect.escape)}",
            f"columns = {{{types}}}",
            "nullstr = ''",
            "null_padding = false",
            f"max_line_size = {_MAX_LINE_BYTES}",
            f"buffer_size = {_BUFFER_BYTES}",
            "store_rejects = true" if keep_rejects else "ignore_errors = true",
        ]
        chosen = ", ".join(quote_name(name) for name in columns) or "1 AS one"
        return (
            f"(SELECT {chosen} FROM read_csv({quote_text(str(table.path))}, {', '.join(options)}))"
        )

    def _frame_source(self, table: TextTable) -> str:
        """Return the FROM item of a frame that the caller holds in memory."""
        key = id(table.frame)
        if key not in self._frames:
            number = next(self._numbers)
            if isinstance(table.frame, duckdb.DuckDBPyRelation):
                # A relation belongs to its own connection; a file carries its rows into this one.
                path = self._workdir / f"relation_{number}.parquet"
                table.frame.write_parquet(str(path))
                self._frames[key] = f"read_parquet({quote_text(str(path))})"
            else:
                self._frames[key] = f"frame_{number}"
                self._connection.register(self._frames[key], table.frame)
        return self._frames[key]

    def _types_of(self, source: str) -> dict[str, str]:
        return {str(row[0]): str(row[1]) for row in self.rows(f"DESCRIBE SELECT * FROM {source}")}

    def _as_text(self, source: str, columns: Sequence[str], as_stored: Collection[str]) -> str:
        types = self._types_of(source)
        chosen = [
            quote_name(name)
            if name in as_stored
            else f"{_text_of(name, types[name])} AS {quote_name(name)}"
            for name in columns
        ]
        return f"(SELECT {', '.join(chosen) or '1 AS one'} FROM {source})"

    def take_rejects(self) -> list[Rejected]:
        """Return the rows that scans with ``keep_rejects`` refused, once each, and forget them."""
        tables = {str(row[0]) for row in self.rows("SHOW TABLES")}
        if "reject_errors" not in tables:
            return []
        found = self.rows(
            "SELECT s.file_path, e.line, any_value(e.error_type::VARCHAR), any_value(e.csv_line) "
            "FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id) "
            "GROUP BY s.file_path, e.line ORDER BY s.file_path, e.line"
        )
        self.execute("DELETE FROM reject_errors")
        return [
            Rejected(
                path=str(path),
                line=int(str(line)),
                text=str(text or ""),
                swallows_rows=kind == "UNQUOTED VALUE" and _spans_rows(str(text or "")),
            )
            for path, line, kind, text in found
        ]

    # -- running --------------------------------------------------------------------------------

    def execute(
        self, sql: str, *, stage: Stage = "aggregate", progress: Progress | None = None
    ) -> None:
        """Run a statement that returns nothing, reporting percent to `progress`."""
        self._run(lambda: self._connection.execute(sql), stage=stage, progress=progress)

    def rows(self, sql: str) -> list[Row]:
        """Return all rows of a query as tuples of Python values."""
        return self._run(lambda: self._connection.execute(sql).fetchall())

    def arrays(self, sql: str) -> dict[str, NDArray[np.generic]]:
        """Return the columns of a query as arrays, by name, in the query's order."""
        found = self._run(lambda: self._connection.execute(sql).fetchnumpy())
        return {str(name): np.asarray(values) for name, values in found.items()}

    def create_from_arrays(self, name: str, arrays: dict[str, NDArray[np.generic]]) -> None:
        """Make the table `name` of equally long arrays, row order kept."""
        view = f"arrays_{next(self._numbers)}"
        self._connection.register(view, arrays)
        try:
            self.execute(f"CREATE OR REPLACE TEMP TABLE {quote_name(name)} AS SELECT * FROM {view}")
        finally:
            self._connection.unregister(view)

    def write(self, sql: str, path: Path, *, form: str) -> None:
        """Write a query's rows to `path` as "csv" or "parquet"."""
        how = {
            "csv": "FORMAT csv, HEADER true, DELIMITER ',', QUOTE '\"', ESCAPE '\"'",
            "parquet": "FORMAT parquet, COMPRESSION zstd",
        }[form]
        try:
            self.execute(f"COPY ({sql}) TO {quote_text(str(path))} ({how})", stage="save")
        except duckdb.IOException as error:
            raise OutputFailed(f"{path.name} could not be written: the disk refused it.") from error

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """Return a query as a DuckDB relation, for callers that want to go on with it."""
        return self._connection.sql(sql)

    def interrupt(self) -> None:
        """Stop the running statement, from any thread."""
        self._connection.interrupt()

    def close(self) -> None:
        """Give memory and temporary files back, having stopped a statement that nobody waits for.

        Ctrl-C while a thread is being started leaves it running, unknown to whoever began it.
        """
        while True:
            try:
                self._connection.close()
            except duckdb.ResourceInUseException:
                self._connection.interrupt()
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _run(
        self,
        statement: Callable[[], _T],
        *,
        stage: Stage = "aggregate",
        progress: Progress | None = None,
    ) -> _T:
        try:
            with self._lock:
                if progress is None:
                    return statement()
                return self._watch(statement, stage, progress)
        except RuntimeError as error:
            # Ctrl-C while a statement runs in the main thread; DuckDB keeps the word and loses the class.
            if str(error) == _INTERRUPTED:
                raise KeyboardInterrupt from error
            raise
        except duckdb.OutOfMemoryException as error:
            raise FileTooComplex(
                "The memory limit is too small for this file, even with temporary files on disk. "
                "Give more with --memory-limit, or use fewer --threads."
            ) from error

    def _watch(self, statement: Callable[[], _T], stage: Stage, progress: Progress) -> _T:
        """Run `statement` in a thread while this one reports, so that a callback can stop it."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            running = pool.submit(statement)
            try:
                while not wait([running], timeout=_POLL_SECONDS).done:
                    percent = max(0, int(self._connection.query_progress()))
                    progress(Step(stage=stage, done=min(percent, 100), total=100, unit="percent"))
            except BaseException:
                # Cancelled or Ctrl-C: the statement must end before the connection is used again.
                while not running.done():
                    self._connection.interrupt()
                    wait([running], timeout=_POLL_SECONDS)
                raise
            return running.result()


def _spans_rows(text: str) -> bool:
    """Tell whether a row with a faulty quote is many rows: a cell of a person has a few lines at most.

    Of a row larger than its buffer the engine hands on another part of the file, without the quote.
    """
    return text.count("\n") > _MOST_LINES_OF_A_CELL or '"' not in text


def _scan_sheet(table: TextTable, columns: Sequence[str]) -> str:
    """Return a FROM item of a sheet, which stands as text in Parquet, title block and header too."""
    stored = dict(zip(table.columns, table.stored_columns, strict=True))
    chosen = ", ".join(f"{quote_name(stored[name])} AS {quote_name(name)}" for name in columns)
    path = quote_text(str(table.path))
    return (
        f"(SELECT {chosen or '1 AS one'} FROM read_parquet({path}, file_row_number = true) "
        f"WHERE file_row_number >= {table.skip_rows})"
    )


def _text_of(name: str, type_name: str) -> str:
    """Return SQL that writes a typed column as the text a person would see in a cell."""
    column = quote_name(name)
    if type_name == "VARCHAR":
        return column
    if type_name == "DOUBLE":
        return f"CASE WHEN isfinite({column}) THEN format('{{:.15g}}', {column}) END"
    if type_name == "FLOAT":
        return f"CASE WHEN isfinite({column}) THEN format('{{:.7g}}', {column}) END"
    if type_name.startswith("DECIMAL"):
        return (
            f"rtrim(rtrim(CAST({column} AS VARCHAR), '0'), '.')"
            if not type_name.endswith(",0)")
            else f"CAST({column} AS VARCHAR)"
        )
    if type_name == "TIMESTAMP WITH TIME ZONE":
        return zoned_text_sql(column)
    if type_name == "BLOB":
        return f"CASE WHEN {column} IS NOT NULL THEN '(binary)' END"
    return f"CAST({column} AS VARCHAR)"


def _kind_of(type_name: str) -> Kind | None:
    """Return what a column of a type holds, None where only its text is of use."""
    if re.fullmatch("U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER", type_name):
        return "whole"
    if re.fullmatch(r"DECIMAL\([0-9]+,[0-6]\)", type_name):
        return "decimal"
    kinds: dict[str, Kind] = {"DOUBLE": "float", "DATE": "day", "TIMESTAMP": "instant"}
    return kinds.get(type_name)


def _cores() -> int:
    """Return how many cores this process may use; where the system does not tell, all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
