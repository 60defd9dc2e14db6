"""Two analyses side by side: what differs in their settings, segment by segment, and who moved where.

In:  two of the user's analyses, of one file or of two.
Out: a page; the first analysis is "before", the second "after", and a link turns them round.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from flask import Response

from rfm_backend.catalogue import Words
from rfm_backend.output.phrases import segment_words
from rfm_backend.services import analyses, insights, rule_drafts, uploads
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.charts import Flow, FlowChart
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead

_MOST_ANALYSES: Final = 100
_MOST_UPLOADS: Final = 1_000
_MOST_MOVES: Final = 12
# Thinner ones would not be seen; the table has them all.
_MOST_DRAWN: Final = 60


@page("/analyses/<int:analysis_id>/compare")
def choose_other(visit: Visit) -> Screen | Response:
    """Choose what to compare an analysis with."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    other = visit.number("other")
    if other is not None:
        # What it is compared with came before it, as a rule.
        to = f"/analyses/{other}/compare/{found.id}"
        return Response(status=303, headers={"Location": to})
    return Screen(template="compare_choose.html", values=_around(visit, found))


@page("/analyses/<int:analysis_id>/compare/<int:other_id>")
def show_comparison(visit: Visit) -> Screen:
    """Show two analyses side by side."""
    before = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    after = analyses.by_id(visit.service, visit.user.id, visit.path["other_id"])
    told: dict[str, Any] = insights.compare(visit.service, before, after)
    name_of = _names(visit, before, after)
    moves = sorted(
        (flow for flow in told["flows"] if flow["before"] != flow["after"]),
        key=lambda flow: -flow["n_customers"],
    )
    values = {
        **_around(visit, after),
        "before": before,
        "segments": told["segments"],
        "moves": moves[:_MOST_MOVES],
        "n_more": max(0, len(moves) - _MOST_MOVES),
        "n_moved": sum(flow["n_customers"] for flow in moves),
        "name_of": name_of,
        "chart": _flow_chart(told["flows"], visit.words, name_of),
        "differences": differences(before.option_values, after.option_values, visit.words),
    }
    return Screen(template="compare.html", values=values)


def differences(
    before: Mapping[str, object], after: Mapping[str, object], words: Words
) -> list[tuple[str, str, str]]:
    """Return the settings that are not the same: label, before, after."""
    found, has_reading = [], False
    for name in dict.fromkeys([*before, *after]):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if f"options.{name}" in words:
            told = (_told(name, was, words), _told(name, now, words))
            found.append((words(f"options.{name}"), *told))
        else:
            has_reading = True
    if has_reading:
        found.append((words("compare.reading"), "", words("compare.reading_differs")))
    return found


def _told(name: str, value: object, words: Words) -> str:
    """Return the value of a setting as people read it."""
    if name == "n_clusters" and value == "auto":
        return words("options.how_many_auto")
    if value is None or value == []:
        return words("compare.nothing")
    if isinstance(value, dict):
        return "; ".join(
            f"{words(f'options.edges_{one}')}: {', '.join(words.number(edge) for edge in edges)}"
            for one, edges in value.items()
        )
    if isinstance(value, list):
        lines = (" = ".join(one) if isinstance(one, list) else str(one) for one in value)
        return ", ".join(lines)
    for key in (f"options.{name}_{value}", f"options.table_{value}"):
        if key in words and name != "by":
            return words(key)
    return str(value)


def _names(
    visit: Visit, before: "AnalysisHead", after: "AnalysisHead"
) -> Callable[[str | None], str]:
    words = visit.words
    own = {
        **rule_drafts.table_of(visit.service, before).names,
        **rule_drafts.table_of(visit.service, after).names,
    }

    def name_of(key: str | None) -> str:
        return words("compare.not_there") if key is None else segment_words(key, own, words).name

    return name_of


def _flow_chart(
    flows: list[dict[str, Any]], words: Words, name_of: Callable[[str | None], str]
) -> FlowChart:
    largest = sorted(flows, key=lambda flow: -flow["n_customers"])
    return FlowChart(
        title=words("compare.picture"),
        head_before=words("compare.before"),
        head_after=words("compare.after"),
        head=words("compare.customers"),
        flows=tuple(
            Flow(
                before=name_of(flow["before"]),
                after=name_of(flow["after"]),
                value=flow["n_customers"],
                text=words.number(flow["n_customers"]),
            )
            for flow in largest
        ),
        most_drawn=_MOST_DRAWN,
    )


def _around(visit: Visit, found: "AnalysisHead") -> dict[str, object]:
    """Return the head of an analysis, and what it can be compared with."""
    every = analyses.page(
        visit.service, visit.user.id, upload_id=None, before=None, limit=_MOST_ANALYSES
    )
    names = {
        one.id: one.filename
        for one in uploads.page(visit.service, visit.user.id, before=None, limit=_MOST_UPLOADS)
    }
    return {
        "analysis": found,
        "head": head_of(visit, found, tab="compare"),
        "upload": uploads.get(visit.service, visit.user.id, found.upload_id),
        "names": names,
        "others": [one for one in every if one.id != found.id],
    }
