"""Fixed score thresholds: a user's own edges instead of quantiles.

In:  the TOML of a threshold table, or its JSON object {"recency": [30, 90, 180, 365], ...}.
Out: `Thresholds`: four ascending inner edges for each of recency, frequency, monetary.

The form::

    [recency]  # days: up to 30 scores 5, 31 to 90 scores 4, ...
    edges = [30, 90, 180, 365]
    [frequency]  # orders: up to 1 scores 1, 2 and 3 score 2, ...
    edges = [1, 3, 5, 10]
    [monetary]
    edges = [50, 200, 500, 2000]

What always holds: edges are finite numbers, each above the one before; a value equal to an edge
takes the score of the smaller values, as everywhere but in "r-rfm".

What this module does not do: it opens no file and scores nobody.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

from rfm_backend.pipeline.toml_text import check_keys, read_toml, refusal

Edges4 = tuple[float, float, float, float]

_DIMENSIONS = ("recency", "frequency", "monetary")


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The inner edges that a user fixed, ascending; ``name`` is what a person calls the table."""

    name: str
    recency: Edges4
    frequency: Edges4
    monetary: Edges4


def parse_thresholds(text: str, name: str) -> Thresholds:
    r"""Return the thresholds of a TOML text in the form above.

    Raises
    ------
    InvalidRuleTable
        Not TOML, a dimension is missing, or edges that are not four ascending numbers.

    Examples
    --------
    >>> text = "[recency]\nedges=[30, 90, 180, 365]\n[frequency]\nedges=[1, 2, 4, 6]\n"
    >>> parse_thresholds(text + "[monetary]\nedges=[50, 200, 500.5, 2000]", "my.toml").monetary
    (50.0, 200.0, 500.5, 2000.0)
    """
    values = read_toml(text, name)
    check_keys(name, values, _DIMENSIONS, "the table")
    recency, frequency, monetary = (
        _read_edges(values, name, dimension) for dimension in _DIMENSIONS
    )
    return Thresholds(name=name, recency=recency, frequency=frequency, monetary=monetary)


def thresholds_from_json(values: Mapping[str, object], name: str) -> Thresholds:
    """Return the thresholds of a JSON object: four edges for each dimension.

    Raises
    ------
    InvalidRuleTable
        A dimension is missing, or edges that are not four ascending numbers; ``dimension`` says which.

    Examples
    --------
    >>> told = {
    ...     "recency": [30, 90, 180, 365],
    ...     "frequency": [1, 2, 4, 6],
    ...     "monetary": [5, 6, 7, 8.5],
    ... }
    >>> thresholds_from_json(told, "mine").monetary
    (5.0, 6.0, 7.0, 8.5)
    """
    check_keys(name, dict(values), _DIMENSIONS, "the table")
    sections: dict[str, object] = {key: {"edges": edges} for key, edges in values.items()}
    recency, frequency, monetary = (
        _read_edges(sections, name, dimension) for dimension in _DIMENSIONS
    )
    return Thresholds(name=name, recency=recency, frequency=frequency, monetary=monetary)


def thresholds_to_json(thresholds: Thresholds) -> dict[str, object]:
    """Return the JSON object of thresholds, without their name."""
    return {dimension: list(getattr(thresholds, dimension)) for dimension in _DIMENSIONS}


def _read_edges(values: dict[str, object], name: str, dimension: str) -> Edges4:
    section = values.get(dimension)
    if not isinstance(section, dict):
        raise refusal(name, f'the section "[{dimension}]" with its edges is missing.')
    check_keys(name, section, ("edges",), f'the section "[{dimension}]"')
    written = section.get("edges")
    numbers = _numbers(written) if isinstance(written, list) else None
    if numbers is None or not all(low < high for low, high in itertools.pairwise(numbers)):
        raise refusal(
            name,
            f"the edges of {dimension} must be four numbers, each above the one before, such as "
            f"[30, 90, 180, 365]; {written!r:.80} are not.",
            dimension=dimension,
        )
    return numbers


def _numbers(written: list[object]) -> Edges4 | None:
    """Return four finite numbers as floats, or None."""
    numbers: list[float] = []
    for value in written:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        if not math.isfinite(number):
            return None
        numbers.append(number)
    if len(numbers) != 4:
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]
