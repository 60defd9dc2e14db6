"""The made-up shop; what is expected of it is counted by DuckDB over the file, not by the shop's code."""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from rfm_backend.errors import Cancelled, InvalidOption, OutputExists, OutputFailed
from rfm_backend.progress import Step
from rfm_backend.sample import goods, parts, shop, write_sample

SCHEMA = (
    "{'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR', 'Description': 'VARCHAR', "
    "'Quantity': 'INTEGER', 'InvoiceDate': 'TIMESTAMP', 'UnitPrice': 'DECIMAL(10,2)', "
    "'CustomerID': 'VARCHAR', 'CustomerName': 'VARCHAR', 'Email': 'VARCHAR', 'Country': 'VARCHAR'}"
)


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A shop of 60,000 rows as the view ``s``."""
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(path, rows=60_000, customers=2_000, seed=3)
    connection = duckdb.connect()
    connection.execute(
        f"CREATE TABLE s AS SELECT row_number() OVER () AS r, * "
        f"FROM read_csv('{path}', header = true, columns = {SCHEMA})"
    )
    return connection


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    found = connection.execute(sql).fetchone()
    assert found is not None
    return tuple(found)


def test_it_has_exactly_the_rows_and_customers_asked_for(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    counted = one(
        sales,
        "SELECT count(*), count(DISTINCT CustomerID) FILTER (CustomerID <> 'GUEST') FROM s",
    )

    assert counted == (60_000, 2_000)


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"

    told = write_sample(path, rows=9_600, seed=5)

    counted = (
        duckdb.connect()
        .execute(
            f"SELECT count(*), count(DISTINCT CustomerID) FILTER (CustomerID <> 'GUEST'), "
            f"count(DISTINCT InvoiceNo) FROM read_csv('{path}', header = true, columns = {SCHEMA})"
        )
        .fetchone()
    )
    assert (told.rows, told.customers, told.invoices) == counted
    assert (told.path, told.seed, told.size_bytes) == (path, 5, path.stat().st_size)


@pytest.mark.parametrize("rows", [1, 2, 95, 96, 97, 1_537])
def test_any_number_of_rows_is_exact(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "shop.csv"

    told = write_sample(path, rows=rows)

    lines = path.read_text("utf-8").splitlines()
    invoices = {line.split(",")[0] for line in lines[1:]}
    customers = {line.split(",")[6] for line in lines[1:]} - {"", "GUEST"}
    assert (len(lines) - 1, len(invoices), len(customers)) == (rows, told.invoices, told.customers)


def test_a_customer_for_every_invoice_is_possible(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    invoices = shop.count_invoices(960, 1)

    write_sample(path, rows=960, customers=invoices)

    customers = {line.split(",")[6] for line in path.read_text("utf-8").splitlines()[1:]}
    assert len(customers) == invoices == 160


def test_every_return_matches_an_earlier_sale_of_the_same_customer(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    returned, unmatched = one(
        sales,
        """SELECT count(*), count(*) FILTER (NOT EXISTS (
               SELECT 1 FROM s AS sale WHERE sale.CustomerID IS NOT DISTINCT FROM back.CustomerID
               AND sale.StockCode = back.StockCode AND sale.Quantity = -back.Quantity
               AND sale.UnitPrice = back.UnitPrice AND sale.InvoiceDate < back.InvoiceDate))
           FROM s AS back WHERE Quantity < 0""",
    )

    assert unmatched == 0
    assert 300 < int(str(returned)) < 1_500


def test_no_sale_is_returned_twice(sales: duckdb.DuckDBPyConnection) -> None:
    # Lines of one customer, product and price: what came back is never more than what was sold.
    (worst,) = one(
        sales,
        "SELECT min(total) FROM (SELECT sum(Quantity) AS total FROM s WHERE CustomerID IS NOT NULL "
        "GROUP BY CustomerID, StockCode, UnitPrice)",
    )

    assert worst == 0


def test_returns_stand_on_invoices_of_their_own(sales: duckdb.DuckDBPyConnection) -> None:
    assert one(sales, "SELECT count(*) FROM s WHERE (InvoiceNo LIKE 'C%') <> (Quantity < 0)") == (
        0,
    )


def test_invoices_are_numbered_in_the_order_of_time(sales: duckdb.DuckDBPyConnection) -> None:
    (backward,) = one(
        sales,
        """SELECT count(*) FROM (
               SELECT InvoiceDate AS day, lag(InvoiceDate) OVER (ORDER BY r) AS before,
                      replace(InvoiceNo, 'C', '')::INTEGER AS number,
                      lag(replace(InvoiceNo, 'C', '')::INTEGER) OVER (ORDER BY r) AS number_before
               FROM s) WHERE day < before OR number < number_before""",
    )

    assert backward == 0


def test_a_customer_has_one_name_one_address_and_one_country(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    assert one(
        sales,
        "SELECT max(names), max(mails), max(countries), max(owners) FROM ("
        "SELECT count(DISTINCT CustomerName) AS names, count(DISTINCT Email) AS mails, "
        "count(DISTINCT Country) AS countries, 1 AS owners FROM s GROUP BY CustomerID "
        "UNION ALL SELECT 1, 1, 1, count(DISTINCT CustomerID) FROM s WHERE Email IS NOT NULL "
        "GROUP BY Email)",
    ) == (1, 1, 1, 1)


def test_nobody_can_be_written_to(sales: duckdb.DuckDBPyConnection) -> None:
    elsewhere, somewhere = one(
        sales,
        "SELECT count(*) FILTER (Email NOT LIKE '%@example.com'), count(Email) FROM s",
    )

    assert elsewhere == 0
    assert int(str(somewhere)) > 5_000


def test_it_has_the_troubles_of_a_real_shop(sales: duckdb.DuckDBPyConnection) -> None:
    blank, guest, free, two_countries = one(
        sales,
        "SELECT avg((CustomerID IS NULL)::INT), avg(coalesce((CustomerID = 'GUEST')::INT, 0)), "
        "avg((UnitPrice = 0)::INT), count(DISTINCT Country) FROM s",
    )

    assert 0.02 < float(str(blank)) < 0.08
    assert 0.01 < float(str(guest)) < 0.04
    assert 0.001 < float(str(free)) < 0.01
    assert two_countries == 7


def test_many_buy_once_and_a_few_buy_very_often(sales: duckdb.DuckDBPyConnection) -> None:
    once, median, most = one(
        sales,
        "SELECT avg((n = 1)::INT), median(n), max(n) FROM (SELECT count(DISTINCT InvoiceNo) AS n "
        "FROM s WHERE Quantity > 0 AND CustomerID <> 'GUEST' GROUP BY CustomerID)",
    )

    assert 0.3 < float(str(once)) < 0.6
    assert median == 2
    assert 60 < int(str(most)) < 400


def test_wholesalers_make_the_revenue_heavy_at_the_top(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    (share,) = one(
        sales,
        "SELECT sum(amount) FILTER (place <= 20) / sum(amount) FROM (SELECT amount, "
        "row_number() OVER (ORDER BY amount DESC) AS place FROM (SELECT sum(Quantity * UnitPrice) "
        "AS amount FROM s WHERE CustomerID <> 'GUEST' GROUP BY CustomerID))",
    )

    # The best hundredth of 2,000 customers.
    assert 0.2 < float(str(share)) < 0.7


def test_the_fourth_quarter_and_saturdays_are_the_busiest(
    sales: duckdb.DuckDBPyConnection,
) -> None:
    months = sales.execute(
        "SELECT month(InvoiceDate), count(*) FROM s GROUP BY 1 ORDER BY 2 DESC LIMIT 3"
    ).fetchall()
    days = sales.execute(
        "SELECT isodow(InvoiceDate), count(*) FROM s GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    ).fetchall()

    assert {month for month, _ in months} == {10, 11, 12}
    assert days[0][0] == 6


def test_the_two_years_do_not_depend_on_today(sales: duckdb.DuckDBPyConnection) -> None:
    assert one(sales, "SELECT min(InvoiceDate)::DATE, max(InvoiceDate)::DATE FROM s") == (
        goods.FIRST_DAY,
        goods.LAST_DAY,
    )


def test_no_invoice_names_a_product_twice(sales: duckdb.DuckDBPyConnection) -> None:
    assert one(
        sales,
        "SELECT count(*) FROM (SELECT 1 FROM s GROUP BY InvoiceNo, StockCode HAVING count(*) > 1)",
    ) == (0,)


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_ROWS_PER_PART", 1_000)
    written = []
    for threads in (1, 4):
        path = tmp_path / f"with_{threads}.csv"
        write_sample(path, rows=5_500, seed=9, threads=threads)
        written.append(path.read_bytes())

    assert written[0] == written[1]
    assert written[0].count(b"InvoiceNo") == 1
    assert written[0].count(b"\n") == 5_501


def test_another_seed_makes_another_shop(tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"

    write_sample(first, rows=500, seed=1)
    write_sample(second, rows=500, seed=2)

    assert first.read_bytes() != second.read_bytes()


def test_parquet_holds_the_same_shop_with_types(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_ROWS_PER_PART", 700)
    csv, parquet = tmp_path / "shop.csv", tmp_path / "shop.parquet"

    write_sample(csv, rows=2_000)
    write_sample(parquet, rows=2_000)

    from_csv = (
        duckdb.connect()
        .execute(f"FROM read_csv('{csv}', header = true, columns = {SCHEMA})")
        .fetchall()
    )
    from_parquet = duckdb.connect().execute(f"FROM '{parquet}'").fetchall()
    assert from_parquet == from_csv
    assert isinstance(from_parquet[0][5], Decimal)


def test_the_constants_of_the_python_and_the_sql_mixer_agree() -> None:
    plan = shop.plan_shop(1_000, 10, 7)
    sql = shop._hash(plan, "v", "name")

    rows = (
        duckdb.connect()
        .execute(f"SELECT v, {sql} FROM (SELECT (i * 97)::UBIGINT AS v FROM range(50) t(i))")
        .fetchall()
    )

    salt = shop._salt(7, "name")
    assert [(v, shop._mix(v, salt)) for v, _ in rows] == rows


def test_a_file_that_is_there_is_kept_unless_force_is_given(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text("mine")

    with pytest.raises(OutputExists, match="--force"):
        write_sample(path, rows=10)
    assert path.read_text() == "mine"

    write_sample(path, rows=10, force=True)
    assert path.read_text().startswith("InvoiceNo")


@pytest.mark.parametrize(
    ("name", "rows", "customers"),
    [("shop.xlsx", 10, None), ("shop.csv", 0, None), ("shop.csv", 96, 17), ("shop.csv", 10, 0)],
)
def test_what_cannot_be_made_is_refused(
    tmp_path: Path, name: str, rows: int, customers: int | None
) -> None:
    with pytest.raises(InvalidOption):
        write_sample(tmp_path / name, rows=rows, customers=customers)

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="absent"):
        write_sample(tmp_path / "absent" / "shop.csv", rows=10)


def test_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(_step: Step) -> None:
        raise Cancelled("Enough.")

    with pytest.raises(Cancelled):
        write_sample(tmp_path / "shop.csv", rows=2_000_000, progress=stop)

    assert list(tmp_path.iterdir()) == []
