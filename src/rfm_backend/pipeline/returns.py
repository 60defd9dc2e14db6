"""Stage 3b: which lines a return or an exact repetition takes away.

    read -> map -> [clean] -> aggregate -> score -> segment -> features -> cluster

In:  the SQL of all lines (`lines`).
Out: the same lines, some with the reason ``duplicate`` or ``matched_return``.

What always holds
    * the order of the input rows does not matter: ties are broken by what the lines say;
    * a line that had a reason keeps it.

What it does not do: it subtracts no money; `aggregate` does where returns are netted.
"""

from rfm_backend import columns as c
from rfm_backend.pipeline.lines import BY, IS_RETURN, OCCURRED_AT, REASON, ROW_HASH


def without_duplicates_sql(lines: str, *, ordinal: str | None = None) -> str:
    """Return the lines, each exact repetition of a usable row with the reason ``duplicate``.

    With the column `ordinal` the first of equal rows is the one that stays.
    """
    order = f" ORDER BY {ordinal}" if ordinal else ""
    copy = f"row_number() OVER (PARTITION BY {ROW_HASH}, {REASON} IS NULL{order})"
    judged = f"CASE WHEN {REASON} IS NULL AND {copy} > 1 THEN 'duplicate' ELSE {REASON} END"
    return f"SELECT * REPLACE ({judged} AS {REASON}) FROM ({lines})"


def matched_returns_sql(lines: str, *, has_product: bool, ordinal: str | None = None) -> str:
    """Return the lines, each sale that a later return takes back with the reason ``matched_return``.

    A return takes back the latest earlier sale, not yet taken back, of the same customer, product
    and opposite quantity (where a file has amounts only: opposite amount). Sales and returns of one such group are brackets:
    the balance is sales less returns up to an event, and a sale is closed where a later balance lies below
    its own.
    """
    size = f"abs(coalesce({c.QUANTITY}, {c.AMOUNT}))"
    product = c.PRODUCT_ID if has_product else "''"
    group = f"PARTITION BY {c.CUSTOMER_ID}, {BY}, {product}, {size}, takes_part"
    # At one instant sales come first, so that a return can close a sale of its own minute.
    order = f"ORDER BY {OCCURRED_AT}, {IS_RETURN}, {c.AMOUNT}, {c.INVOICE_ID}"
    order += f", {ordinal}" if ordinal else ""
    part = (
        f"({REASON} IS NULL OR {REASON} IN ('quantity_not_positive', 'amount_not_positive')) "
        f"AND {c.CUSTOMER_ID} IS NOT NULL AND ({REASON} IS NULL OR {IS_RETURN})"
    )
    marked = f"SELECT *, coalesce({part}, false) AS takes_part FROM ({lines})"
    walked = (
        f"SELECT *, sum(CASE WHEN {IS_RETURN} THEN -1 ELSE 1 END) OVER "
        f"({group} {order} ROWS UNBOUNDED PRECEDING) AS balance, "
        f"row_number() OVER ({group} {order}) AS place FROM ({marked})"
    )
    closed = (
        f"SELECT *, min(balance) OVER ({group} ORDER BY place "
        f"ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) < balance AS is_taken_back FROM ({walked})"
    )
    judged = (
        f"CASE WHEN {REASON} IS NULL AND takes_part AND NOT {IS_RETURN} AND is_taken_back "
        f"THEN 'matched_return' ELSE {REASON} END"
    )
    return (
        "SELECT * EXCLUDE (takes_part, balance, place, is_taken_back) "
        f"REPLACE ({judged} AS {REASON}) FROM ({closed})"
    )
