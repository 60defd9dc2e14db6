"""The rows that were not used, as a file: where each stands, why, and its cells.

In:  an `Analysis`.
Out: CSV with ``file``, ``line``, ``reason`` and the text of every mapped column.

What always holds: one line per row set aside, in the order of the files and their lines; no cell can
be taken as a formula.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine, Rejected
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.output.atomic import writing
from rfm_backend.output.cells import safe_text, safe_text_sql
from rfm_backend.pipeline.accounting import LineFinder
from rfm_backend.pipeline.clean import ORDERS, judged_lines_sql
from rfm_backend.pipeline.lines import BY, ORDINAL, REASON
from rfm_backend.pipeline.run import Analysis
from rfm_backend.text_table import TextTable

_ROWS = "set_aside_rows"
_PLACES = "set_aside_places"
_RAGGED = "set_aside_ragged"


def write_set_aside(
    analysis: Analysis, path: Path, *, find_lines: LineFinder, force: bool = False
) -> None:
    """Write every row that was set aside to `path`.

    Raises
    ------
    OutputExists, OutputFailed
        The file may not or cannot be written.
    """
    parts = []
    for number, table in enumerate(analysis.request.tables):
        parts.append(_rows_of(analysis, table, number, find_lines))
    cells = ", ".join(
        f"{safe_text_sql(f'role_{role}')} AS {quote_name(safe_text(column))}"
        for role, column in analysis.plan.columns.items()
    )
    every = " UNION ALL ".join(f"SELECT * FROM {part}" for part in parts)
    with writing(path, force=force) as temporary:
        analysis.engine.write(
            f"SELECT {safe_text_sql('file')} AS file, line, {REASON}, {cells} "
            f"FROM ({every}) ORDER BY number, line",
            temporary,
            form="csv",
        )


def _rows_of(analysis: Analysis, table: TextTable, number: int, find_lines: LineFinder) -> str:
    """Make a table of one file's rows set aside, with the lines where they stand; return its name."""
    engine = analysis.engine
    request = replace(analysis.request, tables=(table,), with_ordinal=True, keep_rejects=False)
    rows, places, name = f"{_ROWS}_{number}", f"{_PLACES}_{number}", f"set_aside_{number}"
    roles = [f"role_{role}" for role in analysis.plan.columns]
    eaten = f"SELECT {c.CUSTOMER_ID}, {BY} FROM {ORDERS} WHERE {REASON} = 'net_not_positive'"
    judged = (
        f"CASE WHEN {REASON} IS NULL AND ({c.CUSTOMER_ID}, {BY}) IN ({eaten}) "
        f"THEN 'net_not_positive' ELSE {REASON} END"
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {rows} AS SELECT * FROM (SELECT {ORDINAL}, "
        f"{judged} AS {REASON}, {', '.join(roles)} FROM ({judged_lines_sql(request, engine)})) "
        f"WHERE {REASON} IS NOT NULL"
    )
    ordinals = engine.arrays(f"SELECT {ORDINAL} FROM {rows} ORDER BY {ORDINAL}")[ORDINAL]
    lines = find_lines(table, [int(ordinal) for ordinal in ordinals])
    engine.create_from_arrays(places, {ORDINAL: ordinals, "line": np.array(lines, dtype=np.int64)})
    ragged = _make_ragged(table, number, engine)
    blank = ["NULL"] * (len(roles) - 1)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {number} AS number, "
        f"{quote_text(table.name)} AS file, * FROM ("
        f"SELECT line, {REASON}, {', '.join(roles)} FROM {rows} JOIN {places} USING ({ORDINAL}) "
        f"UNION ALL SELECT line, 'ragged_row', {', '.join(['text', *blank])} FROM {ragged})"
    )
    return name


def _make_ragged(table: TextTable, number: int, engine: Engine) -> str:
    """Make a table of the rows that are not as wide as the header; return its name."""
    rejected = _ragged(table, engine)
    name = f"{_RAGGED}_{number}"
    arrays = {
        "line": np.array([row.line for row in rejected], dtype=np.int64),
        "text": np.array([row.text[:1000] for row in rejected], dtype=np.object_),
    }
    engine.create_from_arrays(name, arrays)
    return name


def _ragged(table: TextTable, engine: Engine) -> list[Rejected]:
    """Return the rows of another width than the header; a scan notes them."""
    if table.kind != "csv":
        return []
    engine.rows(f"SELECT count(*) FROM {engine.scan(table, table.columns, keep_rejects=True)}")
    return engine.take_rejects()
