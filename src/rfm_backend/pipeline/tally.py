"""The profiles of a result that no process holds: counted in the engine.

    segment, cluster -> result -> [tally]           where customers are too many for arrays

In:  the engine's table ``result``.
Out: the fit with its edges counted, `Profiles`.

What always holds: customers and money of all segments, of all clusters and of all heat map cells add up
to those of the table, to the last digit; medians are those that sorting gives.

What this module does not do: it shapes no profile (profile.py) and makes no bins (histograms.py).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Final, TypeVar

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_name
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.cluster_names import (
    HIGH_QUANTILE,
    LOW_QUANTILE,
    REGULAR_QUANTILE,
    Quantiles,
)
from rfm_backend.pipeline.features import centres_in_units
from rfm_backend.pipeline.fit import Fit
from rfm_backend.pipeline.histograms import Extent, Histogram, bin_edges
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.placing import MONETARY_SQL
from rfm_backend.pipeline.profile import (
    Group,
    Profiles,
    cluster_profiles,
    cross_table_of,
    heat_map_of,
    names_of_clusters,
    segment_profiles,
)
from rfm_backend.pipeline.result_table import RESULT_TABLE, group_name
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import N_SCORES
from rfm_backend.pipeline.spread import Crowd, Spread, count_values, find_quantiles, number_sql
from rfm_backend.progress import Progress, Step

_ALL: Final = "all"
_MIDDLE: Final = 0.5
_KINDS: Final = (c.SEGMENT, c.CLUSTER)
# A sum of decimals of 38 digits keeps all of them.
_EXACT: Final = Context(prec=60)
_K = TypeVar("_K")


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """The customers of one group, cell, segment and cluster: how many, with how much money."""

    group: str
    r: int
    f: int
    m: int
    segment: str
    cluster: int
    n: int
    money: Decimal


def profile_in_engine(
    engine: Engine,
    request: LineRequest,
    *,
    found: Fit,
    rules: RuleTable,
    names: Sequence[str] | None,
    scatter: tuple[tuple[float, float, float, int], ...],
    progress: Progress,
) -> tuple[Fit, Profiles]:
    """Return `found` with the customers of each score, and the profiles of the table ``result``.

    ``names`` are the cluster names of a saved model; None names the clusters from their profiles.
    """
    progress(Step(stage="save", done=0, total=None, unit="rows"))
    kinds = _count_kinds(engine, request)
    spreads = _find_spreads(engine, progress)
    centres = centres_in_units(found.centres_scaled, means=found.means, scales=found.scales)
    segments = _groups(kinds, spreads, prefix=c.SEGMENT, key_of=lambda kind: kind.segment)
    clusters = _groups(kinds, spreads, prefix=c.CLUSTER, key_of=lambda kind: str(kind.cluster))
    if names is None:
        names = names_of_clusters(clusters, centres, _quantiles(spreads))
    crossed: Counter[tuple[str, int]] = Counter()
    for kind in kinds:
        crossed[kind.segment, kind.cluster] += kind.n
    profiles = Profiles(
        segments=segment_profiles(segments, rules.segments),
        clusters=cluster_profiles(clusters, centres, names),
        cross_table=cross_table_of(crossed, rules.segments, n_clusters=len(centres)),
        heat_map=heat_map_of(_sums(kinds, lambda kind: (kind.r, kind.f))),
        histograms=_histograms(engine, spreads),
        scatter=scatter,
    )
    of_group: defaultdict[str, list[_Kind]] = defaultdict(list)
    for kind in kinds:
        of_group[kind.group].append(kind)
    edges = tuple(_counted(entry, of_group[entry.group]) for entry in found.edges)
    return replace(found, edges=edges), profiles


def _count_kinds(engine: Engine, request: LineRequest) -> list[_Kind]:
    group = quote_name(group_name(request)) if request.by_column else "''"
    keys = f"{c.R_SCORE}, {c.F_SCORE}, {c.M_SCORE}, {c.SEGMENT}, {c.CLUSTER}"
    rows = engine.rows(
        f"SELECT own_group, {keys}, count(*), sum({c.MONETARY}) "
        f"FROM (SELECT *, {group} AS own_group FROM {RESULT_TABLE}) AS counted "
        f"GROUP BY own_group, {keys}"
    )
    return [
        _Kind(
            group=str(own),
            r=int(str(r)),
            f=int(str(f)),
            m=int(str(m)),
            segment=str(segment),
            cluster=int(str(cluster)),
            n=int(str(n)),
            money=Decimal(str(money)),
        )
        for own, r, f, m, segment, cluster, n, money in rows
    ]


def _find_spreads(engine: Engine, progress: Progress) -> Mapping[str, Spread]:
    """Return how recency, frequency and monetary lie in all, in each segment and in each cluster."""
    crowd = Crowd(engine=engine, table=RESULT_TABLE, keys=_KINDS, parts=_parts)
    spreads = {name: count_values(crowd, name) for name in (c.RECENCY, c.FREQUENCY)}
    progress(Step(stage="save", done=0, total=None, unit="rows"))
    spreads[c.MONETARY] = find_quantiles(crowd, c.MONETARY, _shares)
    return spreads


def _parts(key: tuple[str, ...]) -> Iterable[str]:
    segment, cluster = key
    return (_ALL, f"{c.SEGMENT} {segment}", f"{c.CLUSTER} {cluster}")


def _shares(part: str) -> Sequence[float]:
    # All customers: their first and last one too, between whom the bins of a histogram lie.
    return (0, LOW_QUANTILE, _MIDDLE, HIGH_QUANTILE, 1) if part == _ALL else (_MIDDLE,)


def _groups(
    kinds: Sequence[_Kind],
    spreads: Mapping[str, Spread],
    *,
    prefix: str,
    key_of: Callable[[_Kind], str],
) -> dict[str, Group]:
    """Return the customers by segment or cluster, as text."""
    sums = _sums(kinds, key_of)
    n_all = sum(count for count, _ in sums.values())
    all_money = _total(money for _, money in sums.values())
    return {
        key: Group(
            n_customers=count,
            share_of_customers=count / n_all,
            total=money,
            share_of_monetary=float(money / all_money) if all_money else 0.0,
            recency=_quantile(spreads[c.RECENCY], f"{prefix} {key}", _MIDDLE),
            frequency=_quantile(spreads[c.FREQUENCY], f"{prefix} {key}", _MIDDLE),
            monetary=_quantile(spreads[c.MONETARY], f"{prefix} {key}", _MIDDLE),
        )
        for key, (count, money) in sums.items()
    }


def _quantiles(spreads: Mapping[str, Spread]) -> Quantiles:
    return Quantiles(
        median_recency=_quantile(spreads[c.RECENCY], _ALL, _MIDDLE),
        regular_frequency=_quantile(spreads[c.FREQUENCY], _ALL, REGULAR_QUANTILE),
        low_monetary=_quantile(spreads[c.MONETARY], _ALL, LOW_QUANTILE),
        high_monetary=_quantile(spreads[c.MONETARY], _ALL, HIGH_QUANTILE),
    )


def _quantile(spread: Spread, part: str, share: float) -> float:
    """Return a quantile with the arithmetic of the engine's quantile_cont."""
    first, second, way = spread.around(part, share)
    return float(first) * (1 - way) + float(second) * way


def _histograms(engine: Engine, spreads: Mapping[str, Spread]) -> Mapping[str, Histogram]:
    edges = bin_edges(
        {
            name: Extent(
                low=_quantile(spread, _ALL, 0),
                high=_quantile(spread, _ALL, 1),
                median=_quantile(spread, _ALL, _MIDDLE),
            )
            for name, spread in spreads.items()
        }
    )
    inner = edges[c.MONETARY][1:-1]
    whens = " ".join(
        f"WHEN value < {number_sql(edge)} THEN {place}" for place, edge in enumerate(inner)
    )
    number = f"CASE {whens} ELSE {len(inner)} END" if inner else "0"
    rows = engine.rows(
        f"SELECT bin, count(*) FROM (SELECT {number} AS bin FROM "
        f"(SELECT {MONETARY_SQL} AS value FROM {RESULT_TABLE}) AS valued) AS binned GROUP BY bin"
    )
    money = {int(str(bin_)): int(str(count)) for bin_, count in rows}
    counts = {
        c.RECENCY: _bin_counts(spreads[c.RECENCY], edges[c.RECENCY]),
        c.FREQUENCY: _bin_counts(spreads[c.FREQUENCY], edges[c.FREQUENCY]),
        c.MONETARY: tuple(money.get(place, 0) for place in range(len(inner) + 1)),
    }
    return {name: (edges[name], counts[name]) for name in counts}


def _bin_counts(spread: Spread, edges: Sequence[float]) -> tuple[int, ...]:
    counts = [0] * (len(edges) - 1)
    for cell in spread.cells:
        place = sum(edge <= cell.low for edge in edges[1:-1])
        counts[place] += cell.counts[_ALL]
    return tuple(counts)


def _counted(entry: ScoreEdges, kinds: Sequence[_Kind]) -> ScoreEdges:
    """Return a group's edges with the customers of each score; `kinds` are its own."""
    r, f, m = ([0] * N_SCORES for _ in range(3))
    for kind in kinds:
        r[kind.r - 1] += kind.n
        f[kind.f - 1] += kind.n
        m[kind.m - 1] += kind.n
    return replace(entry, r_counts=tuple(r), f_counts=tuple(f), m_counts=tuple(m))


def _sums(kinds: Sequence[_Kind], key_of: Callable[[_Kind], _K]) -> dict[_K, tuple[int, Decimal]]:
    """Return customers and money by some key."""
    counts: Counter[_K] = Counter()
    moneys: defaultdict[_K, list[Decimal]] = defaultdict(list)
    for kind in kinds:
        counts[key_of(kind)] += kind.n
        moneys[key_of(kind)].append(kind.money)
    return {key: (count, _total(moneys[key])) for key, count in counts.items()}


def _total(amounts: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total
