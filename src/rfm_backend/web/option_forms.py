"""The options of an analysis as a form: what an analysis was made with, and what a new one shall be.

In:  the option values of an analysis; a form that was sent.
Out: `Form`; the body that the API's processing call takes.

What always holds: an option that the form does not show stays as it was; what cannot be meant is
refused beside its field.
"""

import datetime as dt
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Final

from rfm_backend.errors import InvalidRequest
from rfm_backend.pipeline.options import MOST_CLUSTERS, MOST_SEED
from rfm_backend.services.looks import Look
from rfm_backend.web.forms import Form

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "scores": ("quantile", "r-rfm", "thresholds"),
    "returns": ("drop", "match", "net"),
    "duplicates": ("keep", "drop"),
    "level": ("", "lines", "orders", "customers"),
}
DAYS: Final = ("snapshot_date", "since", "until")
TEXTS: Final = ("segments", "by", "currency", "timezone")
# Four edges for each dimension, a field for each.
EDGES: Final = {
    dimension: tuple(f"{dimension}_{place}" for place in range(1, 5))
    for dimension in ("recency", "frequency", "monetary")
}
NAMES: Final = (
    *(name for names in EDGES.values() for name in names),
    "how_many", "n_clusters", "seed", "keep", "exclude", "model_from",
    *CHOICES, *DAYS, *TEXTS,
)  # fmt: skip
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,12})?", re.ASCII)
ZONES: Final = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "Asia/Singapore", "Europe/London")


def form_of(
    options: Mapping[str, object],
    *,
    n_clusters: int,
    edges: Mapping[str, Sequence[float]] | None = None,
) -> Form:
    """Return the form as an analysis was made.

    `n_clusters` and `edges` are what came out where they were found.
    """
    fixed = options.get("thresholds")
    shown = fixed if isinstance(fixed, dict) else edges or {}
    is_auto = options["n_clusters"] == "auto"
    values = {
        "how_many": "auto" if is_auto else "fixed",
        "n_clusters": str(n_clusters if is_auto else options["n_clusters"]),
        "seed": str(options["seed"]),
        "keep": "\n".join(str(name) for name in _list(options["keep"])),
        "exclude": "\n".join(" = ".join(pair) for pair in _list(options["exclude"])),
        "model_from": "",
    }
    values |= {name: str(options[name] or "") for name in (*CHOICES, *DAYS, *TEXTS)}
    for dimension, names in EDGES.items():
        found = shown.get(dimension, ())
        # Few different values have fewer edges, which are no four to begin from.
        texts = [f"{edge:.15g}" for edge in found] if len(found) == len(names) else [""] * 4
        values |= dict(zip(names, texts, strict=True))
    return Form(values=values)


def body_of(options: Mapping[str, object], form: Form) -> dict[str, object]:
    """Return the body of a processing call: the analysis' own options, and what the form changes.

    Raises
    ------
    InvalidRequest
        A value that cannot be one; ``field`` says where.
    """
    body = dict(options)
    body |= {name: form[name].strip() or None for name in TEXTS if name != "segments"}
    body |= {name: _day(form[name], name) for name in DAYS}
    body["segments"] = form["segments"]
    for name, allowed in CHOICES.items():
        if form[name] not in allowed:
            raise InvalidRequest(f"{name} is one of the list.", field=name, reason="choice")
        body[name] = form[name] or None
    if body["since"] and body["until"] and str(body["since"]) > str(body["until"]):
        raise InvalidRequest("The first day comes after the last.", field="until", reason="period")
    body["timezone"] = _zone(form["timezone"].strip())
    body["n_clusters"] = (
        "auto"
        if form["how_many"] == "auto"
        else _number(form["n_clusters"], "n_clusters", low=2, high=MOST_CLUSTERS)
    )
    body.pop("thresholds", None)
    if form["scores"] == "thresholds":
        body["thresholds"] = _edges(form)
    body["seed"] = _number(form["seed"], "seed", low=0, high=MOST_SEED)
    body["keep"] = [line.strip() for line in form["keep"].splitlines() if line.strip()]
    body["exclude"] = [_pair(line) for line in form["exclude"].splitlines() if line.strip()]
    if form["model_from"]:
        body["model_from"] = _number(form["model_from"], "model_from", low=1, high=2**63 - 1)
    return body


def _edges(form: Form) -> dict[str, list[float]]:
    edges = {}
    for dimension, names in EDGES.items():
        texts = [form[name].strip() for name in names]
        numbers = [float(text) for text in texts if _DECIMAL.fullmatch(text)]
        if len(numbers) < len(names) or sorted(set(numbers)) != numbers:
            raise InvalidRequest(
                f"The steps of {dimension} are four numbers, each above the one before.",
                field=names[0],
                reason="edges",
            )
        edges[dimension] = numbers
    return edges


def check_columns(body: Mapping[str, object], look: Look) -> None:
    """Refuse a column that the file does not have, beside the field that names it.

    Raises
    ------
    InvalidRequest
        ``field`` is "by", "exclude" or "keep".
    """
    named = {
        "by": [str(body["by"])] if body["by"] else [],
        "exclude": [pair[0] for pair in _list(body["exclude"])],
        "keep": [str(name) for name in _list(body["keep"])],
    }
    for field, names in named.items():
        if any(look.column_of(name) is None for name in names):
            raise InvalidRequest("The file has no such column.", field=field, reason="column")


def _list(value: object) -> list[list[str]]:
    return list(value) if isinstance(value, list) else []


def _day(text: str, name: str) -> str | None:
    text = text.strip()
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InvalidRequest("A day is written YYYY-MM-DD.", field=name, reason="day") from error


def _zone(text: str) -> str | None:
    if text and text not in zoneinfo.available_timezones():
        raise InvalidRequest("There is no such time zone.", field="timezone")
    return text or None


def _number(text: str, name: str, *, low: int, high: int) -> int:
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 19 and low <= int(text) <= high:
        return int(text)
    raise InvalidRequest(f"{name} is {low} to {high}.", field=name)


def _pair(line: str) -> list[str]:
    column, mark, value = line.partition("=")
    if not mark or not column.strip():
        raise InvalidRequest("A line says COLUMN = VALUE.", field="exclude")
    return [column.strip(), value.strip()]
