"""Findings, segments, clusters and moves in words, the same on the terminal, in the report and on a page.

In:  values of the pipeline, a language, the currency of the file.
Out: text: money, shares, counts and dates written as the reader writes them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rfm_backend.catalogue import Words
from rfm_backend.pipeline.analysis import Finding, SegmentProfile
from rfm_backend.pipeline.explain import Move, Standing

# Values that are catalogue keys themselves, and the section that names them.
_NAMED: Final = {
    "reason": "reasons",
    "segment": "segments",
    "role": "columns",
    "dimension": "dimensions",
}


# What a reader can do about a finding: the setting that decides it, or the choice of the columns.
HINTS: Final = {
    "guest_id": "exclude",
    "dates_far_ahead": "snapshot_date",
    "exact_duplicates": "duplicates",
    "rows_repeated_across_files": "duplicates",
    "many_unreadable": "columns",
    "days_counted": "level",
    "unknown_status": "exclude",
    "written_offsets": "timezone",
    "several_offsets": "timezone",
    "unsure_column": "column",
    "customer_by_other_column": "columns",
}


# Whom to write to first: what can be lost, then what can grow, then what may wait.
_URGENCY: Final = (
    "cant_lose_them", "cannot_lose_them", "at_risk", "champions", "loyal_customers", "loyal",
    "need_attention", "potential_loyalists", "potential_loyalist", "new_customers", "promising",
    "about_to_sleep", "hibernating", "lost",
)  # fmt: skip


def phrase_finding(finding: Finding, words: Words, *, currency: str | None = None) -> str:
    """Return the sentence that tells `finding` in the language of `words`."""
    values = {
        name: _phrase_value(name, value, words, currency) for name, value in finding.values.items()
    }
    return words(f"findings.{finding.code}", **values)


def typed_hint(finding: Finding, words: Words) -> str:
    """Return what to type on a terminal about `finding`; "" where there is nothing."""
    hint = HINTS.get(finding.code)
    return words(f"hints.terminal_{hint}", **finding.values) if hint else ""


def _phrase_value(name: str, value: object, words: Words, currency: str | None) -> str:
    key = f"{_NAMED.get(name, '')}.{value}"
    if key in words:
        return words(key)
    if isinstance(value, Decimal):
        return words.money(value, currency)
    if isinstance(value, float):
        return words.percent(value)
    if isinstance(value, dt.date):
        return words.date(value)
    return words.number(value) if isinstance(value, int) else str(value)


@dataclass(frozen=True, kw_only=True)
class SegmentWords:
    """What is said of a segment: its name, who they are, what to do; "" where there is no word."""

    name: str
    who: str
    action: str


def segment_words(key: str, names: Mapping[str, str], words: Words) -> SegmentWords:
    """Return the words of a segment: the user's own name, the catalogue's, or the key made readable.

    `names` are those of the rule table (`RuleTable.names`).
    """
    own = names.get(key)
    known = f"segments.{key}"
    name = own or (words(known) if known in words else key.replace("_", " ").capitalize())
    return SegmentWords(
        name=name,
        who=words(f"{known}_who") if f"{known}_who" in words else "",
        action=words(f"{known}_action") if f"{known}_action" in words else "",
    )


def cluster_name(key: str, words: Words) -> str:
    """Return the name of a cluster; the second of one name is "name (2)"."""
    base, _, number = key.rpartition("_")
    if number.isdigit() and f"clusters.{base}" in words:
        return f"{words(f'clusters.{base}')} ({number})"
    return words(f"clusters.{key}") if f"clusters.{key}" in words else key.replace("_", " ")


def by_urgency(segments: Sequence[SegmentProfile]) -> list[SegmentProfile]:
    """Return the segments that have customers, those to write to first first."""
    order = {key: place for place, key in enumerate(_URGENCY)}
    return sorted(
        (entry for entry in segments if entry.n_customers),
        key=lambda entry: (order.get(entry.segment, len(order)), -entry.monetary),
    )


def threshold_ranges(one: Standing, words: Words) -> str:
    """Return what each score asks for, lowest first, as it is compared.

    A value equal to an edge takes the score of the smaller values, or of the larger ones where the
    table is right-open; of days, small ones are the good ones.
    """
    is_recency = one.dimension == "recency"
    edges = tuple(reversed(one.edges)) if is_recency else one.edges
    first = 5 - len(edges) if is_recency else 1
    signs = ("≥", ">") if is_recency else ("<", "≤")
    sign = signs[0] if one.right_open else signs[1]
    shown = [
        f"{first + place}: {sign} {words.number(round(edge, 2))}"
        for place, edge in enumerate(edges)
    ]
    return " · ".join([*shown, f"{first + len(edges)}: {words('explain.threshold_rest')}"])


def move_sentence(move: Move, words: Words, *, segment: str) -> str:
    """Return what one move is, in the words of a language; `segment` names where it leads."""
    key = f"explain.move_{move.dimension}"
    if move.dimension == "frequency":
        key += "_one" if move.change == 1 else "_many"
    change = words.number(move.change, 2 if isinstance(move.change, Decimal) else 0)
    if move.by_date is None:
        return words(f"{key}_any_day", change=change, segment=segment)
    return words(key, change=change, segment=segment, by_date=words.date(move.by_date))
