"""Workbooks: XLSX, XLSM, XLS, XLSB and ODS, read in a child process behind a guard.

In:  a file that begins like a workbook.
Out: `TextTable` of kind "parquet": one row per sheet row below the header, every cell text.

What always holds
    * the guard looks at the whole workbook while the child starts and reads; nothing of what the
      child read is used before the guard has passed;
    * a workbook that crashes its reader or eats memory ends its child, not this process;
    * a number has at most 15 significant digits, a whole one no ".0"; dates are
      "YYYY-MM-DD HH:MM:SS"; a cell's number format plays no part.

What it does not do: it evaluates no formula; the value that the spreadsheet stored is read.
"""

import tempfile
from pathlib import Path
from typing import Final, cast

from rfm_backend.child import Child, Limits
from rfm_backend.progress import Progress, Step
from rfm_backend.reading.sniff import clean_rows
from rfm_backend.reading.workbook_guard import guard_workbook
from rfm_backend.text_table import ReadChoices, TextTable

LIMITS: Final = Limits(memory_bytes=1024**3, seconds=300)
_READER: Final = "rfm_backend.reading.workbook_reader:read_sheet"


def read_workbook(
    path: Path, name: str, *, form: str, choices: ReadChoices, workdir: Path, progress: Progress
) -> TextTable:
    """Return the table of one sheet: the one asked for, else the first that has one.

    Raises
    ------
    UnsafeFile
        The guard refused it.
    UnreadableFile
        Damaged, encrypted, without such a sheet, or without a table.
    FileTooComplex
        Reading it went over the limits.
    """
    folder = Path(tempfile.mkdtemp(dir=workdir))
    target = folder / "sheet.parquet"
    arguments = {
        "path": str(path), "name": name, "target": str(target), "sheet": choices.sheet,
        "folder": str(folder),
    }  # fmt: skip
    progress(Step(stage="check", done=0, total=path.stat().st_size, unit="bytes"))
    with Child(_READER, arguments, LIMITS) as child:
        epoch_1904 = guard_workbook(path, name, form=form, progress=progress)
        while child.is_running():
            child.wait_a_little()
            progress(Step(stage="read", done=0, total=None, unit="rows"))
        told = cast("dict[str, object]", child.result(name))
    return _table(path, target, name, form, told, epoch_1904=epoch_1904)


def _table(
    path: Path, target: Path, name: str, form: str, told: dict[str, object], *, epoch_1904: bool
) -> TextTable:
    sheet = str(told["sheet"])
    sample = cast("list[list[str | None]]", told["sample"])
    return TextTable(
        name=f"{name} [{sheet}]",
        kind="parquet",
        format=form,
        path=target,
        columns=tuple(cast("list[str]", told["columns"])),
        sample=clean_rows(sample),
        has_header=bool(told["has_header"]),
        first_row_line=int(str(told["skip_rows"])) + 1,
        skip_rows=int(str(told["skip_rows"])),
        stored_columns=tuple(cast("list[str]", told["stored"])),
        sheet=sheet,
        sheets=tuple(cast("list[str]", told["sheets"])),
        epoch_1904=epoch_1904,
        source_bytes=path.stat().st_size,
    )
