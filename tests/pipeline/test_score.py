"""Scores: by hand on both sides of every edge, by property, by group, and refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rfm_backend.errors import InvalidModel, InvalidRuleTable, NoUsableRows
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.findings import find_about_scores
from rfm_backend.pipeline.score import ScoreMethod, Scores, apply_edges, score_customers
from rfm_backend.pipeline.thresholds import parse_thresholds

FIXED_TOML = """\
[recency]
edges = [30, 90, 180, 365]
[frequency]
edges = [1, 3, 5, 10]
[monetary]
edges = [50, 200.5, 500, 2000]
"""
FIXED = parse_thresholds(FIXED_TOML, "fixed.toml")
METHODS: tuple[ScoreMethod, ...] = ("quantile", "r-rfm", FIXED)

# (recency, frequency, monetary); few different values, so that ties are common.
CUSTOMERS = st.lists(
    st.tuples(
        st.integers(1, 400),
        st.integers(1, 4) | st.integers(1, 50),
        st.sampled_from([0.01, 9.99, 10.0, 50.0]) | st.floats(0.01, 1e6),
    ),
    min_size=1,
    max_size=12,
)
Customers = list[tuple[int, int, float]]


def values_of(
    customers: Customers,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    recency, frequency, monetary = zip(*customers, strict=True)
    arrays = np.array(recency), np.array(frequency), np.array(monetary)
    for array in arrays:
        array.flags.writeable = False
    return arrays


def scores_of(scores: Scores) -> list[tuple[int, int, int]]:
    columns = scores.r_score, scores.f_score, scores.m_score
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_recency_on_an_edge_takes_the_score_of_the_more_recent() -> None:
    days = np.arange(1, 12)

    scores = score_customers(days, np.ones(11), np.ones(11))

    # Quintiles of 1..11 are the 3rd, 5th, 7th and 9th value.
    assert scores.edges[0].recency == (3.0, 5.0, 7.0, 9.0)
    assert scores.r_score.tolist() == [5, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores.r_score.dtype == np.int8


def test_monetary_on_an_edge_takes_the_score_of_the_smaller_amounts() -> None:
    amounts = np.arange(1, 12) / 2

    scores = score_customers(np.ones(11), np.ones(11), amounts)

    assert scores.edges[0].monetary == (1.5, 2.5, 3.5, 4.5)
    assert scores.m_score.tolist() == [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores.edges[0].m_counts == (3, 2, 2, 2, 2)


def test_one_time_buyers_score_one_and_quartiles_part_those_who_came_back() -> None:
    orders = np.array([1, 1, 1, 2, 3, 4, 5, 6])

    scores = score_customers(np.ones(8), orders, np.ones(8))

    # The quartiles of 2, 3, 4, 5, 6 are 3, 4 and 5.
    assert scores.edges[0].frequency == (1.0, 3.0, 4.0, 5.0)
    assert scores.f_score.tolist() == [1, 1, 1, 2, 2, 3, 4, 5]


def test_equal_edges_of_frequency_are_merged_and_the_top_score_stays_empty() -> None:
    orders = np.array([1, 2, 2, 2, 9])

    scores = score_customers(np.arange(1, 6), orders, np.arange(1.0, 6.0))

    # Quartiles of 2, 2, 2, 9: 2, 2 and 2 + 0.25 x 7.
    assert scores.edges[0].frequency == (1.0, 2.0, 3.75)
    assert scores.f_score.tolist() == [1, 2, 2, 2, 4]
    (finding,) = find_about_scores(scores.edges, ())
    assert (finding.code, finding.level) == ("scores_empty", "note")
    assert finding.values == {"dimension": "frequency", "scores": "3, 5"}


def test_where_nobody_came_back_everybody_scores_one_in_frequency() -> None:
    scores = score_customers(np.arange(1, 6), np.ones(5), np.arange(1.0, 6.0))

    assert scores.edges[0].frequency == (1.0,)
    assert scores.f_score.tolist() == [1] * 5
    assert scores.edges[0].f_counts == (5, 0, 0, 0, 0)


def test_where_everybody_came_back_nobody_scores_one_in_frequency() -> None:
    scores = score_customers(np.ones(5), np.array([2, 3, 4, 5, 6]), np.ones(5))

    assert scores.f_score.tolist() == [2, 2, 3, 4, 5]


def test_five_different_customers_fill_all_scores_and_nothing_is_noted() -> None:
    values = np.arange(1, 6)

    assert find_about_scores(score_customers(values, values, values).edges, ()) == []


def test_one_customer_alone_is_scored() -> None:
    scores = score_customers(np.array([3]), np.array([2]), np.array([9.5]))

    # Every edge is his own value, which belongs to the better recency and the smaller amounts.
    assert scores_of(scores) == [(5, 2, 1)]


def test_r_rfm_adds_one_to_the_quintiles_and_opens_the_bins_to_the_right() -> None:
    days, amounts = np.arange(1, 12), np.arange(2, 13) / 2

    scores = score_customers(days, days, amounts, method="r-rfm")

    assert scores.edges[0].right_open is True
    # 3 + 1, 5 + 1, 7 + 1, 9 + 1; and 2 + 1, 3 + 1, 4 + 1, 5 + 1.
    assert scores.edges[0].recency == (4.0, 6.0, 8.0, 10.0)
    assert scores.edges[0].monetary == (3.0, 4.0, 5.0, 6.0)
    assert scores.r_score.tolist() == [5, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scores.f_score.tolist() == [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert scores.m_score.tolist() == [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5]


@pytest.mark.parametrize(
    ("recency", "score"),
    [(1, 5), (30, 5), (31, 4), (90, 4), (91, 3), (180, 3), (181, 2), (365, 2), (366, 1)],
)
def test_fixed_edges_of_recency_include_their_own_day(recency: int, score: int) -> None:
    scores = score_customers(np.array([recency]), np.array([1]), np.array([1.0]), method=FIXED)

    assert scores.r_score.tolist() == [score]


@pytest.mark.parametrize(
    ("frequency", "monetary", "f_score", "m_score"),
    [
        (1, 50.0, 1, 1),
        (2, 50.01, 2, 2),
        (3, 200.5, 2, 2),
        (4, 200.51, 3, 3),
        (10, 2000.0, 4, 4),
        (11, 2000.01, 5, 5),
    ],
)
def test_fixed_edges_of_frequency_and_monetary_belong_to_the_smaller_values(
    frequency: int, monetary: float, f_score: int, m_score: int
) -> None:
    scores = score_customers(
        np.array([1]), np.array([frequency]), np.array([monetary]), method=FIXED
    )

    assert (scores.f_score[0], scores.m_score[0]) == (f_score, m_score)
    assert scores.edges[0].monetary == (50.0, 200.5, 500.0, 2000.0)


@pytest.mark.parametrize("method", METHODS)
@given(customers=CUSTOMERS, shift=st.integers(1, 11))
def test_the_order_of_customers_does_not_matter(
    method: ScoreMethod, customers: Customers, shift: int
) -> None:
    turned = customers[shift:] + customers[:shift]

    first = score_customers(*values_of(customers), method=method)
    second = score_customers(*values_of(turned), method=method)

    assert first.edges == second.edges
    expected = dict(zip(customers, scores_of(first), strict=True))
    assert scores_of(second) == [expected[customer] for customer in turned]


@pytest.mark.parametrize("method", METHODS)
@given(customers=CUSTOMERS)
def test_ties_are_never_split_and_a_better_value_never_scores_lower(
    method: ScoreMethod, customers: Customers
) -> None:
    scores = score_customers(*values_of(customers), method=method)

    for place, column in enumerate((scores.r_score, scores.f_score, scores.m_score)):
        sign = -1 if place == 0 else 1
        by_value = sorted(zip((sign * row[place] for row in customers), column, strict=True))
        assert [score for _, score in by_value] == sorted(column)
        assert len(set(by_value)) == len({value for value, _ in by_value})
        assert set(column.tolist()) <= {1, 2, 3, 4, 5}


@pytest.mark.parametrize("method", METHODS)
@given(customers=CUSTOMERS)
def test_edges_that_came_out_give_the_same_scores_again(
    method: ScoreMethod, customers: Customers
) -> None:
    scores = score_customers(*values_of(customers), method=method)

    again = apply_edges(*values_of(customers), edges=scores.edges)

    assert scores_of(again) == scores_of(scores)
    assert again.edges == scores.edges


@pytest.mark.parametrize("method", METHODS)
@given(first=CUSTOMERS, second=CUSTOMERS)
def test_a_group_is_scored_as_if_it_were_alone(
    method: ScoreMethod, first: Customers, second: Customers
) -> None:
    groups = np.array(["id"] * len(first) + ["SG"] * len(second), dtype=object)

    scores = score_customers(*values_of(first + second), method=method, groups=groups)

    alone = [score_customers(*values_of(part), method=method) for part in (first, second)]
    assert scores_of(scores) == scores_of(alone[0]) + scores_of(alone[1])
    # By code point: capitals come first.
    assert [edges.group for edges in scores.edges] == ["SG", "id"]
    assert scores.edges[1].recency == alone[0].edges[0].recency
    assert scores.edges[1].f_counts == alone[0].edges[0].f_counts


def test_mixed_groups_keep_their_customers_in_place() -> None:
    groups = np.array(["b", "a", "b", "a"], dtype=object)

    scores = score_customers(
        np.array([9, 1, 1, 9]), np.ones(4), np.array([5.0, 5.0, 7.0, 1.0]), groups=groups
    )

    assert scores.r_score.tolist() == [1, 5, 5, 1]
    assert scores.m_score.tolist() == [1, 5, 5, 1]


def test_empty_scores_name_the_groups_they_concern() -> None:
    groups = np.array(["b", "a"] * 5, dtype=object)
    orders = np.array([1, 1, 1, 2, 1, 3, 1, 4, 1, 5])

    scores = score_customers(np.arange(1, 11), orders, np.arange(1.0, 11.0), groups=groups)

    crowded, empty = find_about_scores(scores.edges, ())
    assert (crowded.code, crowded.level) == ("one_score_in_groups", "warning")
    assert (empty.code, empty.level) == ("scores_empty_in_groups", "note")
    assert crowded.values == empty.values
    assert empty.values == {
        "dimension": "frequency",
        "n_groups": 1,
        "n_all_groups": 2,
        "groups": "b",
    }


def test_of_many_groups_five_are_named_and_all_counted() -> None:
    groups = np.array([f"g{n // 2}" for n in range(14)], dtype=object)

    scores = score_customers(np.arange(1, 15), np.ones(14), np.arange(1.0, 15.0), groups=groups)

    empty = find_about_scores(scores.edges, ())[-1]
    assert empty.values["n_groups"] == empty.values["n_all_groups"] == 7
    assert empty.values["groups"] == "g0, g1, g2, g3, g4, …"


def test_frozen_edges_are_counted_anew() -> None:
    fitted = score_customers(np.arange(1, 12), np.ones(11), np.arange(1.0, 12.0))

    applied = apply_edges(
        np.array([2, 500]), np.array([1, 7]), np.array([3.0, 3.01]), edges=fitted.edges
    )

    assert scores_of(applied) == [(5, 1, 1), (1, 2, 2)]
    assert applied.edges[0].m_counts == (1, 1, 0, 0, 0)
    assert applied.edges[0].recency == fitted.edges[0].recency


def edges_of(*groups: str) -> tuple[ScoreEdges, ...]:
    names = np.array(groups, dtype=object)
    ones = np.ones(len(groups))
    return score_customers(ones, ones, ones, groups=names).edges


def test_a_group_without_edges_is_refused_by_name_and_count() -> None:
    groups = np.array(["id", "my", "my"], dtype=object)

    with pytest.raises(InvalidModel) as caught:
        apply_edges(np.ones(3), np.ones(3), np.ones(3), edges=edges_of("id", "sg"), groups=groups)

    assert caught.value.message == (
        'The model has no score edges for "my" (2 customers); it knows id, sg. '
        "Leave these rows out with --exclude, or fit a new model."
    )


def test_edges_of_groups_need_groups() -> None:
    with pytest.raises(InvalidModel, match="--by"):
        apply_edges(np.ones(1), np.ones(1), np.ones(1), edges=edges_of("id", "sg"))


def test_a_single_named_group_needs_groups_too() -> None:
    with pytest.raises(InvalidModel, match="--by"):
        apply_edges(np.ones(1), np.ones(1), np.ones(1), edges=edges_of("id"))


def test_groups_need_edges_of_groups() -> None:
    edges = score_customers(np.ones(1), np.ones(1), np.ones(1)).edges

    with pytest.raises(InvalidModel, match="leave out --by"):
        apply_edges(
            np.ones(1), np.ones(1), np.ones(1), edges=edges, groups=np.array(["x"], dtype=object)
        )


def test_where_every_group_value_is_blank_the_edges_apply_again() -> None:
    blank = np.array([""], dtype=object)
    fitted = score_customers(np.ones(1), np.ones(1), np.ones(1), groups=blank)

    applied = apply_edges(np.ones(1), np.ones(1), np.ones(1), edges=fitted.edges, groups=blank)

    assert scores_of(applied) == scores_of(fitted)


def test_no_customers_cannot_be_scored() -> None:
    none = np.array([], dtype=np.int64)

    with pytest.raises(NoUsableRows):
        score_customers(none, none, none)
    with pytest.raises(NoUsableRows):
        apply_edges(none, none, none, edges=edges_of("id"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[recency]", "[recency", "not valid TOML"),
        ("[monetary]", "[money]", 'unknown keys "money"'),
        ("[recency]\nedges = [30, 90, 180, 365]\n", "", 'the section "[recency]"'),
        ("[recency]\nedges", "recency", 'the section "[recency]"'),
        ("[30, 90, 180, 365]", "[30, 90, 180]", "the edges of recency must be four numbers"),
        ("[30, 90, 180, 365]", "[30, 90, 180, 365, 999]", "must be four numbers"),
        ("[30, 90, 180, 365]", "[30, 90, 90, 365]", "each above the one before"),
        ("[30, 90, 180, 365]", "[365, 180, 90, 30]", "each above the one before"),
        ("[30, 90, 180, 365]", "[30, 90, 180, inf]", "must be four numbers"),
        ("[30, 90, 180, 365]", "[nan, 90, 180, 365]", "must be four numbers"),
        ("[30, 90, 180, 365]", "[true, 90, 180, 365]", "must be four numbers"),
        ("[30, 90, 180, 365]", "[30, 90, 180, 1" + "0" * 400 + "]", "must be four numbers"),
        ("[30, 90, 180, 365]", '[30, 90, 180, "365"]', "must be four numbers"),
        ("[30, 90, 180, 365]", "30", "must be four numbers"),
        ("edges = [1, 3, 5, 10]", "edge = [1, 3, 5, 10]", 'unknown keys "edge"'),
    ],
)
def test_a_threshold_table_of_a_wrong_form_is_refused_in_words(
    old: str, new: str, words: str
) -> None:
    assert old in FIXED_TOML

    with pytest.raises(InvalidRuleTable) as caught:
        parse_thresholds(FIXED_TOML.replace(old, new), "fixed.toml")

    assert caught.value.message.startswith("fixed.toml: ")
    assert words in caught.value.message
