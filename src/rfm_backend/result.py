"""What the library hands out: a finished analysis with its customers, profiles and files.

In:  an `Analysis` whose engine still holds the customers, and the folder of its temporary files.
Out: relations, profiles, explanations, result files, the report.

What always holds: nothing is computed anew; every file is written whole or not at all.
"""

import importlib.util
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from rfm_backend.catalogue import Language
from rfm_backend.engines.duckdb import DuckDBEngine
from rfm_backend.engines.spark import SparkEngine
from rfm_backend.errors import InvalidOption, MissingExtra
from rfm_backend.output.atomic import write_text
from rfm_backend.output.report import write_report
from rfm_backend.output.set_aside import write_set_aside
from rfm_backend.output.tables import write_result
from rfm_backend.pipeline.analysis import ClusterProfile, Quality, SegmentProfile, Summary
from rfm_backend.pipeline.explain import Explanation
from rfm_backend.pipeline.model import Model, model_to_json
from rfm_backend.pipeline.run import Analysis, explain_one, result_sql
from rfm_backend.reading.lines import physical_lines
from rfm_backend.work_folder import WorkFolder

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl


class Result:
    """A finished analysis: customers, segments, clusters, and what to say about them.

    Use it as a context manager, or `close` it, to give memory and temporary files back at once.

    Attributes
    ----------
    customers : DuckDB relation, one row per customer, in the order of customer_id
        Columns as `columns.RESULT`, then contacts and kept columns.  ``.df()``, ``.pl()``,
        ``.fetchall()`` and SQL work on it while the result is open.
    segments, clusters : tuples of profiles
    quality : Quality
        The accounting: rows and money read, kept and set aside, by reason.
    model : Model
        What was fitted: edges, scaler, centres; `save_model` writes it.
    summary : Summary
        Everything the report shows.
    """

    def __init__(self, analysis: Analysis, workdir: WorkFolder) -> None:
        self.analysis = analysis
        self._workdir = workdir

    @property
    def customers(self) -> "duckdb.DuckDBPyRelation":
        """One row per customer."""
        engine = cast("DuckDBEngine | SparkEngine", self.analysis.engine)
        return engine.relation(result_sql(self.analysis))

    @property
    def summary(self) -> Summary:
        """Everything about the analysis except its customers."""
        return self.analysis.summary

    @property
    def segments(self) -> tuple[SegmentProfile, ...]:
        """The named segments, in the order of the rule table."""
        return self.summary.segments

    @property
    def clusters(self) -> tuple[ClusterProfile, ...]:
        """The clusters, best first."""
        return self.summary.clusters

    @property
    def quality(self) -> Quality:
        """The accounting of rows and money."""
        return self.summary.quality

    @property
    def model(self) -> Model:
        """What was fitted, or applied."""
        return self.analysis.model

    def explain(self, customer_id: str, *, group: str | None = None) -> Explanation:
        """Return why a customer stands where he stands and what would move him.

        Raises
        ------
        UnknownCustomer
            There is no such customer, or he is in several groups and none is given.
        """
        return explain_one(self.analysis, customer_id, group=group)

    def to_csv(self, path: str | Path, *, force: bool = False) -> None:
        """Write the customers as CSV, no cell a formula; `force` replaces a file."""
        write_result(self.analysis, _with_suffix(path, ".csv"), force=force)

    def to_excel(self, path: str | Path, *, force: bool = False) -> None:
        """Write the customers as XLSX; `force` replaces a file."""
        write_result(self.analysis, _with_suffix(path, ".xlsx"), force=force)

    def to_parquet(self, path: str | Path, *, force: bool = False) -> None:
        """Write the customers as Parquet, typed; `force` replaces a file."""
        write_result(self.analysis, _with_suffix(path, ".parquet"), force=force)

    def to_json(self, path: str | Path, *, force: bool = False) -> None:
        """Write summary, model and customers as one JSON object; `force` replaces a file."""
        write_result(self.analysis, _with_suffix(path, ".json"), force=force)

    def to_html(self, path: str | Path, *, language: Language = "en", force: bool = False) -> None:
        """Write the report, one self-contained page; `force` replaces a file."""
        write_report(self.analysis, Path(path), language=language, force=force)

    def write_set_aside(self, path: str | Path, *, force: bool = False) -> None:
        """Write the rows that were not used, with file, line and reason, as CSV."""
        write_set_aside(self.analysis, Path(path), find_lines=physical_lines, force=force)

    def save_model(self, path: str | Path, *, force: bool = False) -> None:
        """Write the model as JSON, to be applied with ``segment(..., model=path)``."""
        write_text(Path(path), model_to_json(self.model), force=force)

    def to_pandas(self) -> "pd.DataFrame":
        """Return the customers as a pandas DataFrame (needs the extra ``pandas``)."""
        _need("pandas")
        return self.customers.df()

    def to_polars(self) -> "pl.DataFrame":
        """Return the customers as a Polars DataFrame (needs the extra ``polars``)."""
        _need("polars")
        return cast("pl.DataFrame", self.customers.pl())

    def close(self) -> None:
        """Give memory and temporary files back."""
        self.analysis.engine.close()
        self._workdir.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _with_suffix(path: str | Path, suffix: str) -> Path:
    """Return `path`, which must end as its form does: a name tells what is in a file."""
    given = Path(path)
    if given.suffix.lower() != suffix:
        raise InvalidOption(f"{given.name} should end in {suffix}.", path=str(path))
    return given


def _need(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise MissingExtra(
            f"This needs {package}: install it with  pip install 'rfm-backend[{package}]'.",
            extra=package,
        )
