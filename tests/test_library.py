"""The library's door: every kind of source, the same customers; every refusal an error of ours."""

import datetime as dt
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rfm_backend
from rfm_backend.errors import (
    Cancelled,
    FileNotFound,
    InvalidOption,
    NoUsableRows,
    OutputExists,
    RfmError,
    UnknownCustomer,
)
from rfm_backend.progress import Step
from rfm_backend.result import Result
from rfm_backend.sample import write_sample


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(path, rows=3_000, customers=200, seed=5)
    return path


@pytest.fixture(scope="module")
def result(shop: Path) -> Iterator[Result]:
    with rfm_backend.segment(shop) as found:
        yield found


def as_stream(path: Path) -> object:
    return io.BytesIO(path.read_bytes())


def as_parquet(path: Path) -> object:
    target = path.with_suffix(".parquet")
    duckdb.read_csv(str(path), all_varchar=True).write_parquet(str(target))
    return target


def as_polars(path: Path) -> object:
    return pl.read_csv(path, try_parse_dates=True, infer_schema_length=None)


def as_arrow(path: Path) -> object:
    return pa.Table.from_pandas(pd.read_csv(path, parse_dates=["InvoiceDate"]))


def as_relation(path: Path) -> object:
    return duckdb.connect().read_csv(str(path))


@pytest.mark.parametrize(
    "make_source",
    [
        str,
        as_stream,
        as_parquet,
        pd.read_csv,
        lambda path: pd.read_csv(path, parse_dates=["InvoiceDate"]),
        as_polars,
        as_arrow,
        as_relation,
        lambda path: [path],
    ],
    ids=[
        "text",
        "stream",
        "parquet",
        "pandas",
        "pandas typed",
        "polars",
        "arrow",
        "duckdb",
        "list",
    ],
)
def test_every_kind_of_source_gives_the_same_customers(
    shop: Path, result: Result, make_source: Callable[[Path], object]
) -> None:
    source = make_source(shop)

    with rfm_backend.segment(source) as other:
        assert other.customers.fetchall() == result.customers.fetchall()


def test_two_files_of_one_shop_are_one_analysis(shop: Path, result: Result, tmp_path: Path) -> None:
    header, *rows = shop.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "one.csv").write_text(header + "".join(rows[:1000]), encoding="utf-8")
    (tmp_path / "two.csv").write_text(header + "".join(rows[1000:]), encoding="utf-8")

    with rfm_backend.segment([tmp_path / "one.csv", tmp_path / "two.csv"]) as other:
        assert other.customers.fetchall() == result.customers.fetchall()


def test_frames_are_handed_out(result: Result) -> None:
    frame, other = result.to_pandas(), result.to_polars()

    assert list(frame.columns) == other.columns == list(result.analysis.result_columns)
    assert len(frame) == len(other) == result.quality.n_customers


def test_segments_clusters_and_money_add_up(result: Result) -> None:
    kept = result.quality.amount_kept
    assert sum(entry.n_customers for entry in result.segments) == result.quality.n_customers
    assert sum(entry.n_customers for entry in result.clusters) == result.quality.n_customers
    assert sum(entry.monetary for entry in result.segments) == kept
    assert sum(entry.monetary for entry in result.clusters) == kept


def test_options_are_keywords_or_one_value(shop: Path) -> None:
    options = rfm_backend.Options(n_clusters=3, segments="eleven")

    with rfm_backend.segment(shop, options=options, n_clusters=4) as found:
        assert len(found.clusters) == 4
        assert found.summary.segment_table == "eleven"


def test_a_customer_is_explained(result: Result) -> None:
    [(who, recency, segment)] = (
        result.customers.select("customer_id, recency, segment").limit(1).fetchall()
    )

    told = result.explain(who)

    assert (told.customer_id, told.recency.value, told.segment) == (who, recency, segment)
    with pytest.raises(UnknownCustomer, match="no customer 'nobody'"):
        result.explain("nobody")


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"n_clusters": 1}, InvalidOption, "clusters"),
        ({"seed": -1}, InvalidOption, "seed"),
        ({"keep": ("colour",)}, InvalidOption, "no column 'colour'"),
        ({"mapping": {"customer": "CustomerID"}}, InvalidOption, "no role 'customer'"),
        ({"mapping": {"customer_id": "Nobody"}}, InvalidOption, "no column 'Nobody'"),
        ({"timezone": "Mars/Olympus"}, InvalidOption, "time zone"),
        ({"sheet": "S", "encoding": "klingon"}, InvalidOption, "klingon"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused_in_words(
    shop: Path, options: dict[str, object], kind: type[RfmError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        rfm_backend.segment(shop, **options)  # type: ignore[arg-type]  # wrong on purpose


def test_a_window_without_a_purchase_leaves_nothing(shop: Path) -> None:
    with pytest.raises(NoUsableRows, match="out_of_window"):
        rfm_backend.segment(shop, since=dt.date(2090, 1, 1))


def test_files_that_are_not_there_or_taken_are_told(result: Result, tmp_path: Path) -> None:
    with pytest.raises(FileNotFound):
        rfm_backend.segment(tmp_path / "none.csv")
    with pytest.raises(FileNotFound):
        rfm_backend.segment([])
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(OutputExists):
        result.to_csv(tmp_path / "out.csv")


def test_an_instant_with_a_zone_is_read_as_it_is_written_or_moved_to_the_shops_zone(
    tmp_path: Path,
) -> None:
    # As pandas writes what has a zone; Jakarta is seven hours ahead of Greenwich.
    source = tmp_path / "zoned.parquet"
    duckdb.execute(
        "COPY (SELECT 'c' || n % 7 AS customer, TIMESTAMPTZ '2024-01-05 20:00:00+00' AS date, "
        f"2.5 AS amount FROM range(50) AS t(n)) TO '{source}'"
    )

    with (
        rfm_backend.segment(source) as written,
        rfm_backend.segment(source, timezone="Asia/Jakarta") as moved,
    ):
        assert (written.quality.rows_kept, written.quality.first_date.day) == (50, 5)
        assert (moved.quality.rows_kept, moved.quality.first_date.day) == (50, 6)


def test_progress_is_told_and_can_stop_the_work(shop: Path) -> None:
    stages = []

    def stop_at_reading(step: Step) -> None:
        stages.append(step.stage)
        if step.stage == "cluster":
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        rfm_backend.segment(shop, progress=stop_at_reading)
    assert stages[0] == "check"


def test_a_mark_far_down_a_column_is_read_as_in_a_column_of_marks(tmp_path: Path) -> None:
    # The first thousand amounts have no mark: that "7,50" stands below them is only seen in the file.
    rows = [f"c{n % 60};2024-01-{n % 28 + 1:02d};{n % 9 + 1}" for n in range(1500)]
    source = tmp_path / "sales.csv"
    source.write_text("\n".join(["customer;date;amount", *rows, "whale;2024-01-05;7,50", ""]))

    with rfm_backend.segment(source) as found:
        [(money,)] = found.customers.filter("customer_id = 'whale'").select("monetary").fetchall()

    assert money == Decimal("7.5")
