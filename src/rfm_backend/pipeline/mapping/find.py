"""Stage 2: which column means what, and how its text is read.

    read -> [map] -> clean -> aggregate -> ...

In:  text tables, `Options`, the engine (for what the first rows cannot decide).
Out: `ColumnPlan`.

What always holds
    * the user's word comes first, then the platform's preset, then headers and contents together;
    * a column has one role; a needed role that is missing, or that two columns compete for, is an error
      that names the candidates and the option to give;
    * the same tables and options give the same plan.

What it does not do: it reads no row beyond the sample but to decide a format, and drops none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rfm_backend import columns as c
from rfm_backend.engines.protocol import Engine
from rfm_backend.errors import (
    AmbiguousDates,
    AmbiguousNumbers,
    InvalidOption,
    MissingColumns,
    NoUsableRows,
)
from rfm_backend.pipeline.mapping.contents import contents_of
from rfm_backend.pipeline.mapping.date_format import DateHints, Order, decide_date
from rfm_backend.pipeline.mapping.guess import (
    find_column,
    guess_roles,
    guess_without_header,
)
from rfm_backend.pipeline.mapping.number_format import Mark, NumberHints, decide_number
from rfm_backend.pipeline.mapping.numbers import CURRENCIES, currency_of
from rfm_backend.pipeline.mapping.plan import ColumnPlan, DateFormat, NumberFormat, RoleGuess
from rfm_backend.pipeline.mapping.presets import Preset, find_preset, preset_columns
from rfm_backend.pipeline.mapping.settle import check_needed, level_of, settle
from rfm_backend.pipeline.mapping.statuses import find_status_rule
from rfm_backend.pipeline.mapping.words import language_of
from rfm_backend.pipeline.options import Level, Options
from rfm_backend.text_table import TextTable


def plan_columns(
    tables: Sequence[TextTable], options: Options, engine: Engine, *, assume_unmarked: bool = False
) -> ColumnPlan:
    """Return which column has which role and how it is read.

    With `assume_unmarked`, number columns without a decimal mark in the first rows are not looked
    through for one: `ColumnPlan.assumed_unmarked` names them.

    Raises
    ------
    NoUsableRows
        There is a header and nothing under it.
    MissingColumns
        A needed role has no column, or a file has other columns than the first.
    AmbiguousColumns
        Two columns compete for a needed role.
    AmbiguousNumbers, AmbiguousDates
        A format cannot be decided.
    InvalidOption
        An option names a role or a column that there is not.
    """
    _check_same_columns(tables)
    table = tables[0]
    if not any(each.sample for each in tables):
        raise NoUsableRows(f"{table.name} has a header and no rows under it.", file=table.name)
    columns, guesses, level = settled_roles(table, options)
    check_needed(columns, level, table)
    hints = NumberHints(assume_unmarked=assume_unmarked)
    preset = _preset_of(table)
    return _with_formats(columns, guesses, level, preset, tables, options, engine, hints)


def settled_roles(
    table: TextTable, options: Options, *, allow_rivals: bool = False
) -> tuple[dict[str, str], list[RoleGuess], Level]:
    """Return role -> column as it would be used, one guess per role, and what one row is.

    Raises
    ------
    AmbiguousColumns
        Two columns compete for a needed role, unless `allow_rivals`: then the first one has it.
    InvalidOption
        An option names a role or a column that there is not.
    """
    asked, preset = _asked(table, options), _preset_of(table)
    guesses = _guesses(table, asked, preset=preset, allow_rivals=allow_rivals)
    columns = {guess.role: guess.column for guess in guesses if guess.column is not None}
    level = options.level or (preset.level if preset else level_of(table, columns))
    return (*settle(columns, guesses, level, asked=set(asked)), level)


def _asked(table: TextTable, options: Options) -> dict[str, str | None]:
    """Return what the user says: role -> column, None where the file has no such column."""
    return {
        _known_role(role): find_column(name, table.columns, None, option="map") if name else None
        for role, name in options.mapping.items()
    }


def _preset_of(table: TextTable) -> Preset | None:
    return find_preset(table.columns) if table.has_header else None


def _check_same_columns(tables: Sequence[TextTable]) -> None:
    first = tables[0]
    for other in tables[1:]:
        missing = [name for name in first.columns if name not in other.columns]
        if missing:
            raise MissingColumns(
                f"{other.name} has not the same columns as {first.name}: it lacks "
                f"{', '.join(missing[:5])}. Files of one analysis need the same header.",
                file=other.name,
                missing=tuple(missing),
            )


def _known_role(role: str) -> str:
    name = role.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in c.ROLES:
        raise InvalidOption(
            f"There is no role {role!r}. The roles are: {', '.join(c.ROLES)}.", option="map"
        )
    return name


def _guesses(
    table: TextTable, asked: Mapping[str, str | None], *, preset: Preset | None, allow_rivals: bool
) -> list[RoleGuess]:
    """Return one guess per role, those of the user and of a preset first."""
    contents = contents_of(table)
    known = {**(preset_columns(preset, table.columns) if preset else {}), **asked}
    told = {
        role: RoleGuess(
            role=role,
            column=column,
            confidence=1.0 if role in asked else 0.98,
            reason="option" if role in asked else f"preset {preset.name if preset else ''}".strip(),
        )
        for role, column in known.items()
    }
    taken = set(known.values())
    free = [name for name in table.columns if name not in taken]
    if preset is not None:
        found = {}
    elif table.has_header:
        found = guess_roles(free, contents, skip=set(told), allow_rivals=allow_rivals)
    else:
        found = guess_without_header(free, contents, skip=set(told))
    return [
        told.get(role) or found.get(role) or RoleGuess(role=role, column=None, confidence=0.0)
        for role in c.ROLES
    ]


def _with_formats(
    columns: Mapping[str, str],
    guesses: Sequence[RoleGuess],
    level: Level,
    preset: Preset | None,
    tables: Sequence[TextTable],
    options: Options,
    engine: Engine,
    hints: NumberHints,
) -> ColumnPlan:
    """Decide how numbers and dates are written, and what the statuses mean."""
    language = language_of(tables[0].columns) if tables[0].has_header else None
    numbers = _number_formats(columns, tables, options, engine, replace(hints, language=language))
    currencies = _currencies(columns, tables)
    status = None
    if c.STATUS in columns:
        status = find_status_rule(columns[c.STATUS], tables, engine)
    fill_down = [name for name in preset.fill_down if name in tables[0].columns] if preset else []
    return ColumnPlan(
        columns=columns if status or c.STATUS not in columns else _without(columns, c.STATUS),
        numbers=numbers,
        dates=_date_formats(
            columns,
            tables,
            options,
            engine,
            DateHints(currencies=tuple(currencies), language=language),
        ),
        level=level,
        guesses=tuple(guesses),
        preset=preset.name if preset else None,
        fill_down=tuple(fill_down),
        status=status,
        currencies=currencies,
        customer_is_email=_is_email(columns[c.CUSTOMER_ID], tables),
        language=language,
    )


def _without(columns: Mapping[str, str], role: str) -> dict[str, str]:
    return {name: column for name, column in columns.items() if name != role}


def _number_formats(
    columns: Mapping[str, str],
    tables: Sequence[TextTable],
    options: Options,
    engine: Engine,
    hints: NumberHints,
) -> dict[str, NumberFormat]:
    """Decide each number column; those that decide by themselves help the others."""
    formats: dict[str, NumberFormat] = {}
    undecided: list[str] = []
    for role in (role for role in c.NUMBER_ROLES if role in columns):
        try:
            formats[role] = decide_number(
                columns[role],
                tables,
                engine,
                asked=options.decimal,
                hints=replace(hints, language=None),
            )
        except AmbiguousNumbers:
            undecided.append(role)
    # A column without any mark decides nothing for the others.
    sibling: Mark | None = next(
        (
            form.decimal
            for form in formats.values()
            if form.evidence in ("unambiguous", "currency") and form.has_marks
        ),
        None,
    )
    for role in undecided:
        formats[role] = decide_number(
            columns[role],
            tables,
            engine,
            asked=options.decimal,
            hints=replace(hints, sibling=sibling),
        )
    return formats


def _date_formats(
    columns: Mapping[str, str],
    tables: Sequence[TextTable],
    options: Options,
    engine: Engine,
    hints: DateHints,
) -> dict[str, DateFormat]:
    """Decide each date column; those that decide by themselves help the others."""
    formats: dict[str, DateFormat] = {}
    undecided: list[str] = []
    for role in (role for role in c.DATE_ROLES if role in columns):
        try:
            formats[role] = decide_date(
                columns[role], tables, engine, asked=options.date_format, hints=DateHints()
            )
        except AmbiguousDates:
            undecided.append(role)
    sibling: Order | None = next(
        (form.order for form in formats.values() if form.order != "ymd"), None
    )
    for role in undecided:
        formats[role] = decide_date(
            columns[role],
            tables,
            engine,
            asked=options.date_format,
            hints=replace(hints, sibling=sibling),
        )
    return formats


def _currencies(columns: Mapping[str, str], tables: Sequence[TextTable]) -> dict[str, int]:
    """Return ISO code -> rows of the sample, from a currency column or from signs at the money."""
    if c.CURRENCY in columns:
        texts = _sample_of(columns[c.CURRENCY], tables)
        counts: dict[str, int] = {}
        for text in texts:
            code = CURRENCIES.get(text.lower(), (text.upper(), None))[0]
            counts[code] = counts.get(code, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    money = [role for role in (c.AMOUNT, c.UNIT_PRICE, c.MONETARY) if role in columns]
    return currency_of(_sample_of(columns[money[0]], tables)) if money else {}


def _sample_of(column: str, tables: Sequence[TextTable]) -> list[str]:
    return [
        cell.strip()
        for table in tables
        for row in table.sample
        if (cell := row[table.columns.index(column)]) and cell.strip()
    ]


def _is_email(column: str, tables: Sequence[TextTable]) -> bool:
    texts = _sample_of(column, tables)
    return bool(texts) and sum("@" in text for text in texts) > 0.8 * len(texts)
