"""Stages 5 to 8 in a row: from the table of customers to scores, segments and clusters.

    aggregate -> [score -> segment -> features -> cluster] -> profile

In:  the engine's table ``customers``.
Out: `Population`, the customers as arrays; `Fit`, what was fitted; `Placed`, what each customer got.

What always holds
    * arrays are in the order of the table ``customers``, one value per customer;
    * with a model nothing is fitted: edges, scaler and centres are the model's;
    * every random choice takes the seed of the options.

What it does not do: it decides nothing itself; each stage has its own module.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.analysis import ClusterCriteria, Finding, ScoreEdges
from rfm_backend.pipeline.cluster import assign, cluster_customers
from rfm_backend.pipeline.criteria import choose, compare_cluster_numbers
from rfm_backend.pipeline.features import make_features, standardise
from rfm_backend.pipeline.lines import BY
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import ScoreMethod, Scores, apply_edges, score_customers
from rfm_backend.pipeline.segment import assign_segments

# Over this many customers KMeans is fitted on a sample of this size, then refined on all.
FIT_SAMPLE = 100_000


@dataclass(frozen=True, kw_only=True)
class Population:
    """The customers as arrays, in the order of the table ``customers``; no stage changes them.

    ``sample`` are row numbers in the order in which a sample takes them.
    """

    recency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    monetary: NDArray[np.float64]
    groups: NDArray[np.generic] | None
    sample: NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Scores, segment and cluster of each customer, in the order of the table ``customers``.

    ``segments`` are places in ``rules.segments``.
    """

    scores: Scores
    segments: NDArray[np.int16]
    clusters: NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was fitted on the customers, or applied to them; ``edges`` with their counts."""

    edges: tuple[ScoreEdges, ...]
    means: tuple[float, float, float]
    scales: tuple[float, float, float]
    centres_scaled: tuple[tuple[float, float, float], ...]
    inertia: float
    score_method: str
    criteria: tuple[ClusterCriteria, ...] = ()
    cluster_choice: str | None = None
    findings: tuple[Finding, ...] = ()


def load_population(engine: Engine, *, has_groups: bool, seed: int) -> Population:
    """Return the table ``customers`` as arrays; float64 begins here."""
    arrays = engine.arrays(
        # Through text, a decimal becomes the nearest double in every engine.
        f"SELECT {c.RECENCY}, {c.FREQUENCY}, "
        f"CAST(CAST({c.MONETARY} AS VARCHAR) AS DOUBLE) AS {c.MONETARY}"
        f"{f', {BY}' if has_groups else ''} FROM {CUSTOMERS} ORDER BY rowid"
    )
    return Population(
        recency=arrays[c.RECENCY].astype(np.int64),
        frequency=arrays[c.FREQUENCY].astype(np.int64),
        monetary=arrays[c.MONETARY].astype(np.float64),
        groups=arrays[BY] if has_groups else None,
        sample=_seeded_order(engine, seed=seed, most=FIT_SAMPLE),
    )


def seeded_hash_sql(seed: int) -> str:
    """Return SQL for what a sample takes the smallest of: the same text in every engine."""
    return f"md5({quote_text(f'{seed}:')} || {c.CUSTOMER_ID} || chr(31) || {BY})"


def _seeded_order(engine: Engine, *, seed: int, most: int) -> NDArray[np.intp]:
    """Return row numbers of the customers with the smallest seeded hash, the smallest first."""
    found = engine.arrays(
        f"SELECT rowid AS place FROM {CUSTOMERS} "
        f"ORDER BY {seeded_hash_sql(seed)}, rowid LIMIT {most}"
    )
    return found["place"].astype(np.intp)


def fit(
    population: Population,
    options: Options,
    *,
    rules: RuleTable,
    method: ScoreMethod,
) -> tuple[Fit, Placed]:
    """Return scores, segments and clusters found among these customers."""
    scores = score_customers(
        population.recency,
        population.frequency,
        population.monetary,
        method=method,
        groups=population.groups,
    )
    found, clusters = fit_clusters(population, options, edges=scores.edges, method=method)
    segments = assign_segments(scores.r_score, scores.f_score, scores.m_score, rules)
    return found, Placed(scores=scores, segments=segments, clusters=clusters)


def fit_clusters(
    population: Population,
    options: Options,
    *,
    edges: tuple[ScoreEdges, ...],
    method: ScoreMethod,
) -> tuple[Fit, NDArray[np.int16]]:
    """Return what was fitted, with the edges found before, and each customer's cluster."""
    features = make_features(population.recency, population.frequency, population.monetary)
    criteria: tuple[ClusterCriteria, ...] = ()
    choice = None
    n_clusters = options.n_clusters
    if n_clusters == "auto":
        criteria = compare_cluster_numbers(features, seed=options.seed, sample=population.sample)
        n_clusters, choice = choose(criteria)
    clustering = cluster_customers(
        features,
        n_clusters=n_clusters,
        seed=options.seed,
        sample=population.sample if len(population.recency) > FIT_SAMPLE else None,
    )
    findings = []
    if clustering.n_clusters < n_clusters:
        values = {"used": clustering.n_clusters, "asked": n_clusters}
        findings.append(Finding(code="fewer_clusters", values=values))
    found = Fit(
        edges=edges,
        means=features.means,
        scales=features.scales,
        centres_scaled=_triples(clustering.centres_scaled),
        inertia=clustering.inertia,
        score_method=method if isinstance(method, str) else method.name,
        criteria=criteria,
        cluster_choice=choice,
        findings=tuple(findings),
    )
    return found, clustering.labels


def apply_model(population: Population, model: Model) -> tuple[Fit, Placed]:
    """Return the scores, segments and clusters that `model` gives to these customers."""
    scores = apply_edges(
        population.recency,
        population.frequency,
        population.monetary,
        edges=model.edges,
        groups=population.groups,
    )
    found, clusters = apply_centres(population, model, edges=scores.edges)
    segments = assign_segments(scores.r_score, scores.f_score, scores.m_score, model.rules)
    return found, Placed(scores=scores, segments=segments, clusters=clusters)


def apply_centres(
    population: Population, model: Model, *, edges: tuple[ScoreEdges, ...]
) -> tuple[Fit, NDArray[np.int16]]:
    """Return the model as a fit, with the edges used, and each customer's cluster."""
    matrix = standardise(
        population.recency,
        population.frequency,
        population.monetary,
        means=model.feature_means,
        scales=model.feature_scales,
    )
    clusters, inertia = assign(matrix, np.array(model.centres_scaled))
    applied = Finding(
        code="model_applied",
        level="note",
        values={"n_customers": model.n_customers, "snapshot_date": model.snapshot_date},
    )
    found = Fit(
        edges=edges,
        means=model.feature_means,
        scales=model.feature_scales,
        centres_scaled=model.centres_scaled,
        inertia=inertia,
        score_method=model.score_method,
        findings=(applied,),
    )
    return found, clusters


def _triples(centres: NDArray[np.float64]) -> tuple[tuple[float, float, float], ...]:
    return tuple((float(r), float(f), float(m)) for r, f, m in centres)
