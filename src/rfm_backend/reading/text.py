"""Text files: from bytes to a table that the engine can scan.

In:  a file that is no workbook and no archive.
Out: `TextTable` of kind "csv".

What always holds: the user's file is scanned in place where it is UTF-8 with one kind of line end;
else a copy in the work folder is, with the same rows.

What it does not do: it reads no row but the first few; the engine reads the rest.
"""

import codecs
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from rfm_backend.errors import UnreadableFile
from rfm_backend.progress import Progress
from rfm_backend.reading.encoding import TextFacts, copy_as_utf8, find_encoding
from rfm_backend.reading.sniff import Shape, find_shape
from rfm_backend.text_table import Dialect, ReadChoices, TextTable

# How much of a file is looked at to find its shape.
_SAMPLE_BYTES: Final = 512 * 1024
_CONTROLS: Final = bytes(set(range(32)) - {9, 10, 12, 13, 26, 27} - {0})
# Of wide characters, every other byte may look like a control character.
_WIDE_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_FOREIGN: Final = (
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3", "an SQLite database"),
)
_WEB_PAGE: Final = re.compile(rb"\s*(<!doctype html|<html|<table|<\?xml)", re.IGNORECASE)


def read_text(
    path: Path, name: str, *, choices: ReadChoices, workdir: Path, progress: Progress
) -> TextTable:
    """Return the table in a text file.

    Raises
    ------
    UnreadableFile
        Empty, no text at all, or no table; the message says what it looks like.
    """
    refuse_foreign(path, name)
    facts = find_encoding(path, name, asked=choices.encoding, progress=progress)
    scanned = path
    if facts.needs_copy:
        scanned = _new_file(workdir)
        copy_as_utf8(path, scanned, name, encoding=facts.encoding, progress=progress)
    shape = _shape_of(scanned, name, choices)
    path_delimiter = shape.delimiter
    if shape.blanks:
        scanned, path_delimiter = _tabs_for_blanks(scanned, workdir), "\t"
    return _table(path, scanned, name, facts, shape, path_delimiter)


def refuse_foreign(path: Path, name: str) -> None:
    """Refuse what is plainly no table.

    Raises
    ------
    UnreadableFile
        Empty, or of a format that is no table.
    """
    with path.open("rb") as stream:
        start = stream.read(65536)
    if not start:
        raise UnreadableFile(f"{name} is empty: it has no bytes.", file=name, reason="empty")
    what = next((what for mark, what in _FOREIGN if start.startswith(mark)), None)
    is_web_page = what is None and _WEB_PAGE.match(start) is not None
    if is_web_page:
        what = "a web page or XML; open it in a spreadsheet and save it as XLSX or CSV"
    is_wide = start.startswith(_WIDE_MARKS) or start.count(0) > 0.2 * len(start)
    controls = 0 if is_wide else len(start) - len(start.translate(None, _CONTROLS))
    if what is None and controls > 0.02 * len(start):
        what = "binary data"
    if what is not None:
        raise UnreadableFile(
            f"{name} is no table of sales but {what}. Use CSV, XLSX, XLS, XLSB, ODS or Parquet.",
            file=name,
            reason="web_page" if is_web_page else "foreign",
        )


def _shape_of(path: Path, name: str, choices: ReadChoices) -> Shape:
    with path.open("rb") as stream:
        start = stream.read(_SAMPLE_BYTES)
        is_whole = not stream.read(1)
    text = start.decode("utf-8-sig", errors="ignore")
    delimiter = {"tab": "\t", "\\t": "\t", "space": " "}.get(
        choices.delimiter or "", choices.delimiter
    )
    return find_shape(text, name, delimiter=delimiter, is_whole=is_whole)


def _tabs_for_blanks(path: Path, workdir: Path) -> Path:
    """Write a copy in which runs of blanks are tabs, blanks at the ends cut; line numbers stay."""
    target = _new_file(workdir)
    with path.open("rb") as reading, target.open("wb") as writing:
        for line in reading:
            writing.write(b"\t".join(line.split()) + b"\n")
    return target


def _table(
    path: Path, scanned: Path, name: str, facts: TextFacts, shape: Shape, path_delimiter: str
) -> TextTable:
    return TextTable(
        name=name,
        kind="csv",
        format="csv",
        path=scanned,
        columns=shape.columns,
        sample=shape.rows,
        has_header=shape.has_header,
        first_row_line=shape.first_row_line,
        source_bytes=path.stat().st_size,
        dialect=Dialect(
            encoding=facts.encoding,
            delimiter=shape.delimiter,
            path_delimiter=path_delimiter,
            header_line=shape.header_line,
            skip_lines=shape.skip_records,
            has_quotes=facts.has_quotes and not shape.blanks,
        ),
    )


def _new_file(workdir: Path) -> Path:
    """Return an empty file of its own in the work folder."""
    handle, path = tempfile.mkstemp(suffix=".csv", dir=workdir)
    os.close(handle)
    return Path(path)
