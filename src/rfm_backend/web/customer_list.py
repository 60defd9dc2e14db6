"""A list of customers: filters and order from the address, a page of rows in words, the way on.

In:  a visit whose query names segment, cluster, cell, q, sort, cursor.
Out: `Asked`, and the values of customers_part.html.

What always holds: a page begins where the cursor says, as the API's does; what is no filter is none.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlencode

from rfm_backend.catalogue import Words
from rfm_backend.output.phrases import cluster_name, segment_words
from rfm_backend.services import result_rows
from rfm_backend.services.cursors import pack_cursor, unpack_cursor
from rfm_backend.services.insights import Told
from rfm_backend.services.result_rows import Order, ResultRow, Wanted, key_of
from rfm_backend.web.addresses import (
    customer_address,
    customers_address,
    segment_address,
    with_query,
)
from rfm_backend.web.routing import Visit

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead

PER_PAGE: Final = 50
_ORDERS: Final[tuple[Order, ...]] = ("customer_id", "recency", "frequency", "monetary")
_FIRST_ORDER: Final = "-monetary"
_MOST_TEXT: Final = 200


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a list shows: filters, "" or None for none; the order, with - in front the largest first."""

    segment: str = ""
    cluster: int | None = None
    cell: str = ""
    q: str = ""
    sort: str = _FIRST_ORDER

    @property
    def filters(self) -> dict[str, object]:
        """The filters as an address and the API name them."""
        return {"segment": self.segment, "cluster": self.cluster, "cell": self.cell, "q": self.q}

    def wanted(self, cursor: str | None = None, *, limit: int) -> Wanted:
        """Return the rows to ask for."""
        return Wanted(
            segment=self.segment or None,
            cluster=self.cluster,
            beginning=self.q or None,
            order=cast("Order", self.sort.removeprefix("-")),
            descending=self.sort.startswith("-"),
            after=cast("tuple[int, int] | None", unpack_cursor(cursor or None, 2)),
            limit=limit,
        )


def asked_list(visit: Visit) -> Asked:
    """Return what the address asks for."""
    query = visit.request.args
    sort, cell = query.get("sort", _FIRST_ORDER), query.get("cell", "")
    return Asked(
        segment=query.get("segment", "")[:_MOST_TEXT],
        cluster=query.get("cluster", type=int) if query.get("cluster", "").isdecimal() else None,
        cell=cell if is_cell(cell) else "",
        q=query.get("q", "").strip()[:_MOST_TEXT],
        sort=sort if sort.removeprefix("-") in _ORDERS else _FIRST_ORDER,
    )


def is_cell(text: str) -> bool:
    """Tell whether a text is two or three scores."""
    return len(text) in (2, 3) and set(text) <= set("12345")


def list_values(
    visit: Visit, analysis: "AnalysisHead", told: Told, asked: Asked, *, is_of_segment: bool = False
) -> dict[str, object]:
    """Return the values of customers_part.html; on a segment's own page the segment is no choice."""
    cursor = visit.request.args.get("cursor")
    wanted = asked.wanted(cursor, limit=PER_PAGE + 1)
    found = result_rows.page(visit.service, analysis, wanted, cell=asked.cell or None)
    rows, more = found[:PER_PAGE], None
    if len(found) > PER_PAGE:
        more = pack_cursor(*key_of(wanted, rows[-1]))
    here = (
        segment_address(analysis.id, asked.segment)
        if is_of_segment
        else customers_address(analysis.id)
    )
    filters = {**asked.filters, **({"segment": None} if is_of_segment else {})}

    def address(**changes: object) -> str:
        return with_query(here, {**filters, "sort": asked.sort, **changes})

    return {
        "asked": asked,
        "is_listed": True,
        "customers": rows_in_words(rows, analysis, told, visit.words),
        "next_page": address(cursor=more) if more else "",
        "first_page": address() if cursor else "",
        "heads": [_head(name, asked, address, visit.words) for name in _ORDERS],
        "list_address": here,
        "export_address": f"/analyses/{analysis.id}/export",
        "is_of_segment": is_of_segment,
        "segment_choices": [
            (entry.segment, segment_words(entry.segment, told.model.rules.names, visit.words).name)
            for entry in told.summary.segments
        ],
        "cluster_choices": [
            (entry.cluster, f"{entry.cluster} · {cluster_name(entry.name, visit.words)}")
            for entry in told.summary.clusters
        ],
        "has_contacts": bool(contact_columns(analysis)),
        "has_groups": told.summary.group_column is not None,
        "call": api_call(visit, analysis, asked),
    }


def rows_in_words(
    rows: list[ResultRow], analysis: "AnalysisHead", told: Told, words: Words
) -> list[dict[str, object]]:
    """Return customers as a page shows them."""
    names, currency = told.model.rules.names, told.summary.quality.currency
    return [
        {
            "position": row.position,
            "id": row.customer_id,
            "group": row.group_value or "",
            "address": customer_address(analysis.id, row.customer_id, row.group_value),
            "name": _more(row).get("customer_name") or "",
            "email": _more(row).get("email") or "",
            "recency": words.number(row.recency),
            "frequency": words.number(row.frequency),
            "monetary": words.money(row.monetary, currency),
            "cell": f"{row.r_score}{row.f_score}{row.m_score}",
            "segment": segment_words(row.segment, names, words).name,
            "segment_address": segment_address(analysis.id, row.segment),
            "cluster": row.cluster,
        }
        for row in rows
    ]


def contact_columns(analysis: "AnalysisHead") -> list[str]:
    """Return the columns of a list of contacts that the file had."""
    return [name for name in ("customer_name", "email") if name in analysis.column_names]


def api_call(visit: Visit, analysis: "AnalysisHead", asked: Asked) -> str:
    """Return a command line that asks the API for the same customers."""
    given = {name: value for name, value in asked.filters.items() if value not in (None, "")}
    query = urlencode({**given, "sort": asked.sort, "limit": PER_PAGE})
    address = f"{visit.request.host_url}api/rfm/results/{analysis.upload_id}?{query}"
    return f"curl -H 'Authorization: Bearer YOUR_TOKEN' '{address}'"


def _more(row: ResultRow) -> Mapping[str, str | None]:
    return dict(json.loads(row.more)) if row.more else {}


def _head(
    name: Order, asked: Asked, address: Callable[..., str], words: Words
) -> dict[str, object]:
    """Return a column's head: a press orders by it, another one turns the order round."""
    is_this = asked.sort.removeprefix("-") == name
    # People begin with the most recent, the most often, the most money.
    first = name if name in ("customer_id", "recency") else f"-{name}"
    other = name if asked.sort.startswith("-") else f"-{name}"
    return {
        "key": name,
        "name": words(f"customers.head_{name}"),
        "address": address(sort=other if is_this else first),
        "order": ("descending" if asked.sort.startswith("-") else "ascending")
        if is_this
        else "none",
    }
