"""Online Retail from file to result, through the library: the numbers that DESIGN.md asks to hold.

The expected customers are those of expected_rfm.csv, counted by an independent script; segment sizes,
edges and inertia stand in DESIGN.md, "Numbers to hold".
"""

import csv
import random
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import pytest

import rfm_backend
from rfm_backend.result import Result

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def from_csv(data_dir: Path) -> Iterator[Result]:
    with rfm_backend.segment(data_dir / "online_retail" / "Online_Retail.csv") as result:
        yield result


@pytest.fixture(scope="module")
def from_xlsx(data_dir: Path) -> Iterator[Result]:
    with rfm_backend.segment(data_dir / "online_retail" / "Online_Retail.xlsx") as result:
        yield result


@pytest.fixture(scope="module", params=["csv", "xlsx"])
def result(request: pytest.FixtureRequest) -> Result:
    found: Result = request.getfixturevalue(f"from_{request.param}")
    return found


def test_every_row_and_all_money_is_kept_or_set_aside_with_a_reason(result: Result) -> None:
    quality = result.quality

    assert (quality.rows_read, quality.rows_kept) == (541_909, 397_884)
    assert (quality.amount_read, quality.amount_kept) == (
        Decimal("9747747.934"),
        Decimal("8911407.904"),
    )
    assert {aside.reason: (aside.rows, aside.amount) for aside in quality.set_aside} == {
        "no_customer": (135_080, Decimal("1447682.12")),
        "quantity_not_positive": (8_905, Decimal("-611342.09")),
        "price_not_positive": (40, Decimal("0.00")),
    }
    assert (quality.n_customers, quality.n_invoices) == (4338, 18_532)


def test_every_customer_has_the_recency_frequency_and_money_of_the_independent_count(
    result: Result, data_dir: Path
) -> None:
    with (data_dir / "online_retail" / "expected_rfm.csv").open(encoding="utf-8") as file:
        expected = {
            row["customer_id"]: (
                int(row["recency"]),
                int(row["frequency"]),
                Decimal(row["monetary"]),
            )
            for row in csv.DictReader(file)
        }

    rows = result.customers.select("customer_id, recency, frequency, monetary").fetchall()

    assert {
        who: (recency, frequency, monetary.quantize(CENT, ROUND_HALF_EVEN))
        for who, recency, frequency, monetary in rows
    } == expected


def test_scores_and_segments_have_the_documented_edges_and_sizes(result: Result) -> None:
    (edges,) = result.summary.edges

    assert edges.recency == pytest.approx((13.8, 33, 72, 180))
    assert edges.frequency == (1.0, 2.0, 4.0, 6.0)
    assert edges.monetary == pytest.approx((250.194, 490.096, 942.276, 2058.426))
    assert [profile.n_customers for profile in result.segments] == [
        1335, 357, 35, 478, 208, 501, 169, 67, 681, 507,
    ]  # fmt: skip
    assert sum(profile.monetary for profile in result.segments) == Decimal("8911407.904")


def test_five_clusters_have_the_documented_inertia_and_about_the_sizes(result: Result) -> None:
    assert result.model.inertia == pytest.approx(3268.0, abs=0.05)
    sizes = [profile.n_customers for profile in result.clusters]
    assert sizes == pytest.approx([344, 966, 1008, 875, 1145], abs=6)


def test_csv_and_workbook_give_the_same_result_file(
    from_csv: Result, from_xlsx: Result, tmp_path: Path
) -> None:
    from_csv.to_csv(tmp_path / "csv.csv")
    from_xlsx.to_csv(tmp_path / "xlsx.csv")

    assert (tmp_path / "csv.csv").read_bytes() == (tmp_path / "xlsx.csv").read_bytes()


def test_shuffled_rows_give_the_same_result_file(
    from_csv: Result, data_dir: Path, tmp_path: Path
) -> None:
    text = (data_dir / "online_retail" / "Online_Retail.csv").read_bytes()
    header, *rows = text.splitlines(keepends=True)
    random.Random(7).shuffle(rows)  # noqa: S311  # no secret, only another order
    (tmp_path / "shuffled.csv").write_bytes(b"".join([header, *rows]))
    from_csv.to_csv(tmp_path / "in_order.csv")

    with rfm_backend.segment(tmp_path / "shuffled.csv") as shuffled:
        shuffled.to_csv(tmp_path / "out.csv")

    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "in_order.csv").read_bytes()


def test_a_saved_model_gives_the_same_labels_on_the_same_file(
    from_csv: Result, data_dir: Path, tmp_path: Path
) -> None:
    from_csv.save_model(tmp_path / "model.json")
    from_csv.to_csv(tmp_path / "fitted.csv")

    source = data_dir / "online_retail" / "Online_Retail.csv"
    with rfm_backend.segment(source, model=tmp_path / "model.json") as applied:
        applied.to_csv(tmp_path / "applied.csv")

    assert (tmp_path / "applied.csv").read_bytes() == (tmp_path / "fitted.csv").read_bytes()


def test_matched_returns_take_their_sales_away(data_dir: Path) -> None:
    source = data_dir / "online_retail" / "Online_Retail.csv"

    with rfm_backend.segment(source, returns="match") as result:
        quality = result.quality
        money = dict(result.customers.select("customer_id, monetary").fetchall())

    matched = {aside.reason: (aside.rows, aside.amount) for aside in quality.set_aside}
    assert matched["matched_return"] == (2_899, Decimal("447358.04"))
    assert (quality.n_customers, quality.n_invoices) == (4327, 18_380)
    # 12346 bought for 77,183.60 and gave all of it back; of 16446's 168,472.50, 2.90 are left.
    assert "12346" not in money
    assert money["16446"] == Decimal("2.90")


def test_netted_returns_leave_the_published_total(data_dir: Path) -> None:
    with rfm_backend.segment(
        data_dir / "online_retail" / "Online_Retail.csv", returns="net"
    ) as result:
        quality = result.quality

    aside = {entry.reason: (entry.rows, entry.amount) for entry in quality.set_aside}
    rows, eaten_up = aside["net_not_positive"]
    assert eaten_up is not None
    # Net incl. cancellations: 8,300,065.81 over all customers in the published funnel.
    assert round(quality.amount_kept + eaten_up, 2) == Decimal("8300065.81")
    assert quality.rows_kept + rows == 397_884 + 8_905


def test_dropped_repetitions_leave_the_published_rows_and_money(data_dir: Path) -> None:
    with rfm_backend.segment(
        data_dir / "online_retail" / "Online_Retail.csv", duplicates="drop"
    ) as result:
        quality = result.quality

    # The funnel published with the data: 392,692 rows, 8,887,208.89.
    assert (quality.rows_kept, round(quality.amount_kept, 2)) == (392_692, Decimal("8887208.89"))
    assert (quality.n_customers, quality.n_invoices) == (4338, 18_532)
