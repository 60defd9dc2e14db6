"""Names of clusters: each line of the rule by hand, and no dependence on the label's number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfm_backend.pipeline.cluster_names import (
    NAMES,
    MiddleCustomer,
    Quantiles,
    name_clusters,
    split_name,
)

# Online Retail: recency median, 60 % of frequency, 40 % and 80 % of monetary (anchors, edges).
EVERYBODY = Quantiles(
    median_recency=51, regular_frequency=3, low_monetary=490.096, high_monetary=2058.426
)


def middle(
    recency: float, frequency: float, monetary: float, n_customers: int = 100
) -> MiddleCustomer:
    return MiddleCustomer(
        recency=recency, frequency=frequency, monetary=monetary, n_customers=n_customers
    )


MIDDLES = st.builds(
    middle,
    st.integers(1, 100),
    st.integers(1, 6),
    st.sampled_from([100, 490.096, 900, 2058.426, 5000]),
    st.integers(1, 9),
)


@pytest.mark.parametrize(
    ("recency", "frequency", "monetary", "name"),
    [
        (8, 15, 6121, "high_value_active"),
        (120, 15, 6121, "high_value_lapsing"),
        (16, 5, 1798, "regular_active"),
        (82, 5, 1798, "regular_lapsing"),
        (16, 3, 1007, "mid_value_active"),
        (82, 3, 1007, "mid_value_lapsing"),
        (16, 2, 349, "low_value_recent"),
        (219, 2, 243, "low_value_lapsed"),
        (26, 1, 349, "one_time_recent"),
        (219, 1, 243, "one_time_lapsed"),
    ],
)
def test_each_name(recency: float, frequency: float, monetary: float, name: str) -> None:
    assert name_clusters([middle(recency, frequency, monetary)], EVERYBODY) == (name,)


@pytest.mark.parametrize(
    ("recency", "frequency", "monetary", "name"),
    [
        (51, 15, 6121, "high_value_active"),
        (51.5, 15, 6121, "high_value_lapsing"),
        (8, 2, 2058.426, "mid_value_active"),
        (8, 2, 2058.43, "high_value_active"),
        (8, 3.5, 100, "regular_active"),
        (8, 3, 490.096, "mid_value_active"),
        (8, 3, 490.09, "low_value_recent"),
        (8, 1.5, 490.09, "low_value_recent"),
        (8, 1, 9999, "high_value_active"),
    ],
)
def test_each_edge_of_the_rule(
    recency: float, frequency: float, monetary: float, name: str
) -> None:
    assert name_clusters([middle(recency, frequency, monetary)], EVERYBODY) == (name,)


def test_of_two_of_one_name_the_one_with_more_money_keeps_it() -> None:
    poor, rich, richest = middle(9, 9, 3000, 900), middle(9, 9, 4000, 5), middle(9, 9, 5000, 5)

    assert name_clusters([poor, rich, richest], EVERYBODY) == (
        "high_value_active_3",
        "high_value_active_2",
        "high_value_active",
    )


def test_of_two_of_one_name_and_equal_money_the_larger_keeps_it() -> None:
    small, large = middle(9, 9, 3000, 5), middle(8, 9, 3000, 900)

    assert name_clusters([small, large], EVERYBODY) == ("high_value_active_2", "high_value_active")


@given(st.lists(MIDDLES, min_size=1, max_size=6, unique_by=lambda one: one), st.randoms())
def test_names_are_unique_and_go_with_the_customers_not_with_the_place(
    clusters: list[MiddleCustomer], random: object
) -> None:
    ranks = {(one.monetary, one.n_customers) for one in clusters}
    names = name_clusters(clusters, EVERYBODY)

    assert len(set(names)) == len(names)
    assert {split_name(name)[0] for name in names} <= set(NAMES)
    if len(ranks) == len(clusters):
        assert name_clusters(clusters[::-1], EVERYBODY) == names[::-1]


def test_a_shop_where_all_are_alike_has_no_high_value() -> None:
    everybody = Quantiles(median_recency=5, regular_frequency=2, low_monetary=9, high_monetary=9)

    assert name_clusters([middle(5, 2, 9)], everybody) == ("mid_value_active",)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_splits_into_its_key_and_number(name: str) -> None:
    assert split_name(name) == (name, 1)
    assert split_name(f"{name}_12") == (name, 12)
