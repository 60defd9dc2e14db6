"""The summary as plain JSON values: what ``rfm segment --json`` prints and a JSON result holds.

In:  a `Summary`.
Out: dicts, lists, text, numbers; no NaN, days as ISO text, amounts as numbers.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal

from rfm_backend.pipeline.analysis import Summary


def summary_to_json(summary: Summary) -> dict[str, object]:
    """Return `summary` as JSON values.

    The keys are the field names; ``heat_map`` becomes a list of cells with ``r_score``, ``f_score``,
    ``n_customers`` and ``monetary``.
    """
    told = {
        field.name: _plain(getattr(summary, field.name))
        for field in dataclasses.fields(summary)
        if field.name not in ("heat_map", "scatter")
    }
    told["heat_map"] = [
        {"r_score": r, "f_score": f, "n_customers": count, "monetary": _plain(money)}
        for (r, f), (count, money) in summary.heat_map.items()
    ]
    return told


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        # Exact up to 15 digits; each customer's amount is exact whatever its length.
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value
