"""The customers of a published analysis: page by page, one, or all as a stream; each as JSON text.

What always holds: an amount is written exactly; a stream that cannot be brought to its end breaks off
instead of ending as if it were whole.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from rfm_backend.errors import NotFound
from rfm_backend.services.chosen import Chosen, open_customers, positions_sql
from rfm_backend.services.exports import result_path
from rfm_backend.services.service import Service
from rfm_backend.storage import orders, results
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.results import Order, ResultRow, Wanted, key_of

__all__ = ["Order", "ResultRow", "Wanted", "key_of", "of_customer", "page", "row_text", "stream"]

_BATCH: Final = 5_000
# Made once: json.dumps would make one for each text.
_quoted: Final = json.JSONEncoder(ensure_ascii=False).encode


def page(
    service: Service, analysis: AnalysisHead, wanted: Wanted, *, cell: str | None = None
) -> list[ResultRow]:
    """Return one page; `cell` is two or three scores side by side, "54" or "545".

    The table has one order, that of customer_id, and files beside the result have the others; for a
    score cell and a beginning of a name the result itself is scanned.
    """
    if cell is not None or wanted.beginning:
        places = _scanned(service, analysis, wanted, cell)
    elif wanted.order == "customer_id" and wanted.segment is None and wanted.cluster is None:
        return service.database.look(lambda tx: results.page(tx, analysis.id, wanted))
    else:
        folder = service.files.analysis_folder(analysis.user_id, analysis.folder)
        if not orders.has_orders(folder):
            _make_orders(service, analysis, folder)
        places = orders.page_positions(folder, wanted)
    return service.database.look(lambda tx: results.at_positions(tx, analysis.id, places))


def of_customer(service: Service, analysis: AnalysisHead, customer_id: str) -> list[ResultRow]:
    """Return a customer's rows: one, or with groups one for each group he is in."""
    return service.database.look(lambda tx: results.of_customer(tx, analysis.id, customer_id))


def _scanned(
    service: Service, analysis: AnalysisHead, wanted: Wanted, cell: str | None
) -> list[int]:
    """Return the positions of a page that no order of a file has."""
    chosen = Chosen(
        segment=wanted.segment, cluster=wanted.cluster, beginning=wanted.beginning, cell=cell
    )
    with open_customers(result_path(service, analysis)) as (engine, source):
        found = engine.rows(positions_sql(source, chosen, analysis.column_names, wanted))
    return [int(str(row[0])) for row in found]


def _make_orders(service: Service, analysis: AnalysisHead, folder: Path) -> None:
    """Make the orders again where an older version made the analysis, or where they got lost.

    Raises
    ------
    NotFound
        The analysis was deleted meanwhile.
    """
    columns = service.database.read(lambda tx: results.ordering_columns(tx, analysis.id))
    if not columns:
        raise _gone()
    segments, segment = np.unique(columns.pop("segment"), return_inverse=True)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.array(values) for name, values in columns.items()}
    ordered = orders.Ordered(segments=segments.tolist(), segment=segment, **arrays)
    orders.write_orders(folder, ordered)


def stream(service: Service, analysis: AnalysisHead) -> Iterator[list[ResultRow]]:
    """Yield all rows in parts, in the order of customer_id; no connection is held between them.

    Raises
    ------
    NotFound
        The analysis was deleted while it was read.
    """
    last = service.database.look(lambda tx: results.last_position(tx, analysis.id))
    wanted, reached = Wanted(limit=_BATCH), 0
    while reached < last:
        rows = page(service, analysis, wanted)
        if not rows:
            raise _gone()
        yield rows
        reached = rows[-1].position
        wanted = Wanted(limit=_BATCH, after=key_of(wanted, rows[-1]))


def row_text(row: ResultRow, analysis: AnalysisHead) -> str:
    """Return a customer as JSON; written out because json writes a Decimal not at all."""
    group = ""
    if row.group_value is not None:
        group = f", {_quoted(analysis.column_names[1])}: {_quoted(row.group_value)}"
    more = f", {row.more[1:-1]}" if row.more else ""
    return (
        f'{{"customer_id": {_quoted(row.customer_id)}{group}, "recency": {row.recency}, '
        f'"frequency": {row.frequency}, "monetary": {_digits(row.monetary)}, '
        f'"cluster": {row.cluster}, "segment": {_quoted(row.segment)}, '
        f'"r_score": {row.r_score}, "f_score": {row.f_score}, "m_score": {row.m_score}, '
        f'"rfm_cell": "{row.r_score}{row.f_score}{row.m_score}", '
        f'"first_purchase_date": "{row.first_purchase_date}", '
        f'"last_purchase_date": "{row.last_purchase_date}"{more}}}'
    )


def _gone() -> NotFound:
    return NotFound("The analysis was deleted meanwhile.")


def _digits(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
