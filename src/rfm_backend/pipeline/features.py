"""From customers to the space in which distances mean something: log1p, then standardised.

    aggregate -> [features] -> cluster

In:  recency, frequency, monetary of every customer, in order of customer_id (aggregate.py)
Out: `Features`, a matrix with one row per customer      (cluster.py, criteria.py, model.py)

What always holds afterwards
    * every column has mean 0 and (population) standard deviation 1, a constant one is all zeros;
    * `standardise` with the kept means and scales gives the same bits for the same customers, so
      that a saved model and the fit that made it agree;
    * what was given is not changed.

What this stage does not do: it drops nobody and caps nothing.  Money and orders are skewed by a
factor of twelve and more; without the logarithm KMeans finds "26 customers and the rest".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfm_backend.errors import NoUsableRows, UnusableInput

DIMENSIONS: Final = ("recency", "frequency", "monetary")
Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Features:
    """Customers as points: log1p of recency, frequency, monetary, standardised.

    Attributes
    ----------
    matrix : float64 array, one row per customer, three columns
        Read-only.  Rows stand in the order in which the customers were given.
    means, scales : three floats each
        Mean and population standard deviation of the logarithms; the scale of a constant column
        is 1.
    """

    matrix: NDArray[np.float64]
    means: Triple
    scales: Triple


def make_features(recency: ArrayLike, frequency: ArrayLike, monetary: ArrayLike) -> Features:
    """Fit the scaler and return the standardised logarithms of every customer.

    Parameters
    ----------
    recency, frequency, monetary : arrays, one value per customer
        Days, purchases and money; finite, not negative, equally long.  Not modified.

    Returns
    -------
    Features
        One row per customer, in the given order.

    Raises
    ------
    NoUsableRows
        There is no customer.
    UnusableInput
        A value is negative or not a number; the message names the dimension.

    Examples
    --------
    The logarithms of 1, 2 and 4 are evenly spaced, so the middle customer is at zero:

    >>> features = make_features([0, 1, 3], [1, 1, 1], [9.0, 9.0, 9.0])
    >>> features.matrix[:, 0].round(4).tolist()
    [-1.2247, 0.0, 1.2247]
    >>> features.matrix[:, 1].tolist(), features.scales[1]
    ([0.0, 0.0, 0.0], 1.0)
    """
    logarithms = [
        _logarithm(values, name)
        for values, name in zip((recency, frequency, monetary), DIMENSIONS, strict=True)
    ]
    if not logarithms[0].size:
        raise NoUsableRows("There is no customer to describe.")
    fitted = [_mean_and_scale(column) for column in logarithms]
    means = (fitted[0][0], fitted[1][0], fitted[2][0])
    scales = (fitted[0][1], fitted[1][1], fitted[2][1])
    return Features(matrix=_scale(logarithms, means, scales), means=means, scales=scales)


def standardise(
    recency: ArrayLike,
    frequency: ArrayLike,
    monetary: ArrayLike,
    *,
    means: Sequence[float],
    scales: Sequence[float],
) -> NDArray[np.float64]:
    """Return the points of other customers in the space of an earlier fit, one row each.

    Parameters are those of `make_features`; `means` and `scales` come from its result.
    """
    logarithms = [
        _logarithm(values, name)
        for values, name in zip((recency, frequency, monetary), DIMENSIONS, strict=True)
    ]
    return _scale(logarithms, means, scales)


def centres_in_units(
    centres_scaled: ArrayLike, *, means: Sequence[float], scales: Sequence[float]
) -> tuple[Triple, ...]:
    """Return cluster centres as days, purchases and money instead of standard deviations.

    Examples
    --------
    One scale above a mean of zero, where the scale is the logarithm of ten, stands for 10 - 1:

    >>> import math
    >>> scales = [math.log(10)] * 3
    >>> [centre] = centres_in_units([[0, 1, 2]], means=[0, 0, 0], scales=scales)
    >>> [round(value, 6) for value in centre]
    [0.0, 9.0, 99.0]
    """
    points = np.asarray(centres_scaled, dtype=np.float64).reshape(-1, len(DIMENSIONS))
    values = np.expm1(points * np.asarray(scales) + np.asarray(means))
    return tuple((float(row[0]), float(row[1]), float(row[2])) for row in values)


def _logarithm(values: ArrayLike, name: str) -> NDArray[np.float64]:
    # Small integers would otherwise be taken to half precision by log1p.
    column = np.asarray(values, dtype=np.float64)
    if column.size and not (column.min() >= 0 and np.isfinite(column.max())):
        wrong = int(np.count_nonzero(~((column >= 0) & np.isfinite(column))))
        raise UnusableInput(
            f"The {name} of {wrong} customers is negative or not a number, so it has no logarithm. "
            "Look at the rows of these customers, or set them aside before clustering.",
            dimension=name,
            customers=wrong,
        )
    return np.log1p(column)


def _mean_and_scale(column: NDArray[np.float64]) -> tuple[float, float]:
    low, high = float(column.min()), float(column.max())
    if low == high:
        # The mean of many equal numbers may be off in the last digit; then their deviation would be
        # tiny instead of zero, and dividing by it would make a difference out of nothing.
        return low, 1.0
    return float(column.mean()), float(column.std())


def _scale(
    logarithms: Sequence[NDArray[np.float64]], means: Sequence[float], scales: Sequence[float]
) -> NDArray[np.float64]:
    matrix = np.empty((logarithms[0].size, len(DIMENSIONS)))
    for index, column in enumerate(logarithms):
        matrix[:, index] = (column - means[index]) / scales[index]
    matrix.flags.writeable = False
    return matrix
