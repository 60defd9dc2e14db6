"""From customers to scores 1..5 for recency, frequency and monetary, 5 the best.

    clean -> aggregate -> [score] -> segment -> features -> cluster

In:  recency, frequency, monetary: one value per customer; the method; groups where asked for.
Out: `Scores`: three scores per customer and the edges they came from, group by group.

What always holds
    * equal values of one group have equal scores: the order of the customers does not matter;
    * a better value never has a lower score;
    * `apply_edges` with the edges that come out gives the same scores again.

What this stage does not do: it drops nobody, and knows neither segments nor files.

The methods
    * "quantile": R and M at the quintiles.  F at 1, so that one-time buyers score 1, and at the
      quartiles of those who bought again; equal edges are merged, so that with few distinct
      counts the top scores stay empty.  A value equal to an edge takes the lower values' score.
    * "r-rfm": the bins of the R package rfm 0.3.0: quintiles (type 7) plus one, each bin
      [lower, upper).  A value equal to an edge takes the higher values' score.
    * `Thresholds`: edges that the user fixed, with the rule of "quantile" for equal values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from rfm_backend.advice import option
from rfm_backend.errors import InvalidModel, NoUsableRows
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.thresholds import Thresholds

ScoreMethod = Literal["quantile", "r-rfm"] | Thresholds
Values = NDArray[np.integer] | NDArray[np.floating]
Points = NDArray[np.floating]

N_SCORES: Final = 5

QUINTILES: Final = (0.2, 0.4, 0.6, 0.8)
QUARTILES: Final = (0.25, 0.5, 0.75)
# How many groups a message names before it only counts them.
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Scores per customer, in the order given, and what they came from.

    ``edges`` has one entry per group, by code point of its name, with the customers per score.
    """

    r_score: NDArray[np.int8]
    f_score: NDArray[np.int8]
    m_score: NDArray[np.int8]
    edges: tuple[ScoreEdges, ...]


def score_customers(
    recency: Values,
    frequency: Values,
    monetary: Values,
    *,
    method: ScoreMethod = "quantile",
    groups: NDArray[np.generic] | None = None,
) -> Scores:
    """Score customers among themselves, or among those of the same group.

    Parameters
    ----------
    recency, frequency, monetary : arrays, one value per customer
        Days (>= 1), invoices (>= 1), amount (> 0); finite.  Not modified.
    method : "quantile", "r-rfm" or Thresholds
        Where the edges come from: see the head of this module.
    groups : array of text, one value per customer, optional
        Customers are scored within equal values; no value may be missing.

    Returns
    -------
    Scores
        In the order of the customers.

    Raises
    ------
    NoUsableRows
        There are no customers.

    Examples
    --------
    Five customers; who bought once scores 1 in frequency:

    >>> days, orders = np.array([1, 9, 30, 90, 200]), np.array([7, 1, 3, 1, 2])
    >>> scores = score_customers(days, orders, np.array([9.5, 2, 4, 1, 8]))
    >>> scores.r_score.tolist(), scores.f_score.tolist(), scores.m_score.tolist()
    ([5, 4, 3, 2, 1], [5, 1, 3, 1, 2], [5, 2, 3, 1, 4])
    """
    if len(recency) == 0:
        raise NoUsableRows("There are no customers to score.")
    edges = {
        group: _find_edges(recency[rows], frequency[rows], monetary[rows], method, group)
        for group, rows in _rows_of_groups(groups)
    }
    return _score(recency, frequency, monetary, groups, edges)


def apply_edges(
    recency: Values,
    frequency: Values,
    monetary: Values,
    *,
    edges: tuple[ScoreEdges, ...],
    groups: NDArray[np.generic] | None = None,
) -> Scores:
    """Score customers by edges that were found before, group by group.

    Parameters
    ----------
    recency, frequency, monetary : arrays, one value per customer
        As in `score_customers`.  Not modified.
    edges : tuple of ScoreEdges
        A model's; their counts are not looked at.
    groups : array of text, one value per customer, optional
        Needed where the edges are those of groups.

    Returns
    -------
    Scores
        Its ``edges`` are those used, with the counts of these customers.

    Raises
    ------
    NoUsableRows
        There are no customers.
    InvalidModel
        The customers have groups and the edges none, or the other way round, or a group has no
        edges.  Another group's edges are not borrowed: its prices and habits are not theirs.
    """
    if len(recency) == 0:
        raise NoUsableRows("There are no customers to score.")
    counts = {group: len(recency[rows]) for group, rows in _rows_of_groups(groups)}
    used = edges_of_groups(edges, counts, has_groups=groups is not None)
    return _score(recency, frequency, monetary, groups, used)


def edges_of_groups(
    edges: tuple[ScoreEdges, ...], n_customers: Mapping[str, int], *, has_groups: bool
) -> dict[str, ScoreEdges]:
    """Return the edges of each group, of whom there are so many customers; "" where there is none.

    Raises
    ------
    InvalidModel
        As in `apply_edges`.
    """
    known = {entry.group: entry for entry in edges}
    knows_groups = tuple(known) != ("",)
    if knows_groups and not has_groups:
        raise InvalidModel(
            f"The model has score edges for groups: give the column with {option('by')}."
        )
    unknown = {group: count for group, count in n_customers.items() if group not in known}
    if unknown and not knows_groups:
        raise InvalidModel(f"The model has no score edges for groups: leave out {option('by')}.")
    if unknown:
        raise _unknown_groups(unknown, list(known))
    return {group: known[group] for group in n_customers}


def _find_edges(
    recency: Values, frequency: Values, monetary: Values, method: ScoreMethod, group: str
) -> ScoreEdges:
    """Return one group's edges, not yet counted."""
    if isinstance(method, Thresholds):
        return fixed_edges(method, group)
    if method == "r-rfm":
        return right_open_edges(
            *(np.quantile(values, QUINTILES) for values in (recency, frequency, monetary)),
            group=group,
        )
    repeated = frequency[frequency > 1]
    return quantile_edges(
        np.quantile(recency, QUINTILES),
        np.quantile(repeated, QUARTILES) if len(repeated) else np.array([]),
        np.quantile(monetary, QUINTILES),
        group=group,
    )


def quantile_edges(
    recency: Points, frequency: Points, monetary: Points, *, group: str
) -> ScoreEdges:
    """Return the edges of "quantile", not yet counted.

    `recency` and `monetary` are at the `QUINTILES` of all customers, `frequency` at the `QUARTILES` of
    those who bought again, empty where nobody did.
    """
    counts = sorted({1.0, *frequency.tolist()})
    return _edges(recency.tolist(), counts, monetary.tolist(), group=group)


def right_open_edges(
    recency: Points, frequency: Points, monetary: Points, *, group: str
) -> ScoreEdges:
    """Return the edges of "r-rfm", not yet counted, of values at the `QUINTILES` of all customers."""
    above = ((values + 1).tolist() for values in (recency, frequency, monetary))
    return replace(_edges(*above, group=group), right_open=True)


def fixed_edges(thresholds: Thresholds, group: str) -> ScoreEdges:
    """Return the edges that the user fixed, not yet counted."""
    return _edges(thresholds.recency, thresholds.frequency, thresholds.monetary, group=group)


def _edges(
    recency: Sequence[float], frequency: Sequence[float], monetary: Sequence[float], *, group: str
) -> ScoreEdges:
    return ScoreEdges(
        group=group,
        recency=tuple(recency),
        frequency=tuple(frequency),
        monetary=tuple(monetary),
        r_counts=(),
        f_counts=(),
        m_counts=(),
    )


def _score(
    recency: Values,
    frequency: Values,
    monetary: Values,
    groups: NDArray[np.generic] | None,
    edges: Mapping[str, ScoreEdges],
) -> Scores:
    r_score = np.empty(len(recency), dtype=np.int8)
    f_score = np.empty(len(recency), dtype=np.int8)
    m_score = np.empty(len(recency), dtype=np.int8)
    counted = []
    for group, rows in _rows_of_groups(groups):
        entry = edges[group]
        r_score[rows] = N_SCORES - edges_passed(
            recency[rows], entry.recency, right_open=entry.right_open
        )
        f_score[rows] = 1 + edges_passed(
            frequency[rows], entry.frequency, right_open=entry.right_open
        )
        m_score[rows] = 1 + edges_passed(
            monetary[rows], entry.monetary, right_open=entry.right_open
        )
        counted.append(
            replace(
                entry,
                r_counts=_counts(r_score[rows]),
                f_counts=_counts(f_score[rows]),
                m_counts=_counts(m_score[rows]),
            )
        )
    return Scores(
        r_score=r_score,
        f_score=f_score,
        m_score=m_score,
        edges=tuple(counted),
    )


def edges_passed(values: Values, edges: tuple[float, ...], *, right_open: bool) -> NDArray[np.intp]:
    """Return how many edges lie below each value; an equal edge counts only with `right_open`."""
    return np.searchsorted(np.array(edges), values, side="right" if right_open else "left")


def _counts(scores: NDArray[np.int8]) -> tuple[int, ...]:
    return tuple(np.bincount(scores, minlength=N_SCORES + 1)[1:].tolist())


def _rows_of_groups(
    groups: NDArray[np.generic] | None,
) -> Iterator[tuple[str, slice | NDArray[np.intp]]]:
    """Yield each group's name and the places of its customers; one group "" without groups."""
    if groups is None:
        yield "", slice(None)
        return
    names, codes = np.unique(groups, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    for name, rows in zip(names.tolist(), np.split(order, ends[:-1]), strict=True):
        yield str(name), rows


def _unknown_groups(unknown: Mapping[str, int], known: list[str]) -> InvalidModel:
    concerned = [f'"{group}" ({count} customers)' for group, count in unknown.items()]
    return InvalidModel(
        f"The model has no score edges for {_listed(concerned)}; it knows {_listed(known)}. "
        f"Leave these rows out with {option('exclude')}, or fit a new model.",
        unknown=tuple(unknown),
        known=tuple(known),
    )


def _listed(things: list[str]) -> str:
    rest = len(things) - _SHOWN
    return ", ".join(things[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
