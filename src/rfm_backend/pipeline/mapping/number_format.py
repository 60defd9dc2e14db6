"""Which mark is the decimal one in a column of numbers, decided on the whole column.

In:  a column's sample; the engine, for the whole column where the sample does not decide.
Out: `NumberFormat`.

What always holds: "10.000" is never read without evidence.  Only a number whose one kind of mark stands
before exactly three digits fits both readings; the order of evidence is any other number of the
column, the currency sign or code in the column, another column of numbers, the language of the headers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from rfm_backend.advice import option
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import AmbiguousNumbers
from rfm_backend.pipeline.mapping.numbers import CURRENCIES, currency_of
from rfm_backend.pipeline.mapping.plan import ASSUMED_UNMARKED, NumberFormat
from rfm_backend.text_table import TextTable

Mark = Literal[".", ","]


def _decisive(point: str, thousands: str) -> str:
    """Return the pattern of a number whose `point` can only be decimal.

    It stands not before exactly three digits, or after a zero, or behind grouped thousands; or the
    thousands are grouped more than once.
    """
    number = "|".join(
        (
            f"[0-9]*[{point}]([0-9]{{1,2}}|[0-9]{{4,}})",
            f"0+[{point}][0-9]+",
            f"[0-9]{{4,}}[{point}][0-9]+",
            f"[0-9]{{1,3}}([{thousands}][0-9]{{3}})+[{point}][0-9]*",
            f"[0-9]{{1,3}}([{thousands}][0-9]{{3}}){{2,}}",
        )
    )
    return f"(^|[^0-9.,])({number})([^0-9.,]|$)"


_POINT: Final = _decisive(".", ",")
_COMMA: Final = _decisive(",", ".")
_EITHER: Final = r"(^|[^0-9.,])[1-9][0-9]{0,2}[.,][0-9]{3}([^0-9.,]|$)"
_MARK_OF_LANGUAGE: Final[dict[str, Mark]] = {
    "en": ".", "id": ",", "de": ",", "pt": ",", "es": ",", "fr": ",", "tr": ",",
}  # fmt: skip
# Formats whose numbers are numbers: they are written here, with a point and without end zeros.
_TYPED: Final = ("xlsx", "xls", "xlsb", "ods", "parquet", "frame")


@dataclass(frozen=True, kw_only=True)
class NumberHints:
    """What the rest of the file says about the decimal mark.

    With ``assume_unmarked``, a column without a mark in its first rows is taken for one without any;
    whoever reads the whole file must look whether that held.
    """

    sibling: Mark | None = None
    language: str | None = None
    assume_unmarked: bool = False


def decide_number(
    column: str,
    tables: Sequence[TextTable],
    engine: Engine,
    *,
    asked: str | None,
    hints: NumberHints,
) -> NumberFormat:
    """Return how the numbers of `column` are written.

    Raises
    ------
    AmbiguousNumbers
        Every number fits both marks, and nothing decides.
    """
    texts = [
        cell.strip()
        for table in tables
        for row in table.sample
        if (cell := row[table.columns.index(column)])
    ]
    codes = currency_of(texts)
    currencies = tuple(sorted(codes, key=lambda code: (-codes[code], code)))
    if asked is not None:
        return NumberFormat(decimal=cast("Mark", asked), evidence="option", currencies=currencies)
    mark, evidence = _decide_mark(column, tables, engine, texts, hints)
    has_marks = any(re.search(r"\d[.,]\d", text) for text in texts)
    return NumberFormat(decimal=mark, evidence=evidence, currencies=currencies, has_marks=has_marks)


def _decide_mark(
    column: str,
    tables: Sequence[TextTable],
    engine: Engine,
    texts: Sequence[str],
    hints: NumberHints,
) -> tuple[Mark, str]:
    points = sum(re.search(_POINT, text) is not None for text in texts)
    commas = sum(re.search(_COMMA, text) is not None for text in texts)
    example = next((text for text in texts if re.search(_EITHER, text)), None)
    if hints.assume_unmarked and not any("." in text or "," in text for text in texts):
        return ".", ASSUMED_UNMARKED
    if not points and not commas:
        points, commas, example = _count_in_whole_column(column, tables, engine)
    if points or commas:
        return ("." if points >= commas else ","), "unambiguous"
    if example is None:
        return ".", "unambiguous"
    if all(table.format in _TYPED for table in tables) and not _ends_in_zero(
        column, tables, engine
    ):
        # A cell that is a number is written without end zeros; "10.500" can only be a text.
        return ".", "typed"
    for sign in currency_of(texts):
        mark = next((mark for code, mark in CURRENCIES.values() if code == sign), None)
        if mark is not None:
            return mark, "currency"
    if hints.sibling is not None:
        return hints.sibling, "sibling"
    if hints.language is not None:
        return _MARK_OF_LANGUAGE[hints.language], "language"
    table = tables[0]
    raise AmbiguousNumbers(
        f'{table.name}, column "{column}": {example} can be read as thousands or as a fraction, as can '
        "every number of the column, and nothing in the file says which. Say "
        f"{option('decimal', '.')} or {option('decimal', ',')} (the mark before the fraction).",
        file=table.name,
        column=column,
        example=example,
    )


def _count_in_whole_column(
    column: str, tables: Sequence[TextTable], engine: Engine
) -> tuple[int, int, str | None]:
    """Return how many numbers of the whole files decide for a point, for a comma, and one for neither."""
    name = quote_name(column)
    points = commas = 0
    example: str | None = None
    for table in tables:
        ((n_points, n_commas, either),) = engine.rows(
            f"SELECT count(*) FILTER (regexp_matches({name}, {quote_text(_POINT)})), "
            f"count(*) FILTER (regexp_matches({name}, {quote_text(_COMMA)})), "
            f"min({name}) FILTER (regexp_matches({name}, {quote_text(_EITHER)})) "
            f"FROM {engine.scan(table, (column,))} WHERE regexp_matches({name}, '[.,]')"
        )
        points += int(str(n_points))
        commas += int(str(n_commas))
        example = example or (None if either is None else str(either))
    return points, commas, example


def _ends_in_zero(column: str, tables: Sequence[TextTable], engine: Engine) -> bool:
    name = quote_name(column)
    pattern = quote_text(r"[.,][0-9]*0\s*$")
    return any(
        engine.rows(
            f"SELECT 1 FROM {engine.scan(table, (column,))} "
            f"WHERE regexp_matches({name}, {pattern}) LIMIT 1"
        )
        for table in tables
    )
