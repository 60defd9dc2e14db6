"""A summary read back from the JSON that `summary_to_json` made of it.

In:  the JSON text that is stored with an analysis.
Out: `Summary`, but for its scatter, which is not stored.

What always holds: amounts are exact as written, days are days again, so that a finding is told in the
same words as when the analysis was new.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from rfm_backend.pipeline.analysis import (
    ClusterCriteria,
    ClusterProfile,
    Example,
    Finding,
    Quality,
    ScoreEdges,
    SegmentProfile,
    SetAside,
    Summary,
)

_Told = Mapping[str, Any]
# What a finding's values are, by name: JSON has neither days nor amounts.
_DAYS: Final = ("day", "previous", "snapshot_date")
_AMOUNTS: Final = ("amount",)


def summary_from_json(text: str) -> Summary:
    """Return the summary that a JSON text holds."""
    told = json.loads(text, parse_float=Decimal)
    return Summary(
        quality=_quality(told["quality"]),
        segments=tuple(SegmentProfile(**_profile(one)) for one in told["segments"]),
        clusters=tuple(
            ClusterProfile(**_profile(one), centre=_three(one["centre"]))
            for one in told["clusters"]
        ),
        cross_table={key: tuple(counts) for key, counts in told["cross_table"].items()},
        heat_map={
            (one["r_score"], one["f_score"]): (one["n_customers"], Decimal(one["monetary"]))
            for one in told["heat_map"]
        },
        edges=tuple(_edges(one) for one in told["edges"]),
        histograms={
            name: (_floats(edges), tuple(counts))
            for name, (edges, counts) in told["histograms"].items()
        },
        scatter=(),
        findings=tuple(_finding(one) for one in told["findings"]),
        seed=told["seed"],
        segment_table=told["segment_table"],
        score_method=told["score_method"],
        group_column=told["group_column"],
        n_in_several_groups=told["n_in_several_groups"],
        criteria=tuple(_criteria(one) for one in told["criteria"]),
        cluster_choice=told["cluster_choice"],
    )


def _quality(told: _Told) -> Quality:
    return Quality(
        **{
            **told,
            "files": tuple(told["files"]),
            "amount_read": Decimal(told["amount_read"]),
            "amount_kept": Decimal(told["amount_kept"]),
            "set_aside": tuple(_set_aside(one) for one in told["set_aside"]),
            **{
                name: dt.date.fromisoformat(told[name])
                for name in ("first_date", "last_date", "snapshot_date")
            },
        }
    )


def _set_aside(told: _Told) -> SetAside:
    amount = told["amount"]
    return SetAside(
        reason=told["reason"],
        rows=told["rows"],
        amount=None if amount is None else Decimal(amount),
        examples=tuple(Example(**one) for one in told["examples"]),
    )


def _profile(told: _Told) -> dict[str, Any]:
    return {
        name: Decimal(value)
        if name == "monetary"
        else float(value)
        if isinstance(value, Decimal) or name.startswith(("share_", "median_"))
        else value
        for name, value in told.items()
        if name != "centre"
    }


def _edges(told: _Told) -> ScoreEdges:
    return ScoreEdges(
        group=told["group"],
        recency=_floats(told["recency"]),
        frequency=_floats(told["frequency"]),
        monetary=_floats(told["monetary"]),
        r_counts=tuple(told["r_counts"]),
        f_counts=tuple(told["f_counts"]),
        m_counts=tuple(told["m_counts"]),
        right_open=told["right_open"],
    )


def _criteria(told: _Told) -> ClusterCriteria:
    floats = {name: _float(value) for name, value in told.items() if name != "n_clusters"}
    return ClusterCriteria(n_clusters=told["n_clusters"], **floats)


def _finding(told: _Told) -> Finding:
    return Finding(
        code=told["code"],
        level=told["level"],
        values={name: _value(name, value) for name, value in told["values"].items()},
    )


def _value(name: str, value: object) -> object:
    if name in _DAYS and isinstance(value, str):
        return dt.date.fromisoformat(value)
    if name in _AMOUNTS and isinstance(value, int | Decimal):
        return Decimal(value)
    return float(value) if isinstance(value, Decimal) else value


def _floats(values: Sequence[int | Decimal]) -> tuple[float, ...]:
    return tuple(_float(value) for value in values)


def _three(values: Sequence[int | Decimal]) -> tuple[float, float, float]:
    first, second, third = _floats(values)
    return first, second, third


def _float(value: int | Decimal | None) -> float:
    # JSON has no infinity and no NaN: null is what stands for both.
    return float("nan") if value is None else float(value)
