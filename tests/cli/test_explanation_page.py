"""How an explanation looks on the terminal."""

import datetime as dt
from decimal import Decimal

import pytest
from rich.text import Text

from rfm_backend.catalogue import words
from rfm_backend.cli.explanation import explanation_lines
from rfm_backend.output.phrases import move_sentence
from rfm_backend.pipeline.explain import CentreDistance, Explanation, Move, Standing


def plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


def standing(dimension: str, value: int | Decimal, score: int, **changes: object) -> Standing:
    made = {
        "dimension": dimension,
        "value": value,
        "score": score,
        "edges": (10.0, 20.0, 30.0, 40.0),
        "right_open": False,
        "share_worse": 0.75,
        "share_equal": 0.01,
        **changes,
    }
    return Standing(**made)  # type: ignore[arg-type]  # one place builds them from keywords


def explanation(**changes: object) -> Explanation:
    made = {
        "customer_id": "17850",
        "group": "",
        "snapshot_date": dt.date(2011, 12, 10),
        "recency": standing("recency", 12, 4),
        "frequency": standing("frequency", 3, 1, edges=(3.0, 4.0)),
        "monetary": standing("monetary", Decimal("77.5"), 5),
        "rfm_cell": "415",
        "segment_table": "ten",
        "segment": "promising",
        "rule_cells": ("41",),
        "cluster": 1,
        "cluster_name": "one_time_recent",
        "distances": (CentreDistance(cluster=0, name="high_value_active", distance=2.345),),
        "moves": (),
        **changes,
    }
    return Explanation(**made)  # type: ignore[arg-type]  # one place builds them from keywords


def test_an_explanation_shows_what_each_score_asks_for() -> None:
    page = plain(explanation_lines(explanation(), words("en"), width=100))

    # Days: small is good, so the lowest score is above the greatest edge.
    assert "    score 1: > 40 · 2: > 30 · 3: > 20 · 4: > 10 · 5: the rest" in page
    assert "    score 1: ≤ 3 · 2: ≤ 4 · 3: the rest" in page
    assert "    score 1: ≤ 10 · 2: ≤ 20 · 3: ≤ 30 · 4: ≤ 40 · 5: the rest" in page


def test_thresholds_of_right_open_tables_are_compared_the_other_way() -> None:
    changed = explanation(
        recency=standing("recency", 12, 4, edges=(10.0, 20.0), right_open=True),
        monetary=standing("monetary", Decimal(5), 1, right_open=True),
    )

    page = plain(explanation_lines(changed, words("en"), width=100))

    assert "    score 3: ≥ 20 · 4: ≥ 10 · 5: the rest" in page
    assert "    score 1: < 10 · 2: < 20 · 3: < 30 · 4: < 40 · 5: the rest" in page


def test_an_explanation_without_moves_says_so() -> None:
    page = plain(explanation_lines(explanation(), words("id"), width=100))

    assert "  Tidak ada satu perubahan pun yang mengubah segmennya." in page


DAY = dt.date(2011, 12, 22)


@pytest.mark.parametrize(
    ("dimension", "change", "by_date", "sentence"),
    [
        ("recency", 12, DAY,
         "Without a purchase, from 22 December 2011 (in 12 days): Loyal customers."),
        ("frequency", 1, DAY, "One more order before 22 December 2011: Loyal customers."),
        ("frequency", 3, DAY, "3 more orders before 22 December 2011: Loyal customers."),
        ("frequency", 1, None, "One more order, any day: Loyal customers."),
        ("frequency", 3, None, "3 more orders, any day: Loyal customers."),
        ("monetary", Decimal("1250.5"), DAY,
         "One more order of at least 1,250.50 before 22 December 2011: Loyal customers."),
        ("monetary", Decimal(80), None,
         "One more order of at least 80.00, any day: Loyal customers."),
    ],
)  # fmt: skip
def test_a_move_is_a_sentence(
    dimension: str, change: int | Decimal, by_date: dt.date | None, sentence: str
) -> None:
    move = Move(
        dimension=dimension,  # type: ignore[arg-type]  # the parameters above are such
        change=change,
        by_date=by_date,
        new_cell="445",
        new_segment="loyal_customers",
    )

    assert move_sentence(move, words("en"), segment="Loyal customers") == sentence
