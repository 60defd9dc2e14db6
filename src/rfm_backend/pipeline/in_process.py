"""Stages 5 to 9 with the customers as arrays in this process: how nearly every analysis goes.

    aggregate -> [score -> segment -> features -> cluster -> profile] -> summarise

In:  the engine's table ``customers``.
Out: what was fitted, the engine's table ``result``, its profiles.

What always holds: rows of ``result`` stand in the order of ``customers``.

What it does not do: it decides nothing itself; each stage has its own module.  Where the customers are
too many for arrays, `in_engine` does the same.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.features import centres_in_units
from rfm_backend.pipeline.fit import Fit, Placed, Population, apply_model, fit, load_population
from rfm_backend.pipeline.histograms import make_histograms
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.profile import (
    Profiles,
    cross_table,
    heat_map,
    profile_clusters,
    profile_segments,
    sample_scatter,
)
from rfm_backend.pipeline.result_table import RESULT_TABLE, columns_sql, result_columns
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import ScoreMethod

_FITTED: Final = "fitted"


class CustomersInProcess:
    """The customers of one analysis, loaded once."""

    def __init__(self, request: LineRequest, engine: Engine, *, seed: int) -> None:
        self._request = request
        self._engine = engine
        self._population: Population = load_population(
            engine, has_groups=request.by_column is not None, seed=seed
        )
        self._placed: Placed

    def fit(self, options: Options, *, rules: RuleTable, method: ScoreMethod) -> Fit:
        """Return what was fitted on these customers."""
        found, self._placed = fit(self._population, options, rules=rules, method=method)
        return found

    def apply(self, model: Model) -> Fit:
        """Return the model as it was applied to these customers."""
        found, self._placed = apply_model(self._population, model)
        return found

    def make_result(self, found: Fit, rules: RuleTable) -> tuple[str, ...]:  # noqa: ARG002  # one shape for both
        """Make the table ``result`` of the customers and what was found for them; return its columns."""
        scores = self._placed.scores
        self._engine.create_from_arrays(
            _FITTED,
            {
                c.R_SCORE: scores.r_score.astype(np.int8),
                c.F_SCORE: scores.f_score.astype(np.int8),
                c.M_SCORE: scores.m_score.astype(np.int8),
                c.SEGMENT: self._placed.segments.astype(np.int16),
                c.CLUSTER: self._placed.clusters.astype(np.int16),
            },
        )
        keys = ", ".join(quote_text(key) for key in rules.segments)
        chosen = result_columns(
            self._request,
            {
                c.RFM_CELL: f"concat({c.R_SCORE}, {c.F_SCORE}, {c.M_SCORE})",
                c.SEGMENT: f"list_extract([{keys}], {c.SEGMENT} + 1)",
            },
        )
        self._engine.execute(
            f"CREATE OR REPLACE TEMP TABLE {RESULT_TABLE} AS "
            f"SELECT {columns_sql(chosen)} FROM {CUSTOMERS} POSITIONAL JOIN {_FITTED}",
            stage="save",
        )
        return tuple(chosen)

    def profile(
        self, found: Fit, rules: RuleTable, cluster_names: Sequence[str] | None
    ) -> tuple[Fit, Profiles]:
        """Return the fit, and the profiles of the result."""
        engine, population = self._engine, self._population
        clusters = profile_clusters(
            engine,
            table=RESULT_TABLE,
            centres=centres_in_units(found.centres_scaled, means=found.means, scales=found.scales),
            names=cluster_names,
        )
        values = (population.recency, population.frequency, population.monetary)
        return found, Profiles(
            segments=profile_segments(engine, table=RESULT_TABLE, segments=rules.segments),
            clusters=clusters,
            cross_table=cross_table(
                engine, table=RESULT_TABLE, segments=rules.segments, n_clusters=len(clusters)
            ),
            heat_map=heat_map(engine, table=RESULT_TABLE),
            histograms=make_histograms(*values),
            scatter=sample_scatter(*values, self._placed.clusters, sample=population.sample),
        )
