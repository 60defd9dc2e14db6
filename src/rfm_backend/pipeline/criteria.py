"""Which number of clusters: the usual criteria side by side, and a rule that chooses.

    features -> [criteria] -> cluster          only with ``n_clusters="auto"``

In:  `Features`, one row per customer in order of customer_id    (features.py)
Out: `ClusterCriteria`, one per number of clusters, and the choice with the rule that made it

What always holds afterwards
    * the same features, seed and sample give the same numbers, whatever the machine's threads;
    * above `CUSTOMERS` customers all criteria are those of a sample of that size, only the inertia
      is scaled up to all customers, so that the time taken is bounded;
    * numbers of clusters that the data cannot hold (not more distinct customers than clusters) are
      left out.

What this stage does not do: it claims no true number.  Customers seldom form natural groups; the
criteria answer different questions, which is why all of them are shown.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rfm_backend.pipeline.analysis import ClusterCriteria
from rfm_backend.pipeline.cluster import (
    Labels,
    Points,
    assign,
    distinct_points,
    fit_centres,
    one_thread,
)
from rfm_backend.pipeline.features import Features

CUSTOMERS: Final = 5_000
REFERENCES: Final = 20
RESAMPLES: Final = 20
STABLE: Final = 0.8
SMALLEST_SHARE: Final = 0.01
# Fits on references and resamples are many and need no last digit.
_QUICK_STARTS: Final = 3
_QUICK_TOLERANCE: Final = 1e-4
# Each random choice has its own stream, so that adding one criterion leaves the others alone.
_SAMPLE, _GAP, _STABILITY = 1, 2, 3

RULE_GAP: Final = "gap"
RULE_LARGEST_GAP: Final = "largest_gap"
RULE_MOST_STABLE: Final = "most_stable"
RULE_TOO_FEW: Final = "too_few_customers"
RULES: Final = (RULE_GAP, RULE_LARGEST_GAP, RULE_MOST_STABLE, RULE_TOO_FEW)


def compare_cluster_numbers(
    features: Features,
    *,
    seed: int,
    numbers: Sequence[int] = range(2, 11),
    sample: NDArray[np.intp] | None = None,
) -> tuple[ClusterCriteria, ...]:
    """Return the criteria for each number of clusters, in the order of `numbers`.

    Parameters
    ----------
    features : Features
        One row per customer.  Not modified.
    seed : int
        Stands behind every random choice.
    numbers : numbers of clusters, each at least 2.
    sample : row numbers, optional
        Customers in the order in which a sample takes them; the first `CUSTOMERS` are used.  None
        draws them with `seed`.

    Returns
    -------
    tuple of ClusterCriteria
        Empty where there are fewer than three distinct customers.
    """
    matrix = _sample(features.matrix, seed=seed, sample=sample)
    points = distinct_points(matrix, stop_above=max(numbers))
    possible = [k for k in numbers if points is None or k < len(points)]
    if not possible:
        return ()
    with one_thread():
        return _criteria(matrix, possible, seed=seed, scale=len(features.matrix) / len(matrix))


def _criteria(
    matrix: Points, numbers: Sequence[int], *, seed: int, scale: float
) -> tuple[ClusterCriteria, ...]:
    fits = {k: assign(matrix, fit_centres(matrix, n_clusters=k, seed=seed)) for k in numbers}
    gaps = _gaps(matrix, {k: inertia for k, (_, inertia) in fits.items()}, seed=seed)
    found = []
    for k, (labels, inertia) in fits.items():
        silhouette, davies_bouldin, calinski_harabasz = _shape(matrix, labels)
        found.append(
            ClusterCriteria(
                n_clusters=k,
                inertia=inertia * scale,
                silhouette=silhouette,
                davies_bouldin=davies_bouldin,
                calinski_harabasz=calinski_harabasz,
                gap=gaps[k][0],
                gap_error=gaps[k][1],
                stability=_stability(matrix, labels, n_clusters=k, seed=seed),
                smallest_share=float(np.bincount(labels, minlength=k).min() / len(labels)),
            )
        )
    return tuple(found)


def choose(criteria: Sequence[ClusterCriteria]) -> tuple[int, str]:
    """Return the number of clusters to use and the rule that chose it.

    Only numbers whose smallest cluster holds at least 1 % of the customers and whose stability is
    at least 0.8 are looked at.  Among them, in this order:

    ``gap``
        the smallest k with gap(k) >= gap(k + 1) - s(k + 1), Tibshirani's one-standard-error rule;
    ``largest_gap``
        where no k fulfils it, the one with the largest gap.

    Where none is left to look at, ``most_stable`` takes the k of the highest stability.  Without
    criteria, ``too_few_customers`` answers 2: that many clusters show each of two customers.

    Parameters
    ----------
    criteria : sequence of ClusterCriteria
        Ascending by number of clusters.

    Returns
    -------
    int, str
        The number, and the rule's key in the catalogue (section "criteria").
    """
    if not criteria:
        return 2, RULE_TOO_FEW
    usable = [
        one for one in criteria if one.stability >= STABLE and one.smallest_share >= SMALLEST_SHARE
    ]
    if not usable:
        return max(criteria, key=lambda one: one.stability).n_clusters, RULE_MOST_STABLE
    following = {one.n_clusters - 1: one for one in criteria}
    for one in usable:
        after = following.get(one.n_clusters)
        if after is not None and one.gap >= after.gap - after.gap_error:
            return one.n_clusters, RULE_GAP
    return max(usable, key=lambda one: one.gap).n_clusters, RULE_LARGEST_GAP


def _sample(matrix: Points, *, seed: int, sample: NDArray[np.intp] | None) -> Points:
    if len(matrix) <= CUSTOMERS:
        return matrix
    if sample is None:
        sample = np.random.default_rng([seed, _SAMPLE]).permutation(len(matrix))
    return matrix[np.sort(sample[:CUSTOMERS])]


def _shape(matrix: Points, labels: Labels) -> tuple[float, float, float]:
    """Return silhouette, Davies-Bouldin and Calinski-Harabasz."""
    # Imported here for the reason given in `cluster.fit_centres`.
    from sklearn.metrics import (
        calinski_harabasz_score,
        davies_bouldin_score,
        silhouette_score,
    )

    return (
        float(silhouette_score(matrix, labels)),
        float(davies_bouldin_score(matrix, labels)),
        float(calinski_harabasz_score(matrix, labels)),
    )


def _gaps(
    matrix: Points, inertias: dict[int, float], *, seed: int
) -> dict[int, tuple[float, float]]:
    """Return Tibshirani's gap and its standard error for each number of clusters.

    The references are uniform over a box along the principal axes of the data (variant b of the
    paper): recency and frequency go together, and a box along the columns would mostly be empty.
    """
    axes = _principal_axes(matrix)
    turned = matrix @ axes
    low, high = turned.min(axis=0), turned.max(axis=0)
    random = np.random.default_rng([seed, _GAP])
    expected: dict[int, list[float]] = {k: [] for k in inertias}
    for index in range(REFERENCES):
        reference = random.uniform(low, high, size=turned.shape)
        for k, logarithms in expected.items():
            centres = _quick_fit(reference, n_clusters=k, seed=seed + index)
            logarithms.append(float(np.log(assign(reference, centres)[1])))
    error = np.sqrt(1 + 1 / REFERENCES)
    return {
        k: (
            float(np.mean(logarithms) - np.log(inertias[k])),
            float(np.std(logarithms) * error),
        )
        for k, logarithms in expected.items()
    }


def _principal_axes(matrix: Points) -> Points:
    """Return the principal axes as columns, each pointing to where its largest part is positive."""
    _, _, rows = np.linalg.svd(matrix - matrix.mean(axis=0), full_matrices=False)
    largest = np.abs(rows).argmax(axis=1)
    # Libraries differ in the sign of an axis, and a mirrored box draws other references.
    return np.asarray((rows * np.sign(rows[np.arange(len(rows)), largest])[:, None]).T)


def _stability(matrix: Points, labels: Labels, *, n_clusters: int, seed: int) -> float:
    """Return how well refits on resampled customers agree with `labels`: mean adjusted Rand index.

    Every customer, drawn or not, takes the nearest of the refitted centres.
    """
    # Imported here for the reason given in `cluster.fit_centres`.
    from sklearn.metrics import adjusted_rand_score

    random = np.random.default_rng([seed, _STABILITY, n_clusters])
    agreement = []
    for index in range(RESAMPLES):
        drawn = matrix[random.integers(0, len(matrix), len(matrix))]
        centres = _quick_fit(drawn, n_clusters=n_clusters, seed=seed + index)
        agreement.append(float(adjusted_rand_score(labels, assign(matrix, centres)[0])))
    return float(np.mean(agreement))


def _quick_fit(matrix: Points, *, n_clusters: int, seed: int) -> Points:
    return fit_centres(
        matrix, n_clusters=n_clusters, seed=seed, n_init=_QUICK_STARTS, tolerance=_QUICK_TOLERANCE
    )
