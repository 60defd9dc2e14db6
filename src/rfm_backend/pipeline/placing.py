"""SQL that gives each customer scores, segment and cluster, where customers are too many for arrays.

    aggregate -> [score -> segment -> features -> cluster] -> result

In:  edges, a rule table, scaler and centres.
Out: a SELECT over the engine's table ``customers``: its columns, and ``r_score``, ``f_score``,
     ``m_score``, ``rfm_cell``, ``segment``, ``cluster``, `SQUARED_DISTANCE` to the centre.

What always holds
    * a customer is placed by his own row alone: it matters not how many processes do it;
    * scores and segments are those that `score` and `segment` give to the same edges and table;
    * the cluster is that of the nearest centre.  Centres whose squared distances differ by less than
      `SAME_DISTANCE` (of 1, or of themselves above it) are equally near, and the lower label has the customer: engines may differ in the
      last bit of a logarithm, and must not in a label.

What it does not do: it fits nothing and finds no edge.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from rfm_backend import columns as c
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.features import DIMENSIONS, Triple
from rfm_backend.pipeline.lines import BY
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import N_SCORES
from rfm_backend.pipeline.spread import number_sql

SQUARED_DISTANCE: Final = "squared_distance"
SAME_DISTANCE: Final = 1e-12
# Through text, a decimal becomes the nearest double in every engine.
MONETARY_SQL: Final = f"CAST(CAST({c.MONETARY} AS VARCHAR) AS DOUBLE)"
_N_DIMENSIONS: Final = len(DIMENSIONS)
_VALUE: Final = {name: f"value_{name[0]}" for name in DIMENSIONS}


def placed_sql(
    edges: Sequence[ScoreEdges],
    rules: RuleTable,
    *,
    means: Triple,
    scales: Triple,
    centres_scaled: Sequence[Triple],
) -> str:
    """Return the SELECT; `edges` has an entry for each group of customers."""
    values = (
        f"SELECT *, CAST({c.RECENCY} AS DOUBLE) AS {_VALUE[c.RECENCY]}, "
        f"CAST({c.FREQUENCY} AS DOUBLE) AS {_VALUE[c.FREQUENCY]}, "
        f"{MONETARY_SQL} AS {_VALUE[c.MONETARY]} FROM {CUSTOMERS}"
    )
    scores, edge_table = _scores_sql(edges)
    points = ", ".join(
        f"(ln(1 + {_VALUE[name]}) - {number_sql(mean)}) / {number_sql(scale)} AS z_{name[0]}"
        for name, mean, scale in zip(DIMENSIONS, means, scales, strict=True)
    )
    scored = (
        f"SELECT valued.*, {scores}, {points} FROM ({values}) AS valued "
        f"JOIN {edge_table} ON valued.{BY} = edges.edge_group"
    )
    distances = ", ".join(
        f"{_squared_distance(centre)} AS d_{label}" for label, centre in enumerate(centres_scaled)
    )
    labels = [f"d_{label}" for label, _ in enumerate(centres_scaled)]
    # A function of one argument is none in every engine.
    nearest = f"least({', '.join(labels)})" if len(labels) > 1 else labels[0]
    cell = " || ".join(f"CAST({name} AS VARCHAR)" for name in (c.R_SCORE, c.F_SCORE, c.M_SCORE))
    measured = (
        f"SELECT *, {nearest} AS {SQUARED_DISTANCE}, {cell} AS {c.RFM_CELL} "
        f"FROM (SELECT *, {distances} FROM ({scored}) AS scored) AS measured"
    )
    near = " ".join(
        f"WHEN d_{label} <= {SQUARED_DISTANCE} + {number_sql(SAME_DISTANCE)} * (1 + {SQUARED_DISTANCE}) "
        f"THEN {label}"
        for label, _ in enumerate(centres_scaled)
    )
    return (
        f"SELECT *, {_segment_sql(rules)} AS {c.SEGMENT}, "
        f"CAST(CASE {near} END AS SMALLINT) AS {c.CLUSTER} FROM ({measured}) AS placed"
    )


def _scores_sql(edges: Sequence[ScoreEdges]) -> tuple[str, str]:
    """Return SQL for the three scores, and the table of edges that it joins."""
    inner = {name: [getattr(entry, name) for entry in edges] for name in DIMENSIONS}
    widths = {name: max(1, *(len(found) for found in inner[name])) for name in DIMENSIONS}
    rows = []
    for place, entry in enumerate(edges):
        cells = [quote_text(entry.group)]
        for name in DIMENSIONS:
            found = [_passed_above(edge, entry) for edge in inner[name][place]]
            # Nobody passes what stands for an edge that a group does not have.
            found += [math.inf] * (widths[name] - len(found))
            cells += [number_sql(edge) for edge in found]
        rows.append(f"({', '.join(cells)})")
    names = [f"{name}_{number}" for name in DIMENSIONS for number in range(widths[name])]
    table = f"(VALUES {', '.join(rows)}) AS edges(edge_group, {', '.join(names)})"
    passed = {
        name: " + ".join(
            f"CASE WHEN {_VALUE[name]} > edges.{name}_{number} THEN 1 ELSE 0 END"
            for number in range(widths[name])
        )
        for name in DIMENSIONS
    }
    scores = {
        c.R_SCORE: f"{N_SCORES} - ({passed[c.RECENCY]})",
        c.F_SCORE: f"1 + {passed[c.FREQUENCY]}",
        c.M_SCORE: f"1 + {passed[c.MONETARY]}",
    }
    return ", ".join(f"CAST({sql} AS TINYINT) AS {name}" for name, sql in scores.items()), table


def _passed_above(edge: float, entry: ScoreEdges) -> float:
    """Return the largest number that has not passed an edge: itself, or the one before."""
    return float(np.nextafter(edge, -math.inf)) if entry.right_open else float(edge)


def _squared_distance(centre: Triple) -> str:
    # In the order of `cluster.assign`.
    parts = [
        f"(z_{name[0]} - {number_sql(coordinate)}) * (z_{name[0]} - {number_sql(coordinate)})"
        for name, coordinate in zip(DIMENSIONS, centre, strict=True)
    ]
    return " + ".join(parts)


def _segment_sql(rules: RuleTable) -> str:
    """Return the rule table as SQL over ``rfm_cell``."""
    cell = c.RFM_CELL if rules.dimensions == _N_DIMENSIONS else f"left({c.RFM_CELL}, 2)"
    whens = []
    for key in rules.segments:
        cells = [quote_text(text) for text, owner in rules.cells.items() if owner == key]
        if cells:
            whens.append(f"WHEN {cell} IN ({', '.join(cells)}) THEN {quote_text(key)}")
    return f"CASE {' '.join(whens)} END"
