"""The table of contents: one analysis from text tables to result, stage by stage.

    read -> map -> clean -> aggregate -> score -> segment -> features -> cluster -> profile

In:  text tables (`reading`), `Options`, an engine, the rule table; a `Model` to apply, or None to fit.
Out: `Analysis`: the engine's table ``result`` and everything that is said about it.

What always holds
    * same bytes, same options, same version: same result, whatever the order of the rows;
    * customers of ``customers`` = customers of ``result``;
    * with a model, edges, scaler and centres are the model's: nothing is fitted;
    * above `LOCAL_CUSTOMERS` no stage needs all customers in this process.

What it does not do: it reads no file, no clock and no environment.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from decimal import Decimal

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine, Rejected
from rfm_backend.engines.quoting import quote_name, quote_text
from rfm_backend.errors import UnknownCustomer
from rfm_backend.pipeline.accounting import LineFinder, account
from rfm_backend.pipeline.aggregate import CUSTOMERS, aggregate_customers
from rfm_backend.pipeline.analysis import Finding, Summary
from rfm_backend.pipeline.clean import clean_lines, has_unforeseen_marks
from rfm_backend.pipeline.explain import Explanation, explain_customer
from rfm_backend.pipeline.findings import find_repetitions
from rfm_backend.pipeline.fit import Fit
from rfm_backend.pipeline.in_engine import CustomersInEngine
from rfm_backend.pipeline.in_process import CustomersInProcess
from rfm_backend.pipeline.lines import BY, LineRequest
from rfm_backend.pipeline.mapping.find import plan_columns
from rfm_backend.pipeline.mapping.guess import find_column
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.model import Model
from rfm_backend.pipeline.moves import Dimension
from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.placing import MONETARY_SQL
from rfm_backend.pipeline.result_table import RESULT_TABLE, result_columns_sql
from rfm_backend.pipeline.rules import RuleTable
from rfm_backend.pipeline.score import ScoreMethod
from rfm_backend.pipeline.spread import number_sql
from rfm_backend.pipeline.summarise import make_model, summarise
from rfm_backend.progress import Progress, Step
from rfm_backend.text_table import TextTable

# Of so many, arrays of numbers take a few hundred megabytes.
LOCAL_CUSTOMERS = 2_000_000
_POLL_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A finished analysis.

    The customers stand in the engine's table ``result``, one row per customer (with ``by``, per
    customer and group value), in the order of customer_id by code point; ``result_columns`` names its
    columns: `columns.RESULT` (with ``by``, the group column second), then contact and kept columns.
    Types: recency INTEGER, frequency BIGINT, monetary DECIMAL(38,12), scores TINYINT, cluster
    SMALLINT, dates DATE, the rest VARCHAR.

    ``request`` tells how the lines were made, for whoever wants those set aside.  ``is_in_engine`` tells
    that the customers were more than this process takes.
    """

    engine: Engine
    result_columns: tuple[str, ...]
    summary: Summary
    model: Model
    options: Options
    request: LineRequest
    is_in_engine: bool

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
    local_customers: int = LOCAL_CUSTOMERS,
) -> Analysis:
    """Return the analysis of `tables`: what every door calls.

    Parameters
    ----------
    tables : sequence of TextTable
        All with the same header.  Not modified.
    rules, method : how scores become segments, and how scores are made; with `model` its own count.
    local_customers : the most customers (with ``by``, of each group) that this process takes as arrays;
        where there are more, the engine places them, and the model is fitted on a seeded sample.
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
    customers = _open_customers(
        request, engine, model, local_customers=local_customers, progress=progress
    )
    found, repetitions = _while_repetitions_are_counted(
        request,
        engine,
        lambda: (
            customers.apply(model)
            if model is not None
            else customers.fit(options, rules=rules, method=method)
        ),
    )
    result_columns = customers.make_result(found, rules)
    quality = account(
        request, engine, rejected=rejected, snapshot_date=snapshot_date, find_lines=find_lines
    )
    found, profiles = customers.profile(found, rules, model.cluster_names if model else None)
    summary = summarise(
        request,
        engine,
        rules=rules,
        found=found,
        profiles=profiles,
        quality=quality,
        findings_before=(*repetitions, *rule_findings),
    )
    return Analysis(
        engine=engine,
        result_columns=result_columns,
        summary=summary,
        model=model or make_model(summary, found, rules, options),
        options=options,
        request=request,
        is_in_engine=isinstance(customers, CustomersInEngine),
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


def _open_customers(
    request: LineRequest,
    engine: Engine,
    model: Model | None,
    *,
    local_customers: int,
    progress: Progress,
) -> CustomersInProcess | CustomersInEngine:
    """Begin with the customers: loaded, unless they are more than one process should hold."""
    ((n_customers,),) = engine.rows(f"SELECT count(*) FROM {CUSTOMERS}")
    n = int(str(n_customers))
    seed = request.options.seed if model is None else model.seed
    progress(Step(stage="cluster", done=0, total=None, unit="rows"))
    if n <= local_customers:
        return CustomersInProcess(request, engine, seed=seed)
    return CustomersInEngine(request, engine, seed=seed, n_customers=n, progress=progress)


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


def ordered_result_sql(analysis: Analysis) -> str:
    """Return the same SELECT, its order told by columns, for engines that number no rows."""
    columns = analysis.result_columns
    chosen = ", ".join(quote_name(name) for name in columns)
    order = ", ".join(
        quote_name(name) for name in columns[: 2 if analysis.request.by_column else 1]
    )
    return f"SELECT {chosen} FROM {RESULT_TABLE} ORDER BY {order}"


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
    return explain_customer(
        customer_id,
        recency=int(str(recency)),
        frequency=int(str(frequency)),
        monetary=Decimal(str(monetary)),
        model=analysis.model,
        group=str(own_group),
        snapshot_date=analysis.summary.quality.snapshot_date,
        peers=_PeersInEngine(engine, str(own_group)),
    )


class _PeersInEngine:
    """All customers of a group, counted where they are."""

    def __init__(self, engine: Engine, group: str) -> None:
        self._engine = engine
        self._group = group

    def shares(self, dimension: Dimension, value: float) -> tuple[float, float]:
        """Return the fractions of customers with a worse and with the same value."""
        column = MONETARY_SQL if dimension == c.MONETARY else f"CAST({dimension} AS DOUBLE)"
        sign = ">" if dimension == c.RECENCY else "<"
        own = number_sql(value)
        ((worse, equal, whole),) = self._engine.rows(
            f"SELECT count(*) FILTER (WHERE {column} {sign} {own}), "
            f"count(*) FILTER (WHERE {column} = {own}), count(*) "
            f"FROM {CUSTOMERS} WHERE {BY} = {quote_text(self._group)}"
        )
        return int(str(worse)) / int(str(whole)), int(str(equal)) / int(str(whole))
