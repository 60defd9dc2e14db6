"""Looks at a workbook before anything that it says is used.

In:  a workbook file.
Out: whether its serial dates count from 1904; or a refusal.

What always holds afterwards
    * at most 1,000 entries, 1 GiB unpacked, declared and counted; ratio at most 50 above 64 MiB;
    * every checksum is right, no part is encrypted, no two parts have one name;
    * no part declares a document type, so that no entity can expand;
    * no cell stands so far out that a reader would allocate a sheet of mostly nothing.

What it does not do: the older binary formats (XLS, and XLSB inside) have no such promises to check;
the limits of the child process hold for them.
"""

import re
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rfm_backend.errors import UnsafeFile
from rfm_backend.progress import Progress, Step
from rfm_backend.reading.archive import check_entries, check_size, damaged
from rfm_backend.reading.sniff import MOST_COLUMNS

MOST_BYTES: Final = 1024**3
# A sheet of more places than this must have something in a quarter of them.
FREE_PLACES: Final = 20_000_000
_FILLED_SHARE: Final = 0.25
_CHUNK: Final = 4 * 1024 * 1024
# A cell reference is at most this long: r="XFD1048576" and the byte before.
_OVERLAP: Final = 32
_EPOCH_1904: Final = re.compile(rb"""date1904\s*=\s*["'](1|true)["']""")


def guard_workbook(path: Path, name: str, *, form: str, progress: Progress) -> bool:
    """Return whether serial dates count from 1904, or refuse the workbook.

    Raises
    ------
    UnsafeFile
        It would unpack, expand or spread too far.
    UnreadableFile
        Damaged.
    """
    if form == "xls":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            members = check_entries(archive, name, most_bytes=MOST_BYTES)
            return _look_through(archive, members, name, progress)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise damaged(name) from error


def check_columns(width: int, name: str) -> None:
    """Refuse a sheet that is too wide; one whose cells have no references shows it only when read.

    Raises
    ------
    UnsafeFile
        More columns than a table of sales has.
    """
    if width > MOST_COLUMNS:
        raise UnsafeFile(
            f"{name} has a cell in column {width:,}; a table of sales has at most "
            f"{MOST_COLUMNS:,} columns. Delete what stands far to the right.",
            file=name,
            columns=width,
            reason="columns",
        )


def workbook_form(path: Path, name: str) -> str | None:
    """Return "xlsx", "xlsb" or "ods" where a zip archive is a workbook, else None.

    Raises
    ------
    UnreadableFile
        It begins like a zip archive and is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename.lstrip("/").lower() for entry in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise damaged(name) from error
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "[content_types].xml" in names or any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if "content.xml" in names else None


def _look_through(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], name: str, progress: Progress
) -> bool:
    """Inflate every part once, counting, and look at what passes by."""
    unpacked = 0
    packed = sum(member.compress_size for member in members)
    declared = sum(member.file_size for member in members)
    epoch_1904 = False
    for member in members:
        part = member.filename.lower()
        extent = _Extent() if part.endswith(".xml") and "worksheet" in part else None
        tail = b""
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK):
                unpacked += len(chunk)
                check_size(name, unpacked=unpacked, packed=packed, most_bytes=MOST_BYTES)
                seen = tail + chunk
                if part.endswith((".xml", ".rels")):
                    _refuse_entities(seen, name)
                if extent is not None:
                    extent.take(seen, n_old=len(tail))
                    extent.check(name)
                if part.endswith("workbook.xml"):
                    epoch_1904 = epoch_1904 or _EPOCH_1904.search(seen) is not None
                tail = seen[-_OVERLAP:]
                progress(Step(stage="check", done=unpacked, total=declared, unit="bytes"))
        if extent is not None:
            extent.check_filling(name)
    return epoch_1904


def _refuse_entities(text: bytes, name: str) -> None:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise UnsafeFile(
            f"{name} declares XML entities, as no spreadsheet program writes: it is not opened.",
            file=name,
        )


class _Extent:
    """The farthest cell of a sheet, from its references as they pass by."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns = 0
        self._cells = 0

    def take(self, text: bytes, *, n_old: int) -> None:
        """Look at the references in `text`, whose first `n_old` bytes were seen before."""
        data = np.frombuffer(text, dtype=np.uint8)
        if len(data) <= _OVERLAP:
            data = np.concatenate([data, np.zeros(_OVERLAP, dtype=np.uint8)])
        places = np.flatnonzero(data[1 : len(data) - 13] == ord("r")) + 1
        # A reference that the overlap holds whole was counted with the chunk before.
        places = places[places >= max(0, n_old - 14)]
        quoted = (data[places + 2] == ord('"')) | (data[places + 2] == ord("'"))
        blank_before = data[places - 1] <= ord(" ")
        places = places[quoted & blank_before & (data[places + 1] == ord("="))] + 3
        columns, rows = _references(data, places)
        self._cells += int(np.count_nonzero(columns))
        self._columns = max(self._columns, int(columns.max(initial=0)))
        self._rows = max(self._rows, int(rows.max(initial=0)))

    def check(self, name: str) -> None:
        """Refuse a sheet that is too wide."""
        check_columns(self._columns, name)

    def check_filling(self, name: str) -> None:
        """Refuse a sheet that spreads over many places and fills few."""
        places = self._rows * self._columns
        if places > FREE_PLACES and self._cells < _FILLED_SHARE * places:
            raise UnsafeFile(
                f"{name} spreads {self._cells:,} cells over {self._rows:,} rows and "
                f"{self._columns:,} columns. Delete what stands far below or to the right.",
                file=name,
                rows=self._rows,
                columns=self._columns,
                reason="columns",
            )


def _references(
    data: NDArray[np.uint8], places: NDArray[np.intp]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return column and row numbers of the references that begin at `places`; 0 where there is none."""
    columns = np.zeros(len(places), dtype=np.int64)
    rows = np.zeros(len(places), dtype=np.int64)
    at = places.copy()
    for _ in range(3):
        character = data[at]
        is_letter = (character >= ord("A")) & (character <= ord("Z"))
        columns = np.where(is_letter, columns * 26 + character - (ord("A") - 1), columns)
        at = at + is_letter
    for _ in range(7):
        character = data[at]
        is_digit = (character >= ord("0")) & (character <= ord("9"))
        rows = np.where(is_digit, rows * 10 + character - ord("0"), rows)
        at = at + is_digit
    return columns, rows
