"""Folders and addresses that a cluster reads by itself: what is in them, seen from their beginning.

In:  a folder, or an address such as s3a://bucket/sales/; the cluster's files.
Out: `TextTable`, one for all files of a folder where the cluster reads them, else one per file.

What always holds
    * of plain text and Parquet only the beginning comes here; all else is fetched whole and read as
      any file of this machine;
    * the files of a folder have one form and one header.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from rfm_backend.errors import FileNotFound
from rfm_backend.progress import Progress
from rfm_backend.reading.source import is_packed, open_tables, recognise
from rfm_backend.text_table import ReadChoices, TextTable

_SAMPLE_BYTES = 1024 * 1024


class Files(Protocol):
    """The files that a cluster reaches."""

    def listed(self, location: str) -> list[tuple[str, int]]:
        """Return (address, bytes) of the files at a location, by name; none where there is nothing."""

    def head(self, address: str, n_bytes: int) -> bytes:
        """Return the beginning of a file."""

    def fetch(self, location: str, folder: Path) -> Path:
        """Return a local path of a file, copied into `folder` where it is far."""

    def describe_parquet(
        self, location: str
    ) -> tuple[tuple[str, ...], Sequence[Sequence[str | None]]]:
        """Return the columns and the first rows of Parquet, as text."""


def open_location(
    location: str, files: Files, *, choices: ReadChoices, workdir: Path, progress: Progress
) -> list[TextTable]:
    """Return the tables at a folder or an address.

    Raises
    ------
    FileNotFound
        Nothing is there.
    UnusableInput
        A file cannot be read as a table.
    """
    found = files.listed(location)
    if not found:
        raise FileNotFound(f"There is no file at {location}.", file=location)
    name = PurePosixPath(location.rstrip("/")).name
    first, _ = found[0]
    sample = workdir / f"sample_{len(list(workdir.glob('sample_*')))}"
    start = files.head(first, _SAMPLE_BYTES)
    sample.write_bytes(_whole_lines(start))
    total = sum(size for _, size in found)
    if start.startswith(b"PAR1"):
        columns, rows = files.describe_parquet(location)
        return [
            TextTable(
                name=name, kind="parquet", format="parquet", columns=columns, sample=tuple(map(tuple, rows)),
                first_row_line=1, source_bytes=total, location=location,
            )
        ]  # fmt: skip
    if not is_packed(start) and recognise(sample, name) == "csv":
        (table,) = open_tables(sample, choices=choices, workdir=workdir, progress=progress)
        if table.path == sample and table.dialect is not None and not table.dialect.skip_lines:
            # What the beginning does not show may come later.
            dialect = replace(table.dialect, has_quotes=True)
            return [
                replace(
                    table,
                    name=name,
                    path=None,
                    dialect=dialect,
                    source_bytes=total,
                    location=location,
                )
            ]
    return [
        replace(table, name=PurePosixPath(address).name)
        for address, _ in found
        for table in open_tables(
            files.fetch(address, workdir), choices=choices, workdir=workdir, progress=progress
        )
    ]


def _whole_lines(start: bytes) -> bytes:
    """Return a beginning without the line that it cuts."""
    if len(start) < _SAMPLE_BYTES or b"\n" not in start:
        return start
    return start[: start.rindex(b"\n") + 1]
