"""Exports: a stored result as CSV, XLSX, Parquet, JSON or the report, the same bytes as the command's.

In:  a published analysis, a form; some of its customers or columns.
Out: the path of a file that the caller removes; or text of the report.

What always holds: a file is made in a child process with limits, so that a large one takes neither the
memory nor the time of other requests.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from rfm_backend.catalogue import Language
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import OutputFailed
from rfm_backend.output.tables import Form, ToldResult, write_form
from rfm_backend.output.workbook import MOST_ROWS, check_fits
from rfm_backend.services.chosen import Chosen, condition_sql
from rfm_backend.services.service import Service
from rfm_backend.storage.analyses import AnalysisHead
from rfm_backend.work_folder import WorkFolder

ExportForm = Literal["csv", "xlsx", "parquet", "json", "html"]
_WRITE: Final = "rfm_backend.services.exports:write_export"
_SECONDS: Final = 600.0
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
}


def folder_of(service: Service, analysis: AnalysisHead) -> Path:
    """Return where the files of an analysis stand."""
    return service.files.analysis_folder(analysis.user_id, analysis.folder)


def result_path(service: Service, analysis: AnalysisHead) -> Path:
    """Return where the customers stand, as Parquet."""
    return folder_of(service, analysis) / "result.parquet"


def report_path(service: Service, analysis: AnalysisHead, language: Language) -> Path:
    """Return where the report stands."""
    return folder_of(service, analysis) / f"report.{language}.html"


def make_export(
    service: Service,
    analysis: AnalysisHead,
    form: Form,
    *,
    chosen: Chosen | None = None,
    columns: Sequence[str] | None = None,
    most_rows: int = MOST_ROWS,
) -> Path:
    """Write a result to a temporary file and return its path.

    Parameters
    ----------
    chosen : Chosen, optional
        Which customers; all where it is not given.
    columns : sequence of str, optional
        Which of the result's columns; a customer who has nothing in any of them is left out.
    most_rows : int
        How many rows a workbook's sheet may have below its header.

    Raises
    ------
    TooManyRows
        A sheet cannot hold so many customers.
    FileTooComplex, OutputFailed
        It took too long or too much memory; the disk would not.
    """
    if form == "xlsx" and (chosen or Chosen()) == Chosen() and columns is None:
        # Known before any work; of some customers the child counts first.
        check_fits(analysis.n_customers, most_rows=most_rows)
    handle, name = tempfile.mkstemp(prefix="rfm-export-", suffix=f".{form}")
    os.close(handle)
    path = Path(name)
    order = {
        "folder": str(folder_of(service, analysis)),
        "columns": list(columns or analysis.column_names),
        "condition": _condition(analysis, chosen, columns),
        "numbered": bool(chosen and chosen.positions),
        "path": str(path),
        "form": form,
        "most_rows": most_rows,
    }
    try:
        service.run_child(_WRITE, order, name="The export", seconds=_SECONDS)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _condition(analysis: AnalysisHead, chosen: Chosen | None, columns: Sequence[str] | None) -> str:
    condition = condition_sql(chosen or Chosen(), analysis.column_names)
    if columns is None:
        return condition
    filled = " OR ".join(f"coalesce({quote_name(name)}, '') <> ''" for name in columns)
    return f"{condition} AND ({filled})"


def write_export(
    *,
    folder: str,
    columns: list[str],
    condition: str,
    numbered: bool,
    path: str,
    form: Form,
    most_rows: int,
) -> bool:
    """Write a stored result: what the child process does."""
    stored = Path(folder)
    with WorkFolder() as workdir:
        engine = DuckDBEngine(workdir=Path(workdir))
        try:
            source = quote_text(str(stored / "result.parquet"))
            # The numbers are asked for where they are needed: a kept column may have their name.
            numbers, besides = (
                (", file_row_number = true", " EXCLUDE (file_row_number)") if numbered else ("", "")
            )
            engine.execute(
                f"CREATE TEMP TABLE result AS SELECT *{besides} "
                f"FROM read_parquet({source}{numbers}) WHERE {condition}"
            )
            told = ToldResult(
                engine=engine,
                result_columns=tuple(columns),
                summary_json=(stored / "summary.json").read_text("utf-8"),
                model_json=(stored / "result.model.json").read_text("utf-8"),
            )
            write_form(told, Path(path), form=form, most_rows=most_rows)
        except OSError as error:
            raise OutputFailed("The export could not be written: the disk may be full.") from error
        finally:
            engine.close()
    return True
