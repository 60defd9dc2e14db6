"""The start: what this does, in a picture, and the ways in."""

from flask import Response

from rfm_backend.catalogue import Words
from rfm_backend.web.charts import Bar, BarChart
from rfm_backend.web.pages.sign import HOME
from rfm_backend.web.routing import Screen, Visit, page

# What an analysis of the trial's shop gives: segment, share of customers, share of revenue.
# A test analyses the shop and compares.
EXAMPLE = (
    ("champions", 0.09720, 0.56738),
    ("loyal_customers", 0.11052, 0.12039),
    ("potential_loyalists", 0.12250, 0.07129),
    ("new_customers", 0.05060, 0.00654),
    ("promising", 0.07190, 0.01304),
    ("need_attention", 0.02929, 0.03517),
    ("about_to_sleep", 0.11851, 0.03568),
    ("at_risk", 0.06924, 0.05248),
    ("cant_lose_them", 0.01332, 0.01897),
    ("hibernating", 0.31691, 0.07907),
)


@page("/", access="anyone")
def start(visit: Visit) -> Screen | Response:
    """Say what this does; whoever is signed in goes on to his uploads."""
    if visit.caller is not None:
        return Response(status=303, headers={"Location": HOME})
    return Screen(
        template="start.html",
        values={
            "chart": example_chart(visit.words),
            "is_open": visit.service.settings.registration == "open",
        },
    )


def example_chart(words: Words) -> BarChart:
    """Return the picture: few customers bring most of the money."""
    return BarChart(
        title=words("start.chart_title"),
        head=words("report.segment"),
        series=(words("report.key_people"), words("report.key_money")),
        bars=tuple(
            Bar(
                name=words(f"segments.{key}"),
                values=(customers, money),
                texts=(words.percent(customers), words.percent(money)),
            )
            for key, customers, money in EXAMPLE
        ),
    )
