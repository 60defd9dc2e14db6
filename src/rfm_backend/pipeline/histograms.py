"""Bins with round edges for the distributions of recency, frequency and monetary.

    aggregate -> [histograms] -> report

In:  recency, frequency, monetary of every customer, as arrays
Out: per dimension the bin edges and the customers per bin    (analysis.Summary.histograms)

What always holds
    * every customer is in exactly one bin of each dimension;
    * there are at most 24 bins;
    * edges are numbers that a person reads as round, and ascend.

What this module does not do: it draws nothing.  Bins that grow by a factor belong on a
logarithmic axis; evenly spaced ones on a plain one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rfm_backend import columns as c

_MOST_BINS: Final = 24
# A column is drawn on a logarithmic axis where its largest value is this many times its median.
_SKEWED: Final = 10
# Steps that a person reads as round: within a decade, the finest first; in days.
_GROWING_STEPS: Final = (("1", "1.5", "2", "3", "5", "7"), ("1", "2", "5"), ("1", "3"), ("1",))
_EVEN_STEPS: Final = (1, 2, 5, 10)
_DAY_STEPS: Final = (1, 2, 7, 14, 30, 60, 90, 180, 365)

Histogram = tuple[tuple[float, ...], tuple[int, ...]]


def make_histograms(
    recency: NDArray[np.generic], frequency: NDArray[np.generic], monetary: NDArray[np.generic]
) -> Mapping[str, Histogram]:
    """Return bin edges and customers per bin for each dimension, at most 24 bins.

    A bin holds its lower edge and not its upper one.  Edges are round numbers: evenly spaced for
    recency, and for purchases and money unless a few customers stand far above the others; then they
    grow by a factor.  One to four purchases have a bin each.

    Examples
    --------
    >>> few = np.array([1, 1, 2, 3])
    >>> make_histograms(few, few, few)["frequency"]
    ((1.0, 2.0, 3.0, 4.0), (2, 1, 1))
    """
    values = {c.RECENCY: recency, c.FREQUENCY: frequency, c.MONETARY: monetary}
    bins = bin_edges({name: _extent(column) for name, column in values.items()})
    return {name: (edges, count_bins(values[name], edges)) for name, edges in bins.items()}


@dataclass(frozen=True, kw_only=True)
class Extent:
    """The smallest, the largest and the middle value of a dimension."""

    low: float
    high: float
    median: float


def bin_edges(extents: Mapping[str, Extent]) -> Mapping[str, tuple[float, ...]]:
    """Return the bin edges of recency, frequency and monetary, by name."""
    days = extents[c.RECENCY]
    return {
        c.RECENCY: _day_edges(int(days.low), int(days.high)),
        c.FREQUENCY: _edges(extents[c.FREQUENCY], whole=True),
        c.MONETARY: _edges(extents[c.MONETARY], whole=False),
    }


def count_bins(values: NDArray[np.generic], edges: tuple[float, ...]) -> tuple[int, ...]:
    """Return how many of `values` are in each bin, of customers that the edges were made for."""
    column = np.asarray(values, dtype=np.float64)
    return tuple(np.histogram(column, bins=np.asarray(edges))[0].tolist())


def _extent(values: NDArray[np.generic]) -> Extent:
    column = np.asarray(values, dtype=np.float64)
    return Extent(
        low=float(column.min()), high=float(column.max()), median=float(np.median(column))
    )


def _day_edges(low: int, high: int) -> tuple[float, ...]:
    fitting = (step for step in _DAY_STEPS if high // step - low // step < _MOST_BINS)
    # Beyond the listed steps, whole years.
    step = next(fitting, None) or 365 * math.ceil((high - low + 365) / (365 * (_MOST_BINS - 1)))
    return tuple(float(step * index) for index in range(low // step, high // step + 2))


def _edges(extent: Extent, *, whole: bool) -> tuple[float, ...]:
    if extent.low > 0 and extent.high > _SKEWED * extent.median:
        return _growing_edges(extent.low, extent.high, whole=whole)
    return _even_edges(extent.low, extent.high, whole=whole)


def _growing_edges(low: float, high: float, *, whole: bool) -> tuple[float, ...]:
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    edges: list[float] = []
    for steps in _GROWING_STEPS:
        # Through text, because 1.5 * 10 ** -2 is not the float that is written 0.015.
        marks = [float(f"{step}e{decade}") for decade in decades for step in steps]
        if whole:
            marks = sorted(
                {*(mark for mark in marks if mark >= 1 and mark % 1 == 0), 2.0, 3.0, 4.0, 5.0}
            )
        first = max(index for index, mark in enumerate(marks) if mark <= low)
        last = min(index for index, mark in enumerate(marks) if mark > high)
        edges = marks[first : last + 1]
        if len(edges) <= _MOST_BINS + 1:
            return tuple(edges)
    stride = math.ceil((len(edges) - 1) / (_MOST_BINS - 1))
    return (*edges[:-1:stride], edges[-1])


def _even_edges(low: float, high: float, *, whole: bool) -> tuple[float, ...]:
    # A width of a thousandth where all are nearly alike, so that there is a bin at all.
    width = max((high - low) / (_MOST_BINS - 2), high / 1000)
    decade = math.floor(math.log10(width)) if width > 0 else 0
    factor = next(
        one for one in _EVEN_STEPS if one == _EVEN_STEPS[-1] or one * 10.0**decade >= width
    )
    step = Decimal(factor).scaleb(decade)
    if whole:
        step = max(step, Decimal(1))
    # As the numbers are written: in floats 0.29 / 0.01 is below 29, and others are above, so that a
    # value could fall before the first edge.
    first, last = Decimal(repr(low)) // step, Decimal(repr(high)) // step
    return tuple(float(step * index) for index in range(int(first), int(last) + 2))
