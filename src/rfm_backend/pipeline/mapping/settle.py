"""Which of the guessed roles a file keeps: what one row is, one way to money, somebody for the customer.

In:  role -> column as guessed, the table.
Out: role -> column as used, what one row of the file is; or an error that says which role is missing.

What always holds
    * a column is used for one thing; money is quantity x unit price, or an amount, never both;
    * what the user said is not overruled: a role that he says the file lacks gets no stand-in.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from rfm_backend import columns as c
from rfm_backend.advice import role_option
from rfm_backend.errors import MissingColumns
from rfm_backend.pipeline.mapping.guess import named_for
from rfm_backend.pipeline.mapping.plan import RoleGuess
from rfm_backend.pipeline.options import Level
from rfm_backend.text_table import TextTable

_CUSTOMER_ROLES: Final = (c.FREQUENCY, c.MONETARY, c.LAST_PURCHASE_DATE, c.FIRST_PURCHASE_DATE)
_SALE_ROLES: Final = (
    c.INVOICE_ID, c.INVOICE_DATE, c.INVOICE_TIME, c.QUANTITY, c.UNIT_PRICE, c.AMOUNT, c.PRODUCT_ID,
)  # fmt: skip
# In this order they may stand for the customer where no column is his number.
_STAND_INS: Final = (c.EMAIL, c.PHONE, c.CUSTOMER_NAME)


def level_of(table: TextTable, columns: Mapping[str, str]) -> Level:
    """Recognise a file of customers: it brings counts and totals, and each customer once."""
    has_totals = all(role in columns for role in (c.FREQUENCY, c.MONETARY, c.LAST_PURCHASE_DATE))
    if not has_totals or c.CUSTOMER_ID not in columns:
        return "lines"
    place = table.columns.index(columns[c.CUSTOMER_ID])
    ids = [row[place] for row in table.sample if row[place]]
    return "customers" if len(set(ids)) == len(ids) else "lines"


def settle(
    columns: Mapping[str, str],
    guesses: Sequence[RoleGuess],
    level: Level,
    *,
    asked: AbstractSet[str],
) -> tuple[dict[str, str], list[RoleGuess]]:
    """Keep the roles that this kind of file has, one way to money, and somebody for the customer."""
    settled = dict(columns)
    for role in _SALE_ROLES if level == "customers" else _CUSTOMER_ROLES:
        if role not in asked:
            settled.pop(role, None)
    if level != "customers":
        _settle_money(settled, asked)
    guesses = list(guesses)
    if c.CUSTOMER_ID not in settled and c.CUSTOMER_ID not in asked:
        stand_in = next((role for role in _STAND_INS if role in settled), None)
        if stand_in is not None:
            column = settled.pop(stand_in)
            settled[c.CUSTOMER_ID] = column
            place = c.ROLES.index(c.CUSTOMER_ID)
            guesses[place] = RoleGuess(
                role=c.CUSTOMER_ID, column=column, confidence=0.6, reason=stand_in
            )
    return settled, guesses


def _settle_money(columns: dict[str, str], asked: AbstractSet[str]) -> None:
    """Leave quantity x unit price, or the amount: a total repeated on each line would count twice."""
    has_factors = c.QUANTITY in columns and c.UNIT_PRICE in columns
    if has_factors and c.AMOUNT not in asked:
        columns.pop(c.AMOUNT, None)
    elif c.AMOUNT in columns:
        for role in (c.QUANTITY, c.UNIT_PRICE):
            columns.pop(role, None)
    elif c.UNIT_PRICE in columns and c.QUANTITY not in columns and c.AMOUNT not in asked:
        columns[c.AMOUNT] = columns.pop(c.UNIT_PRICE)


def check_needed(columns: Mapping[str, str], level: Level, table: TextTable) -> None:
    """Refuse a plan that lacks what RFM cannot do without.

    Raises
    ------
    MissingColumns
        No column tells who, when, or how much.
    """
    if c.CUSTOMER_ID not in columns:
        raise _missing(c.CUSTOMER_ID, "no column tells who the customer is", table)
    needed = (
        (c.FREQUENCY, c.MONETARY, c.LAST_PURCHASE_DATE)
        if level == "customers"
        else (c.INVOICE_DATE,)
    )
    for role in needed:
        if role not in columns:
            raise _missing(role, f"no column was found for {role}", table)
    if level != "customers" and c.AMOUNT not in columns and c.QUANTITY not in columns:
        raise _missing(
            c.AMOUNT, "no column was found for amount, nor for quantity and unit_price", table
        )
    if level != "customers" and c.AMOUNT not in columns and c.UNIT_PRICE not in columns:
        raise _missing(c.UNIT_PRICE, "a quantity was found, but no unit_price and no amount", table)


def _missing(role: str, what: str, table: TextTable) -> MissingColumns:
    named = named_for(role, table.columns)
    place = table.columns.index(named) if named else 0
    seen = list(dict.fromkeys(cell for row in table.sample if (cell := row[place])))[:3]
    if named and seen:
        shown = ", ".join(f'"{value[:40]}"' for value in seen)
        what += f'; "{named}" sounds like it, but its values do not fit: {shown}'
    return MissingColumns(
        f"{table.name}: {what}. Its columns: {', '.join(table.columns[:30])}. "
        f"Say which one it is with {role_option(role)}.",
        file=table.name,
        role=role,
        columns=table.columns,
    )
