"""The rule-table editor: which segment each score cell belongs to, and what a change would move.

In:  an analysis, whose own table it starts from, or another table that is named.
Out: a table kept under a name, for a new run.

What always holds: what is on the screen travels with the form, so that nothing is kept, or lost, before
it is saved; a table with gaps or overlaps is not saved, and the cells are named.
"""

from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from flask import Response

from rfm_backend.errors import RfmError
from rfm_backend.output.phrases import segment_words
from rfm_backend.pipeline.rule_files import MAX_SEGMENTS, all_cells
from rfm_backend.pipeline.rules import BUILT_IN_TABLES
from rfm_backend.services import analyses, keeping, rule_drafts, uploads
from rfm_backend.services.requests import read_request
from rfm_backend.services.rule_drafts import NOWHERE, Draft, Share
from rfm_backend.web.analysis_head import head_of
from rfm_backend.web.forms import Form, refused, sent_form
from rfm_backend.web.onward import begin_analysis, go_on
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead

SCORES: Final = ("5", "4", "3", "2", "1")
# As many as style.css has tints; what comes after begins again, and has its number.
_TINTS: Final = 12
_MOST_MOVES: Final = 12
_MOST_CELLS: Final = 20


@page("/analyses/<int:analysis_id>/rules")
def show_rules(visit: Visit) -> Screen:
    """Show the rules on the score grid, to change them."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    named = visit.request.args.get("table", "")
    table = rule_drafts.named_table(visit.service, visit.user.id, named) if named else None
    draft = rule_drafts.draft_of(table or rule_drafts.table_of(visit.service, found))
    values = {**_around(visit, found, draft, from_table=named if table else ""), "form": Form()}
    return Screen(template="rules.html", values=values)


@page("/analyses/<int:analysis_id>/rules", method="POST")
def save_rules(visit: Visit) -> Screen | Response:
    """Keep the rules under a name, or add a segment to them."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    form, draft = sent_form(visit, "name", "new_name"), _draft(visit)
    try:
        # Enter in the field of a new segment presses the first button, which saves.
        if form["new_name"].strip() or visit.request.form.get("do") == "add":
            draft = rule_drafts.add_segment(draft, form["new_name"])
            form = Form(values={"name": form["name"]})
            return Screen(
                template="rules.html", values={**_around(visit, found, draft), "form": form}
            )
        kept = keeping.add_segment_table(
            visit.service, visit.user.id, name=form["name"], toml=draft.to_toml()
        )
        if visit.request.form.get("do") != "run":
            to = f"/analyses/{found.id}/settings?table={quote(kept.name)}"
            return go_on(visit, to)
        body = {**found.option_values, "segments": kept.name}
        request = read_request(visit.service, visit.user.id, body)
    except RfmError as error:
        return refused("rules.html", form, error, visit, **_around(visit, found, draft))
    return begin_analysis(visit, found.upload_id, request)


@page("/analyses/<int:analysis_id>/rules/effect", method="POST")
def show_effect(visit: Visit) -> Screen:
    """Say how many customers and how much money a change of the rules would move."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    return Screen(template="rules_effect.html", values=_effect(visit, found, _draft(visit)))


@page("/analyses/<int:analysis_id>/rules/tables/<int:table_id>/delete", method="POST")
def delete_table(visit: Visit) -> Response:
    """Delete a table that was kept; analyses made with it stay as they are."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    keeping.remove_segment_table(visit.service, visit.user.id, visit.path["table_id"])
    return Response(status=303, headers={"Location": f"/analyses/{found.id}/rules"})


def _draft(visit: Visit) -> Draft:
    """Return the draft that a form carries."""
    sent = visit.request.form
    keys = tuple(dict.fromkeys(sent.getlist("segment")))[:MAX_SEGMENTS]
    names = dict(zip(sent.getlist("segment"), sent.getlist("segment_name"), strict=False))
    dimensions: Literal[2, 3] = 3 if sent.get("dimensions") == "3" else 2
    return Draft(
        dimensions=dimensions,
        segments=keys,
        claims={
            cell: tuple(key for key in sent.getlist(f"cell-{cell}") if key in keys)
            for cell in all_cells(dimensions)
        },
        names={key: name for key, name in names.items() if name},
    )


def _around(
    visit: Visit, found: "AnalysisHead", draft: Draft, *, from_table: str = ""
) -> dict[str, object]:
    shares = rule_drafts.cell_shares(visit.service, found)
    own = rule_drafts.table_of(visit.service, found)
    counts: dict[str, int] = {}
    for cell, share in shares.items():
        short = cell[: draft.dimensions]
        counts[short] = counts.get(short, 0) + share.n_customers
    return {
        **_effect(visit, found, draft),
        "upload": uploads.get(visit.service, visit.user.id, found.upload_id),
        "head": head_of(visit, found, tab="settings"),
        "scores": SCORES,
        # A table over R and F has one plane, one over R, F and M has one for each M.
        "planes": SCORES if draft.dimensions == 3 else ("",),
        "counts": counts,
        "was": own.cells if own.dimensions == draft.dimensions else {},
        "saved": keeping.segment_tables(visit.service, visit.user.id),
        "built_in": BUILT_IN_TABLES,
        "from_table": from_table,
    }


def _effect(visit: Visit, found: "AnalysisHead", draft: Draft) -> dict[str, object]:
    effect = rule_drafts.effect_of(visit.service, found, draft)
    own = rule_drafts.table_of(visit.service, found)
    words, names = visit.words, {**own.names, **draft.names}

    def name_of(key: str) -> str:
        return words("rules.nowhere") if key == NOWHERE else segment_words(key, names, words).name

    return {
        "analysis": found,
        "draft": draft,
        "name_of": name_of,
        "number_of": {key: place for place, key in enumerate(draft.segments, start=1)},
        "tints": _TINTS,
        "effect": effect,
        "moves": list(effect.moves.items())[:_MOST_MOVES],
        "n_more": max(0, len(effect.moves) - _MOST_MOVES),
        "difference": _difference,
        "cell_name": _cell_name,
        "gaps": ", ".join(map(_cell_name, draft.gaps[:_MOST_CELLS])),
        "overlaps": ", ".join(map(_cell_name, draft.overlaps[:_MOST_CELLS])),
    }


def _difference(before: Share, after: Share) -> Share:
    return Share(
        n_customers=after.n_customers - before.n_customers,
        monetary=after.monetary - before.monetary,
    )


def _cell_name(cell: str) -> str:
    """Return a cell as people read it: "R5 F4"."""
    return " ".join(f"{axis}{score}" for axis, score in zip("RFM", cell, strict=False))
