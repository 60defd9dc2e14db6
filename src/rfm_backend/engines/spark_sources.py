"""What Spark reads by itself: plain text and Parquet, in one file or many, near or far.

In:  a `TextTable`.
Out: a view whose columns are text, rows in the order of the files; the rows of another width.

What always holds
    * a text is cut by Spark only where each line is a row beyond doubt: without quotes, or with each
      quoted cell whole; any other is first written anew by the engine in this process, so that both
      engines read the same rows;
    * blank lines are no rows;
    * a row's `PLACE` is told once, when its text is cut, by the bytes of the files alone.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rfm_backend.engines.protocol import Rejected
from rfm_backend.engines.sql_parts import spark_name, spark_text
from rfm_backend.errors import UnreadableFile
from rfm_backend.text_table import Dialect, TextTable

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PLACE: Final = "rfm_place"
_LINE: Final = "rfm_line"
# A longer line is no line of a table, or one that the other engine should judge.
_LONGEST_LINE: Final = 65_536
_INDEX_BITS: Final = 33
_TYPES_AS_TEXT: Final = ("string", "tinyint", "smallint", "int", "bigint", "date", "boolean")


@dataclass(frozen=True, kw_only=True)
class View:
    """A view of accepted rows, all text, and how many rows stand in the parts before each part.

    ``lines`` is the view of all lines of a text in ``files``, None where all of them are accepted;
    ``is_row`` tells those that are no header and not blank, ``is_cut`` those of the header's width.
    """

    name: str
    columns: tuple[str, ...]
    lines: str | None = None
    files: tuple[str, ...] = ()
    is_row: str = ""
    is_cut: str = ""


def location_of(table: TextTable) -> str:
    """Return the address that Spark reads a table from."""
    return table.location or (f"file://{table.path.resolve()}" if table.path else "")


def plain_text_view(
    session: "SparkSession", table: TextTable, name: str, *, target: str
) -> View | None:
    """Make the views of a text that Spark can cut; None where it should not.

    The text is read once: its cells go as Parquet to `target`, which is what every later look reads.
    """
    # Imported here: it is an extra, and takes a second.
    from pyspark.sql import Observation  # noqa: PLC0415
    from pyspark.sql.functions import expr  # noqa: PLC0415

    dialect = table.dialect
    if dialect is None or dialect.skip_lines:
        return None
    lines = session.read.text(location_of(table))
    first = lines.first() if table.has_header else None
    header = str(first[0]) if first is not None else None
    files = tuple(lines.inputFiles())
    wanted = "value <> ''" + (f" AND value <> {spark_text(header)}" if header is not None else "")
    all_lines, is_cut = f"{name}_lines", f"size(cells) = {len(table.columns)}"
    is_header = f"value = {spark_text(header)}" if header is not None else "false"
    with_cells = f"{_cells_sql(dialect)} AS cells"
    seen, cut = Observation(f"{name}_seen"), Observation(f"{name}_cut")
    checked = lines.selectExpr(*_cut_sql(dialect)).observe(
        seen,
        expr(f"count_if({_doubt_sql(dialect)})").alias("doubtful"),
        expr(f"count_if({is_header})").alias("headers"),
    )
    checked.selectExpr("value", with_cells).where(wanted).observe(
        cut, expr(f"count_if(NOT ({is_cut}))").alias("rejected")
    ).where(is_cut).selectExpr(
        *(
            # By number: what may stand in a header may not in the name of a column of Parquet.
            f"nullif(cells[{place}], '') AS c{place}"
            for place, _ in enumerate(table.columns)
        ),
        f"monotonically_increasing_id() AS {PLACE}",
    ).write.parquet(target)
    if seen.get["doubtful"] or seen.get["headers"] != (len(files) if header is not None else 0):
        return None
    names = [f"c{place} AS {spark_name(column)}" for place, column in enumerate(table.columns)]
    session.read.parquet(target).selectExpr(*names, PLACE).createOrReplaceTempView(name)
    lines.selectExpr(*_cut_sql(dialect)).selectExpr("file", "value", with_cells).where(
        wanted
    ).createOrReplaceTempView(all_lines)
    return View(
        name=name,
        columns=table.columns,
        lines=all_lines if cut.get["rejected"] else None,
        files=files,
        is_row=wanted,
        is_cut=is_cut,
    )


def _cut_sql(dialect: Dialect) -> tuple[str, ...]:
    """Return columns of a text: its file, the line, and the raw cells of a line with quotes."""
    delimiter = dialect.path_delimiter
    pattern = spark_text(rf"\Q{delimiter}\E({_cell_pattern(delimiter)})")
    found = f"regexp_extract_all(concat({spark_text(delimiter)}, value), {pattern}, 1)"
    return (
        "_metadata.file_path AS file",
        "value",
        f"CASE WHEN contains(value, '\"') AND octet_length(value) <= {_LONGEST_LINE} THEN {found} END AS raw",
    )


def _cells_sql(dialect: Dialect) -> str:
    """Return SQL for the cells of a line that `_cut_sql` looked at; one too long for a row has none."""
    quoted = rf"\Q{dialect.path_delimiter}\E"
    bare = "replace(substring(cell, 2, length(cell) - 2), '\"\"', '\"')"
    return (
        f"CASE WHEN raw IS NOT NULL THEN "
        f"transform(raw, cell -> CASE WHEN startswith(cell, '\"') THEN {bare} ELSE cell END) "
        f"WHEN octet_length(value) <= {_LONGEST_LINE} THEN split(value, {spark_text(quoted)}, -1) END"
    )


def parquet_view(
    session: "SparkSession", location: str, columns: tuple[str, ...], name: str
) -> View | None:
    """Make the view of Parquet with a column for each of `columns`; None where a type is foreign."""
    frame = session.read.parquet(location)
    texts = [_text_of(stored, kind) for stored, kind in frame.dtypes]
    if any(text is None for text in texts):
        return None
    chosen = [
        f"{text} AS {spark_name(column)}" for text, column in zip(texts, columns, strict=True)
    ]
    frame.selectExpr(*chosen, f"monotonically_increasing_id() AS {PLACE}").createOrReplaceTempView(
        name
    )
    return View(name=name, columns=columns)


def rows_before(session: "SparkSession", view: View) -> list[int]:
    """Return for each part of a view how many rows stand in the parts before it."""
    counted = session.sql(
        f"SELECT shiftright({PLACE}, {_INDEX_BITS}) AS part, count(*) AS n FROM {view.name} GROUP BY 1"
    ).collect()
    return _running({int(row[0]): int(row[1]) for row in counted})


def ordinal_sql(before: list[int]) -> str:
    """Return SQL for the number of a row, from 1, in the order of the files."""
    listed = ", ".join(f"{number}L" for number in before)
    index = f"({PLACE} & {2**_INDEX_BITS - 1}L)"
    return f"(element_at(array({listed}), CAST(shiftright({PLACE}, {_INDEX_BITS}) AS INT) + 1) + {index} + 1)"


def first_rows_sql(before: list[int], n_rows: int) -> str:
    """Return a condition for the first rows, in the order of the files."""
    part = max(place for place, number in enumerate(before) if number <= n_rows)
    end = (part << _INDEX_BITS) + n_rows - before[part]
    return f"{PLACE} < {end}L"


def rejected_rows(session: "SparkSession", view: View, table: TextTable) -> list[Rejected]:
    """Return the lines of another width than the header, with the number of the line."""
    if view.lines is None:
        return []
    files = list(view.files)
    if len(files) > 1:
        found = session.sql(
            f"SELECT DISTINCT file FROM {view.lines} WHERE NOT ({view.is_cut}) ORDER BY file"
        ).collect()
        files = [str(file) for (file,) in found]
    return [row for file in files for row in _rejected_in(session, file, view, table)]


def _rejected_in(
    session: "SparkSession", file: str, view: View, table: TextTable
) -> list[Rejected]:
    """Return the rejected lines of one file; its parts are counted, so that lines have their numbers."""
    assert table.dialect is not None
    lines = session.read.text(file)
    rows = (
        lines.selectExpr(f"monotonically_increasing_id() AS {_LINE}", *_cut_sql(table.dialect))
        .selectExpr(_LINE, "value", f"{_cells_sql(table.dialect)} AS cells")
        .where(f"{view.is_row} AND NOT ({view.is_cut})")
        .selectExpr(_LINE, "left(value, 1000)")
        .orderBy(_LINE)
        .collect()
    )
    if not rows:
        return []
    counted = lines.selectExpr("spark_partition_id() AS part").groupBy("part").count().collect()
    before = _running({int(row[0]): int(row[1]) for row in counted})
    mask = (1 << _INDEX_BITS) - 1
    path = str(table.path) if table.path else file
    return [
        Rejected(
            path=path,
            line=before[int(place) >> _INDEX_BITS] + (int(place) & mask) + 1,
            text=str(text),
            swallows_rows=False,
        )
        for place, text in rows
    ]


def described(
    session: "SparkSession", location: str, *, n_rows: int
) -> tuple[tuple[str, ...], Any]:
    """Return the columns of Parquet anywhere and its first rows as text."""
    frame = session.read.parquet(location)
    columns = tuple(frame.columns)
    if parquet_view(session, location, columns, "rfm_described") is None:
        raise UnreadableFile(f"{location} has columns of a type that is no cell.", file=location)
    rows = session.sql(f"SELECT * EXCEPT ({PLACE}) FROM rfm_described LIMIT {n_rows}").collect()
    return columns, tuple(tuple(cell or None for cell in row) for row in rows)


def _running(counts: dict[int, int]) -> list[int]:
    before, total = [], 0
    for part in range(max(counts, default=0) + 1):
        before.append(total)
        total += counts.get(part, 0)
    return before


def _cell_pattern(delimiter: str) -> str:
    """Return the pattern of a cell: quoted and whole, or without any quote."""
    return rf'"[^"]*+(?:""[^"]*+)*+"|(?:(?!\Q{delimiter}\E)[^"])*+'


def _doubt_sql(dialect: Dialect) -> str:
    """Return a condition for a line that is not a row beyond doubt: its raw cells are not all of it."""
    whole = f"array_join(raw, {spark_text(dialect.path_delimiter)}) = value"
    return " OR ".join(
        (
            f"octet_length(value) > {_LONGEST_LINE}",
            "value RLIKE '\\\\A\\\\s+\\\\z'",
            "contains(value, chr(0))",
            f"(contains(value, '\"') AND NOT coalesce({whole}, false))",
        )
    )


def _text_of(name: str, kind: str) -> str | None:
    """Return SQL that writes a typed column as text, of the same value as the other engine does."""
    column = spark_name(name)
    if kind == "string":
        return f"nullif({column}, '')"
    if kind in _TYPES_AS_TEXT:
        return f"CAST({column} AS STRING)"
    if found := re.fullmatch(r"decimal\(\d+,(\d+)\)", kind):
        text = f"CAST({column} AS STRING)"
        return text if found[1] == "0" else f"rtrim('.', rtrim('0', {text}))"
    if kind == "timestamp_ntz":
        return f"CAST({column} AS STRING)"
    if kind == "timestamp":
        return f"concat(CAST({column} AS STRING), '+00')"
    if kind in ("float", "double"):
        digits = "%.14e" if kind == "double" else "%.6e"
        number = f"CAST({column} AS DOUBLE)"
        whole = f"CAST(CAST({number} AS BIGINT) AS STRING)"
        exact = f"CAST(CAST(format_string('{digits}', {number}) AS DECIMAL(38, 18)) AS STRING)"
        return (
            f"CASE WHEN isnan({number}) OR abs({number}) = double('infinity') THEN NULL "
            f"WHEN abs({number}) >= 1e15 THEN format_string('{digits}', {number}) "
            f"WHEN {number} = rint({number}) THEN {whole} "
            f"ELSE rtrim('.', rtrim('0', {exact})) END"
        )
    return None
