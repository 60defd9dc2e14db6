"""A summary comes back from its JSON as it was, so that pages tell it in the same words as the report."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from api.shop import SALES

from rfm_backend import segment
from rfm_backend.catalogue import words
from rfm_backend.output.phrases import phrase_finding
from rfm_backend.output.stored_summary import summary_from_json
from rfm_backend.output.summary_json import summary_to_json
from rfm_backend.pipeline.analysis import Finding, Summary


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    path: Path = tmp_path_factory.mktemp("stored") / "sales.csv"
    # A row without a customer, so that one is set aside with an example.
    path.write_bytes(SALES + b"\n,A1,2024-01-05,7.25,,\n")
    with segment(path) as result:
        return result.summary


def stored(summary: Summary) -> Summary:
    return summary_from_json(json.dumps(summary_to_json(summary)))


def test_a_summary_comes_back_but_for_its_scatter(summary: Summary) -> None:
    assert summary.quality.set_aside[0].examples

    assert stored(summary) == replace(summary, scatter=())


@pytest.mark.parametrize(
    ("code", "values"),
    [
        # 123 and 0.5 are what JSON cannot tell from a count and from an amount.
        (
            "one_customer_holds_half",
            {"customer_id": "7", "share": 0.5, "amount": Decimal("123.000000")},
        ),
        ("exact_duplicates", {"rows": 5, "amount": Decimal("0.5"), "looked_at": 9}),
        (
            "dates_far_ahead",
            {
                "rows": 1,
                "day": dt.date(2031, 5, 1),
                "previous": dt.date(2024, 1, 2),
                "gap_days": 2676,
                "customer_id": "2024-01-02",
            },
        ),
    ],
)
def test_a_stored_finding_is_told_in_the_same_words(
    summary: Summary, code: str, values: dict[str, object]
) -> None:
    new = Finding(code=code, values=values)

    (again,) = stored(replace(summary, findings=(new,))).findings

    for language in ("en", "id"):
        say = words(language)
        assert phrase_finding(again, say, currency="IDR") == phrase_finding(
            new, say, currency="IDR"
        )
