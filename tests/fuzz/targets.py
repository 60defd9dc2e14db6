"""The doors that strangers' bytes come through, each as a function of bytes.

What always holds: a door takes what it is given or refuses it by an error of ours; anything else that
comes out is a finding.
"""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from pydantic import ValidationError
from rfm_testing import service_settings

import rfm_backend
from rfm_backend.api.dispatch import read_json
from rfm_backend.api.shapes.analyses import Process
from rfm_backend.errors import RfmError
from rfm_backend.pipeline.model import model_from_json
from rfm_backend.pipeline.rules import parse_rules
from rfm_backend.progress import no_progress
from rfm_backend.reading.source import recognise
from rfm_backend.reading.text import read_text
from rfm_backend.reading.workbook_guard import guard_workbook, workbook_form
from rfm_backend.reading.workbook_reader import read_sheet
from rfm_backend.services import Service, open_service
from rfm_backend.services.accounts import register
from rfm_backend.services.requests import read_request
from rfm_backend.services.tokens import authenticate
from rfm_backend.storage.migrate import migrate
from rfm_backend.text_table import ReadChoices

# The whole analysis takes a hundred times as long as reading the table: it gets one input of these.
_EVERY: Final = 64


@contextmanager
def _file(content: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rfm-fuzz-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


def csv(content: bytes) -> None:
    """Read a text file's table; now and then, analyse it."""
    with _file(content, "a.csv") as path:
        with suppress(RfmError):
            recognise(path, path.name)
            read_text(
                path,
                path.name,
                choices=ReadChoices(),
                workdir=path.parent,
                progress=no_progress,
            )
        if sum(content[:16]) % _EVERY == 0:
            with suppress(RfmError):
                rfm_backend.segment(path).close()


def workbook(content: bytes) -> None:
    """Look through a workbook, made of the bytes or holding them as one of its parts, and read it."""
    if content[:1] == b"\x01":
        content = _with_part(content[1:])
    with _file(content, "a.xlsx") as path:
        with suppress(RfmError):
            recognise(path, path.name)
        try:
            form = workbook_form(path, path.name)
            if form is None:
                return
            guard_workbook(path, path.name, form=form, progress=no_progress)
            read_sheet(str(path), path.name, str(path.parent / "out"), None, str(path.parent))
        except RfmError:
            return
        except BaseException as error:
            # Rust's panics end the child in which the service reads, which is a refusal.
            if type(error).__name__ != "PanicException":
                raise


def token(content: bytes) -> None:
    """Send the bytes as Authorization: nobody's token is anybody's."""
    service, right = _service()
    text = content.decode("latin-1")
    if content[:1] == b"\x01" and len(content) > 2:
        # The right token with some characters exchanged.
        place = content[1] % len(right)
        text = f"Bearer {right[:place]}{text[2:]}{right[place + len(text) - 2 :]}"
    try:
        authenticate(service, text)
    except RfmError:
        return
    scheme, _, given = text.strip().partition(" ")
    if scheme.lower() != "bearer" or given.strip() != right:
        raise AssertionError(text)


def json_body(content: bytes) -> None:
    """Read a body, as the options of an analysis; a model; and a table of segments."""
    service, _ = _service()
    with suppress(RfmError, ValidationError):
        values = Process.model_validate(read_json(content)).model_dump(exclude_none=True)
        read_request(service, 1, values)
    text = content.decode("utf-8", "replace")
    with suppress(RfmError):
        model_from_json(text)
    with suppress(RfmError):
        parse_rules(text, "a")


DOORS: Final[dict[str, Callable[[bytes], None]]] = {
    "csv": csv,
    "workbook": workbook,
    "token": token,
    "json_body": json_body,
}


def seeds(door: str) -> list[bytes]:
    """Return sound inputs, from which others are made by changing them."""
    _, right = _service()
    table = (
        b"customer_id,invoice_id,invoice_date,amount\nc1,A1,2024-01-01,10\nc2,A2,2024-01-02,11\n"
    )
    made = {
        "csv": [
            table,
            table.replace(b",", b";").replace(b"10", b"1.234,50"),
            b"\xef\xbb\xbf" + table,
            table.decode().encode("utf-16"),
            b'"a","b"\r\n"1","x""y"\r\n',
        ],
        "workbook": [_book(), *(b"\x01" + part for part in _parts().values())],
        "token": [f"Bearer {right}".encode(), b"Bearer rfm_abc", b"Bearer a.b.c", b"\x01\x05x"],
        "json_body": [
            b'{"n_clusters": 5, "returns": "drop", "exclude": [["a", "b"]], "since": "2024-01-01"}',
            b'dimensions = 2\nmatch = "first"\notherwise = "rest"\n[[segment]]\nkey = "a"\nr = [4, 5]\nf = [1, 5]',
            json.dumps({"format": "rfm-model", "options": {}, "edges": []}).encode(),
        ],
    }
    return made[door]


@cache
def _book() -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["customer_id", "invoice_date", "amount"])
    sheet.append(["c1", "2024-01-01", 10.5])
    sheet.append(["c2", "2024-01-02", 11])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@cache
def _parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(_book())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _with_part(content: bytes) -> bytes:
    """Return the workbook with one part replaced: the one whose beginning the bytes share, else the sheet."""
    chosen = next(
        (name for name, part in _parts().items() if part[60:90] == content[60:90]),
        "xl/worksheets/sheet1.xml",
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, part in _parts().items():
            archive.writestr(name, content if name == chosen else part)
    return stream.getvalue()


@cache
def _service() -> tuple[Service, str]:
    """Return a service with one account, and its token."""
    settings = service_settings("sqlite", Path(tempfile.mkdtemp(prefix="rfm-fuzz-")))
    migrate(settings)
    service = open_service(settings, bcrypt_cost=4)
    made = register(
        service,
        username="a",
        email="a@test.com",
        password="correct horse",
        device="fuzz",
        address="",
    )
    return service, made.token
