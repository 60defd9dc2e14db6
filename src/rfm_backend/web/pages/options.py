"""The settings of an analysis: what it was made with, changed for a new run of the same file."""

from typing import TYPE_CHECKING, Final

from flask import Response

from rfm_backend.catalogue import Words
from rfm_backend.errors import RfmError
from rfm_backend.pipeline.analysis import Summary
from rfm_backend.pipeline.rules import BUILT_IN_TABLES
from rfm_backend.services import analyses, insights, keeping, uploads
from rfm_backend.services.looks import Look, quick_look
from rfm_backend.services.requests import read_request
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.charts import Line, LineChart
from rfm_backend.web.forms import Form, refused, sent_form
from rfm_backend.web.onward import begin_analysis
from rfm_backend.web.option_forms import (
    CHOICES,
    EDGES,
    NAMES,
    ZONES,
    body_of,
    check_columns,
    form_of,
)
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead
    from rfm_backend.storage.uploads import Upload

_MOST_MODELS: Final = 50
_MOST_UPLOADS: Final = 1_000
_MOST_COLUMNS: Final = 200
_MOST_NAME: Final = 80
# Drawn, in this order: what the choice goes by, then what courses show; the table has them all.
_DRAWN: Final = ("gap", "stability", "silhouette", "inertia")
_TOLD: Final = ("davies_bouldin", "calinski_harabasz", "smallest_share")


@page("/analyses/<int:analysis_id>/settings")
def show_settings(visit: Visit) -> Screen:
    """Show what an analysis was made with, to change it for a new run."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    edges = _edges_of(insights.tell(visit.service, found).summary)
    form = form_of(found.option_values, n_clusters=found.n_clusters, edges=edges)
    table = visit.request.args.get("table")
    if table:
        form = Form(values={**form.values, "segments": table})
    return Screen(template="options.html", values={**_around(visit, found), "form": form})


@page("/analyses/<int:analysis_id>/settings", method="POST")
def run_again(visit: Visit) -> Screen | Response:
    """Analyse the same file with other settings."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    form, upload = sent_form(visit, *NAMES), _upload(visit, found)
    try:
        body = body_of(found.option_values, form)
        if (look := quick_look(visit.service, upload, found.option_values)) is not None:
            check_columns(body, look)
        request = read_request(visit.service, visit.user.id, body)
    except RfmError as error:
        return refused("options.html", form, error, visit, **_around(visit, found))
    return begin_analysis(visit, found.upload_id, request)


def criteria_chart(summary: dict[str, object], words: Words) -> LineChart | None:
    """Return what each number of clusters would give, None where only one was tried."""
    criteria = summary["criteria"]
    assert isinstance(criteria, list)
    if not criteria:
        return None
    clusters = summary["clusters"]
    assert isinstance(clusters, list)
    numbers = [entry["n_clusters"] for entry in criteria]

    def line(name: str) -> Line:
        values = tuple(entry[name] for entry in criteria)
        texts = tuple(
            words.percent(value) if name == "smallest_share" else words.number(value, 3)
            for value in values
        )
        key = "gap_statistic" if name == "gap" else name
        return Line(name=words(f"criteria.{key}"), values=values, texts=texts)

    return LineChart(
        title=words("options.criteria_title"),
        head=words("criteria.n_clusters"),
        names=tuple(str(number) for number in numbers),
        lines=tuple(line(name) for name in _DRAWN),
        further=tuple(line(name) for name in _TOLD),
        chosen=numbers.index(len(clusters)) if len(clusters) in numbers else None,
    )


def _edges_of(summary: Summary) -> dict[str, tuple[float, ...]]:
    """Return the edges of everybody, to begin one's own from.

    Groups have edges each, of which none is everybody's; R's have their equals on the other side.
    """
    one = summary.edges[0]
    if len(summary.edges) > 1 or one.right_open:
        return {}
    return {"recency": one.recency, "frequency": one.frequency, "monetary": one.monetary}


def _upload(visit: Visit, found: "AnalysisHead") -> "Upload":
    return uploads.get(visit.service, visit.user.id, found.upload_id)


def _by_choices(used: str, look: Look | None, words: Words) -> list[tuple[str, str]]:
    """Return the columns to score apart by, (value, words) pairs; none where they are not known."""
    if look is None:
        return []
    # What was used keeps its value, so that unchanged settings are the same ones.
    same = look.column_of(used) if used else None
    pairs = [
        (used if column.name == same else column.name, column.name[:_MOST_NAME])
        for column in look.columns
    ]
    lost = [(used, used[:_MOST_NAME])] if used and same is None else []
    return [("", words("options.by_nobody")), *pairs[:_MOST_COLUMNS], *lost]


def _around(visit: Visit, found: "AnalysisHead") -> dict[str, object]:
    """Return what stands around the form: the file, the criteria, what can be chosen."""
    say = visit.words
    upload = _upload(visit, found)
    look = quick_look(visit.service, upload, found.option_values)
    told = insights.summary(visit.service, found, language=visit.reader.language)
    chosen = f"criteria.{told['cluster_choice']}"
    tables = [one.name for one in keeping.segment_tables(visit.service, visit.user.id)]
    used = str(found.option_values["segments"])
    others = analyses.page(
        visit.service, visit.user.id, upload_id=None, before=None, limit=_MOST_MODELS
    )
    names = {
        one.id: one.filename
        for one in uploads.page(visit.service, visit.user.id, before=None, limit=_MOST_UPLOADS)
    }
    return {
        "analysis": found,
        "head": head_of(visit, found, tab="settings"),
        "upload": upload,
        "chart": criteria_chart(told, say),
        "chosen": say(chosen, n_clusters=found.n_clusters) if chosen in say else "",
        "choices": {
            name: [(value, say(f"options.{name}_{value or 'found'}")) for value in values]
            for name, values in CHOICES.items()
        },
        "tables": [(name, say(f"options.table_{name}")) for name in BUILT_IN_TABLES]
        + [(name, name) for name in tables],
        "lost_table": "" if used in (*BUILT_IN_TABLES, *tables) else used,
        "models": [
            (one.id, names.get(one.upload_id, ""), one.created_at, one.n_customers)
            for one in others
        ],
        "edges": EDGES,
        "zones": ZONES,
        "columns": [column.name for column in look.columns[:_MOST_COLUMNS]] if look else [],
        "by_choices": _by_choices(str(found.option_values["by"] or ""), look, say),
        # The setting that somebody was led to, which may be folded away.
        "led_to": visit.request.args.get("at", ""),
    }
