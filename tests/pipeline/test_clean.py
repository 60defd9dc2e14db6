"""Cleaning: each reason, its order, and the sums that must hold.  Expected values are by hand."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from make import make_lines, make_plan

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.errors import NoUsableRows, SeveralCurrencies, UnreadableFile
from rfm_backend.pipeline.aggregate import aggregate_customers
from rfm_backend.pipeline.clean import clean_lines, count_reasons
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.mapping.plan import NumberFormat, StatusRule
from rfm_backend.pipeline.options import Options
from rfm_backend.progress import no_progress
from rfm_backend.text_table import TextTable

GOOD = "ann,A1,2024-01-05 10:00:00,tea,2,3.50"


def reasons_of(
    engine: DuckDBEngine, table: TextTable, options: Options | None = None, **plan: object
) -> dict[str | None, tuple[int, Decimal | None]]:
    """Clean one table and return rows and money by reason."""
    request = LineRequest(
        tables=(table,),
        plan=make_plan(table, **plan),
        options=options or Options(),
        with_hash=options is not None and options.duplicates == "drop",
        keep_rejects=True,
    )
    clean_lines(request, engine, progress=no_progress)
    return {reason: (rows, money) for reason, rows, money in count_reasons(engine)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A2,2024-01-06,tea,1,1", "no_customer"),
        ("  ,A2,2024-01-06,tea,1,1", "no_customer"),
        ("NaN,A2,2024-01-06,tea,1,1", "no_customer"),
        ("n/a,A2,2024-01-06,tea,1,1", "no_customer"),
        ("#N/A,A2,2024-01-06,tea,1,1", "no_customer"),
        ("x" * 256 + ",A2,2024-01-06,tea,1,1", "customer_id_too_long"),
        ("bob,A2,,tea,1,1", "no_date"),
        ("bob,A2,yesterday,tea,1,1", "unreadable_date"),
        ("bob,A2,2024-02-30,tea,1,1", "unreadable_date"),
        ("bob,A2,2024-01-06,tea,,1", "no_quantity"),
        ("bob,A2,2024-01-06,tea,two,1", "unreadable_quantity"),
        ("bob,A2,2024-01-06,tea,0,1", "quantity_not_positive"),
        ("bob,A2,2024-01-06,tea,-1,1", "quantity_not_positive"),
        ("bob,A2,2024-01-06,tea,1,", "no_price"),
        ("bob,A2,2024-01-06,tea,1,free", "unreadable_price"),
        ("bob,A2,2024-01-06,tea,1,0", "price_not_positive"),
        ("bob,A2,2024-01-06,tea,9999999999999,1", "number_out_of_range"),
    ],
)
def test_a_row_that_cannot_be_used_is_set_aside_with_its_reason(
    engine: DuckDBEngine, tmp_path: Path, row: str, reason: str
) -> None:
    found = reasons_of(engine, make_lines(tmp_path, GOOD, row))

    assert {key: rows for key, (rows, _) in found.items()} == {None: 1, reason: 1}


@pytest.mark.parametrize("closing", ["", '"'], ids=["to the end", "to the next stray quote"])
def test_rows_swallowed_by_a_quote_are_refused_with_its_line(
    engine: DuckDBEngine, tmp_path: Path, closing: str
) -> None:
    # The quote stands in line 52 of the file; the rows behind it would all be one cell.
    table = make_lines(tmp_path, *[GOOD] * 50, f'"{GOOD}', *[GOOD] * 40, f"{closing}{GOOD}")

    with pytest.raises(UnreadableFile, match=r"sales\.csv, about line 52: a quote"):
        reasons_of(engine, table)


def test_a_quote_within_a_cell_is_a_ragged_row_or_part_of_the_cell(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    inch = 'ann,A1,2024-01-05,pipe 12",2,3.50'
    faulty = 'ann,A1,2024-01-05,"pipe" 12,2,3.50'

    assert reasons_of(engine, make_lines(tmp_path, GOOD, inch, faulty))[None][0] == 2


def test_a_row_with_several_faults_has_the_first_reason_only(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    found = reasons_of(engine, make_lines(tmp_path, GOOD, ",A2,never,tea,-1,free"))

    assert {key: rows for key, (rows, _) in found.items()} == {None: 1, "no_customer": 1}


def test_an_id_of_255_characters_is_kept(engine: DuckDBEngine, tmp_path: Path) -> None:
    found = reasons_of(engine, make_lines(tmp_path, GOOD, "x" * 255 + ",A2,2024-01-06,tea,1,1"))

    assert found[None][0] == 2


def test_money_set_aside_is_counted_with_its_sign(engine: DuckDBEngine, tmp_path: Path) -> None:
    table = make_lines(tmp_path, GOOD, ",A2,2024-01-06,tea,3,1.5", "bob,A3,2024-01-06,tea,-2,1.25")

    found = reasons_of(engine, table)

    assert found == {
        None: (1, Decimal("7.00")),
        "no_customer": (1, Decimal("4.50")),
        "quantity_not_positive": (1, Decimal("-2.50")),
    }


def test_twelve_million_rupiah_times_a_thousand_is_exact(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(tmp_path, "budi,A1,2024-01-05,tea,1000.000001,12500000.000001")

    # 1000.000001 x 12500000.000001 by hand: 12500000000 + 12.5 + 0.001 + 1e-12.
    assert reasons_of(engine, table)[None] == (1, Decimal("12500000012.501000000001"))


def test_the_window_includes_its_first_and_last_day(engine: DuckDBEngine, tmp_path: Path) -> None:
    days = ("2024-01-04", "2024-01-05", "2024-01-07 23:59:59", "2024-01-08")
    table = make_lines(tmp_path, *(f"ann,A{n},{day},tea,1,1" for n, day in enumerate(days)))

    found = reasons_of(engine, table, Options(since=dt.date(2024, 1, 5), until=dt.date(2024, 1, 7)))

    assert {key: rows for key, (rows, _) in found.items()} == {None: 2, "out_of_window": 2}


def test_rows_after_a_given_snapshot_are_set_aside_and_its_own_day_is_kept(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(
        tmp_path, "ann,A1,2024-01-05 23:59:00,tea,1,1", "ann,A2,2024-01-06 00:00:00,tea,1,1"
    )

    found = reasons_of(engine, table, Options(snapshot_date=dt.date(2024, 1, 5)))

    assert {key: rows for key, (rows, _) in found.items()} == {None: 1, "after_snapshot": 1}


def test_excluded_values_and_incomplete_orders_come_before_every_other_reason(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    header = "customer_id,invoice_date,amount,status,shop"
    table = make_lines(
        tmp_path,
        "ann,2024-01-05,5,Paid,web",
        ",2024-01-05,5,paid,outlet",
        ",2024-01-05,5, CANCELLED ,web",
        header=header,
    )

    found = reasons_of(
        engine,
        table,
        Options(exclude=(("shop", "outlet"),)),
        status=StatusRule(not_completed=("cancelled",), completed=("paid",)),
    )

    assert {key: rows for key, (rows, _) in found.items()} == {
        None: 1,
        "excluded": 1,
        "order_not_completed": 1,
    }


def test_exact_repetitions_are_dropped_only_when_asked(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(tmp_path, GOOD, GOOD, GOOD.replace("tea", "Tea"), ",A1,2024-01-05,x,1,1")

    kept = reasons_of(engine, table)
    dropped = reasons_of(engine, table, Options(duplicates="drop"))

    assert kept[None] == (3, Decimal("21.00"))
    assert dropped[None] == (2, Decimal("14.00"))
    assert dropped["duplicate"] == (1, Decimal("7.00"))
    assert dropped["no_customer"][0] == 1


def test_a_return_takes_back_the_latest_earlier_sale_of_its_size(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    # Sales of 2 at 1.00, 2.00, 4.00; the return stands between the second and the third.
    table = make_lines(
        tmp_path,
        "ann,A3,2024-01-09,tea,2,4.00",
        "ann,C1,2024-01-08,tea,-2,2.00",
        "ann,A1,2024-01-06,tea,2,1.00",
        "ann,A2,2024-01-07,tea,2,2.00",
        "ann,C0,2024-01-01,tea,-2,9.00",
        "ann,A4,2024-01-06,cup,2,1.00",
        "bob,A5,2024-01-06,tea,2,1.00",
    )

    found = reasons_of(engine, table, Options(returns="match"))

    assert found["matched_return"] == (1, Decimal("4.00"))
    assert found["quantity_not_positive"] == (2, Decimal("-22.00"))
    assert found[None] == (4, Decimal("14.00"))


def test_two_returns_take_back_two_sales_and_a_third_takes_nothing(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(
        tmp_path,
        "ann,A1,2024-01-01,tea,1,1.00",
        "ann,A2,2024-01-02,tea,1,2.00",
        "ann,C1,2024-01-03,tea,-1,2.00",
        "ann,C2,2024-01-04,tea,-1,1.00",
        "ann,C3,2024-01-05,tea,-1,1.00",
        "ann,A3,2024-01-06,tea,1,8.00",
    )

    found = reasons_of(engine, table, Options(returns="match"))

    assert found["matched_return"] == (2, Decimal("3.00"))
    assert found[None] == (1, Decimal("8.00"))


def test_net_returns_subtract_money_and_count_no_purchase(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(
        tmp_path,
        "ann,A1,2024-01-01,tea,10,1.00",
        "ann,C1,2024-01-20,tea,-4,1.00",
        "bob,A2,2024-01-02,tea,1,5.00",
        "bob,C2,2024-01-03,tea,-1,5.00",
        "cid,C3,2024-01-03,tea,-1,5.00",
    )
    request = LineRequest(
        tables=(table,), plan=make_plan(table), options=Options(returns="net"), keep_rejects=True
    )
    clean_lines(request, engine, progress=no_progress)
    aggregate_customers(request, engine, progress=no_progress)

    assert engine.rows("SELECT customer_id, frequency, monetary, recency FROM customers") == [
        ("ann", 1, Decimal(6), 2)
    ]
    # The snapshot is the day after the last purchase, 2024-01-02: a return is none.
    assert {key: (rows, money) for key, rows, money in count_reasons(engine)} == {
        None: (2, Decimal(6)),
        "net_not_positive": (3, Decimal(-5)),
    }


def test_order_fields_are_carried_to_the_further_lines_of_the_same_order_only(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(
        tmp_path,
        "ann,A1,2024-01-05,tea,1,1",
        ",,,cup,1,2",
        ",A2,2024-01-06,tea,1,4",
        ",,,cup,1,8",
    )

    found = reasons_of(engine, table, fill_down=("customer_id", "invoice_id", "invoice_date"))

    assert found == {None: (2, Decimal(3)), "no_customer": (2, Decimal(12))}


def test_several_currencies_are_refused_with_their_counts(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    header = "customer_id,invoice_date,amount,currency"
    rows = ("ann,2024-01-05,5,GBP", "bob,2024-01-05,5,gbp", "cid,2024-01-05,5,EUR")
    table = make_lines(tmp_path, *rows, header=header)

    with pytest.raises(SeveralCurrencies) as refusal:
        reasons_of(engine, table)

    assert refusal.value.details["currencies"] == {"GBP": 2, "EUR": 1}
    assert "--currency GBP" in str(refusal.value)
    found = reasons_of(engine, table, Options(currency="eur"))
    assert {key: rows for key, (rows, _) in found.items()} == {None: 1, "other_currency": 2}


def test_signs_of_two_currencies_in_one_column_are_refused(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(tmp_path, GOOD)

    with pytest.raises(SeveralCurrencies):
        reasons_of(engine, table, currencies={"USD": 3, "IDR": 4})


def test_a_file_without_a_usable_row_names_the_reasons(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    with pytest.raises(NoUsableRows, match="1 no_customer"):
        reasons_of(engine, make_lines(tmp_path, ",A2,2024-01-06,tea,1,1"))


def test_amounts_alone_serve_where_there_is_no_quantity(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(
        tmp_path,
        'ann,2024-01-05,"1.234,50"',
        "bob,2024-01-05,0",
        'cid,2024-01-05,"-3,5"',
        header="customer_id,invoice_date,amount",
    )

    found = reasons_of(engine, table, numbers={"amount": NumberFormat(decimal=",")})

    assert found == {
        None: (1, Decimal("1234.50")),
        "amount_not_positive": (2, Decimal("-3.5")),
    }


def test_ids_keep_their_text_but_for_outer_blanks_and_unicode_form(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    ids = ("00123", "123", " 123\t", "Ａ", "A", "a", "cafe\u0301", "caf\u00e9", "=1+1")
    table = make_lines(tmp_path, *(f"{text},A1,2024-01-05,tea,1,1" for text in ids))
    request = LineRequest(tables=(table,), plan=make_plan(table), options=Options())
    clean_lines(request, engine, progress=no_progress)
    aggregate_customers(request, engine, progress=no_progress)

    found = [row[0] for row in engine.rows("SELECT customer_id FROM customers")]

    assert found == ["00123", "123", "=1+1", "A", "a", "caf\u00e9", "Ａ"]


def test_an_email_as_customer_is_compared_in_lower_case(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(
        tmp_path, "Ann@Example.com,A1,2024-01-05,t,1,1", "ann@example.com,A2,2024-01-05,t,1,1"
    )
    plan = replace(make_plan(table), customer_is_email=True)
    request = LineRequest(tables=(table,), plan=plan, options=Options())
    clean_lines(request, engine, progress=no_progress)
    aggregate_customers(request, engine, progress=no_progress)

    assert engine.rows("SELECT customer_id, frequency FROM customers") == [("ann@example.com", 2)]
