"""The engine's table ``result``: one row per customer, and which columns it has.

    score -> segment -> cluster -> [result] -> profile

In:  the request, and SQL for what was found for each customer.
Out: column names with their SQL; a SELECT of the customers in their order.

What it does not do: it places nobody; `in_process` and `in_engine` do.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from rfm_backend import columns as c
from rfm_backend.engines.quoting import quote_name
from rfm_backend.pipeline.lines import BY, LineRequest, carried_columns

RESULT_TABLE: Final = "result"


def result_columns(request: LineRequest, values: Mapping[str, str]) -> dict[str, str]:
    """Return the columns in their order, each with its SQL; `values` has what is no column as it is."""
    given = {c.RECENCY: f"CAST({c.RECENCY} AS INTEGER)", **values}
    chosen = {name: given.get(name, name) for name in c.RESULT}
    if request.by_column:
        chosen = {c.CUSTOMER_ID: c.CUSTOMER_ID, group_name(request): BY, **chosen}
    for place, (name, _) in enumerate(carried_columns(request.plan, request.options)):
        chosen.setdefault(name, f"carried_{place}")
    return chosen


def columns_sql(chosen: Mapping[str, str]) -> str:
    """Return the columns as a list of SELECT."""
    return ", ".join(f"{value} AS {quote_name(name)}" for name, value in chosen.items())


def group_name(request: LineRequest) -> str:
    """Return the group column's name: the role where the user named a role, else the header."""
    asked = request.options.by or ""
    name = asked if asked in request.plan.columns else str(request.by_column)
    return name if name not in c.RESULT else f"{name}_in_file"


def result_columns_sql(columns: Sequence[str]) -> str:
    """Return a SELECT of columns of the table ``result``, in the order of the customers."""
    chosen = ", ".join(quote_name(name) for name in columns)
    return f"SELECT {chosen} FROM {RESULT_TABLE} ORDER BY rowid"
