"""Uploading: files come in, one at a time from upload.js, or all at once from the plain form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.datastructures import FileStorage

from rfm_backend.errors import InvalidRequest, RfmError
from rfm_backend.services import uploads
from rfm_backend.statuses import status_of
from rfm_backend.web.failures import words_of
from rfm_backend.web.routing import Screen, Visit, page

if TYPE_CHECKING:
    from rfm_backend.storage.uploads import Upload


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file that was sent: the upload that it became, or why it did not."""

    name: str
    upload: "Upload | None"
    refusal: str
    status: int


@page("/uploads/new")
def show_new_upload(visit: Visit) -> Screen:
    """Choose files or drop them."""
    return _shown(visit, ())


@page("/uploads", method="POST")
def upload(visit: Visit) -> Screen | Response:
    """Take in one file or several."""
    files = [one for one in visit.request.files.getlist("file") if one.filename]
    if not files:
        error = InvalidRequest("No file was chosen.", field="file", reason="no_file")
        refused = Sent(name="", upload=None, refusal=words_of(error, visit.words), status=400)
        return _shown(visit, (refused,))
    sent = [_received(visit, one) for one in files]
    if visit.is_by_htmx:
        return Screen(template="upload_said.html", values={"sent": sent[0]}, status=sent[0].status)
    if len(sent) == 1 and (only := sent[0].upload) is not None:
        return Response(status=303, headers={"Location": f"/uploads/{only.id}"})
    return _shown(visit, sent)


def _received(visit: Visit, file: FileStorage) -> Sent:
    name = file.filename or ""
    try:
        stored = uploads.receive(
            visit.service, visit.user.id, file.stream, filename=name, shop_id=None
        )
    except RfmError as error:
        if status_of(error) >= 500 and error.code != "over_quota":
            raise
        return Sent(
            name=name,
            upload=None,
            refusal=words_of(error, visit.words),
            status=status_of(error),
        )
    return Sent(name=stored.upload.filename, upload=stored.upload, refusal="", status=201)


def _shown(visit: Visit, sent: Sequence[Sent]) -> Screen:
    refused = [one.status for one in sent if one.upload is None]
    is_none_stored = len(refused) == len(sent)
    return Screen(
        template="upload.html",
        values={"sent": sent, "most_bytes": visit.service.settings.max_upload_bytes},
        status=refused[0] if refused and is_none_stored else 200,
    )
