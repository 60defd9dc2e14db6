"""Previews: what `rfm inspect` shows of an upload, and which saved mappings fit its header.

In:  an upload; what its owner says about it, where he does.
Out: the inspection as JSON values.

What always holds
    * the file is opened in a child process with limits;
    * what was seen of a file without options, or of one of its sheets, is noted beside it, and it is not
      opened again for that.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rfm_backend.errors import UnreadableFile
from rfm_backend.library import inspect
from rfm_backend.output.as_json import json_text
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.options_json import options_from_json, options_to_json
from rfm_backend.pipeline.strict_json import Fields
from rfm_backend.services.service import Service
from rfm_backend.services.uploads import path_of
from rfm_backend.storage import named, uploads
from rfm_backend.storage.files import stand_under_name
from rfm_backend.storage.uploads import Upload
from rfm_backend.work_folder import WorkFolder

_LOOK: Final = "rfm_backend.services.previews:look"
_SECONDS: Final = 60.0
# A larger file takes seconds to be looked at.
_QUICK_BYTES: Final = 2_000_000
# So many sheets of a workbook are noted.
_MOST_NOTED: Final = 8


def preview(service: Service, upload: Upload) -> dict[str, object]:
    """Return what a file looks like and how it would be read, with the mappings that fit.

    Raises
    ------
    UnusableInput
        It cannot be opened as a table at all.
    """
    told = inspect_upload(service, upload)
    mark = header_hash(told["columns"])
    saved = service.database.read(lambda tx: named.mappings(tx, upload.user_id))
    fitting = [
        {"mapping_id": one.id, "name": one.name, "columns": dict(one.roles)}
        for one in saved
        if one.header_hash == mark
    ]
    return {"upload_id": upload.id, **told, "mappings": fitting}


def header_of(service: Service, upload: Upload, sheet: str | None = None) -> str:
    """Return what this upload's header, or that of one sheet, has in common with that of other files.

    Raises
    ------
    UnusableInput
        It cannot be opened as a table at all.
    """
    if sheet is not None:
        return header_hash(inspect_upload(service, upload, Options(sheet=sheet))["columns"])
    return upload.header_hash or header_hash(inspect_upload(service, upload)["columns"])


def inspect_upload(
    service: Service, upload: Upload, options: Options | None = None
) -> dict[str, object]:
    """Return the inspection of an upload, as it is found or as `options` say.

    Raises
    ------
    UnusableInput
        It cannot be opened as a table at all.
    """
    chosen = options or Options()
    is_of_sheet = chosen == Options(sheet=chosen.sheet)
    noted = _noted(service, upload)
    key = chosen.sheet or ""
    if is_of_sheet and key in noted:
        return noted[key]
    told = _looked_at(service, upload, chosen)
    if is_of_sheet:
        kept = dict([*noted.items()][-_MOST_NOTED:])
        note = json.dumps({"key": _note_key(upload), "looks": {**kept, key: told}})
        service.files.note_look(upload.user_id, upload.token, note)
    mark = header_hash(told["columns"])
    # A file's header is that of the sheet that is read when none is named.
    if chosen.sheet is None and mark != upload.header_hash:
        service.database.write(
            lambda tx: uploads.change(tx, upload.id, user_id=upload.user_id, header_hash=mark)
        )
    return told


def is_quick(service: Service, upload: Upload, sheet: str | None = None) -> bool:
    """Tell whether an inspection is there at once: the file is small, or it, or this sheet, was looked at."""
    return upload.size_bytes <= _QUICK_BYTES or (sheet or "") in _noted(service, upload)


def _noted(service: Service, upload: Upload) -> dict[str, dict[str, object]]:
    """Return what was seen, by sheet; "" is what was seen without one being named."""
    text = service.files.read_look(upload.user_id, upload.token)
    note = json.loads(text) if text else {}
    if note.get("key") != _note_key(upload):
        return {}
    looks: dict[str, dict[str, object]] = note["looks"]
    return looks


def _note_key(upload: Upload) -> str:
    # The name tells what a table is called; another version may see more, or note otherwise.
    return f"2 {version('rfm-backend')} {upload.filename}"


def _looked_at(service: Service, upload: Upload, options: Options) -> dict[str, object]:
    """Return what a child process sees of a file."""
    order = {
        "source": str(path_of(service, upload)),
        "name": upload.filename,
        "options": options_to_json(options),
    }
    text = service.run_child(_LOOK, order, name=upload.filename, seconds=_SECONDS)
    told: dict[str, object] = json.loads(str(text))
    return told


def look(*, source: str, name: str, options: Mapping[str, object]) -> str:
    """Inspect a file under its own name: what the child process does."""
    chosen = options_from_json(Fields(options, "the options"))
    with WorkFolder() as workdir:
        path = stand_under_name(Path(source), name, Path(workdir))
        return json_text(inspect(path, options=chosen))


def header_hash(columns: object) -> str:
    """Return what two files with the same header have in common."""
    if not isinstance(columns, list):
        raise UnreadableFile("The file has no columns.")
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()
