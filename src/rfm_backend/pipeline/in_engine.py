"""Stages 5 to 9 where the customers are too many for one process: the engine keeps all of them.

    aggregate -> [score -> segment -> features -> cluster -> profile] -> summarise

In:  the engine's table ``customers``.
Out: what was fitted, the engine's table ``result``, its profiles.

What always holds
    * what comes here is a seeded sample of the customers, and counts; never all of them;
    * score edges are the exact quantiles of all customers (`spread`), as they are with arrays;
    * scaler and centres are fitted on the sample, the customers of the smallest seeded hash, which
      neither the order of rows nor the number of processes changes; a sample that is everybody gives
      what `in_process` gives;
    * rows of ``result`` stand in the order of customer_id, then group.

What it does not do: it writes no SQL for a customer's place; `placing` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.analysis import Finding, ScoreEdges
from rfm_backend.pipeline.fit import (
    FIT_SAMPLE,
    Fit,
    Population,
    apply_centres,
    fit_clusters,
    seeded_hash_sql,
)
from rfm_backend.pipeline.lines import BY, LineRequest
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.placing import MONETARY_SQL, placed_sql
from rfm_backend.pipeline.profile import SCATTER_POINTS, Profiles, sample_scatter
from rfm_backend.pipeline.result_table import RESULT_TABLE, columns_sql, result_columns
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import (
    QUARTILES,
    QUINTILES,
    ScoreMethod,
    edges_of_groups,
    fixed_edges,
    quantile_edges,
    right_open_edges,
)
from rfm_backend.pipeline.spread import Crowd, Spread, count_values, find_quantiles
from rfm_backend.pipeline.tally import profile_in_engine
from rfm_backend.pipeline.thresholds import Thresholds
from rfm_backend.progress import Progress, Step

_HASHES: Final = 16**12


class CustomersInEngine:
    """The customers of one analysis, of whom a sample is loaded.

    Parameters
    ----------
    n_customers : int
        Rows of ``customers``.
    fit_sample : int
        How many customers scaler and centres are fitted on.
    """

    def __init__(
        self,
        request: LineRequest,
        engine: Engine,
        *,
        seed: int,
        n_customers: int,
        progress: Progress,
        fit_sample: int = FIT_SAMPLE,
    ) -> None:
        self._request = request
        self._engine = engine
        self._seed = seed
        self._n_customers = n_customers
        self._progress = progress
        self._fit_sample = fit_sample
        self._sample: Population
        self._clusters: NDArray[np.int16]

    def fit(self, options: Options, *, rules: RuleTable, method: ScoreMethod) -> Fit:  # noqa: ARG002  # one shape for both
        """Return what was fitted: edges on all customers, scaler and centres on the sample."""
        edges = self._find_edges(method)
        self._sample = self._draw(self._fit_sample)
        found, self._clusters = fit_clusters(self._sample, options, edges=edges, method=method)
        scale = self._n_customers / len(self._sample.recency)
        return replace(
            found,
            inertia=found.inertia * scale,
            criteria=tuple(replace(one, inertia=one.inertia * scale) for one in found.criteria),
            findings=(*found.findings, *self._say_sampled()),
        )

    def apply(self, model: Model) -> Fit:
        """Return the model as it is applied to these customers."""
        self._tell()
        rows = self._engine.rows(f"SELECT {BY}, count(*) FROM {CUSTOMERS} GROUP BY {BY} ORDER BY 1")
        used = edges_of_groups(
            model.edges,
            {str(group): int(str(count)) for group, count in rows},
            has_groups=self._request.by_column is not None,
        )
        self._sample = self._draw(SCATTER_POINTS)
        found, self._clusters = apply_centres(self._sample, model, edges=tuple(used.values()))
        return replace(found, inertia=found.inertia * self._n_customers / len(self._clusters))

    def make_result(self, found: Fit, rules: RuleTable) -> tuple[str, ...]:
        """Make the table ``result`` of the customers, each placed in the engine; return its columns."""
        chosen = result_columns(self._request, {})
        placed = placed_sql(
            found.edges,
            rules,
            means=found.means,
            scales=found.scales,
            centres_scaled=found.centres_scaled,
        )
        self._engine.execute(
            f"CREATE OR REPLACE TEMP TABLE {RESULT_TABLE} AS SELECT {columns_sql(chosen)} "
            f"FROM ({placed}) AS found ORDER BY found.{c.CUSTOMER_ID}, found.{BY}",
            stage="save",
            progress=self._progress,
        )
        return tuple(chosen)

    def profile(
        self, found: Fit, rules: RuleTable, cluster_names: Sequence[str] | None
    ) -> tuple[Fit, Profiles]:
        """Return the fit with the customers of each score counted, and the profiles of the result."""
        sample = self._sample
        return profile_in_engine(
            self._engine,
            self._request,
            found=found,
            rules=rules,
            names=cluster_names,
            scatter=sample_scatter(
                sample.recency,
                sample.frequency,
                sample.monetary,
                self._clusters,
                sample=sample.sample,
            ),
            progress=self._progress,
        )

    def _draw(self, most: int) -> Population:
        """Return the customers of the smallest seeded hash, in the order of customer_id, then group."""
        self._tell()
        key = seeded_hash_sql(self._seed)
        # Ten standard deviations more than wanted pass, so that few rows have to be put in order.
        passing = (most + 10 * most**0.5 + 100) / self._n_customers
        limit = f"{int(passing * _HASHES):012x}"
        where = f" WHERE left({key}, 12) < {quote_text(limit)}" if passing < 1 else ""
        found = self._engine.arrays(
            f"SELECT {c.CUSTOMER_ID}, {BY}, {c.RECENCY}, {c.FREQUENCY}, "
            f"{MONETARY_SQL} AS {c.MONETARY} FROM {CUSTOMERS}{where} "
            f"ORDER BY {key}, {c.CUSTOMER_ID}, {BY} LIMIT {most}"
        )
        names = list(zip(found[c.CUSTOMER_ID].tolist(), found[BY].tolist(), strict=True))
        order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.intp)
        return Population(
            recency=found[c.RECENCY][order].astype(np.int64),
            frequency=found[c.FREQUENCY][order].astype(np.int64),
            monetary=found[c.MONETARY][order].astype(np.float64),
            groups=found[BY][order] if self._request.by_column else None,
            sample=np.argsort(order).astype(np.intp),
        )

    def _find_edges(self, method: ScoreMethod) -> tuple[ScoreEdges, ...]:
        """Return the edges of each group, by code point of its name, not yet counted."""
        self._tell()
        if isinstance(method, Thresholds):
            rows = self._engine.rows(f"SELECT DISTINCT {BY} FROM {CUSTOMERS} ORDER BY 1")
            return tuple(fixed_edges(method, str(group)) for (group,) in rows)
        crowd = Crowd(engine=self._engine, table=CUSTOMERS, keys=(BY,), parts=tuple)
        recency = count_values(crowd, c.RECENCY)
        frequency = count_values(crowd, c.FREQUENCY)
        self._tell()
        monetary = find_quantiles(crowd, c.MONETARY, lambda _: QUINTILES)
        groups = sorted({group for cell in recency.cells for group in cell.counts})
        if method == "r-rfm":
            return tuple(
                right_open_edges(
                    _whole(recency, group, QUINTILES),
                    _whole(frequency, group, QUINTILES),
                    _money(monetary, group, QUINTILES),
                    group=group,
                )
                for group in groups
            )
        repeated = frequency.above(1)
        return tuple(
            quantile_edges(
                _whole(recency, group, QUINTILES),
                _whole(repeated, group, QUARTILES) if repeated.count(group) else np.array([]),
                _money(monetary, group, QUINTILES),
                group=group,
            )
            for group in groups
        )

    def _say_sampled(self) -> tuple[Finding, ...]:
        n_sample = len(self._sample.recency)
        if n_sample == self._n_customers:
            return ()
        values: Mapping[str, object] = {
            "n_sample": n_sample,
            "n_customers": self._n_customers,
            "seed": self._seed,
        }
        return (Finding(code="fitted_on_sample", level="note", values=values),)

    def _tell(self) -> None:
        """Report, so that the caller can cancel between two statements."""
        self._progress(Step(stage="cluster", done=0, total=None, unit="rows"))


def _whole(spread: Spread, part: str, shares: Sequence[float]) -> NDArray[np.floating]:
    return np.array([_between(spread, part, share, int) for share in shares])


def _money(spread: Spread, part: str, shares: Sequence[float]) -> NDArray[np.floating]:
    return np.array([_between(spread, part, share, float) for share in shares])


def _between(spread: Spread, part: str, share: float, kind: type[int] | type[float]) -> float:
    """Return a quantile as `numpy.quantile` has it of all values, to the last bit."""
    first, second, way = spread.around(part, share)
    return float(np.quantile(np.array([kind(first), kind(second)]), way))
