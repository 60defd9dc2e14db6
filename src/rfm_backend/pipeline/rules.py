"""Rule tables: which score cell belongs to which named segment.

    score -> [rules] -> segment

In:  the TOML of a table, built in ("ten", "eleven") or a user's own.
Out: `RuleTable`, and findings where a table overlaps or has gaps by declared intent.

What always holds: a table that comes out gives every cell exactly one segment; without
``match = "first"`` no two segments claim a cell, without ``otherwise`` none is left over, and every
segment has a cell.

What this module does not do: it opens no user's file (the caller hands in its text) and knows no
words for segments; those are the catalogue's, unless the table brings its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Final, Literal

import numpy as np

from rfm_backend.errors import InvalidOption, InvalidRuleTable
from rfm_backend.pipeline.analysis import Finding
from rfm_backend.pipeline.rule_files import RuleFile, all_cells, read_rule_file
from rfm_backend.pipeline.toml_text import refusal

BUILT_IN_TABLES: Final = ("ten", "eleven")

# How many cells a message names before it only counts them.
_SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class RuleTable:
    """A named segment table over score cells.

    ``dimensions`` is 2 (cells over R and F) or 3 (R, F and M).  ``segments`` are the keys in the
    order shown; ``cells`` maps every cell text ("54" or "543") to a key, so that it is complete and
    disjoint by construction.  ``first_match`` tells that the user's table overlapped by intent.
    ``names`` are the names that a user's table gives its segments; others are the catalogue's.
    """

    name: str
    dimensions: Literal[2, 3]
    segments: tuple[str, ...]
    cells: dict[str, str]
    first_match: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


def load_rules(name: str, text: str | None = None) -> tuple[RuleTable, tuple[Finding, ...]]:
    """Return the table `name`: a built-in one, or the one whose TOML is `text`.

    Parameters
    ----------
    name : str
        "ten" or "eleven"; with `text`, what a person calls the file.
    text : str, optional
        The content of a user's own table.

    Returns
    -------
    RuleTable, tuple of Finding
        The findings are those of `parse_rules`; a built-in table has none.

    Raises
    ------
    InvalidOption
        There is no built-in table of this name, and no text.
    InvalidRuleTable
        The user's table cannot be used.
    """
    if text is not None:
        return parse_rules(text, name)
    if name not in BUILT_IN_TABLES:
        raise InvalidOption(
            f'There is no segment table "{name}": give one of {", ".join(BUILT_IN_TABLES)} or the '
            "path of a TOML file.",
            segments=name,
        )
    return built_in_rules(name), ()


@cache
def built_in_rules(name: str) -> RuleTable:
    """Return a table of `BUILT_IN_TABLES`.

    >>> built_in_rules("ten").cells["54"]
    'champions'
    """
    source = resources.files(__package__) / "tables" / f"{name}.toml"
    return parse_rules(source.read_text("utf-8"), name)[0]


def parse_rules(text: str, name: str) -> tuple[RuleTable, tuple[Finding, ...]]:
    """Return a user's own table after checking that it gives every cell one segment.

    Parameters
    ----------
    text : str
        TOML in the form that `rule_files` describes.
    name : str
        What a person calls the table; errors begin with it.

    Returns
    -------
    RuleTable, tuple of Finding
        Warnings ``rule_overlaps`` and ``rule_unreachable`` where the table declares
        ``match = "first"``, ``rule_gaps`` where it declares ``otherwise``; a note
        ``rule_not_monotone`` where a customer who improves can circle between segments.

    Raises
    ------
    InvalidRuleTable
        Not of the form, or gaps, overlaps or unreachable segments that it does not declare.
    """
    file = read_rule_file(text, name)
    claims = _claims(file)
    gaps = [cell for cell, keys in claims.items() if not keys]
    overlaps = {cell: keys for cell, keys in claims.items() if len(keys) > 1}
    cells = {cell: (keys[0] if keys else file.otherwise or "") for cell, keys in claims.items()}
    unreachable = [rule.key for rule in file.rules if rule.key not in cells.values()]
    if (gaps and file.otherwise is None) or (overlaps and not file.first_match):
        raise _coverage_refusal(file, name, gaps, overlaps)
    keys = [rule.key for rule in file.rules]
    if gaps and file.otherwise is not None and file.otherwise not in keys:
        keys.append(file.otherwise)
    table = RuleTable(
        name=name,
        dimensions=file.dimensions,
        segments=tuple(keys),
        cells=cells,
        first_match=file.first_match,
        names={rule.key: rule.name for rule in file.rules if rule.name is not None},
    )
    return table, _findings(table, gaps, list(overlaps), unreachable)


def non_monotone_steps(rules: RuleTable) -> tuple[tuple[str, str], ...]:
    """Return the improvements by one score after which a customer's segments can repeat.

    A table is monotone if its segments can be ranked so that a better score never leads to a
    lower segment.  That is so exactly where following improvements from segment to segment never
    returns; the steps (cell, better cell) on such circles are what comes out, ascending.
    """
    index = {key: number for number, key in enumerate(rules.segments)}
    steps = [
        (cell, better)
        for cell in rules.cells
        for better in _one_better(cell)
        if rules.cells[cell] != rules.cells[better]
    ]
    reach = np.zeros((len(index), len(index)), dtype=bool)
    for cell, better in steps:
        reach[index[rules.cells[cell]], index[rules.cells[better]]] = True
    for through in range(len(index)):
        reach |= np.outer(reach[:, through], reach[through])
    return tuple(
        (cell, better)
        for cell, better in steps
        if reach[index[rules.cells[better]], index[rules.cells[cell]]]
    )


def _one_better(cell: str) -> Iterable[str]:
    for place, digit in enumerate(cell):
        if digit != "5":
            yield f"{cell[:place]}{int(digit) + 1}{cell[place + 1 :]}"


def _claims(file: RuleFile) -> dict[str, list[str]]:
    """Return for every cell the segments that claim it, in the order written."""
    claims: dict[str, list[str]] = {cell: [] for cell in all_cells(file.dimensions)}
    for rule in file.rules:
        for cell in rule.cells:
            claims[cell].append(rule.key)
    return claims


def _coverage_refusal(
    file: RuleFile, name: str, gaps: list[str], overlaps: Mapping[str, list[str]]
) -> InvalidRuleTable:
    """Return one error that names every undeclared gap and overlap: a table is mended at once."""
    parts = []
    if gaps and file.otherwise is None:
        parts.append(
            f"{_counted(len(gaps), 'cell belongs', 'cells belong')} to no segment: {_listed(gaps)}. "
            'Add them, or declare otherwise = "others".'
        )
    if overlaps and not file.first_match:
        shown = [f"{cell} ({', '.join(keys)})" for cell, keys in overlaps.items()]
        parts.append(
            f"{_counted(len(overlaps), 'cell belongs', 'cells belong')} to several segments: "
            f"{_listed(shown)}. "
            'Leave each cell in one segment, or declare match = "first".'
        )
    later = {key for keys in overlaps.values() for key in keys[1:]}
    lines = [rule.line for rule in file.rules if rule.key in later] if not gaps else []
    return refusal(
        name,
        " ".join(parts),
        lines[0] if lines else None,
        gaps=tuple(gaps),
        overlaps=tuple(overlaps),
    )


def _findings(
    table: RuleTable, gaps: list[str], overlaps: list[str], unreachable: list[str]
) -> tuple[Finding, ...]:
    findings = []
    for code, things in (
        ("rule_gaps", gaps),
        ("rule_overlaps", overlaps),
        ("rule_unreachable", unreachable),
    ):
        if things:
            what = "segments" if code == "rule_unreachable" else "cells"
            values = {"table": table.name, "n": len(things), what: _listed(things)}
            if code == "rule_gaps":
                values["otherwise"] = table.cells[things[0]]
            findings.append(Finding(code=code, values=values))
    steps = non_monotone_steps(table)
    if steps:
        shown = [
            f"{cell} {table.cells[cell]} → {better} {table.cells[better]}" for cell, better in steps
        ]
        values = {"table": table.name, "n": len(steps), "cells": _listed(shown)}
        findings.append(Finding(code="rule_not_monotone", level="note", values=values))
    return tuple(findings)


def _listed(things: list[str]) -> str:
    rest = len(things) - _SHOWN
    return ", ".join(things[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
