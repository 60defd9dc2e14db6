"""What the tests of the command share: a summary without an analysis behind it."""

import datetime as dt
from decimal import Decimal

import pytest

from rfm_backend.pipeline.analysis import (
    ClusterProfile,
    Finding,
    Quality,
    SegmentProfile,
    SetAside,
    Summary,
)


@pytest.fixture
def summary() -> Summary:
    """The sizes of Online Retail (DESIGN.md); the money of segments and clusters is made up."""
    sizes = {
        "champions": (507, "4812345.10"), "loyal_customers": (681, "1812345.10"),
        "cant_lose_them": (35, "99345.10"), "at_risk": (357, "312345.10"),
        "potential_loyalists": (501, "612345.10"), "new_customers": (67, "12345.10"),
        "promising": (169, "32345.10"), "need_attention": (208, "212345.10"),
        "about_to_sleep": (478, "312345.10"), "hibernating": (1335, "693302.904"),
        "my_own_empty_one": (0, "0"),
    }  # fmt: skip
    segments = tuple(
        SegmentProfile(
            segment=name,
            n_customers=size,
            share_of_customers=size / 4338,
            monetary=Decimal(money),
            share_of_monetary=float(Decimal(money)) / 8911407.904,
            median_recency=12.5,
            median_frequency=3.0,
            median_monetary=1234.56,
        )
        for name, (size, money) in sizes.items()
    )
    clusters = tuple(
        ClusterProfile(
            cluster=place,
            name=name,
            n_customers=size,
            share_of_customers=size / 4338,
            monetary=Decimal("1782281.58"),
            share_of_monetary=0.2,
            median_recency=8.0,
            median_frequency=15.0,
            median_monetary=6121.0,
            centre=(8.0, 15.0, 6121.0),
        )
        for place, (name, size) in enumerate(
            [
                ("high_value_active", 344),
                ("high_value_lapsing", 966),
                ("mid_value_active", 1008),
                ("mid_value_active_2", 875),
                ("one_time_lapsed", 1145),
            ]
        )
    )
    return Summary(
        quality=_quality(),
        segments=segments,
        clusters=clusters,
        cross_table={
            name: (size, 0, 0, 0, 0) if name == "champions" else (0, 0, 0, 0, size)
            for name, (size, _) in sizes.items()
        },
        heat_map={(5, 5): (507, Decimal("4812345.10"))},
        edges=(),
        histograms={},
        scatter=(),
        findings=(
            Finding(code="days_counted", level="note", values={"rows": 12}),
            Finding(
                code="few_customers", level="warning", values={"n_customers": 12, "minimum": 50}
            ),
        ),
        seed=42,
        segment_table="ten",
        score_method="quantile",
    )


def _quality() -> Quality:
    return Quality(
        files=("Online_Retail.xlsx [Online Retail]",),
        rows_read=541_909,
        rows_kept=397_884,
        amount_read=Decimal("9747747.934"),
        amount_kept=Decimal("8911407.904"),
        set_aside=(
            SetAside(reason="no_customer", rows=135_080, amount=Decimal("1447682.12")),
            SetAside(reason="quantity_not_positive", rows=8_905, amount=Decimal("-611342.09")),
            SetAside(reason="price_not_positive", rows=40, amount=Decimal("0.00")),
        ),
        n_customers=4338,
        n_invoices=18_532,
        first_date=dt.date(2010, 12, 1),
        last_date=dt.date(2011, 12, 9),
        snapshot_date=dt.date(2011, 12, 10),
        currency=None,
        frequency_counts="invoices",
    )
