"""What is said of a result: its summary with names and actions, a comparison of two, one customer.

In:  published analyses.
Out: plain values, ready to be sent.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rfm_backend.catalogue import Language, words
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.output.as_json import json_text
from rfm_backend.output.phrases import cluster_name
from rfm_backend.services.exports import folder_of
from rfm_backend.services.service import Service
from rfm_backend.storage import analyses
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.stored import explain_stored

_SIDE: Final = ("n_customers", "monetary", "share_of_customers", "share_of_monetary")


def summary(service: Service, analysis: AnalysisHead, *, language: Language) -> dict[str, object]:
    """Return everything about an analysis but its customers, with names and actions in words."""
    text = service.database.read(
        lambda tx: analyses.summary_json(tx, analysis.id, user_id=analysis.user_id)
    )
    told: dict[str, object] = json.loads(text)
    say = words(language)
    segments = told["segments"]
    clusters = told["clusters"]
    assert isinstance(segments, list)
    assert isinstance(clusters, list)
    actions = []
    for entry in segments:
        key = f"segments.{entry['segment']}"
        entry["name"] = say(key) if key in say else str(entry["segment"])
        if f"{key}_action" in say and entry["n_customers"]:
            actions.append(
                {
                    "segment": entry["segment"],
                    "name": entry["name"],
                    "who": say(f"{key}_who"),
                    "action": say(f"{key}_action"),
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


def explanation(
    service: Service, analysis: AnalysisHead, customer_id: str, *, group: str | None
) -> str:
    """Return why a customer stands where he stands, as JSON.

    Raises
    ------
    UnknownCustomer
        He is not in the result, or in several groups and none is named.
    """
    path = folder_of(service, analysis) / "result.parquet"
    return json_text(explain_stored(path, customer_id, group=group))


def compare(service: Service, before: AnalysisHead, after: AnalysisHead) -> dict[str, object]:
    """Return two analyses segment by segment, and how many customers moved from where to where."""
    sides = [_segments(service, one) for one in (before, after)]
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


def _segments(service: Service, analysis: AnalysisHead) -> dict[str, Mapping[str, object]]:
    text = service.database.read(
        lambda tx: analyses.summary_json(tx, analysis.id, user_id=analysis.user_id)
    )
    return {
        entry["segment"]: {name: entry[name] for name in _SIDE}
        for entry in json.loads(text)["segments"]
    }


def _flows(service: Service, before: AnalysisHead, after: AnalysisHead) -> list[dict[str, object]]:
    """Join the two results by customer (and group, where both have groups)."""
    sources = [
        f"read_parquet({quote_text(str(folder_of(service, one) / 'result.parquet'))})"
        for one in (before, after)
    ]
    # A customer's rows of several groups are one: the segment of the best of them would be a choice.
    one_each = (
        "SELECT customer_id, any_value(segment ORDER BY monetary DESC, segment) AS segment, "
        "sum(monetary) AS monetary FROM {} GROUP BY customer_id"
    )
    sql = (
        f"SELECT a.segment, b.segment, count(*), CAST(coalesce(sum(a.monetary), 0) AS DOUBLE), "
        f"CAST(coalesce(sum(b.monetary), 0) AS DOUBLE) FROM ({one_each.format(sources[0])}) a "
        f"FULL OUTER JOIN ({one_each.format(sources[1])}) b USING (customer_id) "
        "GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST"
    )
    with tempfile.TemporaryDirectory(prefix="rfm-") as workdir:
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
