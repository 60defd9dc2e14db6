"""Numbers and dates as people write them: text in, value out, through the engine.  Values by hand."""

import datetime as dt
from decimal import Decimal

import pytest

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.mapping.dates import timestamp_sql
from rfm_backend.pipeline.mapping.numbers import (
    currency_of,
    looks_like_number,
    number_readable_sql,
    number_sql,
)
from rfm_backend.pipeline.mapping.plan import DateFormat, NumberFormat

POINT, COMMA = NumberFormat(decimal="."), NumberFormat(decimal=",")


def number(engine: DuckDBEngine, text: str | None, form: NumberFormat) -> Decimal | None:
    written = "NULL::VARCHAR" if text is None else quote_text(text)
    ((value,),) = engine.rows(f"SELECT {number_sql('cell', form)} FROM (SELECT {written} AS cell)")
    assert value is None or isinstance(value, Decimal)
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"), ("12.50", "12.5"), ("-3", "-3"), ("+3", "3"), (".5", "0.5"), ("5.", "5"),
        ("1,234.56", "1234.56"), ("1,234,567", "1234567"), ("1 234.56", "1234.56"),
        ("1\u00a0234.56", "1234.56"), ("1\u202f234.56", "1234.56"), ("1'234.56", "1234.56"),
        ("$12.50", "12.5"), ("-$12.50", "-12.5"), ("$ 12.50", "12.5"), ("USD 12.50", "12.5"),
        ("12.50 USD", "12.5"), ("£1,234.50", "1234.5"), ("(12.50)", "-12.5"), ("($12.50)", "-12.5"),
        ("12.50-", "-12.5"), ("  7 ", "7"), ("\t7\u00a0", "7"), ("1e3", "1000"), ("1.5E-2", "0.015"),
        ("0.1234567", "0.123457"),
    ],
)  # fmt: skip
def test_a_number_with_a_decimal_point_is_read(engine: DuckDBEngine, text: str, value: str) -> None:
    assert number(engine, text, POINT) == Decimal(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", "12"), ("12,50", "12.5"), ("10.000", "10000"), ("1.234,56", "1234.56"),
        ("Rp 77.183,60", "77183.6"), ("Rp77.183", "77183"), ("Rp. 1.500.000", "1500000"),
        ("€ 1.234,50", "1234.5"), ("1.234,50 €", "1234.5"), ("(12,50)", "-12.5"), ("12,50-", "-12.5"),
        ("1 234,56", "1234.56"), (",5", "0.5"),
    ],
)  # fmt: skip
def test_a_number_with_a_decimal_comma_is_read(engine: DuckDBEngine, text: str, value: str) -> None:
    assert number(engine, text, COMMA) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [None, "", " ", "-", "abc", "12abc", "0x1F", "1_000", "1,23,4", "1.2.3", "--5", "NaN", "inf", "$", "1e400"],
)  # fmt: skip
def test_what_is_no_number_is_null(engine: DuckDBEngine, text: str | None) -> None:
    assert number(engine, text, POINT) is None


@pytest.mark.parametrize("text", ["1_000", "1,234.56", "12,5,0", "1.2345"])
def test_what_is_no_number_with_a_comma_is_null(engine: DuckDBEngine, text: str) -> None:
    assert number(engine, text, COMMA) is None


@pytest.mark.parametrize(
    ("text", "readable"), [("9" * 30, True), ("1e300", True), ("abc", False), ("", False)]
)
def test_a_number_too_large_is_told_from_none(
    engine: DuckDBEngine, text: str, *, readable: bool
) -> None:
    test = number_readable_sql("cell", POINT)
    ((told,),) = engine.rows(
        f"SELECT coalesce({test}, false) FROM (SELECT {quote_text(text)} AS cell)"
    )

    assert number(engine, text, POINT) is None
    assert told is readable


def test_currencies_are_counted_by_their_code() -> None:
    texts = ["$12", "USD 5", "12 €", "Rp 10.000", "idr 5", "7", None]

    assert currency_of(texts) == {"USD": 2, "EUR": 1, "IDR": 2}


@pytest.mark.parametrize("text", ["12", "1.234,5", "(5)", "Rp 77.183,60", "5-", "1e3"])
def test_a_number_looks_like_one(text: str) -> None:
    assert looks_like_number(text)
    assert not looks_like_number(f"{text} pieces of it")


ISO = DateFormat()
DAY_FIRST = DateFormat(order="dmy", patterns=("%d/%m/%Y %H:%M", "%d/%m/%Y", "%d.%m.%Y"))


def stamp(
    engine: DuckDBEngine,
    text: str,
    form: DateFormat,
    *,
    time: str | None = None,
    timezone: str | None = None,
) -> object:
    sql = timestamp_sql(
        "cell", form, time_expr=None if time is None else "clock", timezone=timezone
    )
    cells = f"{quote_text(text)} AS cell, {quote_text(time or '')} AS clock"
    ((value,),) = engine.rows(f"SELECT {sql} FROM (SELECT {cells})")
    return value


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001  # a shop's wall time


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-05", at(2024, 1, 5)), ("2024-1-5", at(2024, 1, 5)),
        ("2024-01-05 08:26:00", at(2024, 1, 5, 8, 26)), ("2024-01-05T08:26:30", at(2024, 1, 5, 8, 26, 30)),
        ("2024-01-05 8:26", at(2024, 1, 5, 8, 26)), (" 2024-01-05\u00a0", at(2024, 1, 5)),
        ("2024-01-05 08:26:00.5", at(2024, 1, 5, 8, 26, 0, 500_000)),
        ("2024-01-05 08:26:00,5", at(2024, 1, 5, 8, 26, 0, 500_000)),
        ("2024-02-29", at(2024, 2, 29)),
    ],
)  # fmt: skip
def test_an_iso_date_is_read(engine: DuckDBEngine, text: str, value: dt.datetime) -> None:
    assert stamp(engine, text, ISO) == value


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2023-02-29", "2024-02-30", "2024-13-01", "24-01-05", "24-01-05  ", "2024-01-05x", "20240105", "5"],
)  # fmt: skip
def test_what_is_no_iso_date_is_null(engine: DuckDBEngine, text: str) -> None:
    assert stamp(engine, text, ISO) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("05/01/2024", at(2024, 1, 5)), ("5/1/2024 8:26", at(2024, 1, 5, 8, 26)),
        ("31.12.2024", at(2024, 12, 31)), ("2024-01-05", at(2024, 1, 5)), ("31/02/2024", None),
        ("12/31/2024", None),
    ],
)  # fmt: skip
def test_a_date_by_patterns_is_read_and_iso_dates_beside(
    engine: DuckDBEngine, text: str, value: dt.datetime | None
) -> None:
    assert stamp(engine, text, DAY_FIRST) == value


@pytest.mark.parametrize(
    ("epoch", "text", "value"),
    [
        # 40513.35139 is 2010-12-01 08:26 in the 1900 system; 1904 counts 1,462 days less.
        (1900, "40513", at(2010, 12, 1)), (1900, "40513.3513888889", at(2010, 12, 1, 8, 26)),
        (1904, "39051", at(2010, 12, 1)), (1900, "2958465", at(9999, 12, 31)),
        (1900, "2958466", None), (1900, "0", None), (1900, "-1", None),
    ],
)  # fmt: skip
def test_a_serial_counts_from_its_epoch(
    engine: DuckDBEngine, epoch: int, text: str, value: dt.datetime | None
) -> None:
    form = DateFormat(serial_epoch=1904 if epoch == 1904 else 1900)

    assert stamp(engine, text, form) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("5 Agustus 2024", at(2024, 8, 5)), ("5 Agt. 2024", at(2024, 8, 5)), ("5 Maret 2024", at(2024, 3, 5))],
)  # fmt: skip
def test_names_of_months_are_read(engine: DuckDBEngine, text: str, value: dt.datetime) -> None:
    months = {"agustus": 8, "agt": 8, "maret": 3, "mar": 3}

    assert (
        stamp(engine, text, DateFormat(order="dmy", patterns=("%d %m %Y",), months=months)) == value
    )


@pytest.mark.parametrize(
    ("text", "timezone", "value"),
    [
        ("2024-01-05 23:30:00 +0700", None, at(2024, 1, 5, 23, 30)),
        ("2024-01-05T23:30:00Z", None, at(2024, 1, 5, 23, 30)),
        # Half past eleven in Jakarta is half past four in the afternoon in London.
        ("2024-01-05 23:30:00+07:00", "Europe/London", at(2024, 1, 5, 16, 30)),
        ("2024-01-05T23:30:00Z", "Asia/Jakarta", at(2024, 1, 6, 6, 30)),
        ("2024-07-05T12:00:00-05:00", "Europe/London", at(2024, 7, 5, 18, 0)),
        ("2024-01-05 23:30:00", "Asia/Jakarta", at(2024, 1, 5, 23, 30)),
    ],
)  # fmt: skip
def test_an_offset_is_dropped_or_moves_the_instant(
    engine: DuckDBEngine, text: str, timezone: str | None, value: dt.datetime
) -> None:
    assert stamp(engine, text, DateFormat(has_offsets=True), timezone=timezone) == value


@pytest.mark.parametrize(
    ("time", "value"),
    [
        ("13:08", at(2024, 1, 5, 13, 8)), ("1:08 PM", at(2024, 1, 5, 13, 8)),
        ("13:08:30", at(2024, 1, 5, 13, 8, 30)), ("0.5", at(2024, 1, 5, 12)),
        ("1899-12-31 13:08:00", at(2024, 1, 5, 13, 8)), ("noon", at(2024, 1, 5)), ("", at(2024, 1, 5)),
    ],
)  # fmt: skip
def test_a_time_in_a_column_of_its_own_joins_its_day(
    engine: DuckDBEngine, time: str, value: dt.datetime
) -> None:
    assert stamp(engine, "2024-01-05", ISO, time=time) == value
