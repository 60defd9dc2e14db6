"""Small, explicit things for tests: a table from text, a plan, an analysis of a few lines."""

from collections.abc import Mapping
from pathlib import Path

from rfm_backend import columns as c
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.pipeline.mapping.plan import ColumnPlan, DateFormat, NumberFormat
from rfm_backend.progress import no_progress
from rfm_backend.reading.source import open_tables
from rfm_backend.text_table import Dialect, ReadChoices, TextTable

HEADER = "customer_id,invoice_id,invoice_date,product_id,quantity,unit_price"


def make_table(folder: Path, text: str, *, name: str = "sales.csv") -> TextTable:
    """Return a comma-separated UTF-8 table with a header line, written to `folder`."""
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    lines = text.splitlines()
    names = tuple(lines[0].split(","))
    return TextTable(
        name=name,
        kind="csv",
        format="csv",
        path=path,
        columns=names,
        sample=tuple(tuple(cell or None for cell in line.split(",")) for line in lines[1:51]),
        dialect=Dialect(
            encoding="utf-8", delimiter=",", path_delimiter=",", has_quotes='"' in text
        ),
        source_bytes=path.stat().st_size,
    )


def make_lines(
    folder: Path, *rows: str, header: str = HEADER, name: str = "sales.csv"
) -> TextTable:
    """Return a table of `rows` under `header`."""
    return make_table(folder, "\n".join([header, *rows]) + "\n", name=name)


def make_plan(table: TextTable, **changes: object) -> ColumnPlan:
    """Return the plan of a table whose headers are the role names, dates ISO, decimal points."""
    columns: Mapping[str, str] = {role: role for role in c.ROLES if role in table.columns}
    plan = {
        "columns": columns,
        "numbers": {role: NumberFormat() for role in c.NUMBER_ROLES if role in columns},
        "dates": {role: DateFormat() for role in c.DATE_ROLES if role in columns},
        **changes,
    }
    return ColumnPlan(**plan)  # type: ignore[arg-type]  # one place builds plans from keywords


def read_rows(
    engine: DuckDBEngine, path: Path, *, choices: ReadChoices | None = None
) -> tuple[TextTable, list[tuple[object, ...]]]:
    """Read a file through the front door; return its first table and all its rows as text."""
    folder = path.parent / f"work-{path.name}"
    folder.mkdir(exist_ok=True)
    chosen = choices or ReadChoices()
    table = open_tables(path, choices=chosen, workdir=folder, progress=no_progress)[0]
    return table, engine.rows(f"SELECT * FROM {engine.scan(table, table.columns)}")
