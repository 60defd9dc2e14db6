"""Why a customer stands where he stands, and what would move him.

    score -> segment -> cluster -> [explain], for one customer of a finished analysis

In:  the customer's recency, frequency and monetary, the model, the peers's values.
Out: `Explanation`: values, standing in the peers, edges, the rule that fired, cluster, moves.

What always holds: edges, rules and centres are the model's and stay frozen; what a move means is
said in `moves`.

What this module does not do: no file is read and no sentence is worded here; doors do that.
"""

import datetime as dt
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rfm_backend.errors import InvalidModel
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.features import standardise
from rfm_backend.pipeline.model import Model, predict_clusters
from rfm_backend.pipeline.moves import Dimension, Move, Scorer, find_moves
from rfm_backend.pipeline.score import Values

__all__ = [
    "CentreDistance",
    "Company",
    "Explanation",
    "Move",
    "Peers",
    "Standing",
    "explain_customer",
]

# No shop sells for more; beyond it an amount could not be written in cents.
_MOST_MONEY: Final = Decimal(10) ** 30


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One dimension of one customer: value, score and place in the peers.

    ``edges`` are the inner edges, ascending.  ``share_worse`` is the fraction of customers whose
    value is strictly worse (longer ago, fewer, less), ``share_equal`` the fraction that has the
    same value, the customer included; both None where the peers is not known.
    """

    dimension: Dimension
    value: int | Decimal
    score: int
    edges: tuple[float, ...]
    right_open: bool
    share_worse: float | None
    share_equal: float | None


@dataclass(frozen=True, kw_only=True)
class CentreDistance:
    """How far one cluster centre is, in the standardised log space of KMeans."""

    cluster: int
    name: str
    distance: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything that made one customer's segment and cluster.

    ``rule_cells`` are all cells of the rule that fired, ``new_cell`` and ``rfm_cell`` always three
    digits; ``distances`` are in the order of the clusters, 0 the best.  A dimension without a
    move is one that cannot alter the segment.
    """

    customer_id: str
    group: str
    snapshot_date: dt.date
    recency: Standing
    frequency: Standing
    monetary: Standing
    rfm_cell: str
    segment_table: str
    segment: str
    rule_cells: tuple[str, ...]
    cluster: int
    cluster_name: str
    distances: tuple[CentreDistance, ...]
    moves: tuple[Move, ...]


class Company(Protocol):
    """All customers among whom one is placed, wherever they are."""

    def shares(self, dimension: Dimension, value: float) -> tuple[float, float]:
        """Return the fractions of customers with a worse and with the same value."""


@dataclass(frozen=True, kw_only=True)
class Peers:
    """All customers among whom one is placed: one value per customer, in any order."""

    recency: Values
    frequency: Values
    monetary: Values

    def shares(self, dimension: Dimension, value: float) -> tuple[float, float]:
        """Return the fractions of customers with a worse and with the same value."""
        others: Values = getattr(self, dimension)
        worse = others > value if dimension == "recency" else others < value
        equal = others == value
        return float(np.mean(worse)), float(np.mean(equal))


def explain_customer(
    customer_id: str,
    *,
    recency: int,
    frequency: int,
    monetary: Decimal,
    model: Model,
    group: str = "",
    snapshot_date: dt.date | None = None,
    peers: Company | None = None,
) -> Explanation:
    """Return why a customer has his segment and cluster, and what would change the segment.

    Parameters
    ----------
    customer_id : str
        Named in the explanation; nothing is looked up.
    recency, frequency, monetary : int, int, Decimal
        The customer's values in the result: days, invoices, amount.
    model : Model
        The model of that result; its edges, rules and centres are used as they are.
    group : str
        The customer's group where scores were made within groups.
    snapshot_date : date, optional
        The day the result counted recency to; the model's where it is not given.
    peers : Company, optional
        All customers of the result, or of the customer's group; without it shares are None.

    Returns
    -------
    Explanation

    Raises
    ------
    InvalidModel
        The model has no edges for the group, or the values are none that a result can have.
    """
    if recency < 0 or frequency < 1 or not 0 <= monetary < _MOST_MONEY:
        raise InvalidModel(
            f"The values of customer {customer_id} are not those of a result: recency {recency}, "
            f"frequency {frequency}, monetary {monetary}.",
            customer_id=customer_id,
        )
    scorer = Scorer(edges=_edges_of(model, group), rules=model.rules)
    cell = scorer.cell(recency, frequency, monetary)
    segment = scorer.segment(cell)
    values: tuple[int | Decimal, ...] = (recency, frequency, monetary)
    standings = _standings(values, cell, scorer.edges, peers)
    distances = _centre_distances(model, recency, frequency, float(monetary))
    values_of_one = np.array([recency]), np.array([frequency]), np.array([float(monetary)])
    cluster = int(predict_clusters(model, *values_of_one)[0])
    snapshot = snapshot_date or model.snapshot_date
    return Explanation(
        customer_id=customer_id,
        group=group,
        snapshot_date=snapshot,
        recency=standings[0],
        frequency=standings[1],
        monetary=standings[2],
        rfm_cell=cell,
        segment_table=model.rules.name,
        segment=segment,
        rule_cells=tuple(sorted(key for key, name in model.rules.cells.items() if name == segment)),
        cluster=cluster,
        cluster_name=model.cluster_names[cluster],
        distances=distances,
        moves=tuple(find_moves(scorer, recency, frequency, monetary, snapshot)),
    )


def _edges_of(model: Model, group: str) -> ScoreEdges:
    for entry in model.edges:
        if entry.group == group:
            return entry
    known = ", ".join(entry.group or "(none)" for entry in model.edges[:20])
    raise InvalidModel(
        f'The model has no score edges for the group "{group}"; it knows {known}.', group=group
    )


def _standings(
    values: tuple[int | Decimal, ...],
    cell: str,
    edges: ScoreEdges,
    peers: Company | None,
) -> tuple[Standing, Standing, Standing]:
    def standing(dimension: Dimension, place: int) -> Standing:
        worse, equal = (
            (None, None) if peers is None else peers.shares(dimension, float(values[place]))
        )
        return Standing(
            dimension=dimension,
            value=values[place],
            score=int(cell[place]),
            edges=getattr(edges, dimension),
            right_open=edges.right_open,
            share_worse=worse,
            share_equal=equal,
        )

    return standing("recency", 0), standing("frequency", 1), standing("monetary", 2)


def _centre_distances(
    model: Model, recency: int, frequency: int, monetary: float
) -> tuple[CentreDistance, ...]:
    point: NDArray[np.float64] = standardise(
        [recency], [frequency], [monetary], means=model.feature_means, scales=model.feature_scales
    )[0]
    return tuple(
        CentreDistance(cluster=cluster, name=name, distance=math.dist(point, centre))
        for cluster, (name, centre) in enumerate(
            zip(model.cluster_names, model.centres_scaled, strict=True)
        )
    )
