"""What is said of a result: its summary with names and actions, a comparison of two, one customer.

In:  published analyses.
Out: `Told` for pages; plain values, ready to be sent, for the API.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import Connection

from rfm_backend.catalogue import Language, words
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.output.as_json import json_text
from rfm_backend.output.phrases import cluster_name, segment_words
from rfm_backend.output.stored_summary import summary_from_json
from rfm_backend.pipeline.analysis import Summary
from rfm_backend.pipeline.explain import Explanation
from rfm_backend.pipeline.model import Model, model_from_json
from rfm_backend.services.exports import result_path
from rfm_backend.services.service import Service
from rfm_backend.storage import analyses, uploads
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.storage.uploads import Upload
from rfm_backend.stored import explain_stored
from rfm_backend.work_folder import WorkFolder

_SIDE: Final = ("n_customers", "monetary", "share_of_customers", "share_of_monetary")


# How many uploads of a shop are looked through for one that was analysed.
_LOOKED_BACK: Final = 100


@dataclass(frozen=True, kw_only=True)
class Told:
    """Everything about an analysis but its customers, as it was when it was new."""

    summary: Summary
    model: Model


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """The analysis before one: what the upload that came before it to the same shop shows."""

    analysis: AnalysisHead
    upload: Upload


def tell(service: Service, analysis: AnalysisHead) -> Told:
    """Return the summary and the model of an analysis."""
    summary_text, model_text = _texts(service, analysis)
    return Told(summary=summary_from_json(summary_text), model=model_from_json(model_text))


def earlier(service: Service, analysis: AnalysisHead) -> Earlier | None:
    """Return what an earlier upload of the same shop shows, None where there is none."""

    def unit(tx: Connection) -> Earlier | None:
        user_id = analysis.user_id
        own = uploads.get(tx, analysis.upload_id, user_id=user_id)
        if own is None:
            return None
        before = uploads.page(tx, user_id, before=own.id, limit=_LOOKED_BACK, shop_id=own.shop_id)
        for one in before:
            if one.current_analysis_id is not None:
                found = analyses.get(tx, one.current_analysis_id, user_id=user_id)
                if found is not None:
                    return Earlier(analysis=found, upload=one)
        return None

    return service.database.read(unit)


def summary(service: Service, analysis: AnalysisHead, *, language: Language) -> dict[str, object]:
    """Return everything about an analysis but its customers, with names and actions in words."""
    summary_text, model_text = _texts(service, analysis)
    told: dict[str, object] = json.loads(summary_text)
    names = model_from_json(model_text).rules.names
    say = words(language)
    segments = told["segments"]
    clusters = told["clusters"]
    assert isinstance(segments, list)
    assert isinstance(clusters, list)
    actions = []
    for entry in segments:
        said = segment_words(entry["segment"], names, say)
        entry["name"] = said.name
        if said.action and entry["n_customers"]:
            actions.append(
                {
                    "segment": entry["segment"],
                    "name": said.name,
                    "who": said.who,
                    "action": said.action,
                    "n_customers": entry["n_customers"],
                }
            )
    for entry in clusters:
        entry["title"] = cluster_name(str(entry["name"]), say)
    return {
        "analysis_id": analysis.id,
        "upload_id": analysis.upload_id,
        "total_customers": analysis.n_customers,
        **told,
        "actions": actions,
    }


def explain(
    service: Service, analysis: AnalysisHead, customer_id: str, *, group: str | None
) -> Explanation:
    """Return why a customer stands where he stands.

    Raises
    ------
    UnknownCustomer
        He is not in the result, or in several groups and none is named.
    """
    return explain_stored(result_path(service, analysis), customer_id, group=group)


def explanation(
    service: Service, analysis: AnalysisHead, customer_id: str, *, group: str | None
) -> str:
    """Return the same as JSON."""
    return json_text(explain(service, analysis, customer_id, group=group))


def compare(service: Service, before: AnalysisHead, after: AnalysisHead) -> dict[str, object]:
    """Return two analyses segment by segment, and how many customers moved from where to where."""
    sides = [sizes(service, one) for one in (before, after)]
    keys = list(dict.fromkeys([*sides[0], *sides[1]]))
    return {
        "before": before.id,
        "after": after.id,
        "segments": [
            {"segment": key, "before": sides[0].get(key), "after": sides[1].get(key)}
            for key in keys
        ],
        "flows": _flows(service, before, after),
    }


def _texts(service: Service, analysis: AnalysisHead) -> tuple[str, str]:
    """Return summary and model, as JSON."""
    return service.database.look(
        lambda tx: analyses.summary_and_model(tx, analysis.id, user_id=analysis.user_id)
    )


def sizes(service: Service, analysis: AnalysisHead) -> dict[str, Mapping[str, object]]:
    """Return by segment what a comparison tells of it: customers, money, and the shares of both."""
    text = service.database.look(
        lambda tx: analyses.summary_json(tx, analysis.id, user_id=analysis.user_id)
    )
    return {
        entry["segment"]: {name: entry[name] for name in _SIDE}
        for entry in json.loads(text)["segments"]
    }


def _flows(service: Service, before: AnalysisHead, after: AnalysisHead) -> list[dict[str, object]]:
    """Join the two results by customer."""
    sides = [_one_each(service, one) for one in (before, after)]
    sql = (
        f"SELECT a.segment, b.segment, count(*), CAST(coalesce(sum(a.monetary), 0) AS DOUBLE), "
        f"CAST(coalesce(sum(b.monetary), 0) AS DOUBLE) FROM ({sides[0]}) a "
        f"FULL OUTER JOIN ({sides[1]}) b USING (customer_id) "
        "GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST"
    )
    with WorkFolder() as workdir:
        engine = DuckDBEngine(workdir=Path(workdir), threads=1)
        try:
            rows = engine.rows(sql)
        finally:
            engine.close()
    return [
        {
            "before": was,
            "after": now,
            "n_customers": count,
            "monetary_before": money_before,
            "monetary_after": money_after,
        }
        for was, now, count, money_before, money_after in rows
    ]


def _one_each(service: Service, analysis: AnalysisHead) -> str:
    """Return a query for one row per customer: segment and money."""
    source = f"read_parquet({quote_text(str(result_path(service, analysis)))})"
    if analysis.option_values["by"] is None:
        # There each has one row already, and a million need no sorting.
        return f"SELECT customer_id, segment, monetary FROM {source}"
    # A customer's rows of several groups are one: the segment of the best of them would be a choice.
    return (
        "SELECT customer_id, any_value(segment ORDER BY monetary DESC, segment) AS segment, "
        f"sum(monetary) AS monetary FROM {source} GROUP BY customer_id"
    )
