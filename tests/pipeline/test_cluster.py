"""KMeans: the numbers of Online Retail, labels by the nearest centre, samples, few customers."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from customers import make_shop, read_retail_customers
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # ships no types

from rfm_backend.errors import InvalidOption
from rfm_backend.pipeline.cluster import Clustering, assign, cluster_customers, warm_up
from rfm_backend.pipeline.features import Features, make_features
from rfm_backend.pipeline.model import Model, predict_clusters
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.rules import RuleTable

POINTS = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=12
)


def as_features(points: list[tuple[float, float, float]] | NDArray[np.float64]) -> Features:
    """Take points as features as they are."""
    matrix = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    return Features(matrix=matrix, means=(0.0, 0.0, 0.0), scales=(1.0, 1.0, 1.0))


def values(clustering: Clustering) -> list[float]:
    """Return the value of each centre: -recency + frequency + monetary."""
    return [-recency + f + m for recency, f, m in clustering.centres_scaled.tolist()]


@pytest.fixture
def retail(data_dir: Path) -> Features:
    return make_features(*read_retail_customers(data_dir))


# Source: DESIGN, numbers to hold (scikit-learn 1.9.1 on the same definition).
@pytest.mark.parametrize(
    ("n_clusters", "inertia"),
    [(2, 6474.1), (3, 4856.3), (4, 3924.4), (5, 3268.0), (6, 2840.1), (7, 2533.0), (8, 2325.5)],
)
def test_the_inertia_of_online_retail(retail: Features, n_clusters: int, inertia: float) -> None:
    clustering = cluster_customers(retail, n_clusters=n_clusters, seed=42)

    assert clustering.inertia == pytest.approx(inertia, abs=0.06)
    assert clustering.n_clusters == n_clusters


def test_the_five_clusters_of_online_retail_best_first(retail: Features, data_dir: Path) -> None:
    customers = np.column_stack(read_retail_customers(data_dir))

    labels = cluster_customers(retail, n_clusters=5, seed=42).labels

    # Source: DESIGN, about 344 966 1008 875 1145; seeds differ by a handful of customers.
    assert np.bincount(labels).tolist() == pytest.approx([344, 966, 1008, 875, 1145], abs=10)
    medians = [np.median(customers[labels == label], axis=0).tolist() for label in range(5)]
    # Source: an independent run of the same definition (anchors: k = 5 profile).
    expected = [[8, 15, 6121], [16, 5, 1798], [82, 3, 1007], [26, 1, 349], [219, 1, 243]]
    for median, (recency, frequency, monetary) in zip(medians, expected, strict=True):
        assert median[0] == pytest.approx(recency, abs=1)
        assert median[1] == frequency
        assert median[2] == pytest.approx(monetary, rel=0.01)


def test_the_fit_is_that_of_scikit_learn(retail: Features) -> None:
    peer = KMeans(5, n_init=20, tol=1e-6, max_iter=500, random_state=7).fit(retail.matrix)

    clustering = cluster_customers(retail, n_clusters=5, seed=7)

    assert clustering.inertia == pytest.approx(peer.inertia_, rel=1e-9)
    assert adjusted_rand_score(peer.labels_, clustering.labels) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("n_seeds", [15, pytest.param(60, marks=pytest.mark.security_long)])
def test_any_seeds_agree(retail: Features, n_seeds: int) -> None:
    found = [cluster_customers(retail, n_clusters=5, seed=seed) for seed in range(n_seeds)]

    inertias = [one.inertia for one in found]
    assert max(inertias) <= min(inertias) * 1.00002
    worst = min(
        adjusted_rand_score(one.labels, other.labels)
        for place, one in enumerate(found)
        for other in found[:place]
    )
    assert worst >= 0.98


def test_the_number_of_threads_plays_no_part(retail: Features) -> None:
    warm_up()
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(cluster_customers(retail, n_clusters=5, seed=42))

    assert found[0].centres_scaled.tobytes() == found[1].centres_scaled.tobytes()
    assert found[0].labels.tobytes() == found[1].labels.tobytes()
    assert found[0].inertia == found[1].inertia


def test_a_saved_model_gives_the_same_labels(retail: Features, data_dir: Path) -> None:
    customers = read_retail_customers(data_dir)
    clustering = cluster_customers(retail, n_clusters=5, seed=42)
    model = Model(
        edges=(),
        score_method="quantile",
        rules=RuleTable(name="none", dimensions=2, segments=(), cells={}),
        feature_means=retail.means,
        feature_scales=retail.scales,
        centres_scaled=tuple((a, b, c) for a, b, c in clustering.centres_scaled.tolist()),
        cluster_names=("a", "b", "c", "d", "e"),
        inertia=clustering.inertia,
        n_customers=4338,
        seed=42,
        snapshot_date=dt.date(2011, 12, 10),
        snapshot_is_given=False,
        options=Options(),
        versions={},
    )

    assert predict_clusters(model, *customers).tobytes() == clustering.labels.tobytes()


def test_a_customer_halfway_between_two_centres_takes_the_better_one() -> None:
    centres = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [0.0, -2.0, 0.0]])

    labels, inertia = assign(np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]), centres)

    assert labels.tolist() == [0, 1]
    assert labels.dtype == np.int16
    assert inertia == 2.0


def test_all_rows_are_assigned_however_many_chunks_they_fill() -> None:
    random = np.random.default_rng(1)
    matrix = random.normal(size=(16_384 * 2 + 5, 3))
    centres = random.normal(size=(4, 3))
    distances = ((matrix[:, None, :] - centres) ** 2).sum(axis=2)

    labels, inertia = assign(matrix, centres)

    assert labels.tolist() == distances.argmin(axis=1).tolist()
    assert inertia == pytest.approx(distances.min(axis=1).sum(), rel=1e-12)


@given(POINTS, st.integers(1, 6), st.integers(0, 99))
def test_what_always_holds(
    points: list[tuple[float, float, float]], n_clusters: int, seed: int
) -> None:
    clustering = cluster_customers(as_features(points), n_clusters=n_clusters, seed=seed)

    matrix = np.array(points, dtype=np.float64)
    distances = ((matrix[:, None, :] - clustering.centres_scaled) ** 2).sum(axis=2)
    assert clustering.n_clusters == min(n_clusters, len(set(points)))
    assert sorted(set(clustering.labels.tolist())) == list(range(clustering.n_clusters))
    chosen = distances[np.arange(len(matrix)), clustering.labels]
    assert chosen == pytest.approx(distances.min(axis=1), abs=1e-9)
    assert values(clustering) == pytest.approx(sorted(values(clustering), reverse=True))
    assert clustering.inertia == pytest.approx(distances.min(axis=1).sum(), abs=1e-9)


def test_equal_values_are_ordered_by_recency_then_frequency() -> None:
    # The values of all three are zero: -R + F + M.
    points = [(2.0, 1.0, 1.0), (0.0, -1.0, 1.0), (0.0, 1.0, -1.0)]

    clustering = cluster_customers(as_features(points), n_clusters=3, seed=1)

    assert clustering.labels.tolist() == [2, 1, 0]


def test_fewer_kinds_of_customers_than_clusters_gives_the_number_really_used() -> None:
    features = make_features([1, 1, 50, 300, 300], [9, 9, 2, 1, 1], [900, 900, 50, 5, 5])

    clustering = cluster_customers(features, n_clusters=5, seed=42)

    assert clustering.n_clusters == 3
    assert clustering.labels.tolist() == [0, 0, 1, 2, 2]
    assert clustering.inertia == 0.0


def test_one_customer_is_one_cluster() -> None:
    clustering = cluster_customers(make_features([1], [1], [1.0]), n_clusters=5, seed=42)

    assert clustering.labels.tolist() == [0]
    assert clustering.centres_scaled.tolist() == [[0.0, 0.0, 0.0]]


def test_one_cluster_has_everybody_and_the_variance_as_inertia(retail: Features) -> None:
    clustering = cluster_customers(retail, n_clusters=1, seed=42)

    assert not clustering.labels.any()
    # Three standardised columns of 4338 customers have a variance of 1 each.
    assert clustering.inertia == pytest.approx(3 * 4338, rel=1e-12)


def test_customers_who_differ_less_than_arithmetic_can_tell_make_no_empty_cluster() -> None:
    # Far from the middle, scikit-learn's distance formula cannot see steps of 2e-9: it finds three
    # clusters and warns.
    line = [0, 2e-9, 4e-9, 6e-9, 1e3, 1e3 + 1e-8]
    points = np.column_stack([line, np.zeros(6), np.zeros(6)])

    clustering = cluster_customers(as_features(points), n_clusters=4, seed=1)

    assert np.bincount(clustering.labels, minlength=clustering.n_clusters).min() > 0
    assert len(clustering.centres_scaled) == clustering.n_clusters


@pytest.mark.parametrize("n_clusters", [0, -1])
def test_less_than_one_cluster_is_refused(n_clusters: int) -> None:
    with pytest.raises(InvalidOption, match="at least one"):
        cluster_customers(make_features([1], [1], [1]), n_clusters=n_clusters, seed=42)


def test_a_sample_is_refined_on_all_customers() -> None:
    features = make_features(*make_shop(6_000))
    sample = np.random.default_rng(3).permutation(6_000)[:800]

    whole = cluster_customers(features, n_clusters=4, seed=42)
    sampled = cluster_customers(features, n_clusters=4, seed=42, sample=sample)

    # Left where the sample put them, the centres would cost 0.1 % and more.
    assert sampled.inertia == pytest.approx(whole.inertia, rel=1e-4)
    assert len(sampled.labels) == 6_000


@pytest.mark.security_long
def test_a_sample_of_100_000_costs_less_than_a_hundredth_of_a_percent() -> None:
    features = make_features(*make_shop(250_000))
    sample = np.random.default_rng(3).permutation(250_000)[:100_000]

    whole = cluster_customers(features, n_clusters=5, seed=42)
    sampled = cluster_customers(features, n_clusters=5, seed=42, sample=sample)

    assert sampled.inertia == pytest.approx(whole.inertia, rel=1e-4)


def test_the_order_in_which_a_sample_was_drawn_plays_no_part() -> None:
    features = make_features(*make_shop(2_000))
    sample = np.random.default_rng(3).permutation(2_000)[:300]

    one = cluster_customers(features, n_clusters=3, seed=42, sample=sample)
    other = cluster_customers(features, n_clusters=3, seed=42, sample=sample[::-1])

    assert one.centres_scaled.tobytes() == other.centres_scaled.tobytes()


def test_a_sample_of_too_few_kinds_does_not_hide_the_others() -> None:
    points = [(0.0, 0.0, 0.0)] * 50 + [(5.0, 0.0, 0.0), (0.0, 5.0, 0.0), (0.0, 0.0, 7.0)]

    for size in (2, 20):
        clustering = cluster_customers(
            as_features(points), n_clusters=3, seed=42, sample=np.arange(size, dtype=np.intp)
        )

        assert clustering.n_clusters == 3


def test_of_two_solutions_that_cost_nearly_the_same_all_customers_decide() -> None:
    # Four groups at the corners of a rectangle: two clusters are best split across its longer side,
    # which is longer by so little that a sample cannot tell.
    corner = (0.0, 1.0, 1.0004)
    points = [(0.0, side * corner[1], end * corner[2]) for side in (-1, 1) for end in (-1, 1)]
    sample = np.array([0, 1, 2, 3] * 40 + [1, 2] * 5, dtype=np.intp)

    clustering = cluster_customers(as_features(points * 500), n_clusters=2, seed=42, sample=sample)

    # Everybody is 1 away from a centre; split across the other side 1.0004, 0.08 % more.
    assert clustering.inertia == pytest.approx(2_000, rel=1e-6)


def test_the_features_are_not_changed(retail: Features) -> None:
    before = retail.matrix.tobytes()

    cluster_customers(retail, n_clusters=3, seed=42, sample=np.arange(500, dtype=np.intp))

    assert retail.matrix.tobytes() == before
