"""Stage 3: every row of the files becomes part of a purchase or is set aside with a reason.

    read -> map -> [clean] -> aggregate -> score -> segment -> features -> cluster

In:  text tables, `ColumnPlan`, `Options`.
Out: the engine's table ``orders``, one row per customer x invoice (x group value, x currency,
     x return or not) of the usable lines, and one row per reason of those set aside; and the counts.

What always holds
    * the rows and the money of ``orders`` are those of the files: kept + set aside = read;
    * the order of the input rows does not matter;
    * the files are read once, whatever their size, unless lines must be compared with each other.

What it does not do: it repairs no value and adds up no customer (`aggregate`).
"""

import difflib
from collections.abc import Sequence
from decimal import Decimal

from rfm_backend import columns as c
from rfm_backend.advice import inspection, option
from rfm_backend.engines.protocol import Engine, Rejected
from rfm_backend.errors import InvalidOption, NoUsableRows, SeveralCurrencies, UnreadableFile
from rfm_backend.pipeline.lines import (
    BY,
    IS_MARKED,
    IS_RETURN,
    OCCURRED_AT,
    ORDINAL,
    REASON,
    LineRequest,
    carried_columns,
    lines_sql,
)
from rfm_backend.pipeline.returns import matched_returns_sql, without_duplicates_sql
from rfm_backend.pipeline.rows_about import told_in_rows
from rfm_backend.progress import Progress

ORDERS = "orders"
INVOICE_KEY = "invoice_key"


def clean_lines(request: LineRequest, engine: Engine, *, progress: Progress) -> list[Rejected]:
    """Make the table ``orders`` and return the rows that were not even as wide as the header.

    Raises
    ------
    InvalidOption
        There is no such time zone.
    UnreadableFile
        A quote opens and swallows the rows behind it.
    NoUsableRows
        No line is left; the message counts the reasons.
    SeveralCurrencies
        The usable lines are in several currencies and no option says what to do.
    """
    _check_timezone(request.options.timezone, engine)
    lines = judged_lines_sql(request, engine)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {ORDERS} AS {_orders_sql(lines, request)}",
        stage="read",
        progress=told_in_rows(progress, request.tables, engine),
    )
    rejected = engine.take_rejects()
    _check_quotes_close(request, rejected)
    _check_something_is_left(engine, len(rejected))
    _check_one_currency(engine, request)
    return rejected


def has_unforeseen_marks(request: LineRequest, engine: Engine) -> bool:
    """Tell whether a column assumed to have no decimal mark has one further down, so that it was misread."""
    if not request.plan.assumed_unmarked:
        return False
    return bool(engine.rows(f"SELECT 1 FROM {ORDERS} WHERE {IS_MARKED} LIMIT 1"))


def judged_lines_sql(request: LineRequest, engine: Engine) -> str:
    """Return a SELECT of all lines with their final reason, duplicates and returns included."""
    options = request.options
    ordinal = ORDINAL if request.with_ordinal else None
    lines = lines_sql(request, engine)
    if options.duplicates == "drop":
        lines = without_duplicates_sql(lines, ordinal=ordinal)
    if options.returns == "match":
        has_product = c.PRODUCT_ID in request.plan.columns
        lines = matched_returns_sql(lines, has_product=has_product, ordinal=ordinal)
    return lines


def count_reasons(engine: Engine) -> list[tuple[str | None, int, Decimal | None]]:
    """Return (reason or None for kept, rows, money or None), most rows first."""
    found = engine.rows(
        f"SELECT {REASON}, CAST(sum(n_rows) AS BIGINT), sum({c.AMOUNT}) FROM {ORDERS} "
        f"GROUP BY {REASON} ORDER BY 2 DESC, 1"
    )
    return [
        (
            None if reason is None else str(reason),
            int(str(rows)),
            None if amount is None else Decimal(str(amount)),
        )
        for reason, rows, amount in found
    ]


def _orders_sql(lines: str, request: LineRequest) -> str:
    """Return the one pass over the lines: grouped by customer, invoice and reason."""

    def kept(value: str) -> str:
        return f"CASE WHEN {REASON} IS NULL THEN {value} END"

    plan = request.plan
    keys = {c.CUSTOMER_ID: kept(c.CUSTOMER_ID), INVOICE_KEY: kept(_invoice_sql(request))}
    if request.by_column:
        keys[BY] = kept(BY)
    if c.CURRENCY in plan.columns:
        keys[c.CURRENCY] = kept(c.CURRENCY)
    if request.options.returns == "net":
        keys[IS_RETURN] = kept(IS_RETURN)
    grouped = ", ".join(f"{value} AS {name}" for name, value in keys.items())
    absent = {BY: "''", c.CURRENCY: "NULL", IS_RETURN: "false"}
    constant = ", ".join(f"{value} AS {name}" for name, value in absent.items() if name not in keys)
    carried = [
        f"max(carried_{place}) AS carried_{place}"
        for place, _ in enumerate(carried_columns(plan, request.options))
    ]
    measured = [
        "count(*) AS n_rows",
        f"sum({c.AMOUNT}) AS {c.AMOUNT}",
        "min(first_at) AS first_at",
        f"max({OCCURRED_AT}) AS last_at",
        *([f"sum({c.FREQUENCY}) AS given_frequency"] if plan.level == "customers" else []),
        *([f"bool_or({IS_MARKED}) AS {IS_MARKED}"] if plan.assumed_unmarked else []),
        *carried,
    ]
    places = ", ".join(str(place) for place in range(1, len(keys) + 2))
    days = "CAST(first_at AS DATE) AS first_day, CAST(last_at AS DATE) AS last_day"
    return (
        f"SELECT * EXCLUDE (first_at), {days}{f', {constant}' if constant else ''} FROM (SELECT {REASON}, {grouped}, "
        f"{', '.join(measured)} FROM ({lines}) GROUP BY {places})"
    )


def _invoice_sql(request: LineRequest) -> str:
    """Return what makes two lines one purchase."""
    day = f"CAST(CAST({OCCURRED_AT} AS DATE) AS VARCHAR)"
    if request.plan.level == "customers":
        return "NULL"
    if c.INVOICE_ID in request.plan.columns:
        return f"coalesce({c.INVOICE_ID}, {day})"
    return "NULL" if request.plan.level == "orders" else day


def _check_timezone(name: str | None, engine: Engine) -> None:
    if name is None:
        return
    names = [str(row[0]) for row in engine.rows("SELECT name FROM pg_timezone_names() ORDER BY 1")]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3) or ["Asia/Jakarta", "Europe/London"]
        raise InvalidOption(
            f"There is no time zone {name!r}. Did you mean {', '.join(near)}?", option="timezone"
        )


def _check_quotes_close(request: LineRequest, rejected: Sequence[Rejected]) -> None:
    """Refuse a file of which rows are lost in a quote: nobody could tell how many."""
    for row in rejected:
        if row.swallows_rows:
            names = {str(table.path): table.name for table in request.tables}
            name = names.get(row.path, request.tables[0].name)
            raise UnreadableFile(
                f'{name}, about line {row.line}: a quote (") opens a cell and does not close it, so that '
                "the rows behind it would be lost. Put the quote right, or export the file again.",
                file=name,
                line=row.line,
            )


def _check_something_is_left(engine: Engine, n_ragged: int) -> None:
    reasons = count_reasons(engine)
    if any(reason is None for reason, _, _ in reasons):
        return
    told = [f"{rows} {reason}" for reason, rows, _ in reasons if reason]
    if n_ragged:
        told.append(f"{n_ragged} ragged_row")
    why = f" Set aside: {', '.join(told)}." if told else " The file has no data rows."
    raise NoUsableRows(
        f"No row can be used.{why} Look at the columns with: {inspection()}.",
        reasons={str(reason): rows for reason, rows, _ in reasons},
    )


def _check_one_currency(engine: Engine, request: LineRequest) -> None:
    options, plan = request.options, request.plan
    by_currency = request.by_column is not None and request.by_column == plan.columns.get(
        c.CURRENCY
    )
    if options.currency or by_currency:
        return
    if c.CURRENCY in plan.columns:
        found = engine.rows(
            f"SELECT {c.CURRENCY}, CAST(sum(n_rows) AS BIGINT) FROM {ORDERS} "
            f"WHERE {REASON} IS NULL AND {c.CURRENCY} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        counts = {str(name): int(str(rows)) for name, rows in found}
    else:
        counts = dict(plan.currencies)
    if len(counts) > 1:
        told = ", ".join(f"{name} {rows}" for name, rows in counts.items())
        raise SeveralCurrencies(
            f"The file has money in several currencies, which cannot be added: {told} rows. "
            f"Choose one with {option('currency', next(iter(counts)))}, or score each apart with "
            f"{option('by', 'currency')}.",
            currencies=counts,
        )
