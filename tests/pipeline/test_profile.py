"""Profiles: money to the last digit, the middle customer, empty segments, shares that add up."""

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from customers import make_result, make_retail_result, read_retail_customers

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.pipeline.cluster import cluster_customers
from rfm_backend.pipeline.features import centres_in_units, make_features
from rfm_backend.pipeline.profile import (
    cross_table,
    heat_map,
    profile_clusters,
    profile_segments,
    sample_scatter,
)

# customer, recency, frequency, monetary, r_score, f_score, segment, cluster
FIVE = (
    "('a', 1, 9, 100.10, 5, 5, 'champions', 0)",
    "('b', 2, 7, 200.20, 5, 5, 'champions', 0)",
    "('c', 90, 2, 30.303, 2, 2, 'hibernating', 1)",
    "('d', 100, 1, 9.99, 2, 1, 'hibernating', 2)",
    "('e', 120, 1, 0.01, 1, 1, 'hibernating', 2)",
)
SEGMENTS = ("hibernating", "at_risk", "champions")
CENTRES = ((1.4, 8.0, 141.0), (90.0, 2.0, 30.0), (110.0, 1.0, 0.5))


def test_a_segment_has_its_size_its_exact_money_and_its_middle_customer(
    engine: DuckDBEngine,
) -> None:
    table = make_result(engine, *FIVE)

    hibernating, _, champions = profile_segments(engine, table=table, segments=SEGMENTS)

    assert champions.segment == "champions"
    assert champions.n_customers == 2
    assert champions.share_of_customers == 0.4
    assert champions.monetary == Decimal("300.30")
    assert champions.share_of_monetary == pytest.approx(300.30 / 340.603)
    assert champions.median_recency == 1.5
    assert champions.median_frequency == 8.0
    assert champions.median_monetary == pytest.approx(150.15)
    assert hibernating.monetary == Decimal("40.303")
    assert hibernating.median_recency == 100.0
    assert hibernating.median_frequency == 1.0
    assert hibernating.median_monetary == 9.99


def test_a_segment_without_customers_is_there_in_its_place(engine: DuckDBEngine) -> None:
    table = make_result(engine, *FIVE)

    profiles = profile_segments(engine, table=table, segments=SEGMENTS)

    assert [one.segment for one in profiles] == list(SEGMENTS)
    empty = profiles[1]
    assert (empty.n_customers, empty.share_of_customers) == (0, 0.0)
    assert (empty.monetary, empty.share_of_monetary) == (Decimal(0), 0.0)
    assert (empty.median_recency, empty.median_frequency, empty.median_monetary) == (0.0,) * 3


def test_money_is_exact_beyond_the_digits_of_a_float_and_of_pythons_decimals(
    engine: DuckDBEngine,
) -> None:
    table = make_result(
        engine,
        "('a', 1, 1, 99999999999999999999.000000000001, 1, 1, 'x', 0)",
        "('b', 1, 1, 0.000000000001, 1, 1, 'x', 0)",
    )

    [profile] = profile_segments(engine, table=table, segments=["x"])

    assert profile.monetary == Decimal("99999999999999999999.000000000002")
    assert profile.share_of_monetary == 1.0


def test_a_cluster_has_its_centre_and_a_name_from_its_profile(engine: DuckDBEngine) -> None:
    table = make_result(engine, *FIVE)

    profiles = profile_clusters(engine, table=table, centres=CENTRES)

    assert [one.cluster for one in profiles] == [0, 1, 2]
    assert [one.n_customers for one in profiles] == [2, 1, 2]
    assert [one.monetary for one in profiles] == [
        Decimal("300.30"),
        Decimal("30.303"),
        Decimal("10.00"),
    ]
    assert profiles[2].median_recency == 110.0
    assert [one.centre for one in profiles] == list(CENTRES)
    # Everybody: recency median 90; 60 % of frequency 4 (between 2 and 7, at 2.4 of 4 steps);
    # monetary 40 % 22.2 (between 9.99 and 30.303, at 1.6), 80 % 120.1 (at 3.2).
    # Medians: 1.5 / 8 / 150; 90 / 2 / 30.3; 110 / 1 / 5.
    assert [one.name for one in profiles] == [
        "high_value_active",
        "mid_value_active",
        "one_time_lapsed",
    ]


def test_names_compare_with_the_quantiles_of_all_customers(engine: DuckDBEngine) -> None:
    # Frequency is 2 for all; monetary 1..11: the 40 % quantile is 5, the 80 % quantile 9.
    labels = {1: 2, 4: 2, 5: 1, 9: 1, 10: 0, 11: 0}
    rows = [f"('{m}', 5, 2, {m}, 3, 2, 'x', {labels.get(m, 3)})" for m in range(1, 12)]
    table = make_result(engine, *rows)

    profiles = profile_clusters(engine, table=table, centres=[(5.0, 2.0, 1.0)] * 4)

    # Medians 10.5, 7, 2.5 and (2, 3, 6, 7, 8) 6.
    assert [one.name for one in profiles] == [
        "high_value_active",
        "mid_value_active",
        "low_value_recent",
        "mid_value_active_2",
    ]


@pytest.mark.parametrize(
    ("monetary", "name"), [("4.99", "low_value_recent"), ("5", "mid_value_active")]
)
def test_mid_value_begins_at_the_40_percent_quantile(
    engine: DuckDBEngine, monetary: str, name: str
) -> None:
    # Monetary 1..11: ten steps, of which 40 % lead to the fifth value, 5.
    others = [f"('{m}', 5, 2, {m}, 3, 2, 'x', 1)" for m in (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)]
    table = make_result(engine, "('five', 5, 2, 5, 3, 2, 'x', 1)", *others)
    centres = [(5.0, 2.0, float(monetary)), (5.0, 2.0, 9.0)]

    profiles = profile_clusters(engine, table=table, centres=centres)

    # The first cluster owns nobody, so that its centre names it.
    assert profiles[0].name.removesuffix("_2") == name


def test_a_saved_models_names_are_kept_and_a_cluster_may_be_empty(engine: DuckDBEngine) -> None:
    table = make_result(engine, *FIVE)

    profiles = profile_clusters(
        engine, table=table, centres=(*CENTRES, (400.0, 1.0, 0.1)), names=["w", "x", "y", "z"]
    )

    assert [one.name for one in profiles] == ["w", "x", "y", "z"]
    assert profiles[3].n_customers == 0
    assert profiles[3].centre == (400.0, 1.0, 0.1)


def test_an_empty_cluster_without_a_name_is_named_by_its_centre(engine: DuckDBEngine) -> None:
    table = make_result(engine, *FIVE)

    profiles = profile_clusters(engine, table=table, centres=(*CENTRES, (1.0, 1.0, 9999.0)))

    assert profiles[3].name == "high_value_active"
    assert profiles[0].name == "high_value_active_2"


def test_segments_are_crossed_with_clusters(engine: DuckDBEngine) -> None:
    table = make_result(engine, *FIVE)

    found = cross_table(engine, table=table, segments=SEGMENTS, n_clusters=4)

    assert list(found) == list(SEGMENTS)
    assert found == {
        "hibernating": (0, 1, 2, 0),
        "at_risk": (0, 0, 0, 0),
        "champions": (2, 0, 0, 0),
    }


def test_the_heat_map_has_every_cell(engine: DuckDBEngine) -> None:
    table = make_result(engine, *FIVE)

    cells = heat_map(engine, table=table)

    assert len(cells) == 25
    assert cells[5, 5] == (2, Decimal("300.30"))
    assert cells[2, 1] == (1, Decimal("9.99"))
    assert cells[1, 2] == (0, Decimal(0))
    assert sum(count for count, _ in cells.values()) == 5


def test_the_scatter_draws_the_first_1500_of_the_sample_in_the_order_of_customers() -> None:
    values = np.arange(2_000)
    labels = (values % 5).astype(np.int16)

    points = sample_scatter(values, values + 1, values + 0.5, labels, sample=values[::-1])

    assert len(points) == 1_500
    assert points[0] == (500.0, 501.0, 500.5, 0)
    assert points[-1] == (1999.0, 2000.0, 1999.5, 4)


def test_the_clusters_of_online_retail_have_names_that_fit(
    engine: DuckDBEngine, data_dir: Path
) -> None:
    customers = read_retail_customers(data_dir)
    features = make_features(*customers)
    clustering = cluster_customers(features, n_clusters=5, seed=42)
    table = make_retail_result(engine, customers, clustering.labels)

    profiles = profile_clusters(
        engine,
        table=table,
        centres=centres_in_units(
            clustering.centres_scaled, means=features.means, scales=features.scales
        ),
    )

    # Shares of revenue: 53, 23, 16, 4, 4 % (anchors, section 3).
    assert [one.share_of_monetary for one in profiles] == pytest.approx(
        [0.53, 0.23, 0.16, 0.04, 0.04], abs=0.01
    )
    assert [one.name for one in profiles] == [
        "high_value_active",
        "regular_active",
        "mid_value_lapsing",
        "one_time_recent",
        "one_time_lapsed",
    ]
    # The file's cents add up to 8,911,407.90.
    assert sum(one.monetary for one in profiles) == Decimal("8911407.90")
    assert sum(one.n_customers for one in profiles) == 4338
