"""The example of the R package rfm, number by number, and the scores that others published.

Sources: the vignette, help pages and unit tests of rfm 0.3.0 (MIT) for its own data; a count over
CDNOW and Online Retail by an independent script for tie-safe frequency.
"""

import csv
import datetime as dt
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from rfm_backend.pipeline.rules import built_in_rules, parse_rules
from rfm_backend.pipeline.score import Scores, score_customers
from rfm_backend.pipeline.segment import assign_segments

TABLES = Path(__file__).resolve().parent.parent / "data"


class Customers(NamedTuple):
    names: list[str]
    recency: NDArray[np.int64]
    frequency: NDArray[np.int64]
    monetary: NDArray[np.float64]

    def score(self, method: str) -> Scores:
        assert method in {"quantile", "r-rfm"}
        return score_customers(
            self.recency,
            self.frequency,
            self.monetary,
            method="r-rfm" if method == "r-rfm" else "quantile",
        )


def aggregate(orders: list[tuple[str, dt.date, float]], snapshot: dt.date) -> Customers:
    """Return RFM in plain Python, each row one order, customers by name."""
    dates: dict[str, list[dt.date]] = defaultdict(list)
    amounts: dict[str, float] = defaultdict(float)
    for name, day, amount in orders:
        dates[name].append(day)
        amounts[name] += amount
    names = sorted(dates)
    return Customers(
        names,
        np.array([(snapshot - max(dates[name])).days for name in names]),
        np.array([len(dates[name]) for name in names]),
        np.array([amounts[name] for name in names]),
    )


@pytest.fixture(scope="module")
def r_orders(data_dir: Path) -> Customers:
    with (data_dir / "r_rfm" / "rfm_data_orders.csv").open(encoding="utf-8") as file:
        orders = [
            (row["customer_id"], dt.date.fromisoformat(row["order_date"]), float(row["revenue"]))
            for row in csv.DictReader(file)
        ]
    return aggregate(orders, dt.date(2006, 12, 31))


def test_r_rfm_bins_and_score_counts_are_those_of_the_package(r_orders: Customers) -> None:
    (edges,) = r_orders.score("r-rfm").edges

    assert edges.recency == pytest.approx((115, 181, 297.4, 482), abs=1e-9)
    assert edges.frequency == pytest.approx((4, 5, 6, 8), abs=1e-9)
    assert edges.monetary == pytest.approx((255.8, 382, 506.4, 666), abs=1e-9)
    assert edges.r_counts == (197, 200, 199, 199, 200)
    assert edges.f_counts == (268, 187, 176, 244, 120)
    assert edges.m_counts == (200, 200, 198, 202, 195)


def test_the_first_customers_are_those_of_the_package(r_orders: Customers) -> None:
    scores = r_orders.score("r-rfm")

    columns = (scores.r_score, scores.f_score, scores.m_score)
    rows = {
        name: (
            int(days),
            int(orders),
            int(amount),
            "".join(str(column[place]) for column in columns),
        )
        for place, (name, days, orders, amount) in enumerate(zip(*r_orders, strict=True))
    }
    assert rows["Abbey O'Reilly"] == (205, 6, 472, "343")
    assert rows["Add Senger"] == (140, 3, 340, "412")
    assert rows["Aden Lesch"] == (194, 4, 405, "323")
    assert rows["Aden Murphy"] == (98, 7, 596, "544")
    assert rows["Admiral Senger"] == (132, 5, 448, "433")
    assert rows["Agness O'Keefe"] == (90, 9, 843, "555")
    assert rows["Aileen Barton"] == (84, 9, 763, "555")
    assert rows["Ailene Hermann"] == (281, 8, 699, "355")
    assert rows["Aiyanna Bruen"] == (246, 4, 157, "321")
    assert rows["Akeelah Walsh"] == (160, 7, 779, "445")


def segments_of(customers: Customers, table: str) -> dict[str, tuple[int, int, int]]:
    """Return customers, orders and revenue per segment."""
    rules, _ = parse_rules((TABLES / table).read_text("utf-8"), table)
    scores = customers.score("r-rfm")
    numbers = assign_segments(scores.r_score, scores.f_score, scores.m_score, rules)
    return {
        key: (
            int((numbers == place).sum()),
            int(customers.frequency[numbers == place].sum()),
            int(customers.monetary[numbers == place].sum()),
        )
        for place, key in enumerate(rules.segments)
    }


def test_every_segment_of_the_0_3_vignette_has_its_customers_orders_and_revenue(
    r_orders: Customers,
) -> None:
    found = segments_of(r_orders, "rules_r_rfm_0_3.toml")

    assert found == {
        "champions": (35, 316, 31646),
        "potential_loyalist": (342, 2211, 204856),
        "loyal_customers": (170, 799, 76562),
        "promising": (9, 28, 4249),
        "new_customers": (104, 329, 28837),
        "cant_lose_them": (47, 274, 32446),
        "at_risk": (28, 216, 22227),
        "need_attention": (10, 57, 4562),
        "about_to_sleep": (102, 283, 23449),
        "lost": (148, 393, 35324),
        # Nothing is left for it: 995 customers, 4,906 orders and 464,158 are all above.
        "others": (0, 0, 0),
    }


def test_every_segment_of_the_0_2_tests_has_its_customers(r_orders: Customers) -> None:
    found = segments_of(r_orders, "rules_r_rfm_0_2.toml")

    assert found["champions"] == (158, 1234, 120178)
    assert {key: customers for key, (customers, _, _) in found.items()} == {
        "champions": 158,
        "loyal_customers": 278,
        "potential_loyalist": 229,
        "new_customers": 0,
        "promising": 0,
        "need_attention": 35,
        "about_to_sleep": 50,
        "at_risk": 86,
        "cant_lose_them": 0,
        "lost": 111,
        "others": 48,
    }


@pytest.fixture(scope="module")
def online_retail(data_dir: Path) -> Customers:
    with (data_dir / "online_retail" / "expected_rfm.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return Customers(
        [row["customer_id"] for row in rows],
        np.array([int(row["recency"]) for row in rows]),
        np.array([int(row["frequency"]) for row in rows]),
        np.array([float(row["monetary"]) for row in rows]),
    )


def test_online_retail_has_the_documented_edges_and_score_counts(online_retail: Customers) -> None:
    (edges,) = online_retail.score("quantile").edges

    assert edges.recency == pytest.approx((13.8, 33, 72, 180))
    assert edges.frequency == (1.0, 2.0, 4.0, 6.0)
    assert edges.monetary == pytest.approx((250.194, 490.096, 942.276, 2058.426))
    assert edges.r_counts == (861, 866, 863, 880, 868)
    assert edges.f_counts == (1493, 835, 896, 414, 700)
    assert edges.m_counts == (868, 867, 868, 867, 868)


def test_online_retail_has_the_documented_customers_in_each_segment(
    online_retail: Customers,
) -> None:
    scores = online_retail.score("quantile")

    numbers = assign_segments(scores.r_score, scores.f_score, scores.m_score, built_in_rules("ten"))

    assert np.bincount(numbers).tolist() == [1335, 357, 35, 478, 208, 501, 169, 67, 681, 507]


def test_online_retail_in_the_bins_of_r_rfm_has_the_published_eleven_segments(
    online_retail: Customers,
) -> None:
    rules = built_in_rules("eleven")
    scores = online_retail.score("r-rfm")

    numbers = assign_segments(scores.r_score, scores.f_score, scores.m_score, rules)

    assert scores.edges[0].f_counts == (1493, 835, 508, 802, 700)
    counts = np.bincount(numbers, minlength=11).tolist()
    assert dict(zip(rules.segments, counts, strict=True)) == {
        "champions": 797,
        "loyal": 404,
        "potential_loyalist": 306,
        "new_customers": 408,
        "promising": 242,
        "need_attention": 254,
        "about_to_sleep": 230,
        "at_risk": 348,
        "cannot_lose_them": 123,
        "hibernating": 659,
        "lost": 567,
    }


def test_one_time_buyers_of_cdnow_share_one_score_where_other_methods_split_or_skip(
    data_dir: Path,
) -> None:
    purchases = []
    for line in (data_dir / "cdnow" / "CDNOW_master.txt").read_text("ascii").splitlines()[1:]:
        name, day, _, amount = line.split()
        if day < "19971001" and float(amount) > 0:
            purchases.append((name, dt.date.fromisoformat(day), float(amount)))
    customers = aggregate(purchases, dt.date(1997, 10, 1))

    assert len(customers.names) == 23_500
    assert customers.score("quantile").edges[0].f_counts == (13886, 4494, 2089, 1083, 1948)
    # The package's bins leave the second score empty: both first edges fall on 2.
    r_rfm = customers.score("r-rfm")
    assert r_rfm.edges[0].f_counts == (13886, 0, 4494, 2089, 3031)
