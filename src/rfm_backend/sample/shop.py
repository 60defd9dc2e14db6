"""One SQL query that is a made-up shop: every row is a pure function of its number and the seed.

In:  how many rows and customers, and the seed.
Out: the query for a stretch of rows; it reads no table.

What always holds
    * the same rows, customers and seed give the same text, whatever the threads;
    * exactly `rows` rows and `customers` customers; invoices are numbered in the order of time;
    * a return (invoice "C...") repeats an earlier invoice of the same customer line by line, with
      opposite quantities, and no invoice is returned twice.

Nothing is sorted or gathered, so that a hundred million rows need no more memory than one.  Two
ideas make that possible.  Invoices stand in blocks of 16 whose sizes are one of a few patterns of
equal sum, so that the invoice of row r is found by division.  And a return looks a whole number of
pattern cycles back, where the block has the same shape.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rfm_backend.sample import goods

# Lines of the 16 invoices of a block; their sum is the rows of a block.
_SIZES: Final = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 9, 10, 12, 14, 16)
_PER_BLOCK: Final = len(_SIZES)
ROWS_PER_BLOCK: Final = sum(_SIZES)
_PATTERNS: Final = 16
# Several steps a day, so that at most one midnight falls into a step.
_CALENDAR_STEPS: Final = 1 << 12
_MIX: Final = ((2654435769, 4294967291), (2246822519, 4294967279), (3266489917, 4294967231))
MAX_ROWS: Final = 4_000_000_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large the shop is: the numbers that the query is filled with.

    ``early_invoices`` bring ``early_customers``: a shop's first months show many customers for the
    first time, who were customers before the file begins.
    """

    rows: int
    customers: int
    seed: int
    invoices: int
    early_invoices: int
    early_customers: int


def plan_shop(rows: int, customers: int, seed: int) -> Plan:
    """Return the numbers of a shop; `customers` is at most `count_invoices(rows, seed)`."""
    invoices = count_invoices(rows, seed)
    early_invoices = max(1, invoices // 10)
    early_customers = min(early_invoices, max(1, customers * 28 // 100))
    # What is left must still fit one new customer per invoice.
    early_customers = max(early_customers, customers - (invoices - early_invoices))
    return Plan(
        rows=rows,
        customers=customers,
        seed=seed,
        invoices=invoices,
        early_invoices=early_invoices,
        early_customers=early_customers,
    )


def count_invoices(rows: int, seed: int) -> int:
    """Return how many invoices `rows` lines make."""
    blocks, rest = divmod(rows, ROWS_PER_BLOCK)
    return blocks * _PER_BLOCK + (
        _pattern(blocks % _PATTERNS, seed)[rest - 1][0] + 1 if rest else 0
    )


def shop_query(plan: Plan, first: int, last: int) -> str:
    """Return the query for the rows from `first` to before `last`, in their order."""
    return "\n".join(
        [
            f"WITH placed AS ({_placed(plan, first, last)}),",
            f"sourced AS ({_sourced(plan)}),",
            f"arrived AS ({_arrived(plan)}),",
            f"chosen AS ({_chosen(plan)}),",
            f"settled AS ({_settled(plan)}),",
            f"sold AS ({_sold(plan)}),",
            f"dated AS ({_dated()})",
            _columns(plan),
        ]
    )


def _placed(plan: Plan, first: int, last: int) -> str:
    """Each row's invoice, line and size, and how many invoices back a return looks."""
    shapes = _list(_packed_patterns(plan))
    return f"""
        SELECT block * {_PER_BLOCK} + shape // 512 % 16 AS invoice, shape // 32 % 16 AS line,
               shape % 32 AS size, shape // 8192 * {_PATTERNS * _PER_BLOCK} AS back
        FROM (SELECT block, {_entry(shapes, f"block % {_PATTERNS} * {ROWS_PER_BLOCK} + place")}
                  ::UBIGINT AS shape
              FROM (SELECT r::UBIGINT // {ROWS_PER_BLOCK} AS block, r::UBIGINT % {ROWS_PER_BLOCK}
                        AS place FROM range({first}, {last}) AS numbers(r)))"""


def _packed_patterns(plan: Plan) -> list[int]:
    """Return, for each line of the patterns, size, line, slot and way back in one number."""
    cycles = plan.rows // (ROWS_PER_BLOCK * _PATTERNS)
    # Returns come back within about seven weeks of the two years.
    farthest = max(1, cycles // 15)
    packed = []
    for pattern in range(_PATTERNS):
        for slot, line, size in _pattern(pattern, plan.seed):
            # The way back depends on pattern and slot alone, so that two returns never meet.
            dice = _mix(pattern * _PER_BLOCK + slot, _salt(plan.seed, "back"))
            packed.append((((1 + dice % farthest) * 16 + slot) * 16 + line) * 32 + size)
    return packed


def _sourced(plan: Plan) -> str:
    """The invoice whose customer and goods a row has: its own, or the one that it returns."""
    is_return = (
        f"size <= 3 AND invoice >= back AND ({_hash(plan, 'invoice', 'return')}) % 100 < 9 "
        f"AND NOT {_is_new(plan, 'invoice')}"
    )
    # What is returned was itself no return, and not the sale to a guest.
    return f"""
        SELECT invoice, line, size, is_return,
               CASE WHEN is_return THEN invoice - back ELSE invoice END AS source
        FROM (SELECT *, {is_return}
                     AND NOT (invoice >= back + back
                              AND ({_hash(plan, "(CASE WHEN invoice >= back THEN invoice - back ELSE 0 END)", "return")}) % 100 < 9)
                     AS is_return
              FROM placed)"""


def _arrived(plan: Plan) -> str:
    """How many customers came before an invoice, whether it brings a new one, and dice."""
    return f"""
        SELECT *, {_arrivals(plan, "source")} AS arrived, {_is_new(plan, "source")} AS is_new,
               {_hash(plan, "source", "kind")} % 1000 AS kind,
               ({_hash(plan, "source", "who")})::DOUBLE / 4294967232 AS u
        FROM sourced"""


def _chosen(plan: Plan) -> str:
    """Who buys: a new customer, a wholesaler, a loyal one, a recent one, or anyone.

    Loyal customers are every 20th, wholesalers every 400th, the most loyal every 200th.  A quarter of
    the loyal ones lapse: after a quarter of the time their purchases go to their neighbour.  While
    there are few customers, everyone is anyone, or the first would take the part of many.
    """
    skewed = "u * (0.3 + 0.7 * u)"
    loyal = f"(floor(((arrived + 19) // 20) * {skewed}))::BIGINT"
    lapsed = f"{loyal} % 4 = 2 AND {loyal} * 20 + {plan.customers // 4} < arrived"
    recent = max(1, plan.customers // 5)
    return f"""
        SELECT *, CASE
            WHEN is_new THEN arrived::BIGINT
            WHEN kind < 40 AND arrived >= 400 THEN 4 + 400 *
                (floor((arrived // 400) * {skewed}))::BIGINT
            WHEN kind < 100 AND arrived >= 400 THEN 200 * (floor(((arrived + 199) // 200) * {skewed}))::BIGINT
            WHEN kind BETWEEN 100 AND 399 THEN 20 * ({loyal} - CASE WHEN {lapsed} THEN 1 ELSE 0 END)
            WHEN kind BETWEEN 400 AND 899 THEN arrived::BIGINT - 1
                - (floor(least(arrived, {recent}) * u * u * u))::BIGINT
            ELSE (floor(arrived * u))::BIGINT END AS pick
        FROM arrived"""


def _settled(plan: Plan) -> str:
    """The customer after all: four in ten never come back, so their neighbour comes instead."""
    return f"""
        SELECT invoice, line, is_return, source, is_new,
               CASE WHEN NOT is_new AND kind >= 400 AND pick % 10 IN (1, 3, 7, 9)
                    THEN pick - 1 ELSE pick END::UBIGINT AS customer,
               CASE WHEN is_new THEN 'known'
                    WHEN {_hash(plan, "source", "blank")} % 1000 < 60 THEN 'blank'
                    WHEN {_hash(plan, "source", "blank")} % 1000 < 85 THEN 'guest'
                    ELSE 'known' END AS known,
               source * 16 + line AS item
        FROM chosen"""


def _sold(plan: Plan) -> str:
    """What is sold, the dice for quantity and name, and when: a share of the two years."""
    per_group = len(goods.products()) // goods.GROUPS
    u = f"(({_hash(plan, 'item', 'product')})::DOUBLE / 4294967232)"
    return f"""
        SELECT *, {goods.GROUPS} * (floor({per_group} * {u} * {u}))::INTEGER
                   + ((line + source) % {goods.GROUPS})::INTEGER AS product,
               {_hash(plan, "item", "quantity")} % 100 AS dice,
               {_hash(plan, "customer", "name")} AS name_hash,
               invoice::DOUBLE / {plan.invoices} AS moment,
               source * 2 >= {plan.invoices} AS is_late
        FROM settled"""


def _dated() -> str:
    """The day of each invoice: the day its step begins on, or the one after."""
    starts, before, _ = goods.calendar(_CALENDAR_STEPS)
    start = _entry(_list(starts), f"(floor(moment * {_CALENDAR_STEPS}))::INTEGER")
    # A day after the last, so that looking one day ahead never leaves the list.
    ahead = _entry(_list([*before, 2.0]), "start_day + 1")
    return f"""
        SELECT *, start_day + CASE WHEN moment >= {ahead} THEN 1 ELSE 0 END AS day
        FROM (SELECT *, {start} AS start_day FROM sold)"""


def _columns(plan: Plan) -> str:
    """The columns of the file."""
    quantity = (
        "(CASE WHEN dice < 45 THEN 1 WHEN dice < 70 THEN 2 WHEN dice < 80 THEN 3 WHEN dice < 86 THEN 4 "
        "WHEN dice < 94 THEN 6 ELSE 12 END * CASE WHEN customer % 400 = 4 AND known = 'known' "
        "THEN 12 * (1 + dice % 3) ELSE 1 END)::INTEGER"
    )
    zero = f"({_hash(plan, 'item', 'zero')}) % 1000 < 3"
    indonesian = "name_hash % 100 < 74"
    first = _pick(goods.FIRST_NAMES, indonesian, "name_hash // 100")
    last = _pick(goods.LAST_NAMES, indonesian, "name_hash // 10000")
    country = (
        f"CASE WHEN {indonesian} THEN {_entry(_list(goods.HOME_COUNTRIES), 'name_hash // 700 % 100')} "
        f"ELSE {_entry(_list(goods.FAR_COUNTRIES), 'name_hash // 700 % 100')} END"
    )
    codes, descriptions, prices, late_prices = zip(*goods.products(), strict=True)
    _, before, shares = goods.calendar(_CALENDAR_STEPS)
    gone = f"(moment - {_entry(_list(before), 'day')}) / {_entry(_list(shares), 'day')}"
    return f"""
        SELECT CASE WHEN is_return THEN 'C' ELSE '' END || (500000 + invoice)::VARCHAR AS "InvoiceNo",
               {_entry(_list(codes), "product")} AS "StockCode",
               {_entry(_list(descriptions), "product")} AS "Description",
               CASE WHEN is_return THEN -{quantity} ELSE {quantity} END AS "Quantity",
               TIMESTAMP '{goods.FIRST_DAY} 09:00:00' + to_minutes(day::BIGINT * 1440
                   + (floor(720 * least(0.9999, greatest(0, {gone}))))::BIGINT) AS "InvoiceDate",
               CASE WHEN {zero} THEN 0 WHEN is_late THEN {_entry(_list(late_prices), "product")}
                    ELSE {_entry(_list(prices), "product")} END::DECIMAL(10, 2) AS "UnitPrice",
               CASE known WHEN 'known' THEN (10000 + customer)::VARCHAR WHEN 'guest' THEN 'GUEST' END
                   AS "CustomerID",
               CASE known WHEN 'known' THEN {first} || ' ' || {last} WHEN 'guest' THEN 'Guest' END
                   AS "CustomerName",
               CASE WHEN known = 'known' AND name_hash // 77 % 100 < 34
                    THEN lower({first}) || '.' || lower({last}) || customer::VARCHAR || '@example.com'
                    END AS "Email",
               CASE known WHEN 'known' THEN {country} ELSE 'Indonesia' END AS "Country"
        FROM dated"""


def _arrivals(plan: Plan, invoice: str) -> str:
    """SQL: how many customers came before `invoice`, a whole number that never falls."""
    early, known = plan.early_invoices, plan.early_customers
    later = max(1, plan.invoices - early)
    return (
        f"(CASE WHEN {invoice} < {early} THEN ({invoice} * {known} + {early - 1}) // {early} "
        f"ELSE {known} + (({invoice} - {early}) * {plan.customers - known} + {later - 1}) // {later} END)"
    )


def _is_new(plan: Plan, invoice: str) -> str:
    """SQL: whether `invoice` is the first of a customer."""
    return f"({_arrivals(plan, f'({invoice} + 1)')} > {_arrivals(plan, invoice)})"


def _pick(names: list[str], indonesian: str, dice: str) -> str:
    """SQL: an Indonesian or an English entry of `names`."""
    home, far = goods.INDONESIAN, len(names) - goods.INDONESIAN
    return (
        f"(CASE WHEN {indonesian} THEN {_entry(_list(names[:home]), f'{dice} % {home}')} "
        f"ELSE {_entry(_list(names[home:]), f'{dice} % {far}')} END)"
    )


def _list(entries: Sequence[object]) -> str:
    """SQL: a list of numbers or of texts."""
    written = (f"'{entry}'" if isinstance(entry, str) else str(entry) for entry in entries)
    return f"[{', '.join(written)}]"


def _entry(listed: str, place: str) -> str:
    """SQL: the entry of a list at `place`, counted from 0."""
    return f"list_extract({listed}, ({place})::INTEGER + 1)"


def _pattern(number: int, seed: int) -> list[tuple[int, int, int]]:
    """Return slot, line and size for each row of a block of this pattern."""
    salt = _salt(seed, "pattern")
    order = sorted(range(_PER_BLOCK), key=lambda slot: _mix(number * _PER_BLOCK + slot, salt))
    return [
        (slot, line, _SIZES[place])
        for slot, place in enumerate(order)
        for line in range(_SIZES[place])
    ]


def _hash(plan: Plan, value: str, purpose: str) -> str:
    """SQL: a number from 0 to 2**32 - 1 that only looks random, one stream per purpose.

    Written out instead of DuckDB's own hash(), which may change between its versions.
    """
    text = f"(({value}) % 4294967291)"
    for place, (factor, prime) in enumerate(_MIX):
        added = f" + {_salt(plan.seed, purpose)}" if place == 0 else ""
        text = f"(({text} * {factor}{added}) % {prime})"
    return text


def _mix(value: int, salt: int) -> int:
    """Return what `_hash` is in SQL."""
    for place, (factor, prime) in enumerate(_MIX):
        value = (value * factor + (salt if place == 0 else 0)) % prime
    return value


def _salt(seed: int, purpose: str) -> int:
    return zlib.crc32(f"{seed} {purpose}".encode())
