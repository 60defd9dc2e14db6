"""Numbers: how their text becomes a DECIMAL, and which mark is the decimal one.

    read -> [map] -> clean

In:  an SQL expression for a cell's text, a `NumberFormat`; or a column of text.
Out: SQL for DECIMAL(18,6) or NULL; or the `NumberFormat` of the column.

What always holds
    * "10.000" is never read without evidence: ten in London is ten thousand in Jakarta;
    * what is not a number as a person writes one is NULL, never a guess ("0x1F", "1_000", "12abc");
    * plain digits take a short way, so that a large file is read at the engine's speed.

What it does not do: a sign or code of a currency is dropped here and reported in the format.
"""

import re
from collections.abc import Sequence
from typing import Final, Literal

from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.mapping.cells import trimmed_sql
from rfm_backend.pipeline.mapping.plan import NumberFormat

DECIMAL_TYPE: Final = "DECIMAL(18, 6)"

# Sign or code -> ISO 4217 code, and the decimal mark that its shops write; None where both are common.
CURRENCIES: Final[dict[str, tuple[str, Literal[".", ","] | None]]] = {
    "rp": ("IDR", ","), "idr": ("IDR", ","), "$": ("USD", "."), "us$": ("USD", "."),
    "usd": ("USD", "."), "£": ("GBP", "."), "gbp": ("GBP", "."), "€": ("EUR", None),
    "eur": ("EUR", None), "r$": ("BRL", ","), "brl": ("BRL", ","), "¥": ("JPY", "."),
    "jpy": ("JPY", "."), "₹": ("INR", "."), "inr": ("INR", "."), "rm": ("MYR", "."),
    "myr": ("MYR", "."), "s$": ("SGD", "."), "sgd": ("SGD", "."), "a$": ("AUD", "."),
    "aud": ("AUD", "."), "c$": ("CAD", "."), "cad": ("CAD", "."), "₺": ("TRY", ","),
    "tl": ("TRY", ","), "try": ("TRY", ","), "₫": ("VND", ","), "vnd": ("VND", ","),
    "฿": ("THB", "."), "thb": ("THB", "."), "₱": ("PHP", "."), "php": ("PHP", "."),
    "chf": ("CHF", "."), "kr": ("SEK", ","), "sek": ("SEK", ","), "nok": ("NOK", ","),
    "dkk": ("DKK", ","), "zł": ("PLN", ","), "pln": ("PLN", ","), "₽": ("RUB", ","),
    "rub": ("RUB", ","), "cny": ("CNY", "."), "hkd": ("HKD", "."), "krw": ("KRW", "."),
    "₩": ("KRW", "."), "mxn": ("MXN", "."), "zar": ("ZAR", "."), "aed": ("AED", "."),
}  # fmt: skip

_SIGNS = "|".join(re.escape(sign) for sign in sorted(CURRENCIES, key=len, reverse=True))
_SPACE: Final = r"[ \x{a0}\x{202f}']"


def number_sql(text: str, form: NumberFormat) -> str:
    """Return SQL that turns `text` into DECIMAL(18, 6), NULL where it is no number or too large.

    Parameters
    ----------
    text : SQL expression of type VARCHAR
    form : which mark is the decimal one
    """
    # The engine's own cast takes what a person writes without thousands, and refuses the rest; but it
    # reads "1_000", and would read the thousands of "10.000" as a fraction.
    foreign = "'_'" if form.decimal == "." else "'[_.]'"
    told = (
        f"contains({text}, {foreign})"
        if form.decimal == "."
        else f"regexp_matches({text}, {foreign})"
    )
    simple = text if form.decimal == "." else f"replace({text}, ',', '.')"
    return (
        f"coalesce(CASE WHEN NOT {told} THEN TRY_CAST({simple} AS {DECIMAL_TYPE}) END, "
        f"TRY_CAST({_normal_sql(text, form)} AS {DECIMAL_TYPE}))"
    )


def number_readable_sql(text: str, form: NumberFormat) -> str:
    """Return SQL that tells whether `text` is a number at all, of whatever size."""
    return f"{_normal_sql(text, form)} <> ''"


def _normal_sql(text: str, form: NumberFormat) -> str:
    """Return SQL for a number as the engine writes it ("-1234.5"), empty where it is none."""
    # Outer blanks, a currency before or behind, blanks and apostrophes between thousands.
    bare = trimmed_sql(text)
    bare = f"regexp_replace({bare}, {quote_text(f'^([-+(]?){_SPACE}*(?i:{_SIGNS})[.]?{_SPACE}*')}, '\\1')"
    bare = f"regexp_replace({bare}, {quote_text(f'{_SPACE}*(?i:{_SIGNS})[.]?{_SPACE}*([-)]?)$')}, '\\1')"
    bare = rf"regexp_replace({bare}, {quote_text(f'([0-9]){_SPACE}([0-9]{{3}})')}, '\1\2', 'g')"
    # Brackets and a sign behind mean below zero, as bookkeepers write.
    bare = rf"regexp_replace({bare}, '^\((.*)\)$', '-\1')"
    bare = rf"regexp_replace({bare}, '^([0-9.,]+)-$', '-\1')"
    thousands, point = (",", ".") if form.decimal == "." else (".", ",")
    grouped = rf"[-+]?[0-9]{{1,3}}(\{thousands}[0-9]{{3}})+(\{point}[0-9]*)?"
    simple = rf"[-+]?([0-9]+(\{point}[0-9]*)?|\{point}[0-9]+)([eE][-+]?[0-9]{{1,3}})?"
    whole = f"regexp_extract({bare}, {quote_text(f'^({grouped}|{simple})$')})"
    return f"replace(replace({whole}, {quote_text(thousands)}, ''), {quote_text(point)}, '.')"


def currency_of(texts: Sequence[str | None]) -> dict[str, int]:
    """Return ISO code -> how many of the texts carry its sign or code."""
    counts: dict[str, int] = {}
    for text in texts:
        found = text and (_FIRST_SIGN.match(text.strip()) or _LAST_SIGN.search(text.strip()))
        if found:
            code = CURRENCIES[found.group(1).lower()][0]
            counts[code] = counts.get(code, 0) + 1
    return counts


def looks_like_number(text: str) -> bool:
    """Tell whether a person would call `text` a number, with either decimal mark."""
    return _NUMBER.match(text) is not None


_FIRST_SIGN = re.compile(rf"[-+(]?\s*({_SIGNS})(?=[\s.\d(-])", re.IGNORECASE)
_LAST_SIGN = re.compile(rf"(?<=[\d\s.,-])({_SIGNS})\.?\s*[-)]?$", re.IGNORECASE)
_NUMBER = re.compile(
    rf"\s*[-+(]?\s*((?:{_SIGNS})\.?\s*)?[-+]?(\d[\d.,\u00a0\u202f' ]*|[.,]\d+)([eE][-+]?\d+)?"
    rf"\s*((?:{_SIGNS})\.?)?\s*[-)]?\s*$",
    re.IGNORECASE,
)
