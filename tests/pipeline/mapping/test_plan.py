"""Which column is what, and how it is read: found, decided by evidence, or refused in words."""

import datetime as dt
from pathlib import Path

import pytest

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.errors import (
    AmbiguousColumns,
    AmbiguousDates,
    AmbiguousNumbers,
    InvalidOption,
    MissingColumns,
    NoUsableRows,
)
from rfm_backend.pipeline.mapping.dates import timestamp_sql
from rfm_backend.pipeline.mapping.find import plan_columns
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.options import Options
from rfm_backend.progress import no_progress
from rfm_backend.reading.source import open_tables
from rfm_backend.text_table import ReadChoices


def plan_of(
    engine: DuckDBEngine, folder: Path, text: str, options: Options | None = None
) -> ColumnPlan:
    """Return the plan of one file with this text."""
    path = folder / "sales.csv"
    path.write_text(text, encoding="utf-8")
    tables = open_tables(path, choices=ReadChoices(), workdir=folder, progress=no_progress)
    return plan_columns(tables, options or Options(), engine)


def lines(header: str, *rows: str) -> str:
    return "\n".join([header, *rows, ""])


@pytest.mark.parametrize(
    ("language", "header"),
    [
        ("en", "Customer ID;Order ID;Order date;Quantity;Unit price;Country;Customer name;E-mail"),
        ("id", "ID Pelanggan;No. Pesanan;Tanggal Pesanan;Jumlah;Harga Satuan;Negara;Nama Pelanggan;Email Pelanggan"),
        ("de", "Kundennummer;Bestellnummer;Bestelldatum;Menge;Einzelpreis;Land;Kundenname;E-Mail"),
        ("pt", "Código do cliente;Número do pedido;Data do pedido;Quantidade;Preço unitário;País;Nome do cliente;E-mail"),
        ("es", "ID de cliente;Número de pedido;Fecha de pedido;Cantidad;Precio unitario;País;Nombre del cliente;Correo electrónico"),
        ("fr", "Numéro client;N° de commande;Date de commande;Quantité;Prix unitaire;Pays;Nom du client;E-mail"),
        ("tr", "Müşteri No;Sipariş No;Sipariş Tarihi;Miktar;Birim Fiyat;Ülke;Müşteri Adı;E-posta"),
    ],
)  # fmt: skip
def test_roles_are_found_by_name_in_seven_languages(
    engine: DuckDBEngine, tmp_path: Path, language: str, header: str
) -> None:
    row = "17850;A1;2024-01-05;2;3.50;Indonesia;Ann;ann@example.com"
    other = "17851;A2;2024-01-06;1;4.25;Indonesia;Bob;bob@example.com"

    plan = plan_of(engine, tmp_path, lines(header, row, other))

    expected = ("customer_id", "invoice_id", "invoice_date", "quantity", "unit_price")
    contacts = ("country", "customer_name", "email")
    assert dict(plan.columns) == dict(zip(expected + contacts, header.split(";"), strict=True))
    assert plan.language == language


def test_what_the_user_says_comes_first(engine: DuckDBEngine, tmp_path: Path) -> None:
    text = lines("customer id,member,date,amount", "1,m1,2024-01-05,2.50", "2,m2,2024-01-06,3.50")

    plan = plan_of(engine, tmp_path, text, Options(mapping={"customer_id": "member"}))

    assert plan.columns["customer_id"] == "member"


def test_a_kind_of_customer_is_no_customer(engine: DuckDBEngine, tmp_path: Path) -> None:
    rows = [
        f"{'retail' if n % 2 else 'wholesale'},2024-01-{n % 28 + 1:02d},{n}.5" for n in range(500)
    ]

    with pytest.raises(MissingColumns, match="no column tells who the customer is"):
        plan_of(engine, tmp_path, lines("Customer type,Date,Amount", *rows))


def test_an_e_mail_stands_for_the_customer_where_there_is_no_number(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    text = lines("Email,Date,Amount", "Ann@Example.com,2024-01-05,1.50", "b@x.org,2024-01-06,2.5")

    plan = plan_of(engine, tmp_path, text)

    assert plan.columns["customer_id"] == "Email"
    assert plan.customer_is_email
    assert next(g.reason for g in plan.guesses if g.role == "customer_id") == "email"


def test_a_file_of_customers_is_recognised(engine: DuckDBEngine, tmp_path: Path) -> None:
    text = lines(
        "customer_id,number_of_orders,revenue,last_order_date",
        "ann,3,120.50,2024-03-01",
        "bob,1,15.00,2024-02-01",
    )
    options = Options(
        mapping={
            "frequency": "number_of_orders", "monetary": "revenue",
            "last_purchase_date": "last_order_date",
        }
    )  # fmt: skip

    assert plan_of(engine, tmp_path, text, options).level == "customers"


def test_two_columns_of_one_name_compete(engine: DuckDBEngine, tmp_path: Path) -> None:
    text = lines("customer id,date,amount,Amount", "1,2024-01-05,2.50,3.50")

    with pytest.raises(AmbiguousColumns, match=r"amount: amount, Amount_2\. Say which with --map"):
        plan_of(engine, tmp_path, text)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("customer id,amount", "1,2.50", "no column was found for invoice_date"),
        ("customer id,date", "1,2024-01-05", "no column was found for amount"),
        ("customer id,date,quantity", "1,2024-01-05,3", "no unit_price and no amount"),
        ("customer id,date,amount", "1,soon,2.50", '"date" sounds like it.*"soon"'),
    ],
)
def test_a_role_that_is_missing_is_named_with_the_columns(
    engine: DuckDBEngine, tmp_path: Path, header: str, row: str, message: str
) -> None:
    with pytest.raises(MissingColumns, match=message) as refusal:
        plan_of(engine, tmp_path, lines(header, row))
    assert "--map" in refusal.value.message
    assert header.split(",", maxsplit=1)[0] in refusal.value.message


def test_a_header_alone_has_no_rows(engine: DuckDBEngine, tmp_path: Path) -> None:
    with pytest.raises(NoUsableRows, match="a header and no rows under it"):
        plan_of(engine, tmp_path, lines("customer id,date,amount"))


# Headers of no language.
AMOUNTS = "Xa;Xb;Xc"


def mark_of(engine: DuckDBEngine, folder: Path, header: str, *rows: str) -> tuple[str, str]:
    mapping = dict(zip(("customer_id", "invoice_date", "amount"), header.split(";"), strict=False))
    form = plan_of(engine, folder, lines(header, *rows), Options(mapping=mapping)).numbers["amount"]
    return form.decimal, form.evidence


@pytest.mark.parametrize(
    ("rows", "mark", "evidence"),
    [
        # One number that fits only one reading decides for the column.
        (("ann;2024-01-05;10.000", "bob;2024-01-06;7.50"), ".", "unambiguous"),
        (("ann;2024-01-05;10.000", "bob;2024-01-06;1.250.000"), ",", "unambiguous"),
        (("ann;2024-01-05;10.000", "bob;2024-01-06;7,5"), ",", "unambiguous"),
        # The sign of a currency: rupiah have points between thousands, pounds before pence.
        (("ann;2024-01-05;Rp 10.000", "bob;2024-01-06;Rp 25.000"), ",", "currency"),
        (("ann;2024-01-05;£10.000", "bob;2024-01-06;£25.000"), ".", "currency"),
    ],
)
def test_the_decimal_mark_is_decided_by_the_column(
    engine: DuckDBEngine, tmp_path: Path, rows: tuple[str, ...], mark: str, evidence: str
) -> None:
    assert mark_of(engine, tmp_path, AMOUNTS, *rows) == (mark, evidence)


def test_the_decimal_mark_is_decided_by_a_row_far_below_the_first(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    rows = [f"c{n};2024-01-05;10.000" for n in range(1500)]

    assert mark_of(engine, tmp_path, AMOUNTS, *rows, "whale;2024-01-05;7,5")[0] == ","


def test_another_column_of_numbers_decides_next(engine: DuckDBEngine, tmp_path: Path) -> None:
    text = lines("Who;Day;Pieces;Price", "ann;2024-01-05;1.000;7,50", "bob;2024-01-06;2.000;8,25")
    mapping = {
        "customer_id": "Who", "invoice_date": "Day", "quantity": "Pieces", "unit_price": "Price",
    }  # fmt: skip

    form = plan_of(engine, tmp_path, text, Options(mapping=mapping)).numbers["quantity"]

    assert (form.decimal, form.evidence) == (",", "sibling")


@pytest.mark.parametrize(
    ("header", "mark"),
    [("Kunde;Datum;Betrag", ","), ("Pelanggan;Tanggal;Total", ","), ("Customer;Date;Amount", ".")],
)
def test_the_language_of_the_headers_decides_last(
    engine: DuckDBEngine, tmp_path: Path, header: str, mark: str
) -> None:
    found = mark_of(engine, tmp_path, header, "ann;2024-01-05;10.000", "bob;2024-01-06;25.000")

    assert found == (mark, "language")


def test_ten_thousand_or_ten_is_never_guessed(engine: DuckDBEngine, tmp_path: Path) -> None:
    rows = ("ann;2024-01-05;10.000", "bob;2024-01-06;25.000")

    with pytest.raises(AmbiguousNumbers, match=r'column "Xc": 10\.000 can be read.*--decimal'):
        mark_of(engine, tmp_path, AMOUNTS, *rows)


@pytest.mark.parametrize(
    ("days", "order"),
    [
        (("05/01/2024", "13/01/2024"), "dmy"),
        (("01/05/2024", "01/13/2024"), "mdy"),
        (("2024/01/05", "2024/01/13"), "ymd"),
        (("20240105", "20240106"), "ymd"),
    ],
)
def test_the_order_of_a_date_is_decided_by_the_column(
    engine: DuckDBEngine, tmp_path: Path, days: tuple[str, str], order: str
) -> None:
    text = lines("Who;Day;Sum", *(f"c{n};{day};1.50" for n, day in enumerate(days)))
    mapping = {"customer_id": "Who", "invoice_date": "Day", "amount": "Sum"}

    assert (
        plan_of(engine, tmp_path, text, Options(mapping=mapping)).dates["invoice_date"].order
        == order
    )


@pytest.mark.parametrize(
    "day",
    ["5 Jan 2024", "January 5, 2024", "5 Januari 2024", "05-JAN-24", "5. März 2024", "5 de enero de 2024", "Friday, 5 January 2024", "Jum. 5 Januari 2024"],
)  # fmt: skip
def test_a_month_with_a_name_needs_no_order(engine: DuckDBEngine, tmp_path: Path, day: str) -> None:
    form = plan_of(engine, tmp_path, lines("Customer id;Date;Amount", f"ann;{day};1.50")).dates[
        "invoice_date"
    ]

    ((found,),) = engine.rows(
        f"SELECT {timestamp_sql('cell', form)} FROM (SELECT {quote_text(day)} AS cell)"
    )
    month = 3 if "März" in day else 1
    assert found == dt.datetime(2024, month, 5)  # noqa: DTZ001  # a shop's wall time


@pytest.mark.parametrize(
    ("header", "amount", "order"),
    [
        ("Kunde;Datum;Betrag", "1,50", "dmy"),
        ("Pelanggan;Tanggal;Total", "Rp 10.500", "dmy"),
        ("Who;Day;Sum", "£1.50", "dmy"),
    ],
)
def test_currency_and_language_decide_the_order_where_no_date_does(
    engine: DuckDBEngine, tmp_path: Path, header: str, amount: str, order: str
) -> None:
    text = lines(header, f"ann;05/01/2024;{amount}", f"bob;06/02/2024;{amount}")
    names = header.split(";")
    mapping = {"customer_id": names[0], "invoice_date": names[1], "amount": names[2]}

    assert (
        plan_of(engine, tmp_path, text, Options(mapping=mapping)).dates["invoice_date"].order
        == order
    )


def test_fifth_of_january_or_first_of_may_is_never_guessed(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    text = lines("Who;Day;Sum", "ann;05/01/2024;1.50", "bob;06/02/2024;2.50")
    mapping = {"customer_id": "Who", "invoice_date": "Day", "amount": "Sum"}

    with pytest.raises(AmbiguousDates, match=r"--date-format"):
        plan_of(engine, tmp_path, text, Options(mapping=mapping))


def test_what_the_user_says_decides_marks_and_dates(engine: DuckDBEngine, tmp_path: Path) -> None:
    text = lines("Who;Day;Sum", "ann;05/01/2024;10.000", "bob;06/02/2024;25.000")
    mapping = {"customer_id": "Who", "invoice_date": "Day", "amount": "Sum"}

    plan = plan_of(engine, tmp_path, text, Options(mapping=mapping, decimal=",", date_format="mdy"))

    assert plan.numbers["amount"].decimal == ","
    assert plan.dates["invoice_date"].order == "mdy"


def test_a_role_that_there_is_not_is_refused(engine: DuckDBEngine, tmp_path: Path) -> None:
    text = lines("customer id,date,amount", "1,2024-01-05,2.50")

    with pytest.raises(InvalidOption, match="no role 'shoe_size'"):
        plan_of(engine, tmp_path, text, Options(mapping={"shoe_size": "amount"}))


def test_a_role_that_the_user_says_the_file_lacks_is_not_guessed(
    engine: DuckDBEngine, tmp_path: Path
) -> None:
    text = lines(
        "customer id,email,date,amount,status",
        "1,a@b.example,2024-01-05,2.50,cancelled",
        "2,c@d.example,2024-01-06,3.50,paid",
    )

    plan = plan_of(engine, tmp_path, text, Options(mapping={"status": "", "email": ""}))

    assert set(plan.columns) == {"customer_id", "invoice_date", "amount"}
    with pytest.raises(MissingColumns):
        plan_of(engine, tmp_path, text, Options(mapping={"customer_id": ""}))
