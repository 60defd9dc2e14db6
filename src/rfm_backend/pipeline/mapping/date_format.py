"""How the dates of a column are written, decided on the whole column.

In:  a column's sample; the engine, for the whole column where the sample does not decide.
Out: `DateFormat`.

What always holds: "03/04/2024" is never read without evidence; the order of evidence is a day above
twelve anywhere in the column, the currency, another date column, the language of the headers.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from rfm_backend.advice import option
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import AmbiguousDates, InvalidOption
from rfm_backend.pipeline.mapping.plan import DateFormat
from rfm_backend.text_table import TextTable

Order = Literal["ymd", "dmy", "mdy"]

_OFFSET = re.compile(r"\s*(Z|UTC|GMT|[-+]\d{2}:?\d{2})$")
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?!\d)")
_YEAR_FIRST = re.compile(r"\d{4}([/.])\d{1,2}\1\d{1,2}(?!\d)")
_COMPACT = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_SERIAL = re.compile(r"[1-9]\d{4}(\.\d+)?")
_EPOCH = re.compile(r"1\d{9}|1\d{12}")
_LETTERS = re.compile(r"[^\W\d_]+")
_TEXTUAL = re.compile(
    r"(?:[^\W\d_]+[.,]*\s+)?(?P<first>\d{1,2}|[^\W\d_]+)(?P<one>[\s./-]+(?:de\s+)?)"
    r"(?P<second>\d{1,2}|[^\W\d_]+)(?P<two>[,\s./-]+(?:de\s+)?)(?P<year>\d{4}|\d{2})(?!\d)"
)
_TIMES: Final = (
    "%H:%M", "%H:%M:%S", "", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f", "%I:%M%p", "%H.%M",
)  # fmt: skip
_GAPS: Final = (" ", "T", ", ")
# Which order the shops of a currency or language write; English and the euro say nothing.
_ORDER_OF_CURRENCY: Final[dict[str, Order]] = {
    "USD": "mdy", "IDR": "dmy", "GBP": "dmy", "EUR": "dmy", "BRL": "dmy", "TRY": "dmy",
    "AUD": "dmy", "INR": "dmy", "MYR": "dmy", "SGD": "dmy",
}  # fmt: skip
_ORDER_OF_LANGUAGE: Final[dict[str, Order]] = dict.fromkeys(
    ("id", "de", "pt", "es", "fr", "tr"), "dmy"
)
_MONTHS: Final = (
    "january jan januari janeiro enero ene janvier janv januar jänner jaenner ocak oca",
    "february feb februari pebruari peb fevereiro fev febrero février fevrier févr februar şubat subat şub",
    "march mar maret março marco marzo mars märz maerz mrz mart",
    "april apr abril abr avril avr nisan nis",
    "may mei maio mai mayo mayıs mayis",
    "june jun juni junho junio juin haziran haz",
    "july jul juli julho julio juillet juil temmuz tem",
    "august aug agustus agu agt agosto ago août aout ağustos agustos ağu",
    "september sep sept setembro set septiembre septembre eylül eylul eyl",
    "october oct oktober okt outubro out octubre octobre ekim eki",
    "november nov nopember novembro noviembre novembre kasım kasim kas",
    "december dec desember des dezember dez dezembro diciembre dic décembre decembre déc aralık aralik ara",
)
MONTH_NUMBERS: Final = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}


@dataclass(frozen=True, kw_only=True)
class DateHints:
    """What the rest of the file says about day and month."""

    currencies: tuple[str, ...] = ()
    sibling: Order | None = None
    language: str | None = None


def looks_like_date(text: str) -> bool:
    """Tell whether a person would call `text` a date; a bare serial or epoch is none by itself."""
    return any(pattern.match(text) for pattern in (_ISO, _YEAR_FIRST, _NUMERIC)) or bool(
        _COMPACT.fullmatch(text) or _month_names([text])
    )


def decide_date(
    column: str,
    tables: Sequence[TextTable],
    engine: Engine,
    *,
    asked: str | None,
    hints: DateHints,
) -> DateFormat:
    """Return how the dates of `column` are written.

    Raises
    ------
    AmbiguousDates
        Every date fits day-first and month-first, and nothing decides.
    InvalidOption
        The format asked for is none.
    """
    texts = _texts(column, tables)
    has_offsets = any(_OFFSET.search(text) and ":" in text for text in texts)
    bare = [_OFFSET.sub("", text) if has_offsets else text for text in texts]
    if asked is not None and asked not in ("iso", "dmy", "mdy", "ymd"):
        return _asked_pattern(asked, has_offsets=has_offsets)
    epoch: Literal[1900, 1904] = 1904 if tables[0].epoch_1904 else 1900
    if asked is None and bare and all(_EPOCH.fullmatch(text) for text in bare):
        return DateFormat(epoch_unit=1 if len(bare[0]) == 10 else 1000, evidence="content")
    serial = epoch if any(_SERIAL.fullmatch(text) for text in bare) else None
    months = _month_names(bare)
    numeric = [text for text in bare if _NUMERIC.match(text)]
    order: Order = "ymd"
    evidence = "unambiguous"
    if asked in ("dmy", "mdy", "ymd"):
        order, evidence = cast("Order", asked), "option"
    elif numeric and asked is None:
        order, evidence = _decide_order(column, tables, engine, numeric, hints)
    patterns = _patterns(bare, order, months)
    return DateFormat(
        order=order,
        patterns=patterns,
        months=months,
        serial_epoch=serial,
        has_offsets=has_offsets,
        evidence=evidence,
    )


def _texts(column: str, tables: Sequence[TextTable]) -> list[str]:
    return [
        cell.strip()
        for table in tables
        for row in table.sample
        if (cell := row[table.columns.index(column)])
    ]


def _asked_pattern(pattern: str, *, has_offsets: bool) -> DateFormat:
    if "%" not in pattern:
        raise InvalidOption(
            f"The date format {pattern!r} is none: give iso, dmy, mdy, ymd or a pattern such as "
            "%d/%m/%Y %H:%M.",
            option="date_format",
        )
    return DateFormat(order="dmy", patterns=(pattern,), has_offsets=has_offsets, evidence="option")


def _decide_order(
    column: str,
    tables: Sequence[TextTable],
    engine: Engine,
    numeric: Sequence[str],
    hints: DateHints,
) -> tuple[Order, str]:
    """Return day-first or month-first, and what decided."""
    found = [match for text in numeric if (match := _NUMERIC.match(text))]
    day_first = sum(int(match.group(1)) > 12 for match in found)
    month_first = sum(int(match.group(3)) > 12 for match in found)
    if not day_first and not month_first:
        day_first, month_first = _count_in_whole_column(column, tables, engine)
    if day_first or month_first:
        return ("dmy" if day_first >= month_first else "mdy"), "unambiguous"
    if all(match.group(2) == "." for match in found):
        return "dmy", "dots"
    for code in hints.currencies:
        if code in _ORDER_OF_CURRENCY:
            return _ORDER_OF_CURRENCY[code], "currency"
    if hints.sibling in ("dmy", "mdy"):
        return hints.sibling, "sibling"
    if hints.language in _ORDER_OF_LANGUAGE:
        return _ORDER_OF_LANGUAGE[hints.language], "language"
    line = tables[0].first_row_line
    raise AmbiguousDates(
        f'{tables[0].name}, column "{column}": every date, such as {numeric[0]} (line {line}), can '
        "be read day first or month first, and nothing in the file says which. Say "
        f"{option('date_format', 'dmy')} or {option('date_format', 'mdy')}.",
        file=tables[0].name,
        column=column,
        line=line,
        example=numeric[0],
    )


def _count_in_whole_column(
    column: str, tables: Sequence[TextTable], engine: Engine
) -> tuple[int, int]:
    """Return how many dates of the whole files have a first, and a second, part above twelve."""
    pattern = quote_text(r"^\s*([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]")
    name = quote_name(column)
    counted = [
        engine.rows(
            f"SELECT count(*) FILTER (TRY_CAST(regexp_extract({name}, {pattern}, 1) AS INTEGER) > 12), "
            f"count(*) FILTER (TRY_CAST(regexp_extract({name}, {pattern}, 2) AS INTEGER) > 12) "
            f"FROM {engine.scan(table, (column,))}"
        )[0]
        for table in tables
    ]
    return sum(int(str(row[0])) for row in counted), sum(int(str(row[1])) for row in counted)


def _month_names(texts: Sequence[str]) -> dict[str, int]:
    """Return the month names that occur in `texts`, and all others of the same languages."""
    if not any(
        word.lower() in MONTH_NUMBERS for text in texts[:200] for word in _LETTERS.findall(text)
    ):
        return {}
    return dict(MONTH_NUMBERS)


def _patterns(texts: Sequence[str], order: Order, months: dict[str, int]) -> tuple[str, ...]:
    """Return strptime patterns for the forms seen, the most frequent first, with all times of day."""
    days = Counter(
        pattern for text in texts if (pattern := _day_pattern(text, order, has_months=bool(months)))
    )
    return tuple(
        f"{day}{gap}{time}" if time else day
        for day, _ in days.most_common()
        for gap in (_GAPS if any(_has_time(text) for text in texts) else ("",))
        for time in (_TIMES if gap else ("",))
        if time or gap in ("", " ")
    )


def _has_time(text: str) -> bool:
    return ":" in text or "." in text


def _day_pattern(text: str, order: Order, *, has_months: bool) -> str | None:
    if _ISO.match(text):
        return None
    if found := _YEAR_FIRST.match(text):
        return f"%Y{found.group(1)}%m{found.group(1)}%d"
    if _COMPACT.match(text) and text[:8].isdigit():
        return "%Y%m%d"
    if found := _NUMERIC.match(text):
        year = "%Y" if len(found.group(4)) == 4 else "%y"
        parts = {"dmy": ("%d", "%m", year), "mdy": ("%m", "%d", year), "ymd": ("%y", "%m", "%d")}
        return found.group(2).join(parts[order])
    if has_months and (found := _TEXTUAL.match(text.lower())):
        year = "%Y" if len(found["year"]) == 4 else "%y"
        is_day_first = found["first"].isdigit()
        first, second = ("%d", "%m") if is_day_first else ("%m", "%d")
        return f"{first}{found['one']}{second}{found['two']}{year}"
    return None
