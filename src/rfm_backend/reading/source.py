"""The one entrance to reading: any file or frame in, text tables out.

In:  a path, an open binary file, or a frame; the user's choices; a work folder.
Out: `TextTable`, one per file, sheet or archive member.

What always holds
    * a file's kind is told by its first bytes, never by its name;
    * the user's file is not changed; copies stand in the work folder, which the caller removes;
    * whatever is wrong with a file becomes an `UnusableInput` in words.

What it does not do: it decides nothing about columns (`pipeline.mapping`) and reads no value.
"""

import itertools
from pathlib import Path
from typing import Final

from rfm_backend.engines.parquet import describe_frame, describe_parquet
from rfm_backend.errors import FileNotFound, UnreadableFile
from rfm_backend.progress import Progress
from rfm_backend.reading.archive import unpack_gzip, unpack_zip
from rfm_backend.reading.encoding import BinaryFile, copy_stream
from rfm_backend.reading.sniff import SAMPLE_ROWS
from rfm_backend.reading.text import read_text, refuse_foreign
from rfm_backend.reading.workbook import read_workbook
from rfm_backend.reading.workbook_guard import workbook_form
from rfm_backend.text_table import ReadChoices, TextTable

MOST_STREAM_BYTES: Final = 20 * 1024**3
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
# What an archive may hold beside tables without being refused for it.
_NO_TABLES: Final = (".txt", ".md", ".html", ".pdf", ".png", ".jpg", ".json", ".xml")


def open_tables(
    source: str | Path | BinaryFile, *, choices: ReadChoices, workdir: Path, progress: Progress
) -> list[TextTable]:
    """Return the tables of a file.

    Parameters
    ----------
    source : path or open binary file
        CSV and its relatives, XLSX, XLSM, XLS, XLSB, ODS, Parquet; .gz or .zip of these.
    choices : what the user decided about sheet, encoding and delimiter.
    workdir : folder for copies; must outlive the tables.

    Raises
    ------
    FileNotFound
        There is no such file.
    UnusableInput
        It cannot be read as a table; the message says why and what to do.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        name = path.name
        _check_is_file(path)
    else:
        name = Path(str(getattr(source, "name", "stdin"))).name.strip("<>")
        path = workdir / "stream"
        copy_stream(source, path, name, most=MOST_STREAM_BYTES, progress=progress)
    return _open(path, name, choices=choices, workdir=workdir, progress=progress, is_member=False)


def frame_table(frame: object) -> TextTable:
    """Return a table over a pandas, Polars or Arrow table or a DuckDB relation, which stays as it is.

    Raises
    ------
    UnreadableFile
        The object is no frame that the engine can scan.
    """
    columns, sample = describe_frame(frame, n_rows=SAMPLE_ROWS)
    return TextTable(
        name="frame",
        kind="frame",
        format="frame",
        frame=frame,
        columns=columns,
        sample=sample,
        first_row_line=1,
    )


def recognise(path: Path, name: str) -> str:
    """Return what a file is, by its first bytes: "csv", "xlsx", "xls", "zip", "gz", "parquet", ...

    Raises
    ------
    UnreadableFile
        It is plainly no table: empty, a picture, a PDF, a program, a web page.
    """
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(_PARQUET):
        return "parquet"
    if start.startswith(_OLE):
        return "xls"
    if start.startswith(_ZIP):
        return workbook_form(path, name) or "zip"
    if start.startswith(_GZIP):
        return "gz"
    refuse_foreign(path, name)
    return "csv"


def is_packed(start: bytes) -> bool:
    """Tell whether a file that begins so is an archive or a workbook, of which a part says nothing."""
    return start.startswith((*_ZIP, _GZIP, _OLE))


def _open(
    path: Path,
    name: str,
    *,
    choices: ReadChoices,
    workdir: Path,
    progress: Progress,
    is_member: bool,
) -> list[TextTable]:
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(_PARQUET):
        return [_parquet_table(path, name)]
    if start.startswith(_OLE) or (start.startswith(_ZIP) and (form := workbook_form(path, name))):
        kind = "xls" if start.startswith(_OLE) else str(form)
        return [
            read_workbook(
                path, name, form=kind, choices=choices, workdir=workdir, progress=progress
            )
        ]
    if start.startswith((*_ZIP, _GZIP)):
        if is_member:
            raise UnreadableFile(
                f"{name} is an archive inside an archive: unpack it first.", file=name
            )
        return _open_archive(path, name, choices=choices, workdir=workdir, progress=progress)
    return [read_text(path, name, choices=choices, workdir=workdir, progress=progress)]


def _open_archive(
    path: Path, name: str, *, choices: ReadChoices, workdir: Path, progress: Progress
) -> list[TextTable]:
    with path.open("rb") as stream:
        is_gzip = stream.read(2) == _GZIP
    if is_gzip:
        members = [unpack_gzip(path, name, workdir=workdir, progress=progress)]
    else:
        members = unpack_zip(path, name, workdir=workdir, progress=progress)
    tables = [
        _open(member, known_as, choices=choices, workdir=workdir, progress=progress, is_member=True)
        for known_as, member in members
        if len(members) == 1 or not known_as.lower().endswith(_NO_TABLES)
    ]
    if not tables:
        held = ", ".join(known_as for known_as, _ in members[:5])
        raise UnreadableFile(f"{name} holds no table of sales, only {held}.", file=name)
    return list(itertools.chain.from_iterable(tables))


def _check_is_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise UnreadableFile(f"{path} is a folder: give the files in it.", file=str(path))
        with path.open("rb"):
            return
    except FileNotFoundError:
        raise FileNotFound(f"There is no file {path}.", file=str(path)) from None
    except (OSError, ValueError) as error:
        raise UnreadableFile(
            f"{path} cannot be opened: {getattr(error, 'strerror', None) or 'its name is not valid'}.",
            file=str(path),
        ) from error


def _parquet_table(path: Path, name: str) -> TextTable:
    columns, sample = describe_parquet(path, name, n_rows=SAMPLE_ROWS)
    return TextTable(
        name=name,
        kind="parquet",
        format="parquet",
        path=path,
        columns=columns,
        sample=sample,
        first_row_line=1,
        source_bytes=path.stat().st_size,
    )
