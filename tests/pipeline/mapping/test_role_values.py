"""Values taken as a file stores them are those that their text is read as: the text is the measure."""

from dataclasses import replace
from itertools import cycle
from pathlib import Path

import duckdb
import pytest

from rfm_backend import Options
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.library import read_sources
from rfm_backend.pipeline.lines import LineRequest, lines_sql
from rfm_backend.pipeline.mapping.find import plan_columns
from rfm_backend.pipeline.mapping.plan import ASSUMED_UNMARKED, DateFormat, NumberFormat
from rfm_backend.pipeline.mapping.role_values import find_stored
from rfm_backend.pipeline.run import line_request
from rfm_backend.progress import no_progress

COMPARED = (
    "customer_id, occurred_at, quantity, unit_price, amount, is_return, reason, "
    "coalesce(is_marked, false)"
)
NUMBERS: dict[str, list[object]] = {
    "INTEGER": [0, 1, -1, 12, 2147483647, None],
    "BIGINT": [999999999999, 1000000000000, -9223372036854775808, 0, None],
    "DECIMAL(10,2)": ["0.00", "-12.50", "99999999.99", "100.00", None],
    "DECIMAL(38,6)": ["999999999999.999999", "1000000000000.000000", "0.000001", None],
    "DECIMAL(18,9)": ["0.000000499", "0.000000500", "1.000000000", None],
    "DOUBLE": [
        "nan", "inf", "-inf", "1e20", "-0.0", "0.1", "2.675", "2.0000005", "0.30000000000000004",
        "999999999.99", "1000000000.01", "123456789012.345678", "1e-7", "1234567.0000005", None,
        "5e17", *(repr((n - 9) * 0.7310585786300049 * 10 ** (n % 13)) for n in range(400)),
        *(repr(n * 499979 / 100) for n in range(200)),
    ],
    "FLOAT": ["0.1", "2.675", None],
}  # fmt: skip
STAMPS: dict[str, list[object]] = {
    "DATE": ["2024-01-05", "0999-12-31", "9999-12-31", "10000-01-01", "infinity", None],
    "TIMESTAMP": [
        "2024-01-05 10:00:00", "2024-01-05 23:59:59.999999", "0044-03-15 (BC) 00:00:00",
        "0001-01-01 00:00:00", "10000-01-01 00:00:00", "-infinity", None,
    ],
    "TIMESTAMP_NS": ["2024-01-05 10:00:00.123456789", None],
    "TIMESTAMPTZ": ["2024-01-05 10:00:00+07", None],
}  # fmt: skip


def written(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


def request_of(
    path: Path, engine: DuckDBEngine, *, quantities: str, prices: str, stamps: str
) -> LineRequest:
    """Write each value of a kind in a row that has a good value everywhere else."""
    rows = [
        *(("2024-01-05", "2", value) for value in NUMBERS[prices]),
        *(("2024-01-05", value, "2") for value in NUMBERS[quantities]),
        *((value, "2", "3") for value in STAMPS[stamps]),
    ]
    told = [f"('c', {', '.join(map(written, row))})" for row in [("2024-01-05", 2, 3), *rows]]
    duckdb.execute(
        f"COPY (SELECT customer, CAST(day AS {stamps}) AS date, CAST(quantity AS {quantities}) AS quantity, "
        f"CAST(price AS {prices}) AS price "
        f"FROM (VALUES {', '.join(told)}) AS t (customer, day, quantity, price)) TO '{path}'"
    )
    options = Options()
    tables = read_sources(path, options, workdir=path.parent, progress=no_progress)
    plan = plan_columns(tables, options, engine)
    # Whether a number has a mark is asked where the first rows have none.
    unmarked = dict.fromkeys(plan.numbers, NumberFormat(evidence=ASSUMED_UNMARKED))
    return line_request(tables, replace(plan, numbers=unmarked), options)


@pytest.mark.parametrize(("kind", "stamps"), list(zip(NUMBERS, cycle(STAMPS), strict=False)))
def test_a_stored_value_is_what_its_text_is_read_as(
    tmp_path: Path, engine: DuckDBEngine, kind: str, stamps: str
) -> None:
    request = request_of(
        tmp_path / "shop.parquet", engine, quantities=kind, prices=kind, stamps=stamps
    )
    as_stored = engine.rows(f"SELECT {COMPARED} FROM ({lines_sql(request, engine)}) ORDER BY ALL")

    # Lines that come with their number in the file are read as text, because they are shown.
    as_text = replace(request, with_ordinal=True)
    assert as_stored == engine.rows(
        f"SELECT {COMPARED} FROM ({lines_sql(as_text, engine)}) ORDER BY ALL"
    )
    assert len(as_stored) > len(NUMBERS[kind])


def test_numbers_and_dates_of_a_parquet_file_are_not_written_as_text(
    tmp_path: Path, engine: DuckDBEngine
) -> None:
    request = request_of(
        tmp_path / "shop.parquet", engine, quantities="INTEGER", prices="DOUBLE", stamps="DATE"
    )

    sql = lines_sql(request, engine)

    assert 'CAST("' not in sql
    assert "regexp_replace" not in sql


def test_a_column_whose_text_says_more_is_read_as_text(
    tmp_path: Path, engine: DuckDBEngine
) -> None:
    plan = request_of(
        tmp_path / "shop.parquet", engine, quantities="INTEGER", prices="DOUBLE", stamps="DATE"
    ).plan
    kinds = {"date": "day", "quantity": "whole", "price": "float"}
    commas = replace(plan, numbers={r: replace(f, decimal=",") for r, f in plan.numbers.items()})
    patterns = replace(plan, dates={"invoice_date": DateFormat(order="dmy", patterns=("%Y",))})
    times = replace(plan, columns={**plan.columns, "invoice_time": "time"})

    def found(plan: object, *others: dict[str, str], as_text: tuple[str, ...] = ()) -> set[str]:
        return set(find_stored(plan, [kinds, *others], as_text=as_text))  # type: ignore[arg-type, list-item]

    assert found(plan) == {"invoice_date", "quantity", "unit_price"}
    assert found(commas) == {"invoice_date"}
    assert found(patterns) == found(times) == {"quantity", "unit_price"}
    assert found(plan, {**kinds, "price": "decimal"}) == {"invoice_date", "quantity"}
    assert found(plan, as_text=("date",)) == {"quantity", "unit_price"}
