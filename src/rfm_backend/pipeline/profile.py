"""What segments and clusters are like: size, money, the middle customer, and how they cross.

    segment, cluster -> result -> [profile]

In:  the engine's table of results, one row per customer (columns: `columns.RESULT`); the segments
     of the rule table, the centres of the clusters
Out: `SegmentProfile`, `ClusterProfile`, cross table, heat map, scatter     (analysis.py)

What always holds afterwards
    * every segment of the rule table and every cluster is there, also one without customers: that
      one has 0 customers, no money, and 0.0 for its medians;
    * customers and money of all segments, of all clusters and of all heat map cells add up to those
      of the table, to the last digit: money is summed by the engine, in decimals.

What this stage does not do: it writes no words (names are keys of the catalogue) and makes no bins
(histograms.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.pipeline.analysis import ClusterProfile, SegmentProfile
from rfm_backend.pipeline.cluster_names import (
    HIGH_QUANTILE,
    LOW_QUANTILE,
    REGULAR_QUANTILE,
    MiddleCustomer,
    Quantiles,
    name_clusters,
)
from rfm_backend.pipeline.features import Triple
from rfm_backend.pipeline.histograms import Histogram

SCATTER_POINTS: Final = 1_500
_N_SCORES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Group:
    """The customers of one segment or cluster: number, exact money, shares, medians."""

    n_customers: int
    share_of_customers: float
    total: Decimal
    share_of_monetary: float
    recency: float
    frequency: float
    monetary: float


_NOBODY: Final = Group(
    n_customers=0,
    share_of_customers=0.0,
    total=Decimal(0),
    share_of_monetary=0.0,
    recency=0.0,
    frequency=0.0,
    monetary=0.0,
)


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """What a summary shows of the customers: see `analysis.Summary` for each."""

    segments: tuple[SegmentProfile, ...]
    clusters: tuple[ClusterProfile, ...]
    cross_table: Mapping[str, tuple[int, ...]]
    heat_map: Mapping[tuple[int, int], tuple[int, Decimal]]
    histograms: Mapping[str, Histogram]
    scatter: tuple[tuple[float, float, float, int], ...]


def profile_segments(
    engine: Engine, *, table: str, segments: Sequence[str]
) -> tuple[SegmentProfile, ...]:
    """Return one profile per segment, in the order of `segments`.

    Parameters
    ----------
    engine : Engine
        Holds `table`.
    table : str
        One row per customer: ``segment``, ``recency``, ``frequency``, ``monetary``.
    segments : sequence of str
        All keys of the rule table, in the order shown.
    """
    return segment_profiles(_groups(engine, table, c.SEGMENT), segments)


def segment_profiles(
    groups: Mapping[str, Group], segments: Sequence[str]
) -> tuple[SegmentProfile, ...]:
    """Return one profile per segment, of the customers of each."""
    found = [groups.get(segment, _NOBODY) for segment in segments]
    return tuple(
        SegmentProfile(
            segment=segment,
            n_customers=group.n_customers,
            share_of_customers=group.share_of_customers,
            monetary=group.total,
            share_of_monetary=group.share_of_monetary,
            median_recency=group.recency,
            median_frequency=group.frequency,
            median_monetary=group.monetary,
        )
        for segment, group in zip(segments, found, strict=True)
    )


def profile_clusters(
    engine: Engine, *, table: str, centres: Sequence[Triple], names: Sequence[str] | None = None
) -> tuple[ClusterProfile, ...]:
    """Return one profile per cluster, 0 the best.

    Parameters
    ----------
    engine : Engine
        Holds `table`.
    table : str
        One row per customer: ``cluster``, ``recency``, ``frequency``, ``monetary``.
    centres : sequence of (recency, frequency, monetary)
        The centre of each cluster in days, purchases and money: `features.centres_in_units`.
    names : sequence of str, optional
        The names that a saved model gave; None names the clusters from these profiles.
    """
    groups = _groups(engine, table, c.CLUSTER)
    if names is None:
        names = names_of_clusters(groups, centres, _quantiles(engine, table))
    return cluster_profiles(groups, centres, names)


def cluster_profiles(
    groups: Mapping[str, Group], centres: Sequence[Triple], names: Sequence[str]
) -> tuple[ClusterProfile, ...]:
    """Return one profile per cluster, of the customers of each, by its label as text."""
    found = [groups.get(str(label), _NOBODY) for label in range(len(centres))]
    return tuple(
        ClusterProfile(
            cluster=label,
            name=name,
            n_customers=group.n_customers,
            share_of_customers=group.share_of_customers,
            monetary=group.total,
            share_of_monetary=group.share_of_monetary,
            median_recency=group.recency,
            median_frequency=group.frequency,
            median_monetary=group.monetary,
            centre=centre,
        )
        for label, (group, centre, name) in enumerate(zip(found, centres, names, strict=True))
    )


def cross_table(
    engine: Engine, *, table: str, segments: Sequence[str], n_clusters: int
) -> Mapping[str, tuple[int, ...]]:
    """Return for every segment its customers per cluster, 0 the best."""
    rows = engine.rows(
        f"SELECT {c.SEGMENT}, {c.CLUSTER}, count(*) FROM {table} GROUP BY {c.SEGMENT}, {c.CLUSTER}"
    )
    counts = {(str(segment), _integer(label)): _integer(count) for segment, label, count in rows}
    return cross_table_of(counts, segments, n_clusters=n_clusters)


def cross_table_of(
    counts: Mapping[tuple[str, int], int], segments: Sequence[str], *, n_clusters: int
) -> Mapping[str, tuple[int, ...]]:
    """Return the cross table of customers counted by segment and cluster."""
    return {
        segment: tuple(counts.get((segment, label), 0) for label in range(n_clusters))
        for segment in segments
    }


def heat_map(engine: Engine, *, table: str) -> Mapping[tuple[int, int], tuple[int, Decimal]]:
    """Return customers and money for each pair of recency and frequency score, empty ones too."""
    rows = engine.rows(
        f"SELECT {c.R_SCORE}, {c.F_SCORE}, count(*), sum({c.MONETARY}) "
        f"FROM {table} GROUP BY {c.R_SCORE}, {c.F_SCORE}"
    )
    return heat_map_of(
        {
            (_integer(r), _integer(f)): (_integer(count), _decimal(total))
            for r, f, count, total in rows
        }
    )


def heat_map_of(
    found: Mapping[tuple[int, int], tuple[int, Decimal]],
) -> Mapping[tuple[int, int], tuple[int, Decimal]]:
    """Return the heat map of customers and money by scores, those of nobody too."""
    scores = range(1, _N_SCORES + 1)
    return {(r, f): found.get((r, f), (0, Decimal(0))) for r in scores for f in scores}


def sample_scatter(
    recency: NDArray[np.generic],
    frequency: NDArray[np.generic],
    monetary: NDArray[np.generic],
    labels: NDArray[np.integer],
    *,
    sample: NDArray[np.intp],
) -> tuple[tuple[float, float, float, int], ...]:
    """Return (recency, frequency, monetary, cluster) of the customers that a chart draws.

    `sample` holds row numbers in the order in which a sample takes them; the first
    `SCATTER_POINTS` are drawn, in the order of the customers.
    """
    chosen = np.sort(sample[:SCATTER_POINTS])
    return tuple(
        (float(r), float(f), float(m), int(label))
        for r, f, m, label in zip(
            np.asarray(recency, dtype=np.float64)[chosen].tolist(),
            np.asarray(frequency, dtype=np.float64)[chosen].tolist(),
            np.asarray(monetary, dtype=np.float64)[chosen].tolist(),
            labels[chosen].tolist(),
            strict=True,
        )
    )


def _groups(engine: Engine, table: str, column: str) -> dict[str, Group]:
    """Return the customers of `table` by the value of `column`, as text."""
    # The whole is summed by the engine too: Python would round a sum of 38 digits to 28.
    [(n_customers, total)] = engine.rows(f"SELECT count(*), sum({c.MONETARY}) FROM {table}")
    rows = engine.rows(
        f"SELECT {column}, count(*), sum({c.MONETARY}), {_middle(c.RECENCY)}, "
        f"{_middle(c.FREQUENCY)}, {_middle(c.MONETARY)} FROM {table} GROUP BY {column}"
    )
    return {
        str(key): Group(
            n_customers=_integer(count),
            share_of_customers=_integer(count) / _integer(n_customers),
            total=_decimal(money),
            share_of_monetary=float(_decimal(money) / _decimal(total)) if total else 0.0,
            recency=_float(recency),
            frequency=_float(frequency),
            monetary=_float(monetary),
        )
        for key, count, money, recency, frequency, monetary in rows
    }


def names_of_clusters(
    groups: Mapping[str, Group], centres: Sequence[Triple], quantiles: Quantiles
) -> tuple[str, ...]:
    """Return a name for each cluster, of the customers of each and the `quantiles` of all."""
    found = [groups.get(str(label), _NOBODY) for label in range(len(centres))]
    # A cluster that owns nobody (a model on other customers) is named by its centre.
    middles = [
        MiddleCustomer(
            recency=group.recency if group.n_customers else centre[0],
            frequency=group.frequency if group.n_customers else centre[1],
            monetary=group.monetary if group.n_customers else centre[2],
            n_customers=group.n_customers,
        )
        for group, centre in zip(found, centres, strict=True)
    ]
    return name_clusters(middles, quantiles)


def _quantiles(engine: Engine, table: str) -> Quantiles:
    [(recency, frequency, low, high)] = engine.rows(
        f"SELECT {_middle(c.RECENCY)}, {_quantile(c.FREQUENCY, REGULAR_QUANTILE)}, "
        f"{_quantile(c.MONETARY, LOW_QUANTILE)}, {_quantile(c.MONETARY, HIGH_QUANTILE)} "
        f"FROM {table}"
    )
    return Quantiles(
        median_recency=_float(recency),
        regular_frequency=_float(frequency),
        low_monetary=_float(low),
        high_monetary=_float(high),
    )


def _middle(column: str) -> str:
    return _quantile(column, 0.5)


def _quantile(column: str, share: float) -> str:
    return f"quantile_cont(CAST({column} AS DOUBLE), {share})"


def _integer(value: object) -> int:
    return int(str(value))


def _float(value: object) -> float:
    return 0.0 if value is None else float(str(value))


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value or 0))
