"""What a file looks like and how it would be read, without reading it.

    read -> map -> [inspect]

In:  a text table, options, the engine.
Out: `Inspection`.

What always holds: nothing is changed or kept; a problem of content is listed, never raised.

What it does not do: it cleans no row; it looks for rows that could not be used, to show the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rfm_backend.engines.protocol import Engine
from rfm_backend.errors import AmbiguousColumns, NoUsableRows, RfmError
from rfm_backend.pipeline.accounting import LineFinder, examples_of
from rfm_backend.pipeline.clean import clean_lines, count_reasons
from rfm_backend.pipeline.lines import LineRequest
from rfm_backend.pipeline.mapping.find import plan_columns, settled_roles
from rfm_backend.pipeline.mapping.plan import ColumnPlan, RoleGuess
from rfm_backend.pipeline.options import Level, Options
from rfm_backend.pipeline.readings import Reading, readings_of
from rfm_backend.pipeline.rows_about import rows_about
from rfm_backend.progress import no_progress
from rfm_backend.text_table import TextTable

FIRST_ROWS = 5
# So many first rows are tried; a problem further down shows when the file is segmented.
_ROWS_TRIED = 100_000


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something in the file that will not be used as it stands.

    ``code`` is that of an error, or a reason for setting rows aside; ``line`` and ``example`` are of
    the first place where it occurs; ``role`` and ``columns`` are what an error of mapping is about.
    """

    code: str
    message: str
    rows: int | None = None
    line: int | None = None
    example: str | None = None
    role: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What `inspect_table` found.

    ``plan`` is None where the columns cannot be decided; ``roles`` (role -> column) and ``level`` are
    then as far as they could be guessed.  ``readings`` shows how the first values would be read;
    ``rows_about`` is exact but for a long text file.
    """

    name: str
    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    sheets: tuple[str, ...]
    header_line: int | None
    columns: tuple[str, ...]
    guesses: tuple[RoleGuess, ...]
    plan: ColumnPlan | None
    problems: tuple[Problem, ...]
    first_rows: tuple[tuple[str | None, ...], ...]
    roles: Mapping[str, str] = field(default_factory=dict)
    level: Level = "lines"
    readings: tuple[Reading, ...] = ()
    rows_about: int = 0


def inspect_table(
    table: TextTable, options: Options, engine: Engine, *, find_lines: LineFinder
) -> Inspection:
    """Return what `table` looks like and how it would be read."""
    plan: ColumnPlan | None = None
    guesses: Sequence[RoleGuess]
    roles: Mapping[str, str]
    level: Level
    problems: list[Problem] = []
    try:
        plan = plan_columns([table], options, engine)
        roles, guesses, level = plan.columns, plan.guesses, plan.level
    except RfmError as error:
        problems.append(_problem_of(error))
        roles, guesses, level = _guesses_alone(table, options)
    if plan is not None:
        problems += _problems_of_rows(table, plan, options, engine, find_lines)
    dialect = table.dialect
    header_line = dialect.header_line if dialect else table.first_row_line - 1
    return Inspection(
        name=table.name,
        format=table.format,
        encoding=dialect.encoding if dialect else None,
        delimiter=dialect.delimiter if dialect else None,
        sheet=table.sheet,
        sheets=table.sheets,
        header_line=header_line if table.has_header else None,
        columns=table.columns,
        guesses=tuple(guesses),
        plan=plan,
        problems=tuple(problems),
        first_rows=table.sample[:FIRST_ROWS],
        roles=roles,
        level=level,
        readings=readings_of(table, plan, engine),
        rows_about=rows_about(table, engine),
    )


def _guesses_alone(
    table: TextTable, options: Options
) -> tuple[Mapping[str, str], Sequence[RoleGuess], Level]:
    try:
        return settled_roles(table, options, allow_rivals=True)
    except RfmError:
        return {}, (), "lines"


def _problem_of(error: RfmError) -> Problem:
    told = error.details
    line, example, role = told.get("line"), told.get("example"), told.get("role")
    # A missing column has none; what an ambiguous number or date is in stands in ``column``.
    named = told.get("columns") if error.code == AmbiguousColumns.code else told.get("column")
    return Problem(
        code=error.code,
        message=error.message,
        line=line if isinstance(line, int) else None,
        example=str(example) if example is not None else None,
        role=role if isinstance(role, str) else None,
        columns=named if isinstance(named, tuple) else (named,) if isinstance(named, str) else (),
    )


def _problems_of_rows(
    table: TextTable,
    plan: ColumnPlan,
    options: Options,
    engine: Engine,
    find_lines: LineFinder,
) -> list[Problem]:
    """Clean the first rows and tell what was set aside, with the first example of each reason."""
    request = LineRequest(
        tables=(table,), plan=plan, options=options, keep_rejects=True, first_rows=_ROWS_TRIED
    )
    problems: list[Problem] = []
    rejected = []
    try:
        rejected = clean_lines(request, engine, progress=no_progress)
    except NoUsableRows:
        rejected = engine.take_rejects()
    except RfmError as error:
        problems.append(_problem_of(error))
    if rejected:
        first = rejected[0]
        problems.append(
            Problem(
                code="ragged_row",
                message="",
                rows=len(rejected),
                line=first.line,
                example=first.text[:120],
            )
        )
    for reason, rows, _ in count_reasons(engine):
        if reason is not None:
            shown = examples_of(reason, request, engine, find_lines)
            problems.append(
                Problem(
                    code=reason,
                    message="",
                    rows=rows,
                    line=shown[0].line if shown else None,
                    example=_shown(shown[0].values) if shown else None,
                )
            )
    return problems


def _shown(cells: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} = {value or ''}" for name, value in cells.items())
