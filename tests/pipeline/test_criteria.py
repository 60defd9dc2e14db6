"""Criteria for the number of clusters: by hand, against an independent run, and the rule."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from customers import make_shop, read_retail_customers
from numpy.typing import ArrayLike

from rfm_backend.catalogue import LANGUAGES, words
from rfm_backend.pipeline.analysis import ClusterCriteria
from rfm_backend.pipeline.criteria import RULES, choose, compare_cluster_numbers
from rfm_backend.pipeline.features import Features, make_features


def as_features(points: ArrayLike) -> Features:
    """Take points as features as they are."""
    matrix = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    return Features(matrix=matrix, means=(0.0, 0.0, 0.0), scales=(1.0, 1.0, 1.0))


def criteria_of(
    gaps: Sequence[float],
    *,
    error: float = 0.01,
    stability: float = 0.9,
    smallest_share: float = 0.1,
) -> list[ClusterCriteria]:
    """Return criteria for 2, 3, ... clusters that differ in their gaps only."""
    return [
        ClusterCriteria(
            n_clusters=n_clusters,
            inertia=1.0,
            silhouette=0.3,
            davies_bouldin=1.0,
            calinski_harabasz=100.0,
            gap=gap,
            gap_error=error,
            stability=stability,
            smallest_share=smallest_share,
        )
        for n_clusters, gap in enumerate(gaps, start=2)
    ]


def test_two_pairs_of_customers_by_hand() -> None:
    # On a line at 0, 1, 10, 11; two clusters around 0.5 and 10.5.
    features = as_features([[0, 0, 0], [1, 0, 0], [10, 0, 0], [11, 0, 0]])

    [found] = compare_cluster_numbers(features, seed=42, numbers=(2,))

    assert found.n_clusters == 2
    # Four customers, each half a step from its centre.
    assert found.inertia == pytest.approx(4 * 0.25)
    # Outer: own 1, other (10 + 11) / 2; inner: own 1, other (9 + 10) / 2.
    assert found.silhouette == pytest.approx(((1 - 1 / 10.5) + (1 - 1 / 9.5)) / 2)
    # Mean distances 0.5 and 0.5 over the 10 between the centres.
    assert found.davies_bouldin == pytest.approx(0.1)
    # Between: 4 customers at 5 from the middle, 100 on 1 degree; within: 1 on 2.
    assert found.calinski_harabasz == pytest.approx(200)
    assert found.smallest_share == 0.5


def test_three_clouds_far_apart_are_three_clusters() -> None:
    random = np.random.default_rng(5)
    middles = np.repeat([[0, 0, 0], [10, 0, 0], [0, 10, 0]], [60, 60, 30], axis=0)

    criteria = compare_cluster_numbers(
        as_features(middles + random.normal(size=(150, 3))), seed=42, numbers=range(2, 6)
    )

    assert choose(criteria) == (3, "gap")
    best = criteria[1]
    assert best.silhouette == max(one.silhouette for one in criteria)
    assert best.stability == pytest.approx(1.0, abs=0.01)
    assert best.smallest_share == pytest.approx(0.2)


# Source: an independent run on the same customers (anchors, section 3: choice of k), with gap
# references along the principal axes; gap and stability depend on random draws.
ONLINE_RETAIL = {
    2: (6474, 0.4326, 0.891, 4380, 1.639, 0.979),
    3: (4857, 0.3364, 1.045, 3641, 1.739, 0.924),
    4: (3924, 0.3355, 1.016, 3346, 1.818, 0.872),
    5: (3268, 0.3182, 0.983, 3230, 1.868, 0.876),
    6: (2840, 0.3156, 1.021, 3104, 1.871, 0.832),
    7: (2533, 0.3101, 0.977, 2987, 1.870, 0.861),
    8: (2326, 0.3020, 0.991, 2843, 1.852, 0.694),
}


@pytest.mark.slow
def test_the_criteria_of_online_retail(data_dir: Path) -> None:
    features = make_features(*read_retail_customers(data_dir))

    criteria = compare_cluster_numbers(features, seed=42)

    assert [one.n_clusters for one in criteria] == list(range(2, 11))
    for one in criteria[:7]:
        inertia, silhouette, davies_bouldin, calinski, gap, stability = ONLINE_RETAIL[
            one.n_clusters
        ]
        assert one.inertia == pytest.approx(inertia, abs=1)
        assert one.silhouette == pytest.approx(silhouette, abs=0.002)
        assert one.davies_bouldin == pytest.approx(davies_bouldin, abs=0.004)
        assert one.calinski_harabasz == pytest.approx(calinski, abs=1)
        assert one.gap == pytest.approx(gap, abs=0.015)
        assert 0.002 < one.gap_error < 0.03
        assert one.stability == pytest.approx(stability, abs=0.06)
    assert criteria[3].smallest_share == pytest.approx(0.079, abs=0.002)
    # The same source: 5 is the first number to meet Tibshirani's rule.
    assert choose(criteria) == (5, "gap")


def test_the_same_seed_gives_the_same_criteria_and_another_one_other_references() -> None:
    features = make_features(*make_shop(80))

    one = compare_cluster_numbers(features, seed=1, numbers=(2, 3))

    assert compare_cluster_numbers(features, seed=1, numbers=(2, 3)) == one
    assert compare_cluster_numbers(features, seed=2, numbers=(2, 3))[0].gap != one[0].gap


def test_many_customers_are_compared_by_a_sample_and_the_inertia_is_scaled_up() -> None:
    features = make_features(*make_shop(20_000))
    sample = np.random.default_rng(0).permutation(20_000)
    # Only the order among the first 5,000 differs: who is in the sample does not.
    other = np.concatenate([sample[:5_000][::-1], sample[5_000:]])

    [found] = compare_cluster_numbers(features, seed=42, numbers=(2,), sample=sample)

    assert compare_cluster_numbers(features, seed=42, numbers=(2,), sample=other) == (found,)
    assert compare_cluster_numbers(features, seed=42, numbers=(2,))[0] != found
    [whole] = compare_cluster_numbers(
        as_features(features.matrix[np.sort(sample[:5_000])]), seed=42, numbers=(2,)
    )
    assert found == replace(whole, inertia=whole.inertia * 4)


def test_numbers_that_the_customers_cannot_hold_are_left_out() -> None:
    features = as_features([[0, 0, 0], [0, 0, 0], [1, 0, 0], [2, 5, 0], [7, 0, 0]])

    criteria = compare_cluster_numbers(features, seed=42)

    assert [one.n_clusters for one in criteria] == [2, 3]


def test_two_distinct_customers_have_no_criteria_and_get_two_clusters() -> None:
    criteria = compare_cluster_numbers(as_features([[0, 0, 0], [1, 0, 0], [1, 0, 0]]), seed=42)

    assert criteria == ()
    assert choose(criteria) == (2, "too_few_customers")


def test_the_first_number_that_meets_the_one_error_rule_is_chosen() -> None:
    # 2: 1.00 < 1.20 - 0.01.  3: 1.20 >= 1.205 - 0.01.  4 would do as well, with a larger gap.
    assert choose(criteria_of([1.00, 1.20, 1.205, 1.10])) == (3, "gap")


def test_a_gap_exactly_one_error_below_the_next_meets_the_rule() -> None:
    assert choose(criteria_of([1.0, 1.25], error=0.25)) == (2, "gap")
    assert choose(criteria_of([1.0, 1.2501], error=0.25)) == (3, "largest_gap")


def test_it_is_the_error_of_the_next_number_that_counts() -> None:
    criteria = criteria_of([1.0, 1.1, 1.3])
    criteria[0] = replace(criteria[0], gap_error=0.5)

    assert choose(criteria) == (4, "largest_gap")


def test_without_a_number_that_meets_the_rule_the_largest_gap_is_chosen() -> None:
    criteria = criteria_of([1.0, 1.5, 1.9])
    criteria[2] = replace(criteria[2], stability=0.5)

    assert choose(criteria) == (3, "largest_gap")


@pytest.mark.parametrize(
    "flaw", [{"stability": 0.799}, {"smallest_share": 0.0099}], ids=["unstable", "tiny cluster"]
)
def test_an_unstable_number_or_one_with_a_tiny_cluster_is_passed_over(
    flaw: dict[str, float],
) -> None:
    criteria = criteria_of([1.5, 1.4, 1.3], stability=0.8, smallest_share=0.01)
    criteria[0] = replace(criteria[0], **flaw)  # type: ignore[arg-type] # floats for float fields

    assert choose(criteria) == (3, "gap")


def test_where_no_number_is_usable_the_most_stable_is_chosen() -> None:
    criteria = criteria_of([1.5, 1.4, 1.3], stability=0.5)
    criteria[1] = replace(criteria[1], stability=0.7)

    assert choose(criteria) == (3, "most_stable")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_words(language: str) -> None:
    known = words("en" if language == "en" else "id")

    assert [rule for rule in RULES if f"criteria.{rule}" not in known] == []
