"""What an analysis is made of: accounting, profiles, model, findings.

In:  nothing; these are the values that the stages make and every door shows.
Out: `Quality`, `SegmentProfile`, `ClusterProfile`, `Finding`, `Summary`.

What always holds
    * rows read = rows kept + rows set aside, and the same for money;
    * the customers of all segments, and of all clusters, add up to all customers;
    * shares are fractions of 1, money is Decimal, medians are floats.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Example:
    """One row of the user's file, as an example: where it stands and the cells that matter.

    ``line`` is the physical line of a text file or the row number of a sheet; None where the input
    has no lines (a frame).
    """

    file: str
    line: int | None
    values: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """Rows that were not used, for one reason; ``amount`` is None where no money can be read.

    Reasons, in the order in which a row is tried: ragged_row, excluded, other_currency,
    order_not_completed, no_customer, customer_id_too_long, no_date, unreadable_date, out_of_window,
    after_snapshot, no_quantity, unreadable_quantity, quantity_not_positive, no_price,
    unreadable_price, price_not_positive, no_amount, unreadable_amount, amount_not_positive,
    number_out_of_range, duplicate, matched_return, net_not_positive.
    """

    reason: str
    rows: int
    amount: Decimal | None
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something a person should know before acting, with its evidence.

    ``code`` names the words in the catalogue (section "findings"); ``values`` fill them.
    """

    code: str
    level: Literal["warning", "note"] = "warning"
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The accounting of one analysis: every row and all money, kept or set aside."""

    files: tuple[str, ...]
    rows_read: int
    rows_kept: int
    amount_read: Decimal
    amount_kept: Decimal
    set_aside: tuple[SetAside, ...]
    n_customers: int
    n_invoices: int
    first_date: dt.date
    last_date: dt.date
    snapshot_date: dt.date
    currency: str | None
    frequency_counts: Literal["invoices", "days", "rows", "given"]


@dataclass(frozen=True, kw_only=True)
class SegmentProfile:
    """One named segment: size, money and the middle customer.  Ordered as in the rule table."""

    segment: str
    n_customers: int
    share_of_customers: float
    monetary: Decimal
    share_of_monetary: float
    median_recency: float
    median_frequency: float
    median_monetary: float


@dataclass(frozen=True, kw_only=True)
class ClusterProfile:
    """One cluster, 0 the best: size, money, the middle customer and a name from its profile.

    ``name`` is a catalogue key (section "clusters").  ``centre`` is the cluster centre in
    original units: recency (days), frequency, monetary.
    """

    cluster: int
    name: str
    n_customers: int
    share_of_customers: float
    monetary: Decimal
    share_of_monetary: float
    median_recency: float
    median_frequency: float
    median_monetary: float
    centre: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class ScoreEdges:
    """The thresholds of one group of customers ("" where there is only one).

    ``recency``, ``frequency``, ``monetary`` are the inner edges, ascending; a value equal to an
    edge takes the score of the smaller values.  ``counts`` are customers per score 1..5.
    ``right_open`` is True for tables whose bins are [lower, upper): there a value equal to an edge
    takes the score of the larger values (the convention of R's rfm).
    """

    group: str
    recency: tuple[float, ...]
    frequency: tuple[float, ...]
    monetary: tuple[float, ...]
    r_counts: tuple[int, ...]
    f_counts: tuple[int, ...]
    m_counts: tuple[int, ...]
    right_open: bool = False


@dataclass(frozen=True, kw_only=True)
class ClusterCriteria:
    """The criteria for one number of clusters, side by side.

    ``stability`` is the mean adjusted Rand index of refits on resamples; ``gap`` and ``gap_error``
    are Tibshirani's gap statistic and its standard error.
    """

    n_clusters: int
    inertia: float
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    gap: float
    gap_error: float
    stability: float
    smallest_share: float


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything about an analysis except its customers: what the doors show.

    ``cross_table[segment][cluster]`` counts customers.  ``heat_map[(r, f)]`` is
    (customers, monetary).  ``histograms`` holds per dimension the bin edges and counts.
    ``scatter`` is a seeded sample of customers: (recency, frequency, monetary, cluster).
    ``cluster_choice`` says which rule chose the number of clusters, None where it was given.
    """

    quality: Quality
    segments: tuple[SegmentProfile, ...]
    clusters: tuple[ClusterProfile, ...]
    cross_table: Mapping[str, tuple[int, ...]]
    heat_map: Mapping[tuple[int, int], tuple[int, Decimal]]
    edges: tuple[ScoreEdges, ...]
    histograms: Mapping[str, tuple[tuple[float, ...], tuple[int, ...]]]
    scatter: tuple[tuple[float, float, float, int], ...]
    findings: tuple[Finding, ...]
    seed: int
    segment_table: str
    score_method: str
    group_column: str | None = None
    n_in_several_groups: int = 0
    criteria: tuple[ClusterCriteria, ...] = ()
    cluster_choice: str | None = None
