"""Guessing the role of each column from its header and its values together.

In:  headers, what the values look like.
Out: role -> `RoleGuess`, with how sure it is and what else competed.

What always holds
    * a header that names a role counts only where the values agree: a "date" without dates is none;
    * a column gets one role, a role one column;
    * two columns that fit a needed role equally well are an error, never a coin toss.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Final

from rfm_backend import columns as c
from rfm_backend.advice import role_option
from rfm_backend.errors import AmbiguousColumns, InvalidOption
from rfm_backend.pipeline.mapping.contents import Contents
from rfm_backend.pipeline.mapping.plan import ColumnPlan, RoleGuess
from rfm_backend.pipeline.mapping.words import normalise, role_weights, vocabularies

_LEAST: Final = 0.3
_NEEDED: Final = (c.CUSTOMER_ID, c.INVOICE_DATE, c.QUANTITY, c.UNIT_PRICE, c.AMOUNT)
# Words that a number of the customer ends in; "customer" beside "customer id" is his name.
_ID_WORDS: Final = ("id", "no", "number", "code", "key", "nummer", "nr", "numero", "kode", "nomor")
# A column takes the role that says most: a "total" is an amount before it is anything else.
_PREFERENCE: Final = {role: place for place, role in enumerate(c.ROLES)}


def guess_roles(
    headers: Sequence[str],
    contents: Mapping[str, Contents],
    *,
    skip: set[str],
    allow_rivals: bool = False,
) -> dict[str, RoleGuess]:
    """Return the best column of each role, by header and contents.

    Raises
    ------
    AmbiguousColumns
        Two columns fit a needed role equally well, unless `allow_rivals`: then the first one has it.
    """
    weights = {
        (role, header): weight * _agreement(role, contents[header]) * _first_words(role, header)
        for header in headers
        for role, weight in role_weights(header).items()
        if role not in skip
    }
    ranked = sorted(
        ((weight, role, header) for (role, header), weight in weights.items() if weight >= _LEAST),
        key=lambda entry: (-entry[0], _PREFERENCE[entry[1]], headers.index(entry[2])),
    )
    found: dict[str, RoleGuess] = {}
    taken: dict[str, str] = {}
    for weight, role, header in ranked:
        if role in found or header in taken:
            continue
        others = [
            (other, round(near, 2))
            for near, rival, other in ranked
            if rival == role and other != header and other not in taken
        ]
        found[role] = RoleGuess(
            role=role, column=header, confidence=round(weight, 2), alternatives=tuple(others[:5])
        )
        taken[header] = role
    if not allow_rivals:
        _check_rivals(found, headers)
    return found


def guess_without_header(
    headers: Sequence[str], contents: Mapping[str, Contents], *, skip: set[str]
) -> dict[str, RoleGuess]:
    """Return customer, date and amount of a file without a header, by its values alone.

    The date is the column of dates; the amount the last column of numbers that has fractions, or the
    last of numbers that are no ids; the customer the first column whose values are long or leading
    ids and recur.
    """
    dates = [name for name in headers if contents[name].dates > 0.9]
    numbers = [name for name in headers if contents[name].numbers > 0.9 and name not in dates]
    texts = [
        name
        for name in headers
        if name not in dates and name not in numbers and contents[name].filled > 0.5
    ]
    with_fractions = [name for name in numbers if contents[name].fractions > 0.2]
    candidates = with_fractions or numbers[1:]
    amount = candidates[-1] if candidates else None
    ids = [name for name in [*numbers, *texts] if name != amount]
    customer = min(ids, key=headers.index) if ids else None
    chosen = {
        c.CUSTOMER_ID: customer,
        c.INVOICE_DATE: dates[0] if dates else None,
        c.AMOUNT: amount,
    }
    return {
        role: RoleGuess(role=role, column=name, confidence=0.5, reason="contents")
        for role, name in chosen.items()
        if name is not None and role not in skip
    }


def named_for(role: str, headers: Sequence[str]) -> str | None:
    """Return the header whose words alone say `role` best, whatever its values; None where none does."""
    weights = {header: role_weights(header).get(role, 0.0) for header in headers}
    best = max(weights, key=lambda header: weights[header], default=None)
    return best if best is not None and weights[best] >= _LEAST else None


def find_column(name: str, headers: Sequence[str], plan: ColumnPlan | None, *, option: str) -> str:
    """Return the header that an option means: exactly, as a person compares, or by its role.

    Raises
    ------
    InvalidOption
        There is no such column; the message names near ones.
    """
    if name in headers:
        return name
    same = [header for header in headers if normalise(header) == normalise(name)]
    if same:
        return same[0]
    if plan is not None and name in plan.columns:
        return plan.columns[name]
    near = difflib.get_close_matches(name, headers, n=3) or list(headers[:20])
    raise InvalidOption(
        f"--{option}: there is no column {name!r}. Did you mean {', '.join(near)}?",
        option=option,
        columns=tuple(headers),
    )


def _first_words(role: str, header: str) -> float:
    """Return slightly less for a word that stands later in its list: the first ones say most."""
    written = normalise(header)
    places = [
        vocabulary.roles[role].index(written)
        for vocabulary in vocabularies()
        if written in vocabulary.roles.get(role, ())
    ]
    return 1 - 0.005 * min(places) if places else 1.0


def _agreement(role: str, contents: Contents) -> float:
    """Return how well values fit a role, 0..1; a blank column fits nothing."""
    if contents.filled == 0:
        return 0.1
    if role in c.DATE_ROLES:
        return max(contents.dates, min(contents.numbers, 0.6) if contents.length >= 5 else 0.0)
    if role == c.INVOICE_TIME:
        return contents.times
    if role in c.NUMBER_ROLES:
        return contents.numbers
    if role == c.EMAIL:
        return contents.emails
    if role == c.CUSTOMER_ID:
        # A handful of values for hundreds of rows is a kind of customer, not a customer.
        return 0.2 if contents.distinct < 0.005 and contents.length > 6 else 1.0
    return 1.0


def _check_rivals(found: Mapping[str, RoleGuess], headers: Sequence[str]) -> None:
    """Refuse a needed role for which two headers say the same."""
    for role in _NEEDED:
        guess = found.get(role)
        if guess is None or guess.column is None:
            continue
        rivals = [
            name
            for name, weight in guess.alternatives
            if role == c.CUSTOMER_ID and weight >= 0.9 and _is_id(name) and _is_id(guess.column)
        ]
        # The reader calls a second "Amount" "Amount_2".
        twin = f"{guess.column}_2".casefold()
        rivals += [name for name in headers if name.casefold() == twin]
        if rivals:
            raise AmbiguousColumns(
                f"Several columns may be {role}: {', '.join([guess.column, *rivals])}. "
                f"Say which with {role_option(role)}.",
                role=role,
                columns=(guess.column, *rivals),
            )


def _is_id(header: str) -> bool:
    return normalise(header).split()[-1] in _ID_WORDS
