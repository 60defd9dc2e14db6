"""Which customers of a published analysis: those of a segment, a cluster, a score cell, a beginning.

In:  a `Chosen`; the result of the analysis as a file.
Out: SQL for an engine that reads that file.

What always holds: the customers are those that the database's own filters (`results.page`) give, and a
row's number in the file is its position in the table.

It serves what has no order prepared (orders.py): a score cell, a beginning, an export of some.  A million
customers are scanned here in less time than the table takes to gather the rows of one cell.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rfm_backend import columns as c
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.storage.results import KEY_LENGTH, ORDERS, Wanted
from rfm_backend.work_folder import WorkFolder

POSITION: Final = "(file_row_number + 1)"
_SCORES: Final = (c.R_SCORE, c.F_SCORE, c.M_SCORE)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which customers; all that is named holds.  No field: everybody.

    ``cell`` is two or three scores side by side: "54", "545".  ``positions`` are places in the order
    of customer_id.
    """

    segment: str | None = None
    cluster: int | None = None
    cell: str | None = None
    beginning: str | None = None
    positions: tuple[int, ...] = ()


@contextmanager
def open_customers(path: Path) -> Iterator[tuple[DuckDBEngine, str]]:
    """Open a result file; yield an engine and the FROM item of its customers, with their row numbers."""
    with WorkFolder() as workdir:
        engine = DuckDBEngine(workdir=Path(workdir), threads=1)
        try:
            yield engine, f"read_parquet({quote_text(str(path))}, file_row_number = true)"
        finally:
            engine.close()


def condition_sql(chosen: Chosen, columns: Sequence[str]) -> str:
    """Return the condition that `chosen` is, over a file with these columns."""
    parts = ["true"]
    if chosen.segment is not None:
        parts.append(f"{c.SEGMENT} = {quote_text(chosen.segment)}")
    if chosen.cluster is not None:
        parts.append(f"{c.CLUSTER} = {chosen.cluster:d}")
    if chosen.cell is not None:
        parts += [
            f"{name} = {int(score)}" for name, score in zip(_SCORES, chosen.cell, strict=False)
        ]
    if chosen.beginning:
        parts.append(_begins_sql(chosen.beginning, columns))
    if chosen.positions:
        parts.append(f"{POSITION} IN ({', '.join(f'{place:d}' for place in chosen.positions)})")
    return " AND ".join(parts)


def positions_sql(source: str, chosen: Chosen, columns: Sequence[str], wanted: Wanted) -> str:
    """Return a SELECT of the positions of one page: order, cursor and limit of `wanted`."""
    name = wanted.order
    by = POSITION if name == c.CUSTOMER_ID else name
    condition = condition_sql(chosen, columns)
    if wanted.after is not None:
        condition += f" AND {_beyond_sql(source, by, wanted)}"
    way = "DESC" if wanted.descending else "ASC"
    return (
        f"SELECT {POSITION} FROM {source} WHERE {condition} "
        f"ORDER BY {by} {way}, {POSITION} {way} LIMIT {wanted.limit:d}"
    )


def _beyond_sql(source: str, by: str, wanted: Wanted) -> str:
    assert wanted.after is not None
    value, position = wanted.after
    sign = "<" if wanted.descending else ">"
    if by == POSITION:
        return f"{POSITION} {sign} {position:d}"
    # The cursor holds the rank, which the table has and the file has not; the row it names has the amount.
    last = (
        f"(SELECT {c.MONETARY} FROM {source} WHERE {POSITION} = {position:d})"
        if ORDERS[wanted.order] == "monetary_rank"
        else f"{value:d}"
    )
    return f"({by} {sign} {last} OR ({by} = {last} AND {POSITION} {sign} {position:d}))"


def _begins_sql(beginning: str, columns: Sequence[str]) -> str:
    folded = quote_text(beginning.lower()[:KEY_LENGTH])
    parts = [f"starts_with({c.CUSTOMER_ID}, {quote_text(beginning)})"]
    # The table keeps as many characters of a name as are looked for at most, so the whole name will do.
    parts += [
        f"starts_with(lower({quote_name(name)}), {folded})"
        for name in (c.CUSTOMER_NAME, c.EMAIL)
        if name in columns
    ]
    return f"coalesce({' OR '.join(parts)}, false)"
