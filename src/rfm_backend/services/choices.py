"""What a person says about the columns of his file, and the processing call that this makes.

In:  a `Look`, what he chose.
Out: what is lacking or said twice; the body of a processing call, as the API takes it.

What always holds
    * who changes nothing asks for what a call without options asks for, so that both are one job;
    * who changes a role is taken at his word for every role: nothing is guessed beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rfm_backend import columns as c
from rfm_backend.errors import InvalidRequest
from rfm_backend.pipeline.readings import DATE_CHOICES, FOUND, NUMBER_CHOICES
from rfm_backend.services.looks import Look

_TOTALS = (c.FREQUENCY, c.MONETARY, c.LAST_PURCHASE_DATE)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The role of each column by place ("": not used), how dates and numbers are written, which sheet.

    ``sheet`` is "" for the one that is read when none is named.
    """

    roles: tuple[str, ...]
    date_order: str = FOUND
    decimal: str = FOUND
    currency: str = ""
    sheet: str = ""

    def __post_init__(self) -> None:
        """Refuse what no page offers."""
        if set(self.roles) - {"", *c.ROLES}:
            raise InvalidRequest("There is no such role.", field="roles")
        if self.date_order not in DATE_CHOICES:
            raise InvalidRequest("There is no such order of dates.", field="date_order")
        if self.decimal not in NUMBER_CHOICES:
            raise InvalidRequest("There is no such decimal mark.", field="decimal")

    @property
    def is_of_customers(self) -> bool:
        """Whether one row of the file is a customer, with counts and totals instead of sales."""
        return c.INVOICE_DATE not in self.roles and any(role in self.roles for role in _TOTALS)


def found_choice(look: Look, *, sheet: str = "") -> Choice:
    """Return the choice of who leaves everything as it was found, on a sheet that he chose."""
    return Choice(roles=look.roles, sheet=sheet)


def with_mapping(look: Look, mapping: Mapping[str, str], *, sheet: str = "") -> Choice:
    """Return the choice that a saved mapping makes."""
    role_of = {column: role for role, column in mapping.items() if column}
    roles = tuple(role_of.get(column.name, "") for column in look.columns)
    return Choice(roles=roles, sheet=sheet)


def lacking(choice: Choice) -> tuple[str, ...]:
    """Return the roles without which there is no RFM and which no column has."""
    roles = choice.roles
    if choice.is_of_customers:
        return tuple(role for role in (c.CUSTOMER_ID, *_TOTALS) if role not in roles)
    found = [role for role in (c.CUSTOMER_ID, c.INVOICE_DATE) if role not in roles]
    if c.AMOUNT not in roles:
        factors = [role for role in (c.QUANTITY, c.UNIT_PRICE) if role not in roles]
        found += [c.AMOUNT] if len(factors) == 2 else factors
    return tuple(found)


def unsaid(choice: Choice, look: Look) -> tuple[str, ...]:
    """Return what only the owner can say and has not: "date_order", "decimal", "currency"."""
    undecided = []
    for role, column in zip(choice.roles, look.columns, strict=True):
        if role in c.DATE_ROLES and column.dates and choice.date_order not in column.dates:
            undecided.append("date_order")
        if role in c.NUMBER_ROLES and column.numbers and choice.decimal not in column.numbers:
            undecided.append("decimal")
    if look.has("several_currencies") and not choice.currency:
        undecided.append("currency")
    return tuple(dict.fromkeys(undecided))


def doubled(choice: Choice, look: Look) -> dict[str, tuple[str, ...]]:
    """Return role -> columns, for the roles that several columns were given."""
    columns: dict[str, list[str]] = {}
    for role, column in zip(choice.roles, look.columns, strict=True):
        if role:
            columns.setdefault(role, []).append(column.name)
    return {role: tuple(names) for role, names in columns.items() if len(names) > 1}


def mapping_of(choice: Choice, look: Look) -> dict[str, str]:
    """Return role -> column, for the roles that a column has."""
    named = zip(choice.roles, look.columns, strict=True)
    return {role: column.name for role, column in named if role}


def body_of(choice: Choice, look: Look) -> dict[str, object]:
    """Return the processing call of a choice."""
    body: dict[str, object] = {"sheet": choice.sheet} if choice.sheet else {}
    # Who leaves columns that compete as they are has said which one is meant, too.
    if choice.roles != look.roles or look.has("ambiguous_columns"):
        # Every role is said, those without a column too, which "" stands for.
        body["mapping"] = {**dict.fromkeys(c.ROLES, ""), **mapping_of(choice, look)}
        if choice.is_of_customers:
            body["level"] = "customers"
    if choice.date_order != FOUND:
        body["date_format"] = choice.date_order
    if choice.decimal != FOUND:
        body["decimal"] = choice.decimal
    if choice.currency:
        body["currency"] = choice.currency
    return body
