"""Files of other people, from file to result: the figures that go with them, or the right refusal.

The figures are those of the README beside the data; the segments of R rfm are those of its vignette
and unit tests (rfm 0.3.0 and 0.2.0, MIT).
"""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

import rfm_backend
from rfm_backend.errors import MissingColumns, SeveralCurrencies
from rfm_backend.pipeline.analysis import Quality

TABLES = Path(__file__).resolve().parent / "data"


def quality_of(path: Path, **options: object) -> Quality:
    with rfm_backend.segment(path, **options) as result:  # type: ignore[arg-type]  # options by name
        return result.quality


@pytest.mark.parametrize(
    ("file", "rows_read", "rows_kept", "customers", "money"),
    [
        ("cdnow/CDNOW_master.txt", 69_659, 69_579, 23_502, "2500315.63"),
        ("cdnow/CDNOW_sample.txt", 6_919, 6_911, 2_349, "244091.94"),
        ("variety/indonesian_rupiah_semicolon.csv", 18_532, 18_532, 4_338, "8911407.90"),
        ("variety/utf16le_tab.txt", 18_532, 18_532, 4_338, "8911407.90"),
        ("variety/headerless_tab.txt", 51_243, 51_243, 18_417, "3194344.90"),
        ("variety/superstore_legacy.xls", 9_994, 9_994, 793, "2297200.86"),
    ],
)
def test_a_file_as_it_is_gives_its_figures(
    data_dir: Path, file: str, rows_read: int, rows_kept: int, customers: int, money: str
) -> None:
    quality = quality_of(data_dir / file)

    assert (quality.rows_read, quality.rows_kept) == (rows_read, rows_kept)
    assert quality.n_customers == customers
    assert quality.amount_kept.quantize(Decimal("0.01")) == Decimal(money)


def test_a_file_without_a_customer_column_is_refused_with_its_columns(data_dir: Path) -> None:
    with pytest.raises(MissingColumns, match="no column tells who the customer is") as refusal:
        quality_of(data_dir / "variety" / "no_customer_column.csv")

    # "Customer type" is a kind of customer, not a customer.
    assert "--map customer_id=COLUMN" in refusal.value.message


def test_orders_in_three_currencies_are_refused_until_one_is_chosen(data_dir: Path) -> None:
    with pytest.raises(SeveralCurrencies, match="--currency"):
        quality_of(data_dir / "variety" / "shopify_orders_mock.csv")


@pytest.fixture(scope="module")
def r_options() -> dict[str, object]:
    return {"level": "orders", "scores": "r-rfm", "snapshot_date": dt.date(2006, 12, 31)}


def test_the_orders_of_r_rfm_give_its_customers_and_bins(
    data_dir: Path, r_options: dict[str, object]
) -> None:
    source = data_dir / "r_rfm" / "rfm_data_orders.csv"
    with rfm_backend.segment(source, **r_options) as result:  # type: ignore[arg-type]
        (edges,) = result.summary.edges
        quality = result.quality
        first = result.customers.select("customer_id, recency, frequency, rfm_cell").limit(2)

        assert first.fetchall() == [
            ("Abbey O'Reilly", 205, 6, "343"),
            ("Add Senger", 140, 3, "412"),
        ]
    assert (quality.n_customers, quality.amount_kept) == (995, Decimal(464_158))
    assert edges.recency == pytest.approx((115, 181, 297.4, 482))
    assert edges.frequency == pytest.approx((4, 5, 6, 8))
    assert edges.monetary == pytest.approx((255.8, 382, 506.4, 666))


@pytest.mark.parametrize(
    ("table", "sizes"),
    [
        ("rules_r_rfm_0_3.toml", [35, 342, 170, 9, 104, 47, 28, 10, 102, 148, 0]),
        ("rules_r_rfm_0_2.toml", [158, 278, 229, 0, 0, 35, 50, 86, 0, 111, 48]),
    ],
)
def test_the_rule_tables_of_r_rfm_give_its_segments(
    data_dir: Path, r_options: dict[str, object], table: str, sizes: list[int]
) -> None:
    source = data_dir / "r_rfm" / "rfm_data_orders.csv"

    with rfm_backend.segment(source, segments=str(TABLES / table), **r_options) as result:  # type: ignore[arg-type]
        assert [profile.n_customers for profile in result.segments] == sizes


def test_a_shopify_order_counts_its_fields_on_all_its_lines_once(data_dir: Path) -> None:
    source = data_dir / "variety" / "shopify_orders_mock.csv"

    with rfm_backend.segment(source, currency="GBP") as result:
        quality = result.quality

    assert result.analysis.plan.preset == "shopify"
    assert quality.currency == "GBP"
    assert quality.rows_read == quality.rows_kept + sum(aside.rows for aside in quality.set_aside)
