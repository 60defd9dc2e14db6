"""Columns in files and frames, described and written by DuckDB, for reading.

In:  a Parquet file, a frame, or a loaded sheet that speaks Arrow.
Out: column names and first rows; a Parquet file of text.

What always holds: nothing is downloaded; the frame is not changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import UnreadableFile

TextRows = tuple[tuple[str | None, ...], ...]


def describe_parquet(path: Path, name: str, *, n_rows: int) -> tuple[tuple[str, ...], TextRows]:
    """Return the columns of a Parquet file and its first rows.

    Raises
    ------
    UnreadableFile
        Damaged.
    """
    try:
        relation = _connection().sql(f"SELECT * FROM read_parquet({quote_text(str(path))})")
        return tuple(relation.columns), _first_rows(relation, n_rows)
    except duckdb.Error as error:
        raise UnreadableFile(f"{name} is a damaged Parquet file.", file=name) from error


def describe_frame(frame: object, *, n_rows: int) -> tuple[tuple[str, ...], TextRows]:
    """Return the columns of a pandas, Polars or Arrow table or a DuckDB relation, and its first rows.

    Raises
    ------
    UnreadableFile
        The object is no frame.
    """
    try:
        relation = frame if isinstance(frame, duckdb.DuckDBPyRelation) else _registered(frame)
        return tuple(relation.columns), _first_rows(relation, n_rows)
    except (duckdb.Error, TypeError) as error:
        raise UnreadableFile(
            f"A {type(frame).__name__} is no table: give a path, a pandas, Polars or Arrow table, "
            "or a DuckDB relation."
        ) from error


def write_sheet(sheet: object, columns: Sequence[str], target: Path, *, folder: Path) -> None:
    """Write a loaded sheet of text columns as Parquet, columns renamed "c0", "c1", ..., rows in order.

    The sheet is turned into columns only once, as its rows pass by.  A float's digits are cut to the
    15 that a spreadsheet shows.
    """
    connection = _connection({"threads": 1, "temp_directory": str(folder), "memory_limit": "512MB"})
    connection.register("sheet", sheet)
    chosen = ", ".join(
        f"{_short_number(quote_name(column))} AS c{place}" for place, column in enumerate(columns)
    )
    connection.execute(
        f"COPY (SELECT {chosen} FROM sheet) TO {quote_text(str(target))} "
        "(FORMAT parquet, COMPRESSION lz4)"
    )


def read_rows(path: Path, columns: Sequence[str] = (), *, limit: int, offset: int = 0) -> TextRows:
    """Return rows of a Parquet file in their order; no columns means all."""
    chosen = ", ".join(quote_name(column) for column in columns) or "*"
    source = f"read_parquet({quote_text(str(path))})"
    found = _connection().execute(f"SELECT {chosen} FROM {source} LIMIT {limit} OFFSET {offset}")
    return _as_text(found.fetchall())


def read_batches(
    path: Path, columns: Mapping[str, int | None], *, n_rows: int
) -> Iterator[list[tuple[object, ...]]]:
    """Yield the rows of a Parquet file in their order, up to `n_rows` at a time.

    `columns` are the columns wanted; one with a number has that number in every row.
    """
    found = _connection({"threads": 1}).execute(f"SELECT {_chosen(columns)} FROM {_source(path)}")
    while rows := found.fetchmany(n_rows):
        yield rows


def read_literals(
    path: Path, columns: Mapping[str, int | None], *, n_rows: int
) -> Iterator[list[str]]:
    """Yield the same rows as SQL literals for MySQL: ``(1,_utf8mb4 X'616E6E',NULL)``.

    A driver that writes them value by value takes longer than the server does to keep them.  Text is
    hexadecimal, so that none of it can end its literal.
    """
    connection = _connection({"threads": 1})
    wanted = f"SELECT {_chosen(columns)} FROM {_source(path)}"
    told = connection.execute(f"DESCRIBE {wanted}").fetchall()
    cells = " || ',' || ".join(_literal(quote_name(name), kind) for name, kind, *_ in told)
    found = connection.execute(f"SELECT '(' || {cells} || ')' FROM ({wanted})")
    while rows := found.fetchmany(n_rows):
        yield [text for (text,) in rows]


def count_rows(path: Path) -> int:
    """Return the number of rows of a Parquet file."""
    found = _connection().execute(f"SELECT count(*) FROM read_parquet({quote_text(str(path))})")
    row = found.fetchone()
    assert row is not None
    return int(row[0])


def write_for_loading(source: Path, target: Path, columns: Mapping[str, int | None]) -> None:
    """Write a Parquet file as the CSV that MySQL's LOAD DATA reads: NULL bare, text quoted.

    `columns` are those of the table in their order; one with a number has that number in every row.
    """
    _connection({"threads": 1}).execute(
        f"COPY (SELECT {_chosen(columns)} FROM {_source(source)}) TO "
        f"{quote_text(str(target))} (FORMAT csv, HEADER false, NULLSTR 'NULL', QUOTE '\"', ESCAPE '\"')"
    )


def _chosen(columns: Mapping[str, int | None]) -> str:
    return ", ".join(
        quote_name(name) if number is None else f"{int(number)} AS {quote_name(name)}"
        for name, number in columns.items()
    )


def _literal(column: str, kind: str) -> str:
    value = f"'_utf8mb4 X''' || hex({column}) || ''''"
    if kind != "VARCHAR":
        # Only what is written in digits and signs; a date would be a subtraction.
        assert kind.endswith("INT") or kind == "INTEGER" or kind.startswith("DECIMAL"), kind
        value = f"CAST({column} AS VARCHAR)"
    return f"coalesce({value}, 'NULL')"


def _source(path: Path) -> str:
    return f"read_parquet({quote_text(str(path))})"


def zoned_text_sql(column: str) -> str:
    """Return SQL for the text of an instant with a zone, its offset written out: "... 10:00:00+00:00"."""
    return f"CAST(timezone('UTC', {column}) AS VARCHAR) || '+00:00'"


def _first_rows(relation: duckdb.DuckDBPyRelation, n_rows: int) -> TextRows:
    # An instant with a zone cannot be fetched as a Python value without pytz.
    chosen = ", ".join(
        f"{zoned_text_sql(quote_name(name))} AS {quote_name(name)}"
        if str(kind) == "TIMESTAMP WITH TIME ZONE"
        else quote_name(name)
        for name, kind in zip(relation.columns, relation.types, strict=True)
    )
    return _as_text(relation.limit(n_rows).project(chosen).fetchall())


def _as_text(rows: Sequence[Sequence[object]]) -> TextRows:
    return tuple(
        tuple(None if cell is None or cell == "" else str(cell) for cell in row) for row in rows
    )


def _connection(
    settings: dict[str, str | bool | int | float | list[str]] | None = None,
) -> duckdb.DuckDBPyConnection:
    closed: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    return duckdb.connect(config={**closed, **(settings or {})})


def _registered(frame: object) -> duckdb.DuckDBPyRelation:
    connection = _connection()
    connection.register("frame", frame)
    return connection.table("frame")


def _short_number(column: str) -> str:
    digits = f"TRY_CAST({column} AS DOUBLE)"
    is_long = f"length({column}) > 16 AND contains({column}, '.')"
    short = (
        f"CASE WHEN {is_long} THEN coalesce(format('{{:.15g}}', {digits}), {column}) "
        f"ELSE {column} END"
    )
    return f"nullif({short}, '')"
