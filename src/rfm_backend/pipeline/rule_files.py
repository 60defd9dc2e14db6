"""The form of a rule table's TOML: what each segment claims, before coverage is checked.

In:  the text of a table, built in or a user's own.
Out: `RuleFile`: dimensions, segments in the order written, the cells that each one claims.

The form::

    dimensions = 2  # cells over R and F; 3: over R, F and M
    match = "first"  # optional: segments may overlap, the first one wins
    otherwise = "others"  # optional: the segment of cells that nothing covers

    [[segment]]
    key = "champions"  # what is stored and exported
    name = "Our champions"  # optional: what people read
    cells = ["54", "55"]  # these cells ...
    r = [4, 5]  # ... and those of a box; a score left out may be any
    f = 5

What always holds: keys are distinct; every cell has the table's number of digits, each 1 to 5.

What this module does not do: gaps, overlaps and unreachable segments are `rules`' to judge.
"""

import itertools
import re
from dataclasses import dataclass
from typing import Final, Literal

from rfm_backend.pipeline.toml_text import check_keys, read_toml, refusal

SCORES: Final = (1, 2, 3, 4, 5)
MAX_NAME: Final = 80
# More segments than cells of the finest table cannot all be reached.
MAX_SEGMENTS: Final = 125

_KEY = re.compile(r"\w[\w-]{0,63}")
_SEGMENT_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*segment[ \t]*\]\]", re.MULTILINE)
_DIMENSION_KEYS = ("r", "f", "m")


@dataclass(frozen=True, kw_only=True)
class SegmentRule:
    """One segment as written: its key, a name where one is given, the cells it claims, its line."""

    key: str
    name: str | None
    cells: tuple[str, ...]
    line: int | None


@dataclass(frozen=True, kw_only=True)
class RuleFile:
    """A rule table as written; nothing is said yet about gaps and overlaps."""

    dimensions: Literal[2, 3]
    rules: tuple[SegmentRule, ...]
    first_match: bool
    otherwise: str | None


def all_cells(dimensions: Literal[2, 3]) -> tuple[str, ...]:
    """Return every cell of a table, ascending.

    >>> all_cells(2)[:7]
    ('11', '12', '13', '14', '15', '21', '22')
    """
    return tuple("".join(digits) for digits in itertools.product("12345", repeat=dimensions))


def read_rule_file(text: str, name: str) -> RuleFile:
    """Read the TOML of a rule table.

    Parameters
    ----------
    text : str
        The content of the file.
    name : str
        What a person calls the table; errors begin with it.

    Returns
    -------
    RuleFile
        Segments in the order written.

    Raises
    ------
    InvalidRuleTable
        Not TOML, or not of the form above; the message names table, line, segment and key.
    """
    values = read_toml(text, name)
    check_keys(name, values, ("dimensions", "match", "otherwise", "segment"), "the table")
    dimensions = _read_dimensions(values, name)
    match = values.get("match")
    if match not in (None, "first"):
        raise refusal(name, f'match can only be "first", not {match!r}.')
    otherwise = values.get("otherwise")
    tables = values.get("segment")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise refusal(name, 'there are no segments: write each one as "[[segment]]".')
    if len(tables) > MAX_SEGMENTS:
        raise refusal(name, f"{len(tables)} segments are more than the {MAX_SEGMENTS} possible.")
    lines = _segment_lines(text, len(tables))
    rules = tuple(
        _read_segment(table, name, number, line, dimensions)
        for number, (table, line) in enumerate(zip(tables, lines, strict=True), start=1)
    )
    _refuse_repeated_keys(rules, name)
    return RuleFile(
        dimensions=dimensions,
        rules=rules,
        first_match=match == "first",
        otherwise=None if otherwise is None else _checked_key(otherwise, name, "otherwise", None),
    )


def _read_dimensions(values: dict[str, object], name: str) -> Literal[2, 3]:
    dimensions = values.get("dimensions")
    if isinstance(dimensions, bool) or not isinstance(dimensions, int):
        raise refusal(name, 'give "dimensions = 2" (cells over R and F) or 3 (R, F and M).')
    if dimensions == 2:
        return 2
    if dimensions == 3:
        return 3
    raise refusal(name, f"dimensions must be 2 (R and F) or 3 (R, F and M), not {dimensions}.")


def _segment_lines(text: str, n_segments: int) -> list[int | None]:
    """Return the line of each segment; tomllib keeps none, so the headers are counted."""
    found = [text.count("\n", 0, match.start()) + 1 for match in _SEGMENT_HEADER.finditer(text)]
    # Headers inside a text, or segments written inline, would put errors on wrong lines.
    return list(found) if len(found) == n_segments else [None] * n_segments


def _read_segment(
    table: dict[str, object], name: str, number: int, line: int | None, dimensions: Literal[2, 3]
) -> SegmentRule:
    if "key" not in table:
        raise refusal(name, f'segment {number} has no "key".', line)
    key = _checked_key(table["key"], name, f"the key of segment {number}", line)
    axes = _DIMENSION_KEYS[:dimensions]
    if dimensions == 2 and "m" in table:
        raise refusal(name, f'segment "{key}" gives "m", but the table has 2 dimensions.', line)
    check_keys(name, table, ("key", "name", "cells", *axes), f'segment "{key}"')
    listed = _listed_cells(table.get("cells", []), name, key, line, dimensions)
    boxed: tuple[str, ...] = ()
    if any(axis in table for axis in axes):
        ranges = [_score_range(table.get(axis), name, key, axis, line) for axis in axes]
        boxed = tuple("".join(digits) for digits in itertools.product(*ranges))
    cells = tuple(sorted({*listed, *boxed}))
    if not cells:
        raise refusal(name, f'segment "{key}" has no cells: give "cells" or ranges "r", "f".', line)
    shown = _checked_name(table.get("name"), name, key, line)
    return SegmentRule(key=key, name=shown, cells=cells, line=line)


def _checked_key(value: object, name: str, what: str, line: int | None) -> str:
    if isinstance(value, str) and _KEY.fullmatch(value):
        return value
    raise refusal(
        name,
        f"{what} must be 1 to 64 letters, digits, _ or -, beginning with a letter or digit; "
        f'{value!r:.80} is not. Give what people read as "name".',
        line,
    )


def _checked_name(value: object, name: str, key: str, line: int | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and 0 < len(value.strip()) <= MAX_NAME and value.isprintable():
        return value.strip()
    raise refusal(name, f'the name of "{key}" must be 1 to {MAX_NAME} printable characters.', line)


def _listed_cells(
    value: object, name: str, key: str, line: int | None, dimensions: Literal[2, 3]
) -> list[str]:
    possible = set(all_cells(dimensions))
    if not isinstance(value, list):
        raise refusal(
            name, f'"cells" of "{key}" must be a list such as ["{"5" * dimensions}"].', line
        )
    cells: list[str] = []
    for cell in value:
        if not isinstance(cell, str) or cell not in possible:
            raise refusal(
                name,
                f'segment "{key}" has the cell {cell!r:.40}; a cell is a text of {dimensions} '
                f'digits from 1 to 5, such as "{"54" if dimensions == 2 else "545"}".',
                line,
            )
        if cell in cells:
            # A cell twice is how published copies of the eleven segments were corrupted: another
            # cell is then missing.
            raise refusal(name, f'segment "{key}" lists the cell {cell} twice.', line)
        cells.append(cell)
    return cells


def _score_range(value: object, name: str, key: str, axis: str, line: int | None) -> list[str]:
    """Return the scores of one side of a box as digits; None stands for all."""
    if value is None:
        return [str(score) for score in SCORES]
    bounds = value if isinstance(value, list) else [value, value]
    # type(), not isinstance(): true and 5.0 are no scores.
    scores = [bound for bound in bounds if type(bound) is int and bound in SCORES]
    if len(scores) == len(bounds) == 2 and scores[0] <= scores[1]:
        return [str(score) for score in range(scores[0], scores[1] + 1)]
    raise refusal(
        name,
        f'"{axis}" of segment "{key}" must be a score from 1 to 5 or a range such as [4, 5], '
        f"the lower score first; {value!r:.40} is not.",
        line,
    )


def _refuse_repeated_keys(rules: tuple[SegmentRule, ...], name: str) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.key in seen:
            raise refusal(name, f'the segment "{rule.key}" is given twice.', rule.line)
        seen.add(rule.key)
