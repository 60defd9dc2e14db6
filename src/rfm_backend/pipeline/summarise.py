"""Stage 9: everything that is said about a result, and the model that made it.

    score -> segment -> features -> cluster -> profile -> [summarise]

In:  the engine's table ``customers``, the fit, the profiles, the accounting.
Out: `Summary`, `Model`.

What always holds: customers and money of the segments, and of the clusters, add up to those kept.

What it does not do: it words nothing; doors do, from the catalogue.
"""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.pipeline.aggregate import CUSTOMERS
from rfm_backend.pipeline.analysis import Finding, Quality, SegmentProfile, Summary
from rfm_backend.pipeline.findings import (
    find_about_customers,
    find_about_rows,
    find_about_scores,
)
from rfm_backend.pipeline.fit import Fit
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.profile import Profiles
from rfm_backend.pipeline.result_table import group_name
from rfm_backend.pipeline.rules import RuleTable


def summarise(
    request: LineRequest,
    engine: Engine,
    *,
    rules: RuleTable,
    found: Fit,
    profiles: Profiles,
    quality: Quality,
    findings_before: Sequence[Finding],
) -> Summary:
    """Return the profiles and findings of the result, `findings_before` too."""
    group_column = group_name(request) if request.by_column else None
    n_several = _n_in_several_groups(engine) if group_column else 0
    findings = _find_all(request, engine, quality=quality, found=found, segments=profiles.segments)
    findings += [*findings_before, *_find_in_several_groups(n_several, group_column)]
    return Summary(
        quality=quality,
        segments=profiles.segments,
        clusters=profiles.clusters,
        cross_table=profiles.cross_table,
        heat_map=profiles.heat_map,
        edges=found.edges,
        histograms=profiles.histograms,
        scatter=profiles.scatter,
        # Warnings first; within each level in the order found.
        findings=tuple(sorted(findings, key=lambda finding: finding.level != "warning")),
        seed=request.options.seed,
        segment_table=rules.name,
        score_method=found.score_method,
        group_column=group_column,
        n_in_several_groups=n_several,
        criteria=found.criteria,
        cluster_choice=found.cluster_choice,
    )


def make_model(summary: Summary, found: Fit, rules: RuleTable, options: Options) -> Model:
    """Return what was fitted, ready to be applied to other data."""
    return Model(
        edges=found.edges,
        score_method=found.score_method,
        rules=rules,
        feature_means=found.means,
        feature_scales=found.scales,
        centres_scaled=found.centres_scaled,
        cluster_names=tuple(cluster.name for cluster in summary.clusters),
        inertia=found.inertia,
        n_customers=summary.quality.n_customers,
        seed=options.seed,
        snapshot_date=summary.quality.snapshot_date,
        snapshot_is_given=options.snapshot_date is not None,
        # What belongs to one file alone has no place in a model.
        options=replace(options, mapping={}, keep=(), exclude=(), sheet=None),
        versions={
            name: version(name) for name in ("rfm-backend", "duckdb", "numpy", "scikit-learn")
        },
    )


def _find_all(
    request: LineRequest,
    engine: Engine,
    *,
    quality: Quality,
    found: Fit,
    segments: Sequence[SegmentProfile],
) -> list[Finding]:
    return [
        *find_about_customers(quality, engine),
        *find_about_rows(request, quality, engine),
        *find_about_scores(found.edges, segments),
        *found.findings,
    ]


def _find_in_several_groups(n_customers: int, column: str | None) -> tuple[Finding, ...]:
    if not n_customers:
        return ()
    values = {"n_customers": n_customers, "column": column}
    return (Finding(code="in_several_groups", level="note", values=values),)


def _n_in_several_groups(engine: Engine) -> int:
    ((number,),) = engine.rows(
        f"SELECT count(*) FROM (SELECT {c.CUSTOMER_ID} FROM {CUSTOMERS} "
        f"GROUP BY {c.CUSTOMER_ID} HAVING count(*) > 1)"
    )
    return int(str(number))
