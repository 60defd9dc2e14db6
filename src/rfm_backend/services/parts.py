"""Parts of a published analysis, profiled as the whole is: a score cell's customers, a segment beside the rest.

In:  a published analysis, its summary, which part.
Out: `Part`, `Contrast`.

What always holds: the figures come from the functions that profile the whole (pipeline/profile.py), so
that the parts add up to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rfm_backend import columns as c
from rfm_backend.engines.quoting import quote_text
from rfm_backend.pipeline.analysis import ClusterProfile, SegmentProfile, Summary
from rfm_backend.pipeline.histograms import count_bins
from rfm_backend.pipeline.profile import cross_table, profile_clusters, profile_segments
from rfm_backend.services.chosen import Chosen, condition_sql, open_customers
from rfm_backend.services.exports import result_path
from rfm_backend.services.service import Service
from rfm_backend.storage.analyses import AnalysisHead

_REST = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some customers by segment and cluster; shares are those of these customers."""

    segments: tuple[SegmentProfile, ...]
    clusters: tuple[ClusterProfile, ...]
    cross_table: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A segment beside everybody else: profiles, and customers per bin of the summary's histograms."""

    own: SegmentProfile
    rest: SegmentProfile
    own_counts: Mapping[str, tuple[int, ...]]
    rest_counts: Mapping[str, tuple[int, ...]]


def part_of_cell(service: Service, analysis: AnalysisHead, summary: Summary, *, cell: str) -> Part:
    """Return the customers of a score cell by segment and cluster."""
    keys = tuple(entry.segment for entry in summary.segments)
    with open_customers(result_path(service, analysis)) as (engine, source):
        engine.execute(
            f"CREATE TEMP TABLE part AS SELECT {c.SEGMENT}, {c.CLUSTER}, {c.RECENCY}, {c.FREQUENCY}, "
            f"{c.MONETARY} FROM {source} WHERE {condition_sql(Chosen(cell=cell), ())}"
        )
        return Part(
            segments=profile_segments(engine, table="part", segments=keys),
            clusters=profile_clusters(
                engine,
                table="part",
                centres=[entry.centre for entry in summary.clusters],
                names=[entry.name for entry in summary.clusters],
            ),
            cross_table=cross_table(
                engine, table="part", segments=keys, n_clusters=len(summary.clusters)
            ),
        )


def contrast(
    service: Service, analysis: AnalysisHead, summary: Summary, *, segment: str
) -> Contrast:
    """Return a segment of the summary beside everybody else."""
    key = quote_text(segment)
    with open_customers(result_path(service, analysis)) as (engine, source):
        engine.execute(
            f"CREATE TEMP TABLE part AS SELECT CASE WHEN {c.SEGMENT} = {key} THEN {key} "
            f"ELSE '{_REST}' END AS {c.SEGMENT}, {c.RECENCY}, {c.FREQUENCY}, {c.MONETARY} FROM {source}"
        )
        own, rest = profile_segments(engine, table="part", segments=(segment, _REST))
        values = engine.arrays(
            f"SELECT {c.RECENCY}, {c.FREQUENCY}, CAST({c.MONETARY} AS DOUBLE) AS {c.MONETARY} "
            f"FROM part WHERE {c.SEGMENT} = {key}"
        )
    own_counts = {
        name: count_bins(values[name], edges) for name, (edges, _) in summary.histograms.items()
    }
    rest_counts = {
        name: tuple(every - mine for every, mine in zip(counts, own_counts[name], strict=True))
        for name, (_, counts) in summary.histograms.items()
    }
    return Contrast(own=own, rest=rest, own_counts=own_counts, rest_counts=rest_counts)
