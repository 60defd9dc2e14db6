"""Stage 3c: the report of what was read, kept and set aside, with the first examples of each reason.

    read -> map -> [clean] -> aggregate -> score -> segment -> features -> cluster

In:  the tables ``orders`` and ``customers``, the rows refused while reading.
Out: `Quality`.

What always holds
    * rows read = rows kept + rows set aside, and the same for money;
    * examples are the first rows of their reason in each file, with the line where they stand.

What it does not do: it judges no row; it asks `clean` for the same lines again and stops at the
first few of each reason.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine, Rejected, Row
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.analysis import Example, Quality, SetAside
from rfm_backend.pipeline.clean import INVOICE_KEY, ORDERS, count_reasons, judged_lines_sql
from rfm_backend.pipeline.lines import IS_RETURN, ORDINAL, REASON, LineRequest, lines_sql
from rfm_backend.text_table import TextTable

EXAMPLES_SHOWN = 3
_FOUND_BY_COMPARING = ("duplicate", "matched_return")

# From data-row ordinals of a table to the lines where they stand in the user's file.
LineFinder = Callable[[TextTable, Sequence[int]], list[int]]


def account(
    request: LineRequest,
    engine: Engine,
    *,
    rejected: Sequence[Rejected],
    snapshot_date: dt.date,
    find_lines: LineFinder,
) -> Quality:
    """Return the accounting of an analysis whose ``customers`` stand."""
    counted = count_reasons(engine)
    kept_rows = sum(rows for reason, rows, _ in counted if reason is None)
    kept_amount = sum(
        (money or Decimal(0) for reason, _, money in counted if reason is None), Decimal(0)
    )
    reasons = [reason for reason, _, _ in counted if reason is not None]
    examples = examples_by_reason(reasons, request, engine, find_lines)
    set_aside = [
        SetAside(reason=reason, rows=rows, amount=money, examples=examples[reason])
        for reason, rows, money in counted
        if reason is not None
    ]
    if rejected:
        set_aside.append(_ragged(request, rejected))
    set_aside.sort(key=lambda entry: (-entry.rows, entry.reason))
    first, last, n_customers = _extent(engine)
    return Quality(
        files=tuple(table.name for table in request.tables),
        rows_read=kept_rows + sum(entry.rows for entry in set_aside),
        rows_kept=kept_rows,
        amount_read=kept_amount
        + sum((entry.amount or Decimal(0) for entry in set_aside), Decimal(0)),
        amount_kept=kept_amount,
        set_aside=tuple(set_aside),
        n_customers=n_customers,
        n_invoices=_n_invoices(request, engine),
        first_date=first,
        last_date=last,
        snapshot_date=snapshot_date,
        currency=_currency(request, engine),
        frequency_counts=_frequency_counts(request),
    )


def examples_by_reason(
    reasons: Sequence[str], request: LineRequest, engine: Engine, find_lines: LineFinder
) -> dict[str, tuple[Example, ...]]:
    """Return the first rows of each reason; where a scan cannot stop early, one finds all of them."""
    if engine.stops_early:
        return {reason: examples_of(reason, request, engine, find_lines) for reason in reasons}
    found: dict[str, list[Example]] = {reason: [] for reason in reasons}
    chosen = ", ".join([REASON, ORDINAL, *(f"role_{role}" for role in request.plan.columns)])
    for table in request.tables:
        alone = replace(request, tables=(table,), with_ordinal=True, keep_rejects=False)
        rows = engine.rows(
            f"SELECT {chosen} FROM (SELECT *, row_number() OVER (PARTITION BY {REASON} ORDER BY {ORDINAL}) "
            f"AS nth FROM ({judged_lines_sql(alone, engine)}) WHERE {REASON} IS NOT NULL) "
            f"WHERE nth <= {EXAMPLES_SHOWN} ORDER BY {REASON}, {ORDINAL}"
        )
        told = _examples([row[1:] for row in rows], table, request, find_lines)
        for row, example in zip(rows, told, strict=True):
            found[str(row[0])].append(example)
    if "net_not_positive" in found:
        found["net_not_positive"] = list(_eaten_up_customers(engine, request))
    return {reason: tuple(examples[:EXAMPLES_SHOWN]) for reason, examples in found.items()}


def examples_of(
    reason: str, request: LineRequest, engine: Engine, find_lines: LineFinder
) -> tuple[Example, ...]:
    """Return the first rows of one reason; a scan stops as soon as it has them."""
    if reason == "net_not_positive":
        return _eaten_up_customers(engine, request)
    roles = tuple(request.plan.columns)
    chosen = ", ".join([ORDINAL, *(f"role_{role}" for role in roles)])
    found: list[Example] = []
    for table in request.tables:
        alone = replace(request, tables=(table,), with_ordinal=True, keep_rejects=False)
        compared = reason in _FOUND_BY_COMPARING
        lines = judged_lines_sql(alone, engine) if compared else lines_sql(alone, engine)
        rows = engine.rows(
            f"SELECT {chosen} FROM ({lines}) WHERE {REASON} = {quote_text(reason)} "
            # Lines that no window has moved come in their order, and the scan stops at the limit.
            f"{f'ORDER BY {ORDINAL}' if compared or request.plan.fill_down else ''} LIMIT {EXAMPLES_SHOWN - len(found)}"
        )
        found += _examples(rows, table, request, find_lines)
        if len(found) >= EXAMPLES_SHOWN:
            break
    return tuple(found)


def _examples(
    rows: Sequence[Row], table: TextTable, request: LineRequest, find_lines: LineFinder
) -> list[Example]:
    """Return rows (ordinal, then the text of every role) as examples, with their lines."""
    # What only the cluster reaches has no line that this process could look up.
    has_lines = not table.location and (table.kind == "csv" or table.sheet is not None)
    places = find_lines(table, [int(str(row[0])) for row in rows]) if has_lines else []
    return [
        Example(
            file=table.name,
            line=places[place] if has_lines else None,
            values={
                request.plan.columns[role]: None if cell is None else str(cell)
                for role, cell in zip(request.plan.columns, row[1:], strict=True)
            },
        )
        for place, row in enumerate(rows)
    ]


def _eaten_up_customers(engine: Engine, request: LineRequest) -> tuple[Example, ...]:
    rows = engine.rows(
        f"SELECT {c.CUSTOMER_ID}, CAST(sum({c.AMOUNT}) AS VARCHAR) FROM {ORDERS} "
        f"WHERE {REASON} = 'net_not_positive' GROUP BY 1 ORDER BY 1 LIMIT {EXAMPLES_SHOWN}"
    )
    name = request.tables[0].name
    return tuple(
        Example(file=name, line=None, values={c.CUSTOMER_ID: str(who), c.MONETARY: str(net)})
        for who, net in rows
    )


def _ragged(request: LineRequest, rejected: Sequence[Rejected]) -> SetAside:
    names = {str(table.path): table.name for table in request.tables}
    return SetAside(
        reason="ragged_row",
        rows=len(rejected),
        amount=None,
        examples=tuple(
            Example(
                file=names.get(row.path, request.tables[0].name),
                line=row.line,
                values={"row": row.text[:200]},
            )
            for row in rejected[:EXAMPLES_SHOWN]
        ),
    )


def _extent(engine: Engine) -> tuple[dt.date, dt.date, int]:
    ((first, last, count),) = engine.rows(
        f"SELECT min({c.FIRST_PURCHASE_DATE}), max({c.LAST_PURCHASE_DATE}), "
        f"count(DISTINCT {c.CUSTOMER_ID}) FROM {CUSTOMERS}"
    )
    assert isinstance(first, dt.date)
    assert isinstance(last, dt.date)
    return first, last, int(str(count))


def _n_invoices(request: LineRequest, engine: Engine) -> int:
    """Return how many purchases were kept: distinct invoices where the file has them."""
    if c.INVOICE_ID in request.plan.columns and request.plan.level != "customers":
        counted = f"count(DISTINCT {INVOICE_KEY})"
        source = f"{ORDERS} WHERE {REASON} IS NULL AND NOT {IS_RETURN}"
    else:
        counted, source = f"CAST(sum({c.FREQUENCY}) AS BIGINT)", CUSTOMERS
    ((number,),) = engine.rows(f"SELECT {counted} FROM {source}")
    return int(str(number))


def _currency(request: LineRequest, engine: Engine) -> str | None:
    if request.options.currency:
        return request.options.currency.upper()
    if c.CURRENCY in request.plan.columns:
        found = engine.rows(
            f"SELECT DISTINCT {c.CURRENCY} FROM {ORDERS} "
            f"WHERE {REASON} IS NULL AND {c.CURRENCY} IS NOT NULL LIMIT 2"
        )
        return str(found[0][0]) if len(found) == 1 else None
    return next(iter(request.plan.currencies)) if len(request.plan.currencies) == 1 else None


def _frequency_counts(request: LineRequest) -> Literal["invoices", "days", "rows", "given"]:
    if request.plan.level == "customers":
        return "given"
    if c.INVOICE_ID in request.plan.columns:
        return "invoices"
    return "rows" if request.plan.level == "orders" else "days"
