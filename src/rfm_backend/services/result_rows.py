"""The customers of a published analysis: page by page, or all as a stream; each as JSON text.

What always holds: an amount is written exactly; a stream that cannot be brought to its end breaks off
instead of ending as if it were whole.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from rfm_backend.errors import NotFound
from rfm_backend.services.service import Service
from rfm_backend.storage import results
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.results import ResultRow, Wanted, key_of

_BATCH: Final = 5_000


def page(service: Service, analysis: AnalysisHead, wanted: Wanted) -> list[ResultRow]:
    """Return one page."""
    return service.database.read(lambda tx: results.page(tx, analysis.id, wanted))


def stream(service: Service, analysis: AnalysisHead) -> Iterator[list[ResultRow]]:
    """Yield all rows in parts, in the order of customer_id; no connection is held between them.

    Raises
    ------
    NotFound
        The analysis was deleted while it was read.
    """
    last = service.database.read(lambda tx: results.last_position(tx, analysis.id))
    wanted, reached = Wanted(limit=_BATCH), 0
    while reached < last:
        rows = page(service, analysis, wanted)
        if not rows:
            raise NotFound("The analysis was deleted meanwhile.")
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


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _digits(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
