"""Result files: one row per customer, as CSV, XLSX, Parquet or JSON.

In:  an `Analysis`.
Out: the file, and beside CSV, XLSX and Parquet ``<name>.model.json``.

What always holds
    * the same result gives the same bytes of CSV, JSON and Parquet's cells, in the order of customer_id;
    * amounts are exact, trailing zeros cut (77183.6); days are ISO;
    * no text can be taken as a formula; numbers stay numbers; files appear whole or not at all.
"""

import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine, WritesParts
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import InvalidOption
from rfm_backend.output.atomic import check_free, write_text, writing, writing_folder
from rfm_backend.output.cells import safe_text, safe_text_sql
from rfm_backend.output.summary_json import summary_to_json
from rfm_backend.output.workbook import MOST_ROWS, write_workbook
from rfm_backend.pipeline.model import model_to_json
from rfm_backend.pipeline.result_table import result_columns_sql
from rfm_backend.pipeline.run import Analysis, ordered_result_sql

RESULT_FORMAT: Final = "rfm-backend result 1"
Form = Literal["csv", "xlsx", "parquet", "json"]
_FORMS: Final[tuple[Form, ...]] = ("csv", "xlsx", "parquet", "json")
SUFFIXES: Final = tuple(f".{form}" for form in _FORMS)
_NUMBERS: Final = (c.RECENCY, c.FREQUENCY, c.R_SCORE, c.F_SCORE, c.M_SCORE, c.CLUSTER)
# So many customers are held as text at a time.
_BATCH: Final = 50_000
_DAYS: Final = (c.FIRST_PURCHASE_DATE, c.LAST_PURCHASE_DATE)


def write_result(analysis: Analysis, path: Path, *, force: bool = False) -> None:
    """Write the customers to `path`, in the form that its suffix names.

    Parquet of customers that are too many for one process is written by the machines that hold them: then
    `path` is a folder of parts, ``part-00000.parquet`` and on, the order of the customers going on from
    part to part.

    Raises
    ------
    InvalidOption
        The suffix names no form.
    TooManyRows
        A workbook's sheet cannot hold so many customers.
    OutputExists, OutputFailed
        The file, or its model beside it, may not or cannot be written.
    """
    form = _known_form(path.suffix.lower().removeprefix("."))
    beside = model_path(path)
    if form != "json":
        check_free(beside, force=force)
    engine = analysis.engine
    if form == "parquet" and analysis.is_in_engine and isinstance(engine, WritesParts):
        with writing_folder(path, force=force) as folder:
            engine.write_parts(ordered_result_sql(analysis), folder)
    else:
        with writing(path, force=force) as temporary:
            write_form(_told(analysis), temporary, form=form)
    if form != "json":
        write_text(beside, model_to_json(analysis.model), force=force)


def write_result_far(analysis: Analysis, address: str, *, force: bool = False) -> None:
    """Write the customers as Parquet to a folder of parts at an address, such as s3a://shop/x.parquet.

    Raises
    ------
    InvalidOption
        The engine reaches no address.
    OutputExists, OutputFailed
        The folder may not or cannot be written.
    """
    engine = analysis.engine
    if not isinstance(engine, WritesParts):
        raise InvalidOption(
            f"{address} is an address: only --engine spark writes there. Give the path of a file.",
            option="out",
        )
    engine.write_far(ordered_result_sql(analysis), address, force=force)
    beside = f"{address.rstrip('/').removesuffix('.parquet')}.model.json"
    engine.write_text_far(model_to_json(analysis.model), beside)


def write_result_to(analysis: Analysis, stream: BinaryIO, *, form: str) -> None:
    """Write the customers to an open binary stream, as "csv", "xlsx", "parquet" or "json"."""
    with tempfile.NamedTemporaryFile(suffix=f".{form}") as whole:
        write_form(_told(analysis), Path(whole.name), form=_known_form(form))
        with Path(whole.name).open("rb") as reading:
            shutil.copyfileobj(reading, stream)


@dataclass(frozen=True, kw_only=True)
class ToldResult:
    """What a result file is made of: the engine's table ``result``, its columns, two texts for JSON."""

    engine: Engine
    result_columns: tuple[str, ...]
    summary_json: str
    model_json: str


def write_form(told: ToldResult, path: Path, *, form: Form, most_rows: int = MOST_ROWS) -> None:
    """Write a result in one form, to a path that nobody looks at yet.

    Raises
    ------
    TooManyRows
        More customers than the `most_rows` of a workbook's sheet.
    """
    if form == "csv":
        chosen = ", ".join(_csv_cell(name) for name in told.result_columns)
        told.engine.write(f"SELECT {chosen} FROM ({rows_sql(told)})", path, form="csv")
    elif form == "parquet":
        told.engine.write(rows_sql(told), path, form="parquet")
    elif form == "xlsx":
        write_workbook(told.engine, told.result_columns, rows_sql(told), path, most_rows=most_rows)
    else:
        _write_json(told, path)


def rows_sql(told: ToldResult) -> str:
    """Return a SELECT of the customers in their order."""
    return result_columns_sql(told.result_columns)


def _told(analysis: Analysis) -> ToldResult:
    return ToldResult(
        engine=analysis.engine,
        result_columns=analysis.result_columns,
        summary_json=json.dumps(summary_to_json(analysis.summary), ensure_ascii=False),
        model_json=model_to_json(analysis.model),
    )


def model_path(path: Path) -> Path:
    """Return where the model of the result at `path` stands."""
    return path.with_name(f"{path.stem}.model.json")


def _known_form(form: str) -> Form:
    for known in _FORMS:
        if form == known:
            return known
    raise InvalidOption(
        f"A result cannot be written as {form!r}: name the file {', '.join(SUFFIXES)}.",
        option="out",
    )


def _csv_cell(name: str) -> str:
    column = quote_name(name)
    if name == c.MONETARY:
        return f"{exact_amount_sql(column)} AS {column}"
    if name in _NUMBERS or name in _DAYS or name == c.RFM_CELL:
        return column
    # A column that was kept has the name that its file gave it.
    return f"{safe_text_sql(column)} AS {quote_name(safe_text(name))}"


def exact_amount_sql(column: str) -> str:
    """Return SQL for an amount as text: exact, trailing zeros cut."""
    return f"rtrim(rtrim(CAST({column} AS VARCHAR), '0'), '.')"


def _write_json(told: ToldResult, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{{"format": {json.dumps(RESULT_FORMAT)},\n"summary": {told.summary_json},\n')
        stream.write(f'"model": {told.model_json.strip()},\n"customers": [\n')
        for place, row in enumerate(_json_rows(told)):
            stream.write(row if place == 0 else f",\n{row}")
        stream.write("\n]}\n")


def _json_rows(told: ToldResult) -> Iterator[str]:
    """Yield one JSON object per customer; the engine writes them, amounts as exact numbers."""
    pairs = " || ', ' || ".join(
        f"{quote_text(json.dumps(name, ensure_ascii=False) + ': ')} || {json_value_sql(name)}"
        for name in told.result_columns
    )
    objects = f"SELECT '{{' || {pairs} || '}}' FROM ({rows_sql(told)})"
    for start in itertools.count(0, _BATCH):
        rows = told.engine.rows(f"{objects} LIMIT {_BATCH} OFFSET {start}")
        yield from (str(row[0]) for row in rows)
        if len(rows) < _BATCH:
            return


def json_value_sql(name: str) -> str:
    """Return SQL for a column of the result as JSON text."""
    column = quote_name(name)
    if name == c.MONETARY:
        return exact_amount_sql(column)
    if name in _NUMBERS:
        return f"CAST({column} AS VARCHAR)"
    return f"coalesce(CAST(to_json(CAST({column} AS VARCHAR)) AS VARCHAR), 'null')"
