"""Customers for the tests of features, clusters and profiles: real ones, and a table of a few."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rfm_backend.engines.protocol import Engine

RESULT_COLUMNS = (
    "customer_id VARCHAR, recency INTEGER, frequency BIGINT, monetary DECIMAL(38,12), "
    "r_score TINYINT, f_score TINYINT, segment VARCHAR, cluster SMALLINT"
)


def read_retail_customers(data_dir: Path) -> tuple[NDArray[np.float64], ...]:
    """Return recency, frequency, monetary of the 4338 customers, in order of customer_id."""
    with (data_dir / "online_retail" / "expected_rfm.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["customer_id"])
    return tuple(
        np.array([float(row[name]) for row in rows])
        for name in ("recency", "frequency", "monetary")
    )


def make_shop(n_customers: int, *, seed: int = 7) -> tuple[NDArray[np.float64], ...]:
    """Return made-up recency, frequency, monetary with the skew of a real shop."""
    random = np.random.default_rng(seed)
    age = random.integers(1, 730, n_customers)
    frequency = 1 + random.poisson(random.gamma(0.6, 1 / 60, n_customers) * age)
    recency = 1 + np.floor(age * random.random(n_customers) ** (frequency / 3))
    spent = np.round(np.exp(random.normal(3.5, 0.9, n_customers)) * frequency, 2) + 0.01
    return tuple(column.astype(np.float64) for column in (recency, frequency, spent))


def make_result(engine: Engine, *rows: str, table: str = "result") -> str:
    """Make a table of results from SQL rows of `RESULT_COLUMNS`; return its name."""
    engine.execute(f"CREATE TABLE {table} ({RESULT_COLUMNS})")
    if rows:
        engine.execute(f"INSERT INTO {table} VALUES {', '.join(rows)}")
    return table


def make_retail_result(
    engine: Engine, customers: Sequence[NDArray[np.float64]], labels: NDArray[np.int16]
) -> str:
    """Make the table of results of `customers` in clusters; scores and segment are all the same."""
    recency, frequency, monetary = customers
    engine.create_from_arrays(
        "clustered",
        {"recency": recency, "frequency": frequency, "monetary": monetary, "cluster": labels},
    )
    engine.execute(
        "CREATE TABLE result AS SELECT recency::INTEGER AS recency, frequency::BIGINT AS frequency, "
        "round(monetary::DECIMAL(38,12), 2)::DECIMAL(38,12) AS monetary, cluster, "
        "'all' AS segment FROM clustered"
    )
    return "result"
