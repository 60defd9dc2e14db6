"""Stage 3a: the SQL that turns raw text rows into typed lines, each with a reason or none.

    read -> map -> [clean] -> aggregate -> score -> segment -> features -> cluster

In:  text tables and a `ColumnPlan`.
Out: SQL text; its rows are lines: ``customer_id``, ``by_value``, ``invoice_id``, ``occurred_at``,
     ``quantity``, ``amount``, ``currency``, contact and kept columns, ``is_return`` and ``reason``.

What always holds
    * a line is usable if and only if ``reason`` is NULL, and each row has at most one reason: the first
      that applies in the order of `analysis.SetAside`;
    * ``amount`` is exact: DECIMAL(18,6) factors, the product DECIMAL(38,12);
    * no row is dropped here: what is set aside stays a row with a reason.

What it does not do: it runs nothing and counts nothing; `clean` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.pipeline.mapping.cells import BLANK, is_plain_sql, trimmed_sql
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.mapping.role_values import RoleValues, find_stored
from rfm_backend.pipeline.options import Options
from rfm_backend.text_table import TextTable

BY = "by_value"
OCCURRED_AT = "occurred_at"
REASON = "reason"
IS_RETURN = "is_return"
IS_MARKED = "is_marked"
ROW_HASH = "row_hash"
ORDINAL = "ordinal"
SOURCE = "source"

MAX_ID_LENGTH = 255
_MISSING_IDS = ("null", "nan", "n/a", "#n/a")


@dataclass(frozen=True, kw_only=True)
class LineRequest:
    """What lines are wanted of which tables: the columns cost time, so only those needed are asked.

    ``first_rows`` bounds how many rows of each table are looked at; ``hashes_in`` names a table of
    ``row_hash`` values: only such rows are judged.
    """

    tables: tuple[TextTable, ...]
    plan: ColumnPlan
    options: Options
    by_column: str | None = None
    with_hash: bool = False
    with_ordinal: bool = False
    keep_rejects: bool = False
    first_rows: int | None = None
    hashes_in: str | None = None


def carried_columns(plan: ColumnPlan, options: Options) -> tuple[tuple[str, str], ...]:
    """Return (result name, file column) of what is carried along: contacts, then kept columns."""
    contacts = [(role, plan.columns[role]) for role in c.CONTACT_ROLES if role in plan.columns]
    taken = {*c.RESULT, *(name for name, _ in contacts)}
    kept = [(_free_name(name, taken), name) for name in options.keep]
    return (*contacts, *kept)


def lines_sql(request: LineRequest, engine: Engine) -> str:
    """Return a SELECT of all lines of the request's tables, each with a reason or NULL."""
    values = _role_values(request, engine)
    cells = " UNION ALL ".join(
        f"SELECT * FROM {_cells_sql(table, number, request, engine, values)}"
        for number, table in enumerate(request.tables)
    )
    return _judged_sql(f"({_typed_sql(f'({cells})', request, values)})", request, values)


def clean_id_sql(text: str, *, lower: bool) -> str:
    """Return SQL for an id: outer blanks cut, NFC, the words for "missing" as NULL."""
    missing = "|".join(_MISSING_IDS)
    longest = max(len(word) for word in _MISSING_IDS)
    written = (
        f"CASE WHEN {is_plain_sql(text)} AND strlen({text}) > {longest} THEN nfc_normalize({text}) "
        f"WHEN NOT regexp_full_match({text}, '(?i){BLANK}*({missing})?{BLANK}*') "
        f"THEN nfc_normalize({trimmed_sql(text)}) END"
    )
    return f"lower({written})" if lower else written


def _free_name(name: str, taken: set[str]) -> str:
    free = name if name not in taken else f"{name}_in_file"
    taken.add(free)
    return free


def _role_values(request: LineRequest, engine: Engine) -> RoleValues:
    """Return how the roles' cells are read: as text where rows are shown, compared or filled down."""
    plan, options = request.plan, request.options
    if request.with_ordinal or request.with_hash or plan.fill_down:
        return RoleValues(plan=plan)
    as_text = {column for _, column in carried_columns(plan, options)}
    as_text |= {column for column, _ in options.exclude}
    as_text |= {request.by_column} if request.by_column else set()
    kinds = [engine.kinds(table) for table in request.tables]
    return RoleValues(plan=plan, stored=find_stored(plan, kinds, as_text=as_text))


def _cells_sql(
    table: TextTable,
    number: int,
    request: LineRequest,
    engine: Engine,
    values: RoleValues,
) -> str:
    """Return a FROM item: the cells of every role, kept and excluded column of one table."""
    plan, options = request.plan, request.options
    wanted = dict.fromkeys(
        [
            *plan.columns.values(),
            *(column for _, column in carried_columns(plan, options)),
            *(column for column, _ in options.exclude),
            *([request.by_column] if request.by_column else []),
            *(table.columns if request.with_hash or table.sheet is not None else []),
        ]
    )
    source = engine.scan(
        table,
        tuple(wanted),
        keep_rejects=request.keep_rejects,
        first_rows=request.first_rows,
        ordinal=ORDINAL if request.with_ordinal or plan.fill_down else None,
        as_stored=[plan.columns[role] for role in values.stored],
    )
    if table.sheet is not None:
        source = _without_blank_rows(source, table)
    if plan.fill_down:
        source = _filled_down(source, plan, [name for name in plan.fill_down if name in wanted])
    chosen = [f"{quote_name(column)} AS role_{role}" for role, column in plan.columns.items()]
    chosen += [
        f"{quote_name(column)} AS carried_{place}"
        for place, (_, column) in enumerate(carried_columns(plan, options))
    ]
    chosen += [
        f"{quote_name(column)} AS excluded_{place}"
        for place, (column, _) in enumerate(options.exclude)
    ]
    if request.by_column:
        chosen.append(f"{quote_name(request.by_column)} AS {BY}")
    if request.with_hash:
        chosen.append(f"{_hash_sql(table.columns)} AS {ROW_HASH}")
    if request.with_ordinal:
        chosen.append(ORDINAL)
    cells = f"(SELECT {', '.join(chosen)}, {number} AS {SOURCE} FROM {source})"
    if request.hashes_in is None:
        return cells
    return (
        f"(SELECT * FROM {cells} WHERE {ROW_HASH} IN (SELECT {ROW_HASH} FROM {request.hashes_in}))"
    )


def row_hashes_sql(table: TextTable, request: LineRequest, engine: Engine) -> str:
    """Return a SELECT of the hash of every row of one table, all cells in."""
    source = engine.scan(table, table.columns, first_rows=request.first_rows)
    return f"SELECT {_hash_sql(table.columns)} AS {ROW_HASH} FROM {source}"


def _without_blank_rows(source: str, table: TextTable) -> str:
    """Leave out a sheet's blank rows: they are no rows of the table (a text file's are never read)."""
    cells = ", ".join(quote_name(name) for name in table.columns)
    return f"(SELECT * FROM {source} WHERE coalesce({cells}) IS NOT NULL)"


def _hash_sql(names: Sequence[str]) -> str:
    parts = ", ".join(quote_name(name) for name in names)
    # 64 bits twice, of different cuts: one alone could mistake two of a billion rows for one.
    return f"struct_pack(a := hash({parts}), b := hash('', {parts}))"


def _filled_down(source: str, plan: ColumnPlan, names: Sequence[str]) -> str:
    """Carry an order's fields from its first line to its further lines, never to the next order."""
    invoice = quote_name(plan.columns[c.INVOICE_ID])
    begins = (
        f"CASE WHEN {invoice} IS NOT NULL AND {invoice} IS DISTINCT FROM "
        f"last_value({invoice} IGNORE NULLS) OVER (ORDER BY {ORDINAL} "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) THEN 1 ELSE 0 END"
    )
    marked = f"(SELECT *, {begins} AS order_begins FROM {source})"
    numbered = (
        f"(SELECT *, sum(order_begins) OVER (ORDER BY {ORDINAL}) AS order_number FROM {marked})"
    )
    filled = ", ".join(
        f"first_value({quote_name(name)} IGNORE NULLS) OVER "
        f"(PARTITION BY order_number ORDER BY {ORDINAL} "
        f"ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS {quote_name(name)}"
        for name in names
    )
    return f"(SELECT * REPLACE ({filled}) FROM {numbered})"


def _typed_sql(cells: str, request: LineRequest, values: RoleValues) -> str:
    """Return a SELECT that adds typed values beside the cells they came from."""
    plan, options = request.plan, request.options
    columns = plan.columns
    added = [
        f"{clean_id_sql(f'role_{c.CUSTOMER_ID}', lower=plan.customer_is_email)} AS {c.CUSTOMER_ID}"
    ]
    stamp = values.stamp(
        _date_role(plan),
        time_expr=f"role_{c.INVOICE_TIME}" if c.INVOICE_TIME in columns else None,
        timezone=options.timezone,
    )
    added.append(f"{stamp} AS {OCCURRED_AT}")
    if c.FIRST_PURCHASE_DATE in columns:
        added.append(f"{values.stamp(c.FIRST_PURCHASE_DATE)} AS first_at")
    added += [
        f"{values.number(role)} AS {role}_number" for role in c.NUMBER_ROLES if role in columns
    ]
    invoice = trimmed_sql(f"role_{c.INVOICE_ID}") if c.INVOICE_ID in columns else "NULL"
    added.append(f"{invoice} AS {c.INVOICE_ID}")
    if c.PRODUCT_ID in columns:
        added.append(f"{trimmed_sql(f'role_{c.PRODUCT_ID}')} AS {c.PRODUCT_ID}")
    if c.CURRENCY in columns:
        added.append(f"upper({trimmed_sql(f'role_{c.CURRENCY}')}) AS {c.CURRENCY}")
    if c.STATUS in columns:
        added.append(f"lower({trimmed_sql(f'role_{c.STATUS}')}) AS {c.STATUS}")
    return f"SELECT *, {', '.join(added)} FROM {cells}"


def _judged_sql(typed: str, request: LineRequest, values: RoleValues) -> str:
    """Return a SELECT of the lines with their reason."""
    plan, options = request.plan, request.options
    by = f"coalesce({trimmed_sql(BY)}, '')" if request.by_column else "''"
    carried = ", ".join(
        f"{trimmed_sql(f'carried_{place}')} AS carried_{place}"
        for place, _ in enumerate(carried_columns(plan, options))
    )
    quantity = f"{c.QUANTITY}_number" if c.QUANTITY in plan.columns else "NULL"
    extra = [ROW_HASH] if request.with_hash else []
    if request.with_ordinal:
        extra += [ORDINAL, *(f"role_{role}" for role in plan.columns)]
    chosen = [
        f"{c.CUSTOMER_ID}",
        f"{by} AS {BY}",
        c.INVOICE_ID,
        OCCURRED_AT,
        f"{quantity} AS {c.QUANTITY}",
        f"{_price_sql(plan)} AS {c.UNIT_PRICE}",
        f"{_amount_sql(plan)} AS {c.AMOUNT}",
        f"{c.CURRENCY if c.CURRENCY in plan.columns else 'NULL'} AS {c.CURRENCY}",
        f"{c.PRODUCT_ID if c.PRODUCT_ID in plan.columns else 'NULL'} AS {c.PRODUCT_ID}",
        f"{f'{c.FREQUENCY}_number' if c.FREQUENCY in plan.columns else 'NULL'} AS {c.FREQUENCY}",
        f"{'first_at' if c.FIRST_PURCHASE_DATE in plan.columns else OCCURRED_AT} AS first_at",
        f"{_return_sql(plan)} AS {IS_RETURN}",
        SOURCE,
        *([_marked_sql(plan, values)] if plan.assumed_unmarked else []),
        *extra,
        *([carried] if carried else []),
        f"CASE {' '.join(_reasons(plan, options, values))} END AS {REASON}",
    ]
    return f"SELECT {', '.join(chosen)} FROM {typed}"


def _marked_sql(plan: ColumnPlan, values: RoleValues) -> str:
    """Return whether a number has a mark after all, in a column whose first rows have none."""
    marked = " OR ".join(values.is_marked(role) for role in plan.assumed_unmarked)
    return f"({marked}) AS {IS_MARKED}"


def _is_priced(plan: ColumnPlan) -> bool:
    return c.QUANTITY in plan.columns and c.UNIT_PRICE in plan.columns


def _money_role(plan: ColumnPlan) -> str:
    return c.MONETARY if plan.level == "customers" else c.AMOUNT


def _price_sql(plan: ColumnPlan) -> str:
    return f"{c.UNIT_PRICE}_number" if _is_priced(plan) else "NULL"


def _amount_sql(plan: ColumnPlan) -> str:
    if _is_priced(plan):
        # DECIMAL(18,6) x DECIMAL(18,6) would be DECIMAL(18,12): too narrow for rupiah.
        return f"CAST({c.QUANTITY}_number AS DECIMAL(38,6)) * {c.UNIT_PRICE}_number"
    return f"CAST({_money_role(plan)}_number AS DECIMAL(38,12))"


def _return_sql(plan: ColumnPlan) -> str:
    """A return is a line of negative quantity, or of negative amount where there is no quantity."""
    if _is_priced(plan):
        return f"coalesce({c.QUANTITY}_number < 0 AND {c.UNIT_PRICE}_number > 0, false)"
    return f"coalesce({_money_role(plan)}_number < 0, false)"


def _reasons(plan: ColumnPlan, options: Options, values: RoleValues) -> list[str]:
    """Return the WHEN clauses, in the order in which a row is tried."""
    when: list[tuple[str, str | None]] = []
    for place, (_, value) in enumerate(options.exclude):
        when.append((f"{trimmed_sql(f'excluded_{place}')} = {quote_text(value)}", "excluded"))
    if options.currency and c.CURRENCY in plan.columns:
        wanted = quote_text(options.currency.upper())
        when.append((f"{c.CURRENCY} IS DISTINCT FROM {wanted}", "other_currency"))
    if plan.status is not None and plan.status.not_completed:
        words = ", ".join(quote_text(word) for word in plan.status.not_completed)
        when.append((f"{c.STATUS} IN ({words})", "order_not_completed"))
    # Most rows are fit for use: they are done with one look, not with a dozen.
    when += [
        (_fit_for_use(plan, options), None),
        (f"{c.CUSTOMER_ID} IS NULL", "no_customer"),
        (f"length({c.CUSTOMER_ID}) > {MAX_ID_LENGTH}", "customer_id_too_long"),
        (f"{OCCURRED_AT} IS NULL AND {values.is_blank(_date_role(plan))}", "no_date"),
        (f"{OCCURRED_AT} IS NULL", "unreadable_date"),
    ]
    when += _day_reasons(options)
    for role, word in _measures(plan).items():
        when += _number_reasons(role, word, values)
    if options.returns == "net":
        # What comes back is money too: it is subtracted, not set aside.
        signs = ("quantity_not_positive", "amount_not_positive")
        when = [
            (f"{test} AND NOT {_return_sql(plan)}" if reason in signs else test, reason)
            for test, reason in when
        ]
    return [f"WHEN {test} THEN {quote_text(reason) if reason else 'NULL'}" for test, reason in when]


def _fit_for_use(plan: ColumnPlan, options: Options) -> str:
    """Return what no reason applies to, of a row that no option sets aside by its contents."""
    tests = [f"strlen({c.CUSTOMER_ID}) <= {MAX_ID_LENGTH}", f"{OCCURRED_AT} IS NOT NULL"]
    tests += [f"NOT {test}" for test, _ in _day_reasons(options)]
    tests += [f"{role}_number > 0" for role in _measures(plan)]
    return " AND ".join(tests)


def _measures(plan: ColumnPlan) -> dict[str, str]:
    """Return the roles that must be above zero, and the word for each in a reason."""
    if _is_priced(plan):
        return {c.QUANTITY: "quantity", c.UNIT_PRICE: "price"}
    count = {c.FREQUENCY: "quantity"} if plan.level == "customers" else {}
    return {**count, _money_role(plan): "amount"}


def _day_reasons(options: Options) -> list[tuple[str, str]]:
    day = f"CAST({OCCURRED_AT} AS DATE)"
    found = []
    if options.since:
        found.append((f"{day} < DATE '{options.since.isoformat()}'", "out_of_window"))
    if options.until:
        found.append((f"{day} > DATE '{options.until.isoformat()}'", "out_of_window"))
    if options.snapshot_date:
        found.append((f"{day} > DATE '{options.snapshot_date.isoformat()}'", "after_snapshot"))
    return found


def _date_role(plan: ColumnPlan) -> str:
    return c.INVOICE_DATE if c.INVOICE_DATE in plan.columns else c.LAST_PURCHASE_DATE


def _number_reasons(role: str, word: str, values: RoleValues) -> list[tuple[str, str]]:
    return [
        (f"{role}_number IS NULL AND {values.is_blank(role)}", f"no_{word}"),
        (f"{role}_number IS NULL AND {values.is_number(role)}", "number_out_of_range"),
        (f"{role}_number IS NULL", f"unreadable_{word}"),
        (f"{role}_number <= 0", f"{word}_not_positive"),
    ]
