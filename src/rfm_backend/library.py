"""The library's door: a file or a frame in, customer segments out.

    import rfm_backend
    result = rfm_backend.segment("sales.csv")

In:  paths, open binary files, or frames (pandas, Polars, Arrow, DuckDB).
Out: `Result`; `Inspection` of a file.

What always holds: the numbers are those of the command and of every other door; the input is not
changed; temporary files go when the result is closed or collected.

What this module does not do: it reads no environment and prints nothing.
"""

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypedDict, Unpack

from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.spark import SparkEngine
from rfm_backend.errors import FileNotFound, InvalidOption, UnreadableFile
from rfm_backend.pipeline.analysis import Finding
from rfm_backend.pipeline.cluster import warm_up
from rfm_backend.pipeline.inspect import Inspection, inspect_table
from rfm_backend.pipeline.model import Model, model_from_json
from rfm_backend.pipeline.options import Level, Options, Returns
from rfm_backend.pipeline.rules import BUILT_IN_TABLES, RuleTable, load_rules
from rfm_backend.pipeline.run import LOCAL_CUSTOMERS, analyse
from rfm_backend.pipeline.score import ScoreMethod
from rfm_backend.pipeline.thresholds import Thresholds, parse_thresholds
from rfm_backend.progress import Progress, no_progress
from rfm_backend.reading.lines import physical_lines
from rfm_backend.reading.located import open_location
from rfm_backend.reading.source import frame_table, open_tables
from rfm_backend.result import Result
from rfm_backend.text_table import ReadChoices, TextTable, is_far
from rfm_backend.work_folder import WorkFolder

Source = str | Path | BinaryIO | object
# What a model has fixed: asking for another value beside it is a contradiction.
_FIXED_BY_MODEL = ("returns", "duplicates", "by", "n_clusters", "seed", "segments", "scores")


class OptionValues(TypedDict, total=False):
    """The options of `Options`, by keyword."""

    mapping: dict[str, str]
    keep: tuple[str, ...]
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    date_format: str | None
    level: Level | None
    snapshot_date: dt.date | None
    since: dt.date | None
    until: dt.date | None
    exclude: tuple[tuple[str, str], ...]
    returns: Returns
    duplicates: str
    timezone: str | None
    n_clusters: int | str
    seed: int
    segments: str
    scores: str
    by: str | None
    currency: str | None


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What an analysis may use: none of it but ``local_customers`` changes a number.

    ``memory_limit`` as "1.5GB"; above it the engine spills to a temporary folder.  ``threads`` None
    means all cores of this process.  ``engine`` is "duckdb" or "spark"; for Spark, ``spark_master`` is
    the master's address (default: Spark within this process) and ``spark_folder`` a folder or address
    that driver and executors share (default: a temporary folder).

    ``local_customers`` is how many customers this process takes as arrays.
    Where there are more, the engine places them, so that no stage needs all of them in one process: scores
    stay exact, and the clusters are fitted on a seeded sample, which the findings tell.
    It holds for each engine alike.
    """

    memory_limit: str | None = None
    threads: int | None = None
    engine: str = "duckdb"
    spark_master: str | None = None
    spark_folder: str | None = None
    local_customers: int = LOCAL_CUSTOMERS


def segment(
    source: Source | Sequence[Source],
    *,
    options: Options | None = None,
    model: Model | str | Path | None = None,
    table: str | None = None,
    thresholds: Thresholds | None = None,
    resources: Resources | None = None,
    progress: Progress = no_progress,
    **values: Unpack[OptionValues],
) -> Result:
    """Turn sales into customer segments.

    Parameters
    ----------
    source : path, open binary file, frame, or a list of them
        CSV, XLSX, XLS, XLSB, ODS, Parquet, .zip or .gz; or a pandas, Polars or Arrow table or a DuckDB
        relation.  Several make one analysis.  Not modified.
    options : Options, optional
        All options as one value; keywords of the same names go before it.
    model : Model or path, optional
        Apply a saved model instead of fitting one.
    table : str, optional
        The TOML text of a segment table; ``segments`` is then only its name.
    thresholds : Thresholds, optional
        Fixed edges of the scores; ``scores`` is then only their name.
    resources : Resources, optional
        Memory and threads.
    progress : callable, optional
        Is told how far the work is; may raise `Cancelled`.

    Returns
    -------
    Result

    Raises
    ------
    UnusableInput
        The file cannot be used as it stands; the message says where and what to do.
    InvalidOption
        An option cannot be used.

    Examples
    --------
    >>> import rfm_backend
    >>> sales = [
    ...     ("ann", "A1", "2024-01-05", 30.0),
    ...     ("bob", "A2", "2024-03-01", 5.0),
    ...     ("ann", "A3", "2024-03-02", 12.5),
    ... ]
    >>> import duckdb
    >>> table = duckdb.values(*sales).select(
    ...     "col0 AS customer_id, col1 AS invoice_id, col2 AS invoice_date, col3 AS amount"
    ... )
    >>> with rfm_backend.segment(table, n_clusters=2) as result:
    ...     result.customers.select("customer_id, recency, frequency, monetary").fetchall()
    [('ann', 1, 2, Decimal('42.500000000000')), ('bob', 2, 1, Decimal('5.000000000000'))]
    """
    threading.Thread(target=warm_up, daemon=True).start()
    chosen = replace(options or Options(), **values)  # type: ignore[arg-type]  # checked by Options
    applied = read_model(model) if isinstance(model, str | Path) else model
    if applied is not None:
        chosen = _with_model(chosen, applied)
    use = resources or Resources()
    workdir = WorkFolder()
    try:
        engine = _open_engine(use, Path(workdir.name))
        try:
            tables = read_sources(
                source, chosen, workdir=Path(workdir.name), progress=progress, engine=engine
            )
            rules, findings = (
                (applied.rules, ()) if applied else _read_rules(chosen.segments, table)
            )
            analysis = analyse(
                tables,
                chosen,
                engine=engine,
                rules=rules,
                rule_findings=findings,
                method="quantile" if applied else thresholds or _read_method(chosen.scores),
                model=applied,
                find_lines=physical_lines,
                progress=progress,
                local_customers=use.local_customers,
            )
        except BaseException:
            engine.close()
            raise
    except BaseException:
        workdir.cleanup()
        raise
    return Result(analysis, workdir)


def inspect(
    source: Source, *, options: Options | None = None, progress: Progress = no_progress
) -> Inspection:
    """Return what a file looks like and how its columns would be read; nothing is changed.

    Raises
    ------
    UnusableInput
        The file cannot be opened as a table at all; problems of content are listed instead.
    """
    chosen = options or Options()
    with WorkFolder() as folder:
        tables = read_sources(source, chosen, workdir=Path(folder), progress=progress)
        engine = DuckDBEngine(workdir=Path(folder))
        try:
            return inspect_table(tables[0], chosen, engine, find_lines=physical_lines)
        finally:
            engine.close()


def _open_engine(use: Resources, workdir: Path) -> DuckDBEngine | SparkEngine:
    """Return the engine that is asked for, its files in the work folder.

    Raises
    ------
    InvalidOption
        There is no such engine, or what it needs is not installed.
    """
    if use.engine == "spark":
        return SparkEngine(
            master=use.spark_master or "local[*]",
            workdir=workdir,
            folder=use.spark_folder,
            memory_limit=use.memory_limit,
            threads=use.threads,
        )
    if use.engine != "duckdb":
        raise InvalidOption(
            f"There is no engine {use.engine!r}: say duckdb or spark.", option="engine"
        )
    return DuckDBEngine(workdir=workdir, memory_limit=use.memory_limit, threads=use.threads)


def read_sources(
    source: Source | Sequence[Source],
    options: Options,
    *,
    workdir: Path,
    progress: Progress,
    engine: DuckDBEngine | SparkEngine | None = None,
) -> list[TextTable]:
    """Return the text tables of one or several files or frames, in the order given.

    Folders and addresses are for an `engine` that reads them by itself.
    """
    sources = source if isinstance(source, list | tuple) else [source]
    if not sources:
        raise FileNotFound("No file was given.")
    choices = ReadChoices(
        sheet=options.sheet, encoding=options.encoding, delimiter=options.delimiter
    )
    tables: list[TextTable] = []
    for one in sources:
        if isinstance(one, str | Path) and (is_far(str(one)) or Path(one).is_dir()):
            if not isinstance(engine, SparkEngine):
                raise UnreadableFile(
                    f"{one} is a folder or an address: give its files, or read it with --engine spark.",
                    file=str(one),
                )
            tables += open_location(
                str(one), engine.files, choices=choices, workdir=workdir, progress=progress
            )
        elif isinstance(one, str | Path) or hasattr(one, "read"):
            tables += open_tables(one, choices=choices, workdir=workdir, progress=progress)
        else:
            tables.append(frame_table(one))
    return tables


def read_model(path: str | Path) -> Model:
    """Return a saved model (JSON).

    Raises
    ------
    InvalidModel
        The file is no model of this version.
    """
    return model_from_json(_read_text(path))


def _read_text(path: str | Path) -> str:
    try:
        return Path(path).read_text("utf-8")
    except FileNotFoundError:
        raise FileNotFound(f"There is no file {path}.", file=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidOption(f"{path} cannot be read as text.", file=str(path)) from error


def _read_rules(segments: str, text: str | None) -> tuple[RuleTable, tuple[Finding, ...]]:
    if text is not None:
        return load_rules(segments, text)
    if segments in BUILT_IN_TABLES:
        return load_rules(segments)
    return load_rules(Path(segments).name, _read_text(segments))


def _read_method(scores: str) -> ScoreMethod:
    if scores == "quantile":
        return "quantile"
    if scores == "r-rfm":
        return "r-rfm"
    return parse_thresholds(_read_text(scores), Path(scores).name)


def _with_model(options: Options, model: Model) -> Options:
    """Return the model's options, with those of `options` that say how this file is read.

    What decides the numbers (returns, scores, clusters, ...) is the model's; columns, formats and
    the days looked at belong to the file.
    """
    default = Options()
    for name in _FIXED_BY_MODEL:
        asked = getattr(options, name)
        if asked not in (getattr(default, name), getattr(model.options, name)):
            raise InvalidOption(
                f"The model has fixed {name}: leave the option out, or fit without the model.",
                option=name,
            )
    fixed = {name: getattr(model.options, name) for name in _FIXED_BY_MODEL}
    if options.snapshot_date is None and model.snapshot_is_given:
        fixed["snapshot_date"] = model.snapshot_date
    return replace(options, **fixed)
