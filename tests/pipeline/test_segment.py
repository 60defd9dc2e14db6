"""Segments: each customer's cell is looked up, and nothing else decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfm_backend.pipeline.rules import BUILT_IN_TABLES, built_in_rules
from rfm_backend.pipeline.segment import assign_segments

SCORES = st.lists(st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=6)


@pytest.mark.parametrize("name", BUILT_IN_TABLES)
@given(rows=SCORES)
def test_each_customer_gets_the_segment_of_his_cell(
    name: str, rows: list[tuple[int, int, int]]
) -> None:
    rules = built_in_rules(name)
    r_score, f_score, m_score = np.array(rows, dtype=np.int8).T

    numbers = assign_segments(r_score, f_score, m_score, rules)

    cells = ["".join(map(str, row))[: rules.dimensions] for row in rows]
    assert [rules.segments[number] for number in numbers] == [rules.cells[cell] for cell in cells]


def test_recency_comes_first_and_monetary_last_in_a_cell() -> None:
    one, five = np.array([1], np.int8), np.array([5], np.int8)
    eleven = built_in_rules("eleven")

    # 511 is new_customers, 151 lost, 115 cannot_lose_them.
    found = [
        eleven.segments[assign_segments(*scores, eleven)[0]]
        for scores in ((five, one, one), (one, five, one), (one, one, five))
    ]
    assert found == ["new_customers", "lost", "cannot_lose_them"]


def test_a_table_of_two_dimensions_does_not_look_at_monetary() -> None:
    fives, anything = np.full(5, 5, np.int8), np.arange(1, 6, dtype=np.int8)

    numbers = assign_segments(fives, fives, anything, built_in_rules("ten"))

    assert numbers.dtype == np.int16
    assert len(set(numbers.tolist())) == 1
