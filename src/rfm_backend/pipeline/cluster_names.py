"""Names for clusters, from what their customers are like and never from the label's number.

    cluster -> profile -> [cluster_names]

In:  the middle customer of each cluster, and where all customers stand (profile.py)
Out: one name per cluster, a key of the catalogue's section "clusters"

The rule, from the medians of a cluster; the first line that holds names it:

    high_value   monetary above the 80 % quantile of all customers
    one_time     frequency 1
    regular      frequency above the 60 % quantile of all customers
    mid_value    monetary at or above the 40 % quantile of all customers
    low_value    otherwise

and then "active" (for one_time and low_value: "recent") where recency is at most the median of all
customers, else "lapsing" ("lapsed").  Of two clusters of one name the one of higher median monetary
keeps it, the next is called "..._2".  Quantiles of the customers, not fixed sums: a name means the same in any currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HIGH_QUANTILE: Final = 0.8
REGULAR_QUANTILE: Final = 0.6
LOW_QUANTILE: Final = 0.4

NAMES: Final = (
    "high_value_active",
    "high_value_lapsing",
    "regular_active",
    "regular_lapsing",
    "mid_value_active",
    "mid_value_lapsing",
    "low_value_recent",
    "low_value_lapsed",
    "one_time_recent",
    "one_time_lapsed",
)


@dataclass(frozen=True, kw_only=True)
class MiddleCustomer:
    """The medians of one cluster, and how many customers it has."""

    recency: float
    frequency: float
    monetary: float
    n_customers: int


@dataclass(frozen=True, kw_only=True)
class Quantiles:
    """Where all customers stand: the quantiles that the rule compares with."""

    median_recency: float
    regular_frequency: float
    low_monetary: float
    high_monetary: float


def name_clusters(clusters: Sequence[MiddleCustomer], quantiles: Quantiles) -> tuple[str, ...]:
    """Return one name per cluster, in the order of `clusters`; no name comes twice.

    Examples
    --------
    >>> everybody = Quantiles(
    ...     median_recency=51, regular_frequency=3, low_monetary=490, high_monetary=2058
    ... )
    >>> best = MiddleCustomer(recency=8, frequency=15, monetary=6121, n_customers=344)
    >>> lost = MiddleCustomer(recency=219, frequency=1, monetary=243, n_customers=1145)
    >>> name_clusters([best, lost, lost], everybody)
    ('high_value_active', 'one_time_lapsed', 'one_time_lapsed_2')
    """
    names = [_name(cluster, quantiles) for cluster in clusters]
    # Money decides who keeps the plain name, then size: the place in the list only where both tie.
    by_money = sorted(
        range(len(clusters)),
        key=lambda place: (-clusters[place].monetary, -clusters[place].n_customers),
    )
    seen: dict[str, int] = {}
    for place in by_money:
        name = names[place]
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            names[place] = f"{name}_{seen[name]}"
    return tuple(names)


def split_name(name: str) -> tuple[str, int]:
    """Return the key in the catalogue and the number of a name.

    Examples
    --------
    >>> split_name("one_time_lapsed_2"), split_name("regular_active")
    (('one_time_lapsed', 2), ('regular_active', 1))
    """
    head, _, tail = name.rpartition("_")
    return (head, int(tail)) if tail.isdecimal() else (name, 1)


def _name(cluster: MiddleCustomer, quantiles: Quantiles) -> str:
    is_recent = cluster.recency <= quantiles.median_recency
    if cluster.monetary > quantiles.high_monetary:
        return "high_value_active" if is_recent else "high_value_lapsing"
    if cluster.frequency <= 1:
        return "one_time_recent" if is_recent else "one_time_lapsed"
    if cluster.frequency > quantiles.regular_frequency:
        return "regular_active" if is_recent else "regular_lapsing"
    if cluster.monetary >= quantiles.low_monetary:
        return "mid_value_active" if is_recent else "mid_value_lapsing"
    return "low_value_recent" if is_recent else "low_value_lapsed"
