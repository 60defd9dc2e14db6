"""Findings as sentences, the same on the terminal, in the report and on a page.

In:  `Finding` values, a language, the currency of the file.
Out: text: money, shares, counts and dates written as the reader writes them.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from rfm_backend.catalogue import Words
from rfm_backend.pipeline.analysis import Finding
from rfm_backend.pipeline.run import Analysis

# Values that are catalogue keys themselves, and the section that names them.
_NAMED = {"reason": "reasons", "segment": "segments", "role": "columns", "dimension": "dimensions"}


def phrase_finding(finding: Finding, words: Words, *, currency: str | None = None) -> str:
    """Return the sentence that tells `finding` in the language of `words`."""
    values = {
        name: _phrase_value(name, value, words, currency) for name, value in finding.values.items()
    }
    return words(f"findings.{finding.code}", **values)


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


def segment_words(key: str, analysis: Analysis, words: Words) -> SegmentWords:
    """Return the words of a segment: the user's own name, the catalogue's, or the key made readable."""
    own = analysis.model.rules.names.get(key)
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
