"""Aggregation: one row per customer.  Expected values are by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import make_lines, make_plan

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.protocol import Row
from rfm_backend.pipeline.aggregate import aggregate_customers
from rfm_backend.pipeline.clean import clean_lines
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.options import Options
from rfm_backend.progress import no_progress
from rfm_backend.text_table import TextTable

ORDERS = (
    "ann,A1,2024-01-05 23:59:00,tea,2,3.50",
    "ann,A1,2024-01-05 23:59:00,cup,1,1.25",
    "ann,A2,2024-01-20 00:01:00,tea,1,3.50",
    "bob,A3,2024-01-11,tea,1,7.50",
)


def customers_of(
    engine: DuckDBEngine,
    table: TextTable,
    options: Options | None = None,
    plan: ColumnPlan | None = None,
    by_column: str | None = None,
    columns: str = "customer_id, recency, frequency, monetary",
) -> list[Row]:
    """Clean and aggregate one table, return its customers."""
    request = LineRequest(
        tables=(table,),
        plan=plan or make_plan(table),
        options=options or Options(),
        by_column=by_column,
    )
    clean_lines(request, engine, progress=no_progress)
    aggregate_customers(request, engine, progress=no_progress)
    return engine.rows(f"SELECT {columns} FROM customers ORDER BY rowid")


def test_lines_of_one_invoice_are_one_purchase_and_their_money_adds_up(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    # The last purchase is on 2024-01-20, so recency counts to 2024-01-21.
    assert customers_of(engine, make_lines(tmp_path, *ORDERS)) == [
        ("ann", 1, 2, Decimal("11.75")),
        ("bob", 10, 1, Decimal("7.50")),
    ]


def test_recency_counts_calendar_days_to_the_given_snapshot(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    found = customers_of(
        engine, make_lines(tmp_path, *ORDERS), Options(snapshot_date=dt.date(2024, 1, 20))
    )

    assert [(who, recency) for who, recency, *_ in found] == [("ann", 0), ("bob", 9)]


def test_without_invoices_a_day_is_one_purchase(engine: DuckDBEngine, tmp_path: Path) -> None:
    rows = ("ann,2024-01-05 09:00:00,5", "ann,2024-01-05 17:00:00,5", "ann,2024-01-06,5")
    table = make_lines(tmp_path, *rows, header="customer_id,invoice_date,amount")

    assert customers_of(engine, table) == [("ann", 1, 2, Decimal(15))]


def test_at_order_level_each_row_is_one_purchase(engine: DuckDBEngine, tmp_path: Path) -> None:
    rows = ("ann,2024-01-05 09:00:00,5", "ann,2024-01-05 17:00:00,5", "ann,2024-01-06,5")
    table = make_lines(tmp_path, *rows, header="customer_id,invoice_date,amount")

    found = customers_of(engine, table, plan=make_plan(table, level="orders"))

    assert found == [("ann", 1, 3, Decimal(15))]


def test_the_snapshot_is_the_same_day_whatever_is_done_with_returns(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    rows = (
        *ORDERS,
        "bob,A9,2024-01-25 10:00:00,tea,1,7.50",
        "bob,C9,2024-01-25 11:00:00,tea,-1,7.50",
    )
    table = make_lines(tmp_path, *rows)

    kept = customers_of(engine, table)
    matched = customers_of(engine, table, Options(returns="match"))
    netted = customers_of(engine, table, Options(returns="net"))

    # The last purchase is that of 2024-01-25, taken back or not: ann's is six days before the 26th.
    assert [found[0][1] for found in (kept, matched, netted)] == [6, 6, 6]


def test_an_invoice_shared_by_two_customers_counts_for_both(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    table = make_lines(tmp_path, "ann,A1,2024-01-05,t,1,1", "bob,A1,2024-01-05,t,1,1")

    assert [row[2] for row in customers_of(engine, table)] == [1, 1]


def test_a_file_of_customers_brings_its_own_counts(engine: DuckDBEngine, tmp_path: Path) -> None:
    header = "customer_id,frequency,monetary,last_purchase_date,first_purchase_date"
    rows = (
        "ann,3,30.5,2024-01-20,2023-01-01",
        "bob,1,5,2024-01-19,2024-01-19",
        "cid,0,5,2024-01-19,",
    )
    table = make_lines(tmp_path, *rows, header=header)

    found = customers_of(
        engine,
        table,
        plan=make_plan(table, level="customers"),
        columns="customer_id, recency, frequency, monetary, first_purchase_date",
    )

    assert found == [
        ("ann", 1, 3, Decimal("30.5"), dt.date(2023, 1, 1)),
        ("bob", 2, 1, Decimal(5), dt.date(2024, 1, 19)),
    ]


def test_each_value_of_a_group_column_has_its_own_row_per_customer(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    header = "customer_id,invoice_date,amount,country"
    rows = (
        "ann,2024-01-05,5,UK",
        "ann,2024-01-06,7,FR",
        "bob,2024-01-06,1, UK ",
        "cid,2024-01-06,1,",
    )
    table = make_lines(tmp_path, *rows, header=header)

    found = customers_of(
        engine, table, by_column="country", columns="customer_id, by_value, monetary"
    )

    assert found == [
        ("ann", "FR", Decimal(7)),
        ("ann", "UK", Decimal(5)),
        ("bob", "UK", Decimal(1)),
        ("cid", "", Decimal(1)),
    ]


def test_carried_columns_have_the_latest_value_and_blanks_do_not_count(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    header = "customer_id,invoice_id,invoice_date,amount,email,city"
    rows = (
        "ann,A2,2024-02-01,5,new@example.com,Bandung",
        "ann,A1,2024-01-01,5,old@example.com,Aceh",
        "ann,A3,2024-03-01,5,,Medan",
    )
    table = make_lines(tmp_path, *rows, header=header)

    found = customers_of(engine, table, Options(keep=("city",)), columns="carried_0, carried_1")

    assert found == [("new@example.com", "Medan")]


def test_customers_are_ordered_by_code_point(engine: DuckDBEngine, tmp_path: Path) -> None:
    ids = ("b", "a", "B", "é", "Ａ", "10", "9", "😀", "\ufffd")
    table = make_lines(tmp_path, *(f"{text},A1,2024-01-05,t,1,1" for text in ids))

    found = [row[0] for row in customers_of(engine, table)]

    assert found == sorted(ids)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_the_rows_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = (*ORDERS, "bob,C3,2024-01-12,tea,-1,7.50", "bob,A4,2024-01-10,tea,1,7.50")
    engine = DuckDBEngine(workdir=folder, threads=1)
    table = make_lines(folder, *(rows[place] for place in order))

    found = customers_of(engine, table, Options(returns="match"))
    engine.close()

    assert found == [("ann", 1, 2, Decimal("11.75")), ("bob", 11, 1, Decimal("7.50"))]
