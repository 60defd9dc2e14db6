"""Folders: what only its beginning is seen of, and what is fetched whole."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import xlsxwriter

from rfm_backend.progress import no_progress
from rfm_backend.reading.located import open_location
from rfm_backend.text_table import ReadChoices


class Folder:
    """The files of a folder of this machine."""

    def listed(self, location: str) -> list[tuple[str, int]]:
        return [(str(one), one.stat().st_size) for one in sorted(Path(location).iterdir())]

    def head(self, address: str, n_bytes: int) -> bytes:
        return Path(address).read_bytes()[:n_bytes]

    def fetch(self, location: str, folder: Path) -> Path:
        del folder
        return Path(location)

    def describe_parquet(
        self, location: str
    ) -> tuple[tuple[str, ...], Sequence[Sequence[str | None]]]:
        raise AssertionError(location)


def test_a_workbook_longer_than_the_beginning_that_is_looked_at_is_fetched_whole(
    tmp_path: Path,
) -> None:
    sales, work = tmp_path / "sales", tmp_path / "work"
    sales.mkdir()
    work.mkdir()
    with xlsxwriter.Workbook(str(sales / "large.xlsx"), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["customer_id", "invoice_date", "amount"])
        for row in range(1, 40_001):
            name = hashlib.sha256(str(row).encode()).hexdigest()
            sheet.write_row(row, 0, [name, "2024-01-05", row + 0.5])
    assert (sales / "large.xlsx").stat().st_size > 1024**2

    tables = open_location(
        str(sales), Folder(), choices=ReadChoices(), workdir=work, progress=no_progress
    )

    assert [(one.name, one.columns) for one in tables] == [
        ("large.xlsx", ("customer_id", "invoice_date", "amount"))
    ]
