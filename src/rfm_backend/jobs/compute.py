"""What the child process of a job does: the analysis, into files.

In:  the upload's path, the request as text, a folder.
Out: in the folder ``result.parquet`` (what exports are made of), ``rows.parquet`` (what the database
     gets, ready to be inserted), ``orders``, ``result.model.json``, ``summary.json``, ``report.en.html``, ``report.id.html``;
     and how far it is meanwhile (progress_file.py).

What always holds: the numbers are those of the library; the child knows neither the database nor the
user.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rfm_backend import columns as c
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.jobs.progress_file import ProgressFile
from rfm_backend.library import Resources, segment
from rfm_backend.output.summary_json import summary_to_json
from rfm_backend.output.tables import exact_amount_sql, json_value_sql
from rfm_backend.pipeline.model import model_to_json
from rfm_backend.pipeline.run import Analysis, result_sql
from rfm_backend.services.requests import request_from_json
from rfm_backend.storage.files import stand_under_name
from rfm_backend.storage.orders import Ordered, write_orders
from rfm_backend.work_folder import WorkFolder

MODEL: Final = "result.model.json"
ROWS: Final = "rows.parquet"
RESULT: Final = "result.parquet"
_KEY_LENGTH: Final = 64
_RANK_SQL: Final = f"row_number() OVER (ORDER BY {c.MONETARY}, rowid)"


def compute(
    *,
    source: str,
    name: str,
    request: str,
    folder: str,
    resources: Mapping[str, Any],
) -> dict[str, object]:
    """Analyse a file and write everything about it into `folder`; return the head of the analysis.

    Raises
    ------
    RfmError
        The file, or an option, cannot be used.
    """
    wanted, out = request_from_json(request), Path(folder)
    with (
        WorkFolder() as workdir,
        segment(
            # Under its own name, which is what the accounting and every message call it.
            stand_under_name(Path(source), name, Path(workdir)),
            options=wanted.options,
            model=wanted.model,
            table=wanted.table_toml,
            thresholds=wanted.thresholds,
            resources=Resources(**resources),
            progress=ProgressFile(out),
        ) as result,
    ):
        analysis = result.analysis
        analysis.engine.write(result_sql(analysis), out / RESULT, form="parquet")
        analysis.engine.write(_rows_sql(analysis), out / ROWS, form="parquet")
        write_orders(out, _ordered(analysis))
        summary = json.dumps(summary_to_json(result.summary), ensure_ascii=False)
        (out / "summary.json").write_text(summary, "utf-8")
        (out / MODEL).write_text(model_to_json(result.model), "utf-8")
        result.to_html(out / "report.en.html", language="en")
        result.to_html(out / "report.id.html", language="id")
        return {
            "options": wanted.option_values,
            "columns": list(analysis.result_columns),
            "n_customers": result.quality.n_customers,
            "n_clusters": len(result.clusters),
            "seed": result.model.seed,
        }


def _ordered(analysis: Analysis) -> Ordered:
    """Return what the orders of the customers are made of."""
    keys = sorted(
        str(row[0]) for row in analysis.engine.rows("SELECT DISTINCT segment FROM result")
    )
    listed = ", ".join(quote_text(key) for key in keys)
    arrays = analysis.engine.arrays(
        f"SELECT list_position([{listed}], {c.SEGMENT}) - 1 AS segment, {c.CLUSTER} AS cluster, "
        f"{c.RECENCY} AS recency, {c.FREQUENCY} AS frequency, {_RANK_SQL} AS monetary_rank "
        "FROM result ORDER BY rowid"
    )
    return Ordered(segments=keys, **arrays)


def _rows_sql(analysis: Analysis) -> str:
    """Return a SELECT of the rows as the database keeps them, in the order of its columns."""
    names = analysis.result_columns
    has_groups = names[1] != c.RESULT[1]
    besides = [
        name for name in names if name not in c.RESULT and not (has_groups and name == names[1])
    ]
    pairs = " || ', ' || ".join(
        f"{quote_text(json.dumps(name, ensure_ascii=False) + ': ')} || {json_value_sql(name)}"
        for name in besides
    )
    values = {
        "position": "row_number() OVER (ORDER BY rowid)",
        "customer_id": c.CUSTOMER_ID,
        "group_value": quote_name(names[1]) if has_groups else "CAST(NULL AS VARCHAR)",
        "recency": c.RECENCY,
        "frequency": c.FREQUENCY,
        "monetary": exact_amount_sql(c.MONETARY),
        "monetary_rank": _RANK_SQL,
        "r_score": c.R_SCORE,
        "f_score": c.F_SCORE,
        "m_score": c.M_SCORE,
        "segment": c.SEGMENT,
        "cluster": c.CLUSTER,
        "first_purchase_date": f"CAST({c.FIRST_PURCHASE_DATE} AS VARCHAR)",
        "last_purchase_date": f"CAST({c.LAST_PURCHASE_DATE} AS VARCHAR)",
        "more": f"'{{' || {pairs} || '}}'" if besides else "CAST(NULL AS VARCHAR)",
        "name_key": _key_sql(c.CUSTOMER_NAME, names),
        "email_key": _key_sql(c.EMAIL, names),
    }
    chosen = ", ".join(f"{value} AS {name}" for name, value in values.items())
    return f"SELECT {chosen} FROM result ORDER BY position"


def _key_sql(name: str, names: tuple[str, ...]) -> str:
    if name not in names:
        return "CAST(NULL AS VARCHAR)"
    return f"lower(left({quote_name(name)}, {_KEY_LENGTH}))"
