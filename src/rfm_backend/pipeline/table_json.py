"""Score edges and rule tables as plain JSON values, and back: the two tables within a model.

In:  `ScoreEdges` and `RuleTable`, or the JSON objects that were written of them.
Out: the other of the two; equal values, whichever way.

What always holds: edges ascend and are as many as the scores need; a rule table read back gives
every cell one of its segments.

What this module does not do: it knows nothing else of a model and opens no file.
"""

import itertools
from typing import Literal

from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.rule_files import all_cells
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import N_SCORES
from rfm_backend.pipeline.strict_json import Fields


def floats(values: tuple[float, ...]) -> list[float]:
    """Return numbers as JSON has them: numpy's own types are none of JSON's."""
    return [float(value) for value in values]


def edges_to_json(entry: ScoreEdges) -> dict[str, object]:
    """Return the edges of one group as JSON values."""
    return {
        "group": entry.group,
        "recency": floats(entry.recency),
        "frequency": floats(entry.frequency),
        "monetary": floats(entry.monetary),
        "r_counts": list(entry.r_counts),
        "f_counts": list(entry.f_counts),
        "m_counts": list(entry.m_counts),
        "right_open": entry.right_open,
    }


def edges_from_json(values: Fields) -> tuple[ScoreEdges, ...]:
    """Return the edges of all groups, from the list "edges" of a model.

    Raises
    ------
    InvalidModel
        No group, a group twice, edges that do not ascend or are too few or too many.
    """
    entries = tuple(_read_edges(entry) for entry in values.nested_list("edges"))
    groups = {entry.group for entry in entries}
    if not entries or len(groups) < len(entries):
        raise values.failure('"edges" must have one entry for each group')
    return entries


def _read_edges(values: Fields) -> ScoreEdges:
    values.allow(ScoreEdges.__dataclass_fields__)
    found = {name: values.numbers(name) for name in ("recency", "frequency", "monetary")}
    for name, edges in found.items():
        # Equal counts are merged in frequency, so that it may have fewer edges.
        least = 1 if name == "frequency" else N_SCORES - 1
        if not least <= len(edges) < N_SCORES:
            raise values.failure(f'"{name}" must have {N_SCORES - 1} edges')
        if any(low > high for low, high in itertools.pairwise(edges)):
            raise values.failure(f'the edges of "{name}" must ascend')
    counts = {name: values.integers(name) for name in ("r_counts", "f_counts", "m_counts")}
    for name, numbers in counts.items():
        if len(numbers) != N_SCORES:
            raise values.failure(f'"{name}" must have {N_SCORES} numbers')
    return ScoreEdges(
        group=values.text("group"),
        recency=found["recency"],
        frequency=found["frequency"],
        monetary=found["monetary"],
        r_counts=counts["r_counts"],
        f_counts=counts["f_counts"],
        m_counts=counts["m_counts"],
        right_open=values.flag("right_open"),
    )


def rules_to_json(rules: RuleTable) -> dict[str, object]:
    """Return a rule table as JSON values, cells ascending."""
    return {
        "name": rules.name,
        "dimensions": rules.dimensions,
        "segments": list(rules.segments),
        "cells": {cell: rules.cells[cell] for cell in all_cells(rules.dimensions)},
        "first_match": rules.first_match,
        "names": {key: rules.names[key] for key in rules.segments if key in rules.names},
    }


def rules_from_json(values: Fields) -> RuleTable:
    """Return a rule table.

    Raises
    ------
    InvalidModel
        Cells that are missing or unknown, or a segment that is not in the list.
    """
    values.allow(RuleTable.__dataclass_fields__)
    dimensions: Literal[2, 3] = 2 if values.integer("dimensions", 2, 3) == 2 else 3
    segments = values.texts("segments")
    if not segments or len(set(segments)) < len(segments):
        raise values.failure('"segments" must be distinct keys, at least one')
    cells = values.text_map("cells")
    if set(cells) != set(all_cells(dimensions)):
        raise values.failure(f'"cells" must name each of the {N_SCORES**dimensions} cells once')
    names = values.text_map("names")
    if not {*cells.values(), *names} <= set(segments):
        raise values.failure('"cells" and "names" must use only the keys in "segments"')
    return RuleTable(
        name=values.text("name"),
        dimensions=dimensions,
        segments=segments,
        cells={cell: cells[cell] for cell in all_cells(dimensions)},
        first_match=values.flag("first_match"),
        names=names,
    )
