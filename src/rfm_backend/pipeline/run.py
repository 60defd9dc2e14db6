"""The table of contents: one analysis from text tables to result, stage by stage.

    read -> map -> clean -> aggregate -> score -> segment -> features -> cluster -> profile

In:  text tables (`reading`), `Options`, an engine, the rule table; a `Model` to apply, or None to fit.
Out: `Analysis`: the engine's table ``result`` and everything that is said about it.

What always holds
    * same bytes, same options, same version: same result, whatever the order of the rows;
    * customers of ``customers`` = customers of ``result``;
    * with a model, edges, scaler and centres are the model's: nothing is fitted.

What it does not do: it reads no file, no clock and no environment.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine, Rejected
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import UnknownCustomer
from rfm_backend.pipeline.accounting import LineFinder, account
from rfm_backend.pipeline.aggregate import CUSTOMERS, aggregate_customers
from rfm_backend.pipeline.analysis import Finding, Summary
from rfm_backend.pipeline.clean import clean_lines, has_unforeseen_marks
from rfm_backend.pipeline.explain import Explanation, Peers, explain_customer
from rfm_backend.pipeline.findings import find_repetitions
from rfm_backend.pipeline.fit import Fit, apply_model, fit, load_population
from rfm_backend.pipeline.lines import BY, LineRequest, carried_columns
from rfm_backend.pipeline.mapping.find import plan_columns
from rfm_backend.pipeline.mapping.guess import find_column
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import ScoreMethod
from rfm_backend.pipeline.summarise import make_model, summarise
from rfm_backend.progress import Progress, Step
from rfm_backend.text_table import TextTable

RESULT_TABLE = "result"
_FITTED = "fitted"
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A finished analysis.

    The customers stand in the engine's table ``result``, one row per customer (with ``by``, per
    customer and group value), in the order of customer_id by code point; ``result_columns`` names its
    columns: `columns.RESULT` (with ``by``, the group column second), then contact and kept columns.
    Types: recency INTEGER, frequency BIGINT, monetary DECIMAL(38,12), scores TINYINT, cluster
    SMALLINT, dates DATE, the rest VARCHAR.

    ``request`` tells how the lines were made, for whoever wants those set aside.
    """

    engine: Engine
    result_columns: tuple[str, ...]
    summary: Summary
    model: Model
    options: Options
    request: LineRequest

    @property
    def plan(self) -> ColumnPlan:
        """Which column has which role, and how its text was read."""
        return self.request.plan


def analyse(
    tables: Sequence[TextTable],
    options: Options,
    *,
    engine: Engine,
    rules: RuleTable,
    method: ScoreMethod,
    find_lines: LineFinder,
    progress: Progress,
    rule_findings: Sequence[Finding] = (),
    model: Model | None = None,
) -> Analysis:
    """Return the analysis of `tables`: what every door calls.

    Parameters
    ----------
    tables : sequence of TextTable
        All with the same header.  Not modified.
    rules, method : how scores become segments, and how scores are made; with `model` its own count.
    find_lines : from data-row ordinals of a table to lines of the user's file, for examples.

    Raises
    ------
    UnusableInput
        A needed column is missing, a format cannot be decided, no row is left, ...
    InvalidOption
        A column that an option names does not exist.
    """
    request, rejected = map_and_clean(tables, options, engine, progress=progress)
    snapshot_date = aggregate_customers(request, engine, progress=progress)
    seed = options.seed if model is None else model.seed
    population = load_population(engine, has_groups=request.by_column is not None, seed=seed)
    progress(Step(stage="cluster", done=0, total=None, unit="rows"))
    found, repetitions = _while_repetitions_are_counted(
        request,
        engine,
        lambda: (
            apply_model(population, model)
            if model is not None
            else fit(population, options, rules=rules, method=method)
        ),
    )
    result_columns = _make_result(engine, request, rules, found)
    quality = account(
        request, engine, rejected=rejected, snapshot_date=snapshot_date, find_lines=find_lines
    )
    summary = summarise(
        request,
        engine,
        table=RESULT_TABLE,
        population=population,
        rules=rules,
        found=found,
        quality=quality,
        findings_before=(*repetitions, *rule_findings),
        group_column=_group_name(request) if request.by_column else None,
        model=model,
    )
    return Analysis(
        engine=engine,
        result_columns=result_columns,
        summary=summary,
        model=model or make_model(summary, found, rules, options),
        options=options,
        request=request,
    )


def _while_repetitions_are_counted(
    request: LineRequest, engine: Engine, work: Callable[[], Fit]
) -> tuple[Fit, list[Finding]]:
    """Return what `work` does, and what is to be said about repeated rows."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        repetitions = beside.submit(find_repetitions, request, engine)
        try:
            found = work()
        except BaseException:
            # Leaving the block waits for what runs beside: on a large file, longer than one may wait.
            while not repetitions.done():
                engine.interrupt()
                wait([repetitions], timeout=_POLL_SECONDS)
            raise
        return found, repetitions.result()


def map_and_clean(
    tables: Sequence[TextTable], options: Options, engine: Engine, *, progress: Progress
) -> tuple[LineRequest, list[Rejected]]:
    """Map the columns and make the engine's table ``orders`` by them: the files are read once.

    Only where a decimal mark appears far down a column that seemed to have none, the whole column is
    looked at to decide it, and the files are read again.
    """
    plan = plan_columns(tables, options, engine, assume_unmarked=True)
    request = line_request(tables, plan, options)
    rejected = clean_lines(request, engine, progress=progress)
    if has_unforeseen_marks(request, engine):
        request = line_request(tables, plan_columns(tables, options, engine), options)
        rejected = clean_lines(request, engine, progress=progress)
    return request, rejected


def line_request(tables: Sequence[TextTable], plan: ColumnPlan, options: Options) -> LineRequest:
    """Return what lines are wanted, with the columns that options name by role or header found.

    Raises
    ------
    InvalidOption
        A column of ``keep``, ``exclude`` or ``by`` is not in the file.
    """
    names = tables[0].columns
    resolved = replace(
        options,
        keep=tuple(find_column(name, names, plan, option="keep") for name in options.keep),
        exclude=tuple(
            (find_column(name, names, plan, option="exclude"), value)
            for name, value in options.exclude
        ),
    )
    return LineRequest(
        tables=tuple(tables),
        plan=plan,
        options=resolved,
        by_column=find_column(options.by, names, plan, option="by") if options.by else None,
        with_hash=options.duplicates == "drop",
        keep_rejects=True,
    )


def result_sql(analysis: Analysis) -> str:
    """Return a SELECT of the customers in their order, columns as in ``result_columns``."""
    return result_columns_sql(analysis.result_columns)


def result_columns_sql(columns: Sequence[str]) -> str:
    """Return a SELECT of columns of the table ``result``, in the order of the customers."""
    chosen = ", ".join(quote_name(name) for name in columns)
    return f"SELECT {chosen} FROM {RESULT_TABLE} ORDER BY rowid"


def explain_one(analysis: Analysis, customer_id: str, *, group: str | None) -> Explanation:
    """Return why a customer of `analysis` stands where he stands and what would move him.

    Raises
    ------
    UnknownCustomer
        There is no such customer, or he is in several groups and none was named.
    """
    engine = analysis.engine
    where = f"{c.CUSTOMER_ID} = {quote_text(customer_id)}"
    if group is not None:
        where += f" AND {BY} = {quote_text(group)}"
    found = engine.rows(
        f"SELECT {c.RECENCY}, {c.FREQUENCY}, {c.MONETARY}, {BY} FROM {CUSTOMERS} WHERE {where}"
    )
    if not found:
        raise UnknownCustomer(f"There is no customer {customer_id!r} in this result.")
    if len(found) > 1:
        groups = ", ".join(str(row[3]) for row in found)
        raise UnknownCustomer(
            f"Customer {customer_id!r} is in several groups: name one of {groups}.", groups=groups
        )
    recency, frequency, monetary, own_group = found[0]
    same = f" WHERE {BY} = {quote_text(str(own_group))}"
    arrays = engine.arrays(
        f"SELECT {c.RECENCY}, {c.FREQUENCY}, CAST(CAST({c.MONETARY} AS VARCHAR) AS DOUBLE) AS "
        f"{c.MONETARY} FROM {CUSTOMERS}{same}"
    )
    return explain_customer(
        customer_id,
        recency=int(str(recency)),
        frequency=int(str(frequency)),
        monetary=Decimal(str(monetary)),
        model=analysis.model,
        group=str(own_group),
        snapshot_date=analysis.summary.quality.snapshot_date,
        peers=Peers(
            recency=arrays[c.RECENCY].astype(np.int64),
            frequency=arrays[c.FREQUENCY].astype(np.int64),
            monetary=arrays[c.MONETARY].astype(np.float64),
        ),
    )


def _make_result(
    engine: Engine, request: LineRequest, rules: RuleTable, found: Fit
) -> tuple[str, ...]:
    """Make the table ``result`` of the customers and what was found for them; return its columns."""
    engine.create_from_arrays(
        _FITTED,
        {
            c.R_SCORE: found.scores.r_score.astype(np.int8),
            c.F_SCORE: found.scores.f_score.astype(np.int8),
            c.M_SCORE: found.scores.m_score.astype(np.int8),
            c.SEGMENT: found.segments.astype(np.int16),
            c.CLUSTER: found.clusters.astype(np.int16),
        },
    )
    keys = ", ".join(quote_text(key) for key in rules.segments)
    values = {
        c.RFM_CELL: f"concat({c.R_SCORE}, {c.F_SCORE}, {c.M_SCORE})",
        c.SEGMENT: f"list_extract([{keys}], {c.SEGMENT} + 1)",
        c.RECENCY: f"CAST({c.RECENCY} AS INTEGER)",
    }
    chosen = {name: values.get(name, name) for name in c.RESULT}
    if request.by_column:
        chosen = {c.CUSTOMER_ID: c.CUSTOMER_ID, _group_name(request): BY, **chosen}
    for place, (name, _) in enumerate(carried_columns(request.plan, request.options)):
        chosen.setdefault(name, f"carried_{place}")
    columns = ", ".join(f"{value} AS {quote_name(name)}" for name, value in chosen.items())
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {RESULT_TABLE} AS "
        f"SELECT {columns} FROM {CUSTOMERS} POSITIONAL JOIN {_FITTED}",
        stage="save",
    )
    return tuple(chosen)


def _group_name(request: LineRequest) -> str:
    """Return the group column's name: the role where the user named a role, else the header."""
    asked = request.options.by or ""
    name = asked if asked in request.plan.columns else str(request.by_column)
    return name if name not in c.RESULT else f"{name}_in_file"
