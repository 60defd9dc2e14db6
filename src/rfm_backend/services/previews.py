"""Previews: what `rfm inspect` shows of an upload, and which saved mappings fit its header.

In:  an upload.
Out: JSON text of the inspection.

What always holds: the file is opened in a child process with limits.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Final

from rfm_backend.child import Child, Limits
from rfm_backend.errors import UnreadableFile
from rfm_backend.library import inspect
from rfm_backend.output.as_json import json_text
from rfm_backend.services.service import Service
from rfm_backend.services.uploads import path_of
from rfm_backend.storage import named, uploads
from rfm_backend.storage.files import stand_under_name
from rfm_backend.storage.uploads import Upload

_LOOK: Final = "rfm_backend.services.previews:look"
_SECONDS: Final = 60.0


def preview(service: Service, upload: Upload) -> dict[str, object]:
    """Return what a file looks like and how it would be read, with the mappings that fit.

    Raises
    ------
    UnusableInput
        It cannot be opened as a table at all.
    """
    told, mark = _looked_at(service, upload)
    saved = service.database.read(lambda tx: named.mappings(tx, upload.user_id))
    fitting = [
        {"mapping_id": one.id, "name": one.name, "columns": dict(one.roles)}
        for one in saved
        if one.header_hash == mark
    ]
    return {"upload_id": upload.id, **told, "mappings": fitting}


def header_of(service: Service, upload: Upload) -> str:
    """Return what this upload's header has in common with that of other files; looks only once.

    Raises
    ------
    UnusableInput
        It cannot be opened as a table at all.
    """
    return upload.header_hash or _looked_at(service, upload)[1]


def _looked_at(service: Service, upload: Upload) -> tuple[dict[str, object], str]:
    """Return what a child process sees of a file, and the mark of its header, which is noted."""
    order = {"source": str(path_of(service, upload)), "name": upload.filename}
    limits = Limits(memory_bytes=service.settings.job_memory, seconds=_SECONDS)
    with Child(_LOOK, order, limits) as child:
        while child.is_running():
            child.wait_a_little()
        text = child.result(upload.filename)
    told: dict[str, object] = json.loads(str(text))
    mark = header_hash(told["columns"])
    if mark != upload.header_hash:
        service.database.write(
            lambda tx: uploads.change(tx, upload.id, user_id=upload.user_id, header_hash=mark)
        )
    return told, mark


def look(*, source: str, name: str) -> str:
    """Inspect a file under its own name: what the child process does."""
    with tempfile.TemporaryDirectory(prefix="rfm-") as workdir:
        return json_text(inspect(stand_under_name(Path(source), name, Path(workdir))))


def header_hash(columns: object) -> str:
    """Return what two files with the same header have in common."""
    if not isinstance(columns, list):
        raise UnreadableFile("The file has no columns.")
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()
