"""From scores to named segments, by looking each customer's cell up in the rule table.

    aggregate -> score -> [segment] -> features -> cluster

In:  scores 1..5 per customer   (score.py), a complete table  (rules.py)
Out: one number per customer: the place of his segment in ``rules.segments``, in the same order.

What always holds: every customer has exactly one segment; it depends on his scores alone.

What this stage does not do: it makes no score and judges no table.
"""

import numpy as np
from numpy.typing import NDArray

from rfm_backend.pipeline.rules import RuleTable


def assign_segments(
    r_score: NDArray[np.int8],
    f_score: NDArray[np.int8],
    m_score: NDArray[np.int8],
    rules: RuleTable,
) -> NDArray[np.int16]:
    """Return each customer's segment as an index into ``rules.segments``.

    Parameters
    ----------
    r_score, f_score, m_score : arrays, one value per customer
        Scores 1..5.  Not modified.  A table of two dimensions does not look at `m_score`.
    rules : RuleTable
        Complete over its cells, as `rules.parse_rules` guarantees.

    Returns
    -------
    array of int16, one value per customer, in the order of the scores.

    Examples
    --------
    >>> from rfm_backend.pipeline.rules import built_in_rules
    >>> ten = built_in_rules("ten")
    >>> numbers = assign_segments(np.int8([5, 1]), np.int8([5, 1]), np.int8([1, 5]), ten)
    >>> [ten.segments[number] for number in numbers]
    ['champions', 'hibernating']
    """
    lookup = _lookup(rules)
    if rules.dimensions == 2:
        return lookup[r_score, f_score]
    return lookup[r_score, f_score, m_score]


def _lookup(rules: RuleTable) -> NDArray[np.int16]:
    """Return the table as an array indexed by scores; place 0 of each axis is never used."""
    number = {key: place for place, key in enumerate(rules.segments)}
    lookup = np.full((6,) * rules.dimensions, -1, dtype=np.int16)
    for cell, key in rules.cells.items():
        lookup[tuple(int(digit) for digit in cell)] = number[key]
    return lookup
