"""Customers placed in the engine are those placed as arrays, wherever the sample is everybody.

Expected values are those of the array path, whose own are checked against papers and other tools.
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.errors import Cancelled, InvalidModel, NoUsableRows
from rfm_backend.library import Resources, segment
from rfm_backend.pipeline.fit import Fit
from rfm_backend.pipeline.in_engine import CustomersInEngine
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.rules import built_in_rules
from rfm_backend.pipeline.run import LOCAL_CUSTOMERS
from rfm_backend.pipeline.spread import Crowd, find_quantiles
from rfm_backend.progress import Step, no_progress
from rfm_backend.result import Result
from rfm_backend.settings import Settings

IN_ENGINE = Resources(local_customers=1)
THRESHOLDS = (
    "[recency]\nedges=[30, 90, 180, 365]\n[frequency]\nedges=[1, 2, 4, 6]\n"
    "[monetary]\nedges=[10, 20.5, 40, 80]\n"
)


def write_sales(path: Path, n_rows: int = 3_000) -> None:
    """Write purchases of a few hundred customers in three shops, some given back, with equal values."""
    draw = random.Random(5)  # noqa: S311  # made-up rows, no secret
    first = dt.date(2023, 1, 1)
    with path.open("w", encoding="utf-8") as stream:
        stream.write("customer,order,date,amount,shop,city\n")
        for number in range(n_rows):
            who = int(draw.paretovariate(0.6)) % 400
            day = first + dt.timedelta(days=draw.randrange(0, 700, 7))
            money = draw.choice(["5", "9.99", "20.5", "-5", f"{draw.paretovariate(1.1):.2f}"])
            stream.write(f"k{who},{number // 2},{day},{money},{draw.choice('ab')},c{number % 7}\n")


def everything(result: Result, columns: Sequence[str] = ()) -> list[object]:
    """Return all that an analysis says."""
    relation = result.customers
    kinds = [str(kind) for kind in relation.types]
    return [relation.columns, kinds, relation.fetchall(), result.summary, result.model, *columns]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"by": "shop", "keep": ("city",), "returns": "net"},
        {"scores": "r-rfm", "segments": "eleven", "n_clusters": 3},
    ],
)
def test_a_sample_that_is_everybody_gives_what_arrays_give(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    write_sales(tmp_path / "sales.csv")

    with (
        segment(tmp_path / "sales.csv", **values) as expected,
        segment(tmp_path / "sales.csv", resources=IN_ENGINE, **values) as found,
    ):
        assert everything(found) == everything(expected)
        assert found.analysis.is_in_engine
        who = {"group": "a"} if "by" in values else {}
        assert found.explain("k1", **who) == expected.explain("k1", **who)


def test_edges_that_the_user_fixed_are_taken_as_they_are(tmp_path: Path) -> None:
    write_sales(tmp_path / "sales.csv")
    path = tmp_path / "edges.toml"
    path.write_text(THRESHOLDS)

    with (
        segment(tmp_path / "sales.csv", scores=str(path)) as expected,
        segment(tmp_path / "sales.csv", scores=str(path), resources=IN_ENGINE) as found,
    ):
        assert everything(found) == everything(expected)


def test_a_saved_model_is_applied_to_each_customer(tmp_path: Path) -> None:
    write_sales(tmp_path / "old.csv", 1_500)
    write_sales(tmp_path / "new.csv")
    with segment(tmp_path / "old.csv", by="shop") as old:
        model = old.model

    with (
        segment(tmp_path / "new.csv", by="shop", model=model) as expected,
        segment(tmp_path / "new.csv", by="shop", model=model, resources=IN_ENGINE) as found,
    ):
        assert everything(found) == everything(expected)


def test_a_group_that_the_model_does_not_know_is_refused(tmp_path: Path) -> None:
    write_sales(tmp_path / "sales.csv")
    with segment(tmp_path / "sales.csv", by="shop", exclude=(("shop", "b"),)) as old:
        model = old.model

    with pytest.raises(InvalidModel, match=r'"b" \(\d+ customers\)'):
        segment(tmp_path / "sales.csv", by="shop", model=model, resources=IN_ENGINE)


def test_equally_near_centres_leave_the_customer_to_the_better_one(tmp_path: Path) -> None:
    write_sales(tmp_path / "sales.csv")
    with segment(tmp_path / "sales.csv") as old:
        model = old.model
    # All at the same distance of everybody on the plane between them: recency plays no part.
    mirrored: Model = replace(
        model,
        centres_scaled=((0.0, 0.5, 1.0), (0.0, 1.0, 0.5), (99.0, 0.0, 0.0), (99.0, 0.0, 0.0)),
        cluster_names=model.cluster_names[:4],
        feature_means=(0.0, 0.0, 0.0),
        feature_scales=(1.0, 1.0, 1.0),
    )
    table = duckdb.sql(
        "SELECT 'c' || i AS customer_id, 'i' || i AS invoice_id, DATE '2024-01-01' - i::INT AS invoice_date, "
        # log1p of one purchase and of one coin are equal.
        "1.0 AS amount FROM range(600) t(i)"
    )

    with segment(table, model=mirrored, resources=IN_ENGINE) as found:
        labels = found.customers.select("recency, cluster").fetchall()

    assert {label for _, label in labels} == {0}


def test_one_customer_more_than_the_process_takes_goes_to_the_engine(tmp_path: Path) -> None:
    write_sales(tmp_path / "sales.csv")
    with segment(tmp_path / "sales.csv") as result:
        n_customers = result.quality.n_customers

    for local, expected in ((n_customers, False), (n_customers - 1, True)):
        with segment(tmp_path / "sales.csv", resources=Resources(local_customers=local)) as result:
            assert result.analysis.is_in_engine is expected
    assert Settings().local_customers == Resources().local_customers == LOCAL_CUSTOMERS


def test_a_file_without_a_usable_row_is_refused_as_ever(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("customer,date,amount\nann,2024-01-05,-1\n")

    with pytest.raises(NoUsableRows):
        segment(tmp_path / "sales.csv", resources=Resources(local_customers=0))


def test_a_caller_who_cancels_while_the_engine_counts_is_heard(tmp_path: Path) -> None:
    write_sales(tmp_path / "sales.csv")
    told: list[Step] = []

    def stop_at_the_third(step: Step) -> None:
        told.append(step)
        if [one.stage for one in told].count("cluster") == 3:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        segment(tmp_path / "sales.csv", resources=IN_ENGINE, progress=stop_at_the_third)


def made_customers(engine: DuckDBEngine, n: int, *, order: str) -> None:
    """Make the table ``customers`` of `n`, its rows in some order."""
    engine.execute(
        "CREATE OR REPLACE TEMP TABLE customers AS SELECT 'c' || i AS customer_id, '' AS by_value, "
        "1 + (hash(i) % 700)::INT AS recency, 1 + (hash(i + 1) % 90)::BIGINT // 30 AS frequency, "
        "(1 + (hash(i + 2) % 100000) / 7)::DECIMAL(38, 12) AS monetary, DATE '2024-01-01' AS first_purchase_date, "
        f"DATE '2024-01-01' AS last_purchase_date FROM range({n}) t(i) ORDER BY {order}"
    )


def fitted(
    engine: DuckDBEngine, *, n: int, fit_sample: int
) -> tuple[Fit, list[tuple[object, ...]]]:
    """Return the fit on a sample, and all customers placed by it."""
    plan = ColumnPlan(
        columns={"customer_id": "a", "invoice_date": "b", "amount": "c"}, level="lines"
    )
    request = LineRequest(tables=(), plan=plan, options=Options())
    customers = CustomersInEngine(
        request, engine, seed=42, n_customers=n, progress=no_progress, fit_sample=fit_sample
    )
    found = customers.fit(Options(), rules=built_in_rules("ten"), method="quantile")
    customers.make_result(found, built_in_rules("ten"))
    found, _ = customers.profile(found, built_in_rules("ten"), None)
    return found, engine.rows("SELECT * FROM result ORDER BY rowid")


def test_a_sample_of_some_fits_the_centres_and_says_so_whatever_the_order_of_rows(
    engine: DuckDBEngine,
) -> None:
    made_customers(engine, 5_000, order="customer_id")
    found, placed = fitted(engine, n=5_000, fit_sample=1_000)
    made_customers(engine, 5_000, order="hash(i)")
    found_again, placed_again = fitted(engine, n=5_000, fit_sample=1_000)

    assert (found_again, placed_again) == (found, placed)
    (told,) = found.findings
    assert (told.code, told.values) == (
        "fitted_on_sample",
        {"n_sample": 1_000, "n_customers": 5_000, "seed": 42},
    )
    # numpy.quantile of all customers, not of the sample.
    days = [int(str(row[0])) for row in engine.rows("SELECT recency FROM customers")]
    assert found.edges[0].recency == tuple(np.quantile(days, [0.2, 0.4, 0.6, 0.8]).tolist())
    assert sum(found.edges[0].m_counts) == 5_000
    by_label = [row[-3] for row in placed]
    assert [str(row[0]) for row in placed] == sorted(str(row[0]) for row in placed)
    assert len(set(by_label)) > 1


def test_quantiles_of_many_amounts_are_those_of_sorting(engine: DuckDBEngine) -> None:
    # Skewed over nine decades, with many equal ones, and more than are counted value by value.
    engine.execute(
        "CREATE TEMP TABLE shops AS SELECT 's' || (i % 3) AS shop, CASE WHEN i % 5 = 0 THEN 12.5 ELSE "
        "round((i % 3 + 1) * exp((hash(i) % 2000) / 100.0), 3) END::DECIMAL(38, 12) AS money FROM range(60000) t(i)"
    )
    shares = (0.0, 0.2, 0.5, 0.8, 0.999, 1.0)

    spread = find_quantiles(
        Crowd(engine=engine, table="shops", keys=("shop",), parts=lambda key: (*key, "all")),
        "money",
        lambda _: shares,
    )

    for part, where in (("s0", "shop = 's0'"), ("s2", "shop = 's2'"), ("all", "true")):
        rows = engine.rows(f"SELECT money FROM shops WHERE {where} ORDER BY money")
        ordered = [Decimal(str(row[0])) for row in rows]
        for share in shares:
            position = (len(ordered) - 1) * share
            below = int(position)
            expected = (ordered[below], ordered[min(below + (position > below), len(ordered) - 1)])
            assert spread.around(part, share) == (*expected, position - below)
