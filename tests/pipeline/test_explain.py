"""Explanations: by hand for the built-in tables, and moves against every smaller change.

The hand cases use the edges of Online Retail: R 13.8 33 72 180, F 1 2 4 6,
M 250.194 490.096 942.276 2058.426, and its snapshot date, 2011-12-10.
"""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rfm_backend.errors import InvalidModel
from rfm_backend.pipeline.analysis import ScoreEdges
from rfm_backend.pipeline.explain import Explanation, Move, Peers, explain_customer
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.rules import BUILT_IN_TABLES, built_in_rules
from rfm_backend.pipeline.score import apply_edges
from rfm_backend.pipeline.segment import assign_segments

EDGES = ScoreEdges(
    group="",
    recency=(13.8, 33.0, 72.0, 180.0),
    frequency=(1.0, 2.0, 4.0, 6.0),
    monetary=(250.194, 490.096, 942.276, 2058.426),
    r_counts=(861, 866, 863, 880, 868),
    f_counts=(1493, 835, 896, 414, 700),
    m_counts=(868, 867, 868, 867, 868),
)


def make_model(table: str = "ten", *edges: ScoreEdges) -> Model:
    return Model(
        edges=edges or (EDGES,),
        score_method="quantile",
        rules=built_in_rules(table),
        feature_means=(0.0, 0.0, 0.0),
        feature_scales=(1.0, 1.0, 1.0),
        centres_scaled=((0.0, 2.0, 8.0), (5.0, 0.0, 0.0)),
        cluster_names=("best", "lost"),
        inertia=1.0,
        n_customers=4338,
        seed=42,
        snapshot_date=dt.date(2011, 12, 10),
        snapshot_is_given=False,
        options=Options(),
        versions={},
    )


def explain(recency: int, frequency: int, monetary: str, table: str = "ten") -> Explanation:
    return explain_customer(
        "17850",
        recency=recency,
        frequency=frequency,
        monetary=Decimal(monetary),
        model=make_model(table),
    )


def test_an_explanation_names_values_scores_edges_and_the_rule_that_fired() -> None:
    found = explain(61, 4, "700")

    assert (found.customer_id, found.rfm_cell) == ("17850", "333")
    assert (found.segment_table, found.segment) == ("ten", "need_attention")
    assert found.rule_cells == ("33",)
    assert (found.recency.value, found.recency.score) == (61, 3)
    assert found.recency.edges == (13.8, 33.0, 72.0, 180.0)
    assert (found.frequency.value, found.frequency.score) == (4, 3)
    assert (found.monetary.value, found.monetary.score) == (Decimal(700), 3)
    assert found.monetary.share_worse is None
    assert found.monetary.share_equal is None


def test_all_cells_of_a_rule_are_named() -> None:
    assert explain(1, 9, "1").rule_cells == ("54", "55")


def test_shares_count_strictly_worse_and_equal_customers() -> None:
    peers = Peers(
        recency=np.array([1, 5, 200, 300]),
        frequency=np.array([9, 2, 2, 1]),
        monetary=np.array([100.5, 7.0, 90.0, 7.0]),
    )

    found = explain_customer(
        "x",
        recency=5,
        frequency=2,
        monetary=Decimal("7.000"),
        model=make_model(),
        peers=peers,
    )

    # Two of four bought longer ago, one on the same day.
    assert (found.recency.share_worse, found.recency.share_equal) == (0.5, 0.25)
    assert (found.frequency.share_worse, found.frequency.share_equal) == (0.25, 0.5)
    assert (found.monetary.share_worse, found.monetary.share_equal) == (0.0, 0.5)


def test_the_cluster_is_the_nearest_centre_and_every_distance_is_told() -> None:
    # log1p of (0, 1, 0) is (0, 0.693, 0): 0.693 - 2 and 8 away from the first centre.
    found = explain(0, 1, "0")

    first, second = (entry.distance for entry in found.distances)
    assert first == pytest.approx(math.hypot(math.log(2) - 2, 8))
    assert second == pytest.approx(math.hypot(5, math.log(2)))
    assert [(entry.cluster, entry.name) for entry in found.distances] == [(0, "best"), (1, "lost")]
    assert (found.cluster, found.cluster_name) == (1, "lost")


def test_silence_moves_a_customer_on_the_first_day_beyond_an_edge_that_matters() -> None:
    # Recency 61 and cell 33 on 2011-12-10; R stays 3 up to day 72, 11 days later.
    silence, order = explain(61, 4, "700").moves

    assert silence == Move(
        dimension="recency",
        change=12,
        by_date=dt.date(2011, 12, 22),
        new_cell="233",
        new_segment="at_risk",
    )
    # One more order before that day: recent again (5), five orders (4).
    assert order == Move(
        dimension="frequency",
        change=1,
        by_date=dt.date(2011, 12, 22),
        new_cell="543",
        new_segment="champions",
    )


def test_silence_passes_over_edges_that_change_nothing() -> None:
    # Cell 45: R 3 is loyal too; only R 2, from day 73 on, is cant_lose_them.
    silence = explain(20, 7, "700").moves[0]

    assert (silence.change, silence.by_date) == (53, dt.date(2012, 2, 1))
    assert (silence.new_cell, silence.new_segment) == ("253", "cant_lose_them")


def test_a_lost_customer_cannot_fall_further_and_may_come_back_any_day() -> None:
    # Customer 12346 of Online Retail: cell 11, one order 326 days ago.
    (order,) = explain(326, 1, "77183.60").moves

    assert order == Move(
        dimension="frequency",
        change=1,
        by_date=None,
        new_cell="525",
        new_segment="potential_loyalists",
    )


def test_a_champion_has_nothing_to_gain_by_an_order() -> None:
    (silence,) = explain(3, 7, "4310").moves

    assert (silence.dimension, silence.change) == ("recency", 11)
    assert (silence.new_cell, silence.new_segment) == ("455", "loyal_customers")


def test_where_one_order_is_not_enough_the_number_of_orders_is_told() -> None:
    # Cell 52; three and four orders are still 53, potential_loyalists; five are 54.
    _, order = explain(3, 2, "700").moves

    assert (order.change, order.new_cell, order.new_segment) == (3, "543", "champions")


def test_the_size_of_an_order_is_told_where_the_table_looks_at_money() -> None:
    # Cell 311, new_customers.  One order makes it 521, promising, and so are 522 to 525: its size
    # decides nothing.
    found = explain(50, 1, "100", table="eleven")
    assert found.segment == "new_customers"
    assert [move.dimension for move in found.moves] == ["recency", "frequency"]

    # Cell 331, about_to_sleep.  A small order makes it 531, potential_loyalist, and so are 532 and
    # 533; 534 is need_attention: over 942.276.  In silence 231 is about_to_sleep too, and only 131,
    # from day 181 on, is lost: 131 days after 2011-12-10.
    found = explain(50, 3, "100.10", table="eleven")
    assert found.segment == "about_to_sleep"
    amount = found.moves[-1]
    assert amount == Move(
        dimension="monetary",
        change=Decimal("842.18"),
        by_date=dt.date(2012, 4, 19),
        new_cell="534",
        new_segment="need_attention",
    )


def test_a_table_without_money_has_no_move_by_money() -> None:
    assert all(move.dimension != "monetary" for move in explain(50, 3, "100").moves)


@pytest.mark.parametrize(
    ("right_open", "change"),
    [
        # 0.3 as a float lies below 0.1 + 0.2; the total must be above it, or may equal it.
        (False, Decimal("0.21")),
        (True, Decimal("0.20")),
    ],
)
def test_an_amount_is_told_to_the_cent_on_either_side_of_an_edge(
    right_open: bool, change: Decimal
) -> None:
    # Every dimension but money is out of play: 535 becomes need_attention from 533 by money alone.
    edges = ScoreEdges(
        group="",
        recency=(10.0, 20.0, 30.0, 40.0),
        frequency=(1.0, 2.0, 9.0, 99.0),
        monetary=(0.05, 0.07, 0.30, 9.0),
        r_counts=(0,) * 5,
        f_counts=(0,) * 5,
        m_counts=(0,) * 5,
        right_open=right_open,
    )

    found = explain_customer(
        "x",
        recency=1,
        frequency=3,
        monetary=Decimal("0.10"),
        model=make_model("eleven", edges),
    )

    assert found.rfm_cell == "533"
    amount = found.moves[-1]
    assert (amount.dimension, amount.change) == ("monetary", change)
    assert (amount.new_cell, amount.new_segment) == ("534", "need_attention")


def test_edges_far_out_of_reach_are_no_move() -> None:
    # Cell 433: 443 and 434 are need_attention and 233 is hibernating, but nobody gets there.
    edges = ScoreEdges(
        group="",
        recency=(0.5, 1e9, 1e300, 1.7e308),
        frequency=(1.0, 2.0, 1e300, 1.7e308),
        monetary=(1.0, 4.0, 1e31, 1.7e308),
        r_counts=(0,) * 5,
        f_counts=(0,) * 5,
        m_counts=(0,) * 5,
    )

    found = explain_customer(
        "x", recency=20, frequency=3, monetary=Decimal(5), model=make_model("eleven", edges)
    )

    assert found.rfm_cell == "433"
    assert found.moves == ()


def test_the_groups_own_edges_and_the_given_snapshot_are_used() -> None:
    far = ScoreEdges(
        group="SG",
        recency=(100.0, 200.0, 300.0, 400.0),
        frequency=EDGES.frequency,
        monetary=EDGES.monetary,
        r_counts=(0,) * 5,
        f_counts=(0,) * 5,
        m_counts=(0,) * 5,
    )

    found = explain_customer(
        "x",
        recency=90,
        frequency=9,
        monetary=Decimal(5),
        model=make_model("ten", EDGES, far),
        group="SG",
        snapshot_date=dt.date(2024, 2, 20),
    )

    assert (found.group, found.rfm_cell) == ("SG", "551")
    # Day 101 is eleven days after 2024-02-20, in a leap year.
    assert found.moves[0].by_date == dt.date(2024, 3, 2)
    assert found.snapshot_date == dt.date(2024, 2, 20)


def test_a_group_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(InvalidModel, match=r'"MY"; it knows \(none\)'):
        explain_customer(
            "x", recency=1, frequency=1, monetary=Decimal(1), model=make_model(), group="MY"
        )


@pytest.mark.parametrize(
    ("recency", "frequency", "monetary"),
    [(-1, 1, "1"), (1, 0, "1"), (1, 1, "-1"), (1, 1, "1e40"), (1, 1, "Infinity")],
)
def test_values_that_no_result_has_are_refused(recency: int, frequency: int, monetary: str) -> None:
    with pytest.raises(InvalidModel, match="17850"):
        explain(recency, frequency, monetary)


def segment_after(model: Model, recency: int, frequency: int, monetary: Decimal) -> str:
    """Return the segment that a new analysis with this model would give."""
    scores = apply_edges(
        np.array([recency]),
        np.array([frequency]),
        np.array([float(monetary)]),
        edges=model.edges,
    )
    numbers = assign_segments(scores.r_score, scores.f_score, scores.m_score, model.rules)
    return model.rules.segments[int(numbers[0])]


@pytest.mark.parametrize("table", BUILT_IN_TABLES)
@given(
    recency=st.integers(1, 40),
    frequency=st.integers(1, 8),
    cents=st.integers(1, 60),
    edges=st.tuples(
        *[st.lists(st.integers(1, 40), min_size=4, max_size=4).map(sorted)] * 2,
        st.lists(st.integers(1, 60), min_size=4, max_size=4).map(sorted),
    ),
    right_open=st.booleans(),
)
def test_a_move_arrives_where_it_says_and_no_smaller_change_leaves_the_segment(
    table: str,
    recency: int,
    frequency: int,
    cents: int,
    edges: tuple[list[int], list[int], list[int]],
    right_open: bool,
) -> None:
    monetary, cent = Decimal(cents) / 100, Decimal("0.01")
    bounds = ScoreEdges(
        group="",
        recency=tuple(edge / 2 for edge in edges[0]),
        frequency=tuple(edge / 4 for edge in edges[1]),
        monetary=tuple(edge / 100 for edge in edges[2]),
        r_counts=(),
        f_counts=(),
        m_counts=(),
        right_open=right_open,
    )
    model = make_model(table, bounds)

    found = explain_customer(
        "x", recency=recency, frequency=frequency, monetary=monetary, model=model
    )

    # What can happen, in steps of one: days of silence, orders worth a cent, cents in one order.
    small = segment_after(model, 1, frequency + 1, monetary + cent)
    silence = [segment_after(model, recency + n, frequency, monetary) for n in range(1, 25)]
    orders = [segment_after(model, 1, frequency + n, monetary + cent) for n in range(1, 15)]
    amounts = [segment_after(model, 1, frequency + 1, monetary + n * cent) for n in range(1, 65)]
    expected: dict[str, tuple[Decimal, str]] = {}
    for dimension, segments, stay in (
        ("recency", silence, {found.segment}),
        ("frequency", orders, {found.segment}),
        ("monetary", amounts, {found.segment, small}),
    ):
        unit = cent if dimension == "monetary" else Decimal(1)
        for steps, segment in enumerate(segments, start=1):
            if segment not in stay:
                expected[dimension] = (steps * unit, segment)
                break
    moves = {move.dimension: (Decimal(move.change), move.new_segment) for move in found.moves}
    assert moves == expected
    assert found.segment == segment_after(model, recency, frequency, monetary)
    days = moves.get("recency", (None, ""))[0]
    deadline = None if days is None else dt.date(2011, 12, 10) + dt.timedelta(days=int(days))
    assert {move.by_date for move in found.moves} <= {deadline}
