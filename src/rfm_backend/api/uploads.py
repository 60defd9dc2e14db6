"""Endpoints of uploads: /api/upload, /api/uploads/..."""

from typing import Final

from flask import Request
from werkzeug.datastructures import FileStorage

from rfm_backend.api.routing import Answer, Call, Shown, route
from rfm_backend.api.shapes.base import MOST_ID, Message, Page
from rfm_backend.api.shapes.uploads import UploadChange, UploadMade, UploadQuery, UploadTold
from rfm_backend.errors import InvalidRequest
from rfm_backend.services import previews, uploads
from rfm_backend.services.cursors import pack_cursor, unpack_cursor
from rfm_backend.storage.uploads import Upload

_TAG: Final = "Uploads"
_PLAIN_CODINGS: Final = ("binary", "8bit", "7bit")
_UPLOAD: Final = {
    "upload_id": 1,
    "shop_id": 1,
    "filename": "Online_Retail.xlsx",
    "format": "xlsx",
    "size_bytes": 23715344,
    "sha256": "670d37d8d6bbefa2d00a7d2957b9e2b6ba651945ec593c65279284bfea474046",
    "created_at": "2026-11-24T08:15:30.123456Z",
    "analysis_id": None,
}


@route(
    "POST",
    "/api/upload",
    tag=_TAG,
    scope="write",
    takes_file=True,
    answers={
        201: Shown(
            shape=UploadMade,
            example={**_UPLOAD, "message": "file uploaded", "same_as": None},
            meaning="The bytes are stored. `same_as` is an earlier upload of the same bytes.",
        )
    },
    problems=(404, 413, 422, 507),
)
def upload(call: Call) -> Answer:
    """Upload a file of sales.

    CSV, XLSX, XLS, XLSB, ODS, Parquet, or .zip and .gz of these, in the multipart field `file`; the field
    `shop_id` gives it to another shop than the first.
    """
    sent = _sent_file(call.request)
    stored = uploads.receive(
        call.service,
        call.user.id,
        sent.stream,
        filename=sent.filename or "",
        shop_id=_shop_id(call.request.form.get("shop_id")),
    )
    told = {
        **upload_told(stored.upload).model_dump(),
        "message": "file uploaded",
        "same_as": stored.same_as,
    }
    return Answer(value=UploadMade.model_validate(told), status=201)


@route(
    "GET",
    "/api/uploads",
    tag=_TAG,
    scope="read",
    query=UploadQuery,
    answers={
        200: Shown(
            shape=Page[UploadTold],
            example={"items": [_UPLOAD], "next_cursor": None},
            meaning="The newest first.",
        )
    },
)
def list_uploads(call: Call) -> Answer:
    """List the uploads."""
    asked = call.asked(UploadQuery)
    before = unpack_cursor(asked.cursor, 1)
    found = uploads.page(
        call.service,
        call.user.id,
        before=before[0] if before else None,
        limit=asked.limit,
        shop_id=asked.shop_id,
    )
    more = pack_cursor(found[-1].id) if len(found) == asked.limit else None
    told = [upload_told(one) for one in found]
    return Answer(value=Page[UploadTold](items=told, next_cursor=more))


@route(
    "GET",
    "/api/uploads/<int:upload_id>",
    tag=_TAG,
    scope="read",
    answers={200: Shown(shape=UploadTold, example=_UPLOAD, meaning="The upload.")},
    problems=(404,),
)
def read_upload(call: Call) -> Answer:
    """Show an upload."""
    return Answer(
        value=upload_told(uploads.get(call.service, call.user.id, call.path["upload_id"]))
    )


@route(
    "PATCH",
    "/api/uploads/<int:upload_id>",
    tag=_TAG,
    scope="write",
    body=UploadChange,
    body_example={"filename": "Sales 2011.xlsx"},
    answers={
        200: Shown(
            shape=UploadTold,
            example={**_UPLOAD, "filename": "Sales 2011.xlsx"},
            meaning="The upload after the change.",
        )
    },
    problems=(404,),
)
def change_upload(call: Call) -> Answer:
    """Rename an upload, or give it to another shop."""
    sent = call.sent(UploadChange)
    changed = uploads.change(
        call.service,
        call.user.id,
        call.path["upload_id"],
        filename=sent.filename,
        shop_id=sent.shop_id,
    )
    return Answer(value=upload_told(changed))


@route(
    "DELETE",
    "/api/uploads/<int:upload_id>",
    tag=_TAG,
    scope="write",
    answers={
        200: Shown(
            shape=Message,
            example={"message": "upload deleted"},
            meaning="The file and every analysis of it are gone.",
        )
    },
    problems=(404,),
)
def delete_upload(call: Call) -> Answer:
    """Delete an upload with its analyses."""
    uploads.delete(call.service, call.user.id, call.path["upload_id"])
    return Answer(value=Message(message="upload deleted"))


@route(
    "GET",
    "/api/uploads/<int:upload_id>/preview",
    tag=_TAG,
    scope="read",
    answers={
        200: Shown(
            shape=None,
            example={
                "upload_id": 1,
                "format": "csv",
                "encoding": "utf-8",
                "delimiter": ",",
                "header_line": 1,
                "columns": ["InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "UnitPrice"],
                "guesses": [{"role": "customer_id", "column": "CustomerID", "confidence": 0.95}],
                "problems": [],
                "first_rows": [["536365", "17850", "2010-12-01 08:26:00", "6", "2.55"]],
                "mappings": [],
            },
            meaning="As `rfm inspect` shows it, with the saved mappings that fit its header.",
        )
    },
    problems=(404, 422),
)
def preview_upload(call: Call) -> Answer:
    """Show how an upload would be read."""
    found = uploads.get(call.service, call.user.id, call.path["upload_id"])
    return Answer(value=previews.preview(call.service, found))


def _sent_file(sent: Request) -> FileStorage:
    """Return the one file of a form, or refuse the form.

    Nothing of another content type is parsed: a form in the address's own encoding would be read into
    the memory whole.
    """
    files = sent.files.getlist("file") if sent.mimetype == "multipart/form-data" else []
    if len(files) != 1 or len(list(sent.files.items(multi=True))) != 1:
        raise InvalidRequest(
            "Send one file as multipart/form-data, in the field `file`. If you did, the body was cut off "
            "on its way: send it again.",
            field="file",
        )
    names = [name for name, _ in sent.form.items(multi=True)]
    others = set(names) - {"shop_id"}
    if others:
        raise InvalidRequest(
            f"There is no field {min(others)!r} here; the file belongs in `file`.", field="file"
        )
    if len(names) > 1:
        raise InvalidRequest("The form gives `shop_id` more than once.", field="shop_id")
    (file,) = files
    coding = file.headers.get("Content-Transfer-Encoding", "binary").strip().lower()
    if coding not in _PLAIN_CODINGS or file.mimetype.startswith("multipart/"):
        raise InvalidRequest(
            "The file must stand in its part as it is, neither encoded nor as parts of its own.",
            field="file",
        )
    return file


def upload_told(one: Upload) -> UploadTold:
    """Return an upload as it is sent."""
    return UploadTold(
        upload_id=one.id,
        shop_id=one.shop_id,
        filename=one.filename,
        format=one.format,
        size_bytes=one.size_bytes,
        sha256=one.sha256,
        created_at=one.created_at,
        analysis_id=one.current_analysis_id,
    )


def _shop_id(text: str | None) -> int | None:
    if text is None:
        return None
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_ID))
    if not is_number or int(text) > MOST_ID:
        raise InvalidRequest("`shop_id` is the number of a shop.", field="shop_id")
    return int(text)
