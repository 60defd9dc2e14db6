"""KMeans over the features: every customer gets the label of the nearest centre, 0 the best.

    features -> [cluster] -> result, profile

In:  `Features`, one row per customer in order of customer_id    (features.py)
Out: `Clustering`: labels, centres best first, inertia            (profile.py, model.py)

What always holds afterwards
    * a customer's label is that of the nearest centre, a tie goes to the lower (better) label;
    * centres are ordered by -recency + frequency + monetary in standard deviations, best first;
    * no cluster is empty: ``n_clusters`` is the number really used;
    * the same features and seed give the same bits, however many threads the machine has.

What this stage does not do
    * it chooses no number of clusters (criteria.py) and gives no names (cluster_names.py);
    * it imports scikit-learn only when a fit is asked for, because that takes over a second.
"""

import math
import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rfm_backend.errors import InvalidOption
from rfm_backend.pipeline.features import Features

N_INIT: Final = 20
TOLERANCE: Final = 1e-6
MAX_ITERATIONS: Final = 500
SAMPLE_ABOVE: Final = 100_000
_CHUNK_ROWS: Final = 16_384
# Solutions of a sample that are tried on all customers: those that cost at most three standard
# errors (of an inertia, about 1 / sqrt(n)) more than the best, if their centres differ.  Those that
# then cost nearly the same are refined, because refining may change their order.
_NEAR_ERRORS: Final = 3
_SAME_CENTRES: Final = 0.05
_SAME_COST: Final = 1e-3
_MOST_STARTS: Final = 5
# Points nearer to each other than this, in standard deviations, count as one point.
_SAME_POINT_DECIMALS: Final = 9

Points = NDArray[np.float64]
Labels = NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Customers in clusters, 0 the best.

    Attributes
    ----------
    labels : int16 array, one per customer, in the order of the features.
    centres_scaled : float64 array, one row per cluster, in the space of the features.
    inertia : sum of squared distances of all customers to their centres.
    n_clusters : clusters really used; fewer than asked for where there are fewer distinct points.
    """

    labels: Labels
    centres_scaled: Points
    inertia: float
    n_clusters: int


def warm_up() -> None:
    """Import what a fit needs, so that it can happen while a file is being read."""
    _thread_control()


def one_thread() -> AbstractContextManager[object]:
    """Hold the numeric libraries to one thread: the sums of several may differ in the last bit."""
    return _thread_control().limit(limits=1)


def cluster_customers(
    features: Features,
    *,
    n_clusters: int,
    seed: int,
    sample: NDArray[np.intp] | None = None,
) -> Clustering:
    """Group the customers around `n_clusters` centres.

    Parameters
    ----------
    features : Features
        One row per customer.  Not modified.
    n_clusters : int
        At least 1.
    seed : int
        Feeds scikit-learn's ``random_state``.
    sample : row numbers, optional
        The customers on whom the twenty starts are tried; the best is then refined on all (as are
        others that cost nearly the same, which a sample cannot tell apart).  For more than
        `SAMPLE_ABOVE` customers, where twenty fits on all would take minutes.

    Returns
    -------
    Clustering
        One label per customer, in the order of `features`.

    Raises
    ------
    InvalidOption
        `n_clusters` is below 1.

    Examples
    --------
    >>> from rfm_backend.pipeline.features import make_features
    >>> features = make_features([1, 2, 300, 310], [9, 8, 1, 1], [900, 950, 20, 25])
    >>> cluster_customers(features, n_clusters=2, seed=42).labels.tolist()
    [0, 0, 1, 1]
    """
    if n_clusters < 1:
        raise InvalidOption(
            f"{n_clusters} clusters cannot be made: ask for at least one.", option="clusters"
        )
    matrix = features.matrix
    centres = _find_centres(matrix, n_clusters=n_clusters, seed=seed, sample=sample)
    centres = _best_first(centres)
    labels, inertia = assign(matrix, centres)
    used = np.bincount(labels, minlength=len(centres)) > 0
    if not used.all():
        # Two centres in one place: the higher label can own nobody, so leaving it out moves nobody.
        centres = centres[used]
        labels, inertia = assign(matrix, centres)
    return Clustering(
        labels=labels, centres_scaled=centres, inertia=inertia, n_clusters=len(centres)
    )


def assign(matrix: Points, centres: Points) -> tuple[Labels, float]:
    """Return the label of the nearest centre for every row, and the inertia.

    A tie goes to the lower label.  Distances are sums of squared differences, in this order of
    operations, so that platforms and chunks agree to the last bit; the shorter formula with a matrix
    product would leave that to the linear algebra library.
    """
    labels = np.empty(len(matrix), dtype=np.int16)
    sums: list[float] = []
    for start in range(0, len(matrix), _CHUNK_ROWS):
        columns = matrix[start : start + _CHUNK_ROWS].T.copy()
        nearest = np.zeros(columns.shape[1], dtype=np.int16)
        smallest = _squared_distance(columns, centres[0])
        for label in range(1, len(centres)):
            distance = _squared_distance(columns, centres[label])
            nearest[distance < smallest] = label
            np.minimum(smallest, distance, out=smallest)
        labels[start : start + _CHUNK_ROWS] = nearest
        sums.append(float(smallest.sum()))
    return labels, math.fsum(sums)


def fit_centres(
    matrix: Points,
    *,
    n_clusters: int,
    seed: int,
    n_init: int = N_INIT,
    tolerance: float = TOLERANCE,
    start: Points | None = None,
) -> Points:
    """Return the centres of scikit-learn's KMeans in one thread, in no particular order.

    With `start` one fit begins there; without, the best of `n_init` k-means++ starts is taken.
    """
    # Imported here because it takes over a second, which help, inspect and exports need not pay.
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(
        n_clusters,
        init="k-means++" if start is None else start,
        n_init=n_init if start is None else 1,
        tol=tolerance,
        max_iter=MAX_ITERATIONS,
        random_state=seed,
        algorithm="lloyd",
    )
    with one_thread(), warnings.catch_warnings():
        # "Fewer distinct clusters than asked for" is told by Clustering.n_clusters instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(matrix)
    return np.asarray(model.cluster_centers_, dtype=np.float64)


def distinct_points(matrix: Points, *, stop_above: int) -> Points | None:
    """Return the distinct rows, or None as soon as there are more than `stop_above`."""
    found = matrix[:0]
    for start in range(0, len(matrix), _CHUNK_ROWS):
        rows = np.concatenate([found, matrix[start : start + _CHUNK_ROWS]])
        rounded = np.round(rows, _SAME_POINT_DECIMALS)
        found = rows[np.unique(rounded, axis=0, return_index=True)[1]]
        if len(found) > stop_above:
            return None
    return found


def _find_centres(
    matrix: Points, *, n_clusters: int, seed: int, sample: NDArray[np.intp] | None
) -> Points:
    points = distinct_points(matrix, stop_above=n_clusters)
    if points is not None:
        return points
    if sample is None:
        return fit_centres(matrix, n_clusters=n_clusters, seed=seed)
    # In order of customer_id, so that the order in which the sample was drawn plays no part.
    chosen = matrix[np.sort(sample)]
    if distinct_points(chosen, stop_above=n_clusters - 1) is not None:
        # Nearly everybody is alike: too few kinds of customers in the sample to start from.
        return fit_centres(matrix, n_clusters=n_clusters, seed=seed)
    starts = _starts(chosen, n_clusters=n_clusters, seed=seed)
    costs = [assign(matrix, start)[1] for start in starts]
    refined = [
        fit_centres(matrix, n_clusters=n_clusters, seed=seed, start=start)
        for start, cost in zip(starts, costs, strict=True)
        if cost <= min(costs) * (1 + _SAME_COST)
    ]
    return min(refined, key=lambda centres: assign(matrix, centres)[1])


def _starts(matrix: Points, *, n_clusters: int, seed: int) -> list[Points]:
    """Return the fits of a sample that may be the best one of all customers, the best first.

    The lowest on the sample need not be the lowest on all: of two solutions that cost nearly the
    same, chance decides which one a sample prefers.
    """
    seeds = np.random.default_rng(seed).integers(2**31, size=N_INIT)
    fits = [
        _best_first(fit_centres(matrix, n_clusters=n_clusters, seed=int(one), n_init=1))
        for one in seeds
    ]
    costs = [assign(matrix, fit)[1] for fit in fits]
    most = min(costs) * (1 + _NEAR_ERRORS / math.sqrt(len(matrix)))
    found: list[Points] = []
    for place in sorted(range(N_INIT), key=costs.__getitem__):
        fit = fits[place]
        is_new = all(np.abs(fit - other).max() > _SAME_CENTRES for other in found)
        if is_new and costs[place] <= most and len(found) < _MOST_STARTS:
            found.append(fit)
    return found


def _best_first(centres: Points) -> Points:
    """Return the centres ordered by -recency + frequency + monetary, best first."""
    recency, frequency, monetary = centres.T
    value = -recency + frequency + monetary
    # Equal values are rare (symmetric data); then the more recent, then the more frequent is first.
    return centres[np.lexsort((-monetary, -frequency, recency, -value))]


def _squared_distance(columns: Points, centre: Points) -> Points:
    total = np.square(columns[0] - centre[0])
    for column, coordinate in zip(columns[1:], centre[1:], strict=True):
        total += np.square(column - coordinate)
    return np.asarray(total)


class _ThreadControl(Protocol):
    def limit(self, *, limits: int) -> AbstractContextManager[object]: ...


@cache
def _thread_control() -> _ThreadControl:
    """Return the control over the threads of the libraries that a fit loads."""
    # Imported here for the reason given in `fit_centres`, and first: the control finds the libraries
    # that are loaded by then.
    import sklearn.cluster  # noqa: F401 (imported for what it loads)
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped] # ships no types

    control: _ThreadControl = ThreadpoolController()
    return control
