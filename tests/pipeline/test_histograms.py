"""Histograms: everybody in exactly one bin, round edges, not too many."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from customers import read_retail_customers
from hypothesis import given
from hypothesis import strategies as st

from rfm_backend.pipeline.histograms import make_histograms


def test_recency_has_even_bins_of_days() -> None:
    days = np.array([1, 2, 29, 30, 59, 60, 374])

    edges, counts = make_histograms(days, days, days)["recency"]

    assert edges == tuple(float(day) for day in range(0, 391, 30))
    assert counts == (3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)


def test_a_few_purchases_have_a_bin_each() -> None:
    orders = np.array([1, 1, 1, 2, 4, 4, 7])

    edges, counts = make_histograms(orders, orders, orders)["frequency"]

    assert edges == (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
    assert counts == (3, 1, 0, 2, 0, 0, 1)


def test_bins_grow_where_one_customer_stands_far_above_the_others() -> None:
    orders = np.array([1, 1, 1, 2, 3, 4, 5, 6, 7, 40])

    edges, counts = make_histograms(orders, orders, orders)["frequency"]

    assert edges == (1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0)
    assert counts == (3, 1, 1, 1, 2, 1, 0, 0, 0, 1)


def test_the_largest_value_on_a_round_number_has_a_bin_above_it() -> None:
    orders = np.array([1, 1, 1, 50])

    edges, counts = make_histograms(orders, orders, orders)["frequency"]

    assert edges[-2:] == (50.0, 70.0)
    assert counts[-1] == 1


def test_money_has_round_edges_in_any_currency() -> None:
    orders = np.array([1, 1])

    assert make_histograms(orders, orders, np.array([0.29, 0.31]))["monetary"] == (
        tuple(float(f"0.{cents}") for cents in range(290, 312)),
        (1, *[0] * 19, 1),
    )
    skewed = np.array([150_000.0, 150_000.0, 77_000_000.0])
    edges, counts = make_histograms(skewed, orders, skewed)["monetary"]
    assert edges[:3] == (150_000.0, 200_000.0, 300_000.0)
    assert edges[-1] == 100_000_000.0
    assert (counts[0], counts[-1], sum(counts)) == (2, 1, 3)


def test_one_customer_has_a_bin() -> None:
    one = np.array([5])

    for edges, counts in make_histograms(one, one, one).values():
        assert sum(counts) == 1
        assert edges[0] <= 5 < edges[-1]


@pytest.mark.parametrize("dimension", ["recency", "frequency", "monetary"])
def test_the_bins_of_online_retail_hold_all_customers(data_dir: Path, dimension: str) -> None:
    edges, counts = make_histograms(*read_retail_customers(data_dir))[dimension]

    assert sum(counts) == 4338
    assert 10 <= len(counts) <= 24
    # Source: algorithms.md 1.1: 1,493 customers bought once.
    assert dimension != "frequency" or (edges[:2], counts[0]) == ((1.0, 2.0), 1493)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40_000),
            st.integers(1, 10**7),
            st.decimals("0.000001", "1e20", places=6).map(float)
            | st.decimals("0.01", "99", places=2).map(float),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_customer_is_in_one_of_at_most_24_bins(
    customers: list[tuple[int, int, float]],
) -> None:
    columns = [np.array(column) for column in zip(*customers, strict=True)]

    for edges, counts in make_histograms(*columns).values():
        assert sum(counts) == len(customers)
        assert len(counts) == len(edges) - 1 <= 24
        assert all(low < high for low, high in pairwise(edges))
