"""Exports of platforms, and the words of order states.

The headers are those of the public sources that each preset names; the rows are made up.
"""

from pathlib import Path

import pytest

import rfm_backend
from rfm_backend.pipeline.mapping.presets import all_presets, find_preset
from rfm_backend.pipeline.mapping.words import normalise, vocabularies


def test_every_preset_names_its_source_and_is_found_by_its_headers() -> None:
    for preset in all_presets():
        assert len(preset.source) > 10
        for required in preset.requires:
            assert find_preset([*required, "something else"]) == preset


def test_the_platforms_of_the_issue_are_there() -> None:
    assert [preset.name for preset in all_presets()] == [
        "amazon", "bigcommerce", "etsy", "shopee", "shopify", "square", "stripe", "woocommerce",
    ]  # fmt: skip


# Platform, customer, money; then the text of a made-up export.
EXPORTS = (
    (
        "shopee",
        "ani",
        "300000",
        (
            "No. Pesanan,Status Pesanan,Waktu Pesanan Dibuat,Nama Produk,Nomor Referensi SKU,Jumlah,"
            "Harga Awal,Harga Setelah Diskon,Total Pembayaran,Username (Pembeli)\n"
            "A1,Selesai,2024-01-05 10:00,Teh,T1,2,160.000,150.000,300.000,ani\n"
            "A2,Selesai,2024-01-06 10:00,Kopi,K1,1,1.250.000,1.200.000,1.200.000,budi\n"
            "A3,Dibatalkan,2024-01-07 10:00,Kopi,K1,1,160.000,150.000,150.000,budi\n"
        ),
    ),
    (
        "square",
        "C1",
        "12.5",
        (
            "Date,Time,Time Zone,Gross Sales,Discounts,Net Sales,Tax,Total Collected,Source,"
            "Transaction ID,Payment ID,Event Type,Location,Customer ID,Customer Name\n"
            "Jan 5 2024,10:00:00,UTC,$12.50,$0.00,$12.50,$1.00,$13.50,Register,T1,P1,Payment,Shop,C1,Ann\n"
            'Jan 6 2024,11:00:00,UTC,"$1,012.50",$0.00,"$1,012.50",$1.00,"$1,013.50",Register,T2,P2,Payment,Shop,C2,Bob\n'
        ),
    ),
    (
        "stripe",
        "cus_1",
        "12.5",
        (
            "id,Description,Created (UTC),Amount,Amount Refunded,Currency,Converted Amount,"
            "Converted Amount Refunded,Fee,Status,Customer ID,Customer Email\n"
            "ch_1,x,2024-01-05 10:00:00,12.50,0.00,usd,12.50,0.00,0.3,Paid,cus_1,ann@example.com\n"
            "ch_2,x,2024-01-06 10:00:00,7.25,7.25,usd,7.25,7.25,0.3,Refunded,cus_1,ann@example.com\n"
            "ch_3,x,2024-01-07 10:00:00,9.00,0.00,usd,9.00,0.00,0.3,Failed,cus_2,bob@example.com\n"
            "ch_4,x,2024-01-08 10:00:00,8.00,0.00,usd,8.00,0.00,0.3,Paid,cus_2,bob@example.com\n"
        ),
    ),
    (
        "woocommerce",
        "ann@example.com",
        "12.5",
        (
            "order_id,order_number,order_date,paid_date,status,order_total,order_currency,customer_id,"
            "customer_email,billing_first_name,billing_email,billing_phone\n"
            "1,1,2024-01-05 10:00:00,,completed,12.50,EUR,1,ann@example.com,Ann,ann@example.com,1\n"
            "2,2,2024-01-06 10:00:00,,cancelled,99.00,EUR,1,ann@example.com,Ann,ann@example.com,1\n"
            "3,3,2024-01-07 10:00:00,,processing,8.00,EUR,2,bob@example.com,Bob,bob@example.com,2\n"
        ),
    ),
)


@pytest.mark.parametrize(
    ("platform", "customer", "money", "text"), EXPORTS, ids=[entry[0] for entry in EXPORTS]
)
def test_an_export_of_a_platform_is_read_as_that_platform_means_it(
    tmp_path: Path, platform: str, customer: str, money: str, text: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")

    with rfm_backend.segment(path, n_clusters=2) as result:
        found = dict(result.customers.select("customer_id, monetary").fetchall())

    assert result.analysis.plan.preset == platform
    assert {who: f"{amount.normalize():f}" for who, amount in found.items()}[customer] == money


def test_lines_of_one_order_belong_to_its_customer_and_never_to_the_next_order(
    tmp_path: Path,
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "Name,Email,Financial Status,Paid at,Currency,Subtotal,Total,Created at,Lineitem quantity,"
        "Lineitem name,Lineitem price,Billing Name\n"
        "#1,ann@example.com,paid,,GBP,30,30,2024-01-05 10:00:00 +0000,1,Tea,10.00,Ann\n"
        "#1,,,,,,,,2,Cup,10.00,\n"
        "#2,,paid,,GBP,5,5,2024-01-06 10:00:00 +0000,1,Tea,5.00,\n"
        "#3,bob@example.com,voided,,GBP,7,7,2024-01-07 10:00:00 +0000,1,Tea,7.00,Bob\n"
        "#4,bob@example.com,paid,,GBP,8,8,2024-01-08 10:00:00 +0000,1,Tea,8.00,Bob\n"
    )

    with rfm_backend.segment(path, n_clusters=2) as result:
        rows = result.customers.select("customer_id, frequency, monetary::INTEGER").fetchall()
        aside = {entry.reason: entry.rows for entry in result.quality.set_aside}

    # 1 x 10 + 2 x 10 for Ann; order 2 has nobody; order 3 did not complete.
    assert rows == [("ann@example.com", 1, 30), ("bob@example.com", 1, 8)]
    assert aside == {"no_customer": 1, "order_not_completed": 1}


@pytest.mark.parametrize(
    ("word", "completed"),
    [
        ("Dibatalkan", False), ("Selesai", True), ("cancelled", False), ("refunded", False),
        ("voided", False), ("unpaid", False), ("failed", False), ("paid", True), ("shipped", True),
        ("storniert", False), ("bezahlt", True), ("annulé", False), ("payée", True),
        ("cancelado", False), ("pagado", True), ("pago", True), ("iptal edildi", False),
        ("tamamlandı", True),
    ],
)  # fmt: skip
def test_a_word_of_an_order_state_is_known_in_each_language(word: str, *, completed: bool) -> None:
    plain = normalise(word)

    assert any(plain in words.completed for words in vocabularies()) is completed
    assert any(plain in words.not_completed for words in vocabularies()) is not completed


def test_no_word_means_both() -> None:
    for words in vocabularies():
        assert words.completed & words.not_completed == frozenset()


def test_a_word_that_is_not_known_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(
        "customer id,date,amount,order status\nann,2024-01-05,1.50,paid\n"
        "bob,2024-01-06,2.50,Frobnicated\ncai,2024-01-07,3.50,cancelled\n"
    )

    with rfm_backend.segment(path, n_clusters=2) as result:
        found = {finding.code: finding.values for finding in result.summary.findings}

    assert result.quality.rows_kept == 2
    assert found["unknown_status"]["words"] == "frobnicated"
