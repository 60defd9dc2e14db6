"""Stage 4: from purchases to one row per customer.

    read -> map -> clean -> [aggregate] -> score -> segment -> features -> cluster

In:  the engine's table ``orders`` (clean.py).
Out: the engine's table ``customers``, one row per customer (x group value), in the order of
     customer_id by code point: ``customer_id``, ``by_value``, ``first_purchase_date``,
     ``last_purchase_date``, ``recency``, ``frequency``, ``monetary``, carried columns.

What always holds
    * every customer of the kept rows appears exactly once per group value;
    * ``monetary`` adds up to the kept money, exactly;
    * ``recency`` >= 0 and ``frequency`` >= 1.

What it does not do: it drops no row, but for customers whose returns eat up their purchases
(``returns = "net"``), which become a reason in ``orders`` first.
"""

import datetime as dt

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.errors import NoUsableRows
from rfm_backend.pipeline.clean import INVOICE_KEY, ORDERS
from rfm_backend.pipeline.lines import BY, IS_RETURN, REASON, LineRequest, carried_columns
from rfm_backend.progress import Progress

CUSTOMERS = "customers"


def aggregate_customers(request: LineRequest, engine: Engine, *, progress: Progress) -> dt.date:
    """Make the table ``customers`` and return the snapshot date.

    Raises
    ------
    NoUsableRows
        Every customer's returns eat up his purchases.
    """
    snapshot_date = _snapshot_date(request, engine)
    if request.options.returns == "net":
        _set_aside_eaten_up(engine)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {CUSTOMERS} AS {_customers_sql(request, snapshot_date)}",
        stage="aggregate",
        progress=progress,
    )
    return snapshot_date


def _snapshot_date(request: LineRequest, engine: Engine) -> dt.date:
    """Return the given day, or the day after the last purchase.

    Purchases that repetitions or returns took away count here: the day is the same under every
    option, so that results of several options can be compared.
    """
    if request.options.snapshot_date is not None:
        return request.options.snapshot_date
    ((last,),) = engine.rows(
        f"SELECT max(last_day) FROM {ORDERS} WHERE NOT {IS_RETURN} "
        f"AND ({REASON} IS NULL OR {REASON} IN ('duplicate', 'matched_return'))"
    )
    if not isinstance(last, dt.date):
        raise NoUsableRows("The file has returns but no purchase.")
    return last + dt.timedelta(days=1) if last < dt.date.max else last


def _set_aside_eaten_up(engine: Engine) -> None:
    """Give the rows of customers whose net money is not positive a reason of their own."""
    eaten = (
        f"SELECT {c.CUSTOMER_ID}, {BY} FROM {ORDERS} WHERE {REASON} IS NULL "
        f"GROUP BY ALL HAVING sum({c.AMOUNT}) <= 0 OR bool_and({IS_RETURN})"
    )
    judged = (
        f"CASE WHEN {REASON} IS NULL AND ({c.CUSTOMER_ID}, {BY}) IN ({eaten}) "
        f"THEN 'net_not_positive' ELSE {REASON} END"
    )
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {ORDERS} AS SELECT * REPLACE ({judged} AS {REASON}) FROM {ORDERS}"
    )
    ((left,),) = engine.rows(f"SELECT count(*) FROM {ORDERS} WHERE {REASON} IS NULL")
    if not left:
        raise NoUsableRows("Every customer's returns eat up his purchases: nobody is left.")


def _customers_sql(request: LineRequest, snapshot_date: dt.date) -> str:
    purchases = f"FILTER (NOT {IS_RETURN})" if request.options.returns == "net" else ""
    carried = "".join(
        f", struct_extract(max(CASE WHEN carried_{place} IS NOT NULL THEN "
        f"struct_pack(at := last_at, value := carried_{place}) END), 'value') AS carried_{place}"
        for place, _ in enumerate(carried_columns(request.plan, request.options))
    )
    return (
        f"SELECT *, date_diff('day', {c.LAST_PURCHASE_DATE}, DATE '{snapshot_date.isoformat()}') "
        f"AS {c.RECENCY} "
        f"FROM (SELECT {c.CUSTOMER_ID}, {BY}, "
        f"min(first_day) {purchases} AS {c.FIRST_PURCHASE_DATE}, "
        f"max(last_day) {purchases} AS {c.LAST_PURCHASE_DATE}, "
        f"CAST({_frequency_sql(request)} {purchases} AS BIGINT) AS {c.FREQUENCY}, "
        f"sum({c.AMOUNT}) AS {c.MONETARY}{carried} "
        f"FROM {ORDERS} WHERE {REASON} IS NULL GROUP BY {c.CUSTOMER_ID}, {BY}) "
        f"ORDER BY {c.CUSTOMER_ID}, {BY}"
    )


def _frequency_sql(request: LineRequest) -> str:
    """Return what is counted: invoices or days are groups already, whole orders are rows."""
    plan = request.plan
    if plan.level == "customers":
        return "sum(given_frequency)"
    if plan.level == "orders" and c.INVOICE_ID not in plan.columns:
        return "sum(n_rows)"
    return f"count(DISTINCT {INVOICE_KEY})" if c.CURRENCY in plan.columns else "count(*)"
