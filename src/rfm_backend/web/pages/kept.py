"""What is kept: one upload with its analyses, renamed or deleted; an analysis deleted; the shops.

What always holds: nothing is deleted before a page has said what goes with it, and was told that this
is meant.
"""

from typing import TYPE_CHECKING, Final

from flask import Response

from rfm_backend.errors import InvalidRequest, RfmError
from rfm_backend.services import analyses, history, keeping, uploads
from rfm_backend.statuses import status_of
from rfm_backend.web.failures import words_of
from rfm_backend.web.forms import Form, refused, sent_form
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.analyses import AnalysisHead
    from rfm_backend.storage.uploads import Upload

_MOST_SHOWN: Final = 100


@page("/history/<int:upload_id>/keep")
def show_upload(visit: Visit) -> Screen:
    """Show one upload with every analysis of it, to rename, move or delete."""
    found = uploads.get(visit.service, visit.user.id, visit.path["upload_id"])
    form = Form(values={"filename": found.filename, "shop_id": str(found.shop_id)})
    return Screen(template="upload_keep.html", values={**_kept(visit, found), "form": form})


@page("/history/<int:upload_id>/keep", method="POST")
def change_upload(visit: Visit) -> Screen | Response:
    """Rename an upload, or give it to another shop."""
    found = uploads.get(visit.service, visit.user.id, visit.path["upload_id"])
    form = sent_form(visit, "filename", "shop_id")
    try:
        uploads.change(
            visit.service,
            visit.user.id,
            found.id,
            filename=form["filename"],
            shop_id=_shop_id(form["shop_id"]),
        )
    except RfmError as error:
        return refused("upload_keep.html", form, error, visit, **_kept(visit, found))
    return _to("/history?done=upload")


@page("/history/<int:upload_id>/delete")
def show_upload_deletion(visit: Visit) -> Screen:
    """Say what goes with an upload, and ask whether that is meant."""
    return _upload_deletion(visit)


@page("/history/<int:upload_id>/delete", method="POST")
def delete_upload(visit: Visit) -> Screen | Response:
    """Delete an upload with its analyses."""
    asked = _upload_deletion(visit, status=400)
    if visit.request.form.get("sure") != "yes":
        return asked
    uploads.delete(visit.service, visit.user.id, visit.path["upload_id"])
    return _to("/history?done=upload_deleted")


@page("/analyses/<int:analysis_id>/delete")
def show_analysis_deletion(visit: Visit) -> Screen:
    """Say what goes with an analysis, and ask whether that is meant."""
    return _analysis_deletion(visit)


@page("/analyses/<int:analysis_id>/delete", method="POST")
def delete_analysis(visit: Visit) -> Screen | Response:
    """Delete an analysis; its upload stays."""
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    if visit.request.form.get("sure") != "yes":
        return _analysis_deletion(visit, status=400)
    analyses.delete(visit.service, visit.user.id, found.id)
    return _to(f"/history/{found.upload_id}/keep")


@page("/shops")
def show_shops(visit: Visit) -> Screen:
    """List the shops, to add, rename or delete one."""
    return _shops(visit, Form())


@page("/shops", method="POST")
def add_shop(visit: Visit) -> Screen | Response:
    """Add a shop."""
    form = sent_form(visit, "name")
    try:
        keeping.add_shop(visit.service, visit.user.id, form["name"])
    except RfmError as error:
        return _shops(visit, _told(form, error, visit), status=status_of(error))
    return _to("/shops")


@page("/shops/<int:shop_id>", method="POST")
def change_shop(visit: Visit) -> Screen | Response:
    """Rename a shop, or delete one without uploads."""
    shop_id = visit.path["shop_id"]
    form = sent_form(visit, "shop_name", "do")
    try:
        if form["do"] == "delete":
            keeping.remove_shop(visit.service, visit.user.id, shop_id)
        else:
            keeping.rename_shop(visit.service, visit.user.id, shop_id, form["shop_name"])
    except RfmError as error:
        if status_of(error) == 404:
            raise
        return _shops(visit, _told(form, error, visit), changed=shop_id, status=status_of(error))
    return _to("/shops")


def _kept(visit: Visit, found: "Upload") -> dict[str, object]:
    return {
        "upload": found,
        "shops": keeping.shops(visit.service, visit.user.id),
        "analyses": _analyses_of(visit, found.id),
        "entry": history.entry(visit.service, visit.user.id, found.id),
    }


def _analyses_of(visit: Visit, upload_id: int) -> "list[AnalysisHead]":
    return analyses.page(
        visit.service, visit.user.id, upload_id=upload_id, before=None, limit=_MOST_SHOWN
    )


def _upload_deletion(visit: Visit, *, status: int = 200) -> Screen:
    found = uploads.get(visit.service, visit.user.id, visit.path["upload_id"])
    values = {"upload": found, "analyses": _analyses_of(visit, found.id)}
    return Screen(template="upload_delete.html", values=values, status=status)


def _analysis_deletion(visit: Visit, *, status: int = 200) -> Screen:
    found = analyses.by_id(visit.service, visit.user.id, visit.path["analysis_id"])
    upload = uploads.get(visit.service, visit.user.id, found.upload_id)
    values = {
        "analysis": found,
        "upload": upload,
        "others": len(_analyses_of(visit, upload.id)) - 1,
    }
    return Screen(template="analysis_delete.html", values=values, status=status)


def _shops(visit: Visit, form: Form, *, changed: int | None = None, status: int = 200) -> Screen:
    values = {
        "form": form,
        "changed": changed,
        "shops": keeping.shops(visit.service, visit.user.id),
        "counts": keeping.uploads_by_shop(visit.service, visit.user.id),
    }
    return Screen(template="shops.html", values=values, status=status)


def _told(form: Form, error: RfmError, visit: Visit) -> Form:
    """Return the form with its error: these forms have one field, so that it belongs there."""
    place = next(iter(form.values))
    return Form(values=form.values, errors={place: words_of(error, visit.words)})


def _shop_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidRequest("A shop is one of the list.", field="shop_id")
    return int(text)


def _to(address: str) -> Response:
    return Response(status=303, headers={"Location": address})
