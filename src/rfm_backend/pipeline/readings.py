"""How the first values of a column would be read, under each choice that a person has.

    read -> map -> [readings]

In:  a text table, its plan where there is one, the engine.
Out: `Reading`, one per column whose values look like dates or numbers.

What always holds
    * a value is read here by the SQL that reads it in an analysis;
    * a choice is shown for every such column, whichever role it has: roles may be corrected.

What it does not do: it decides nothing and refuses nothing; what cannot be decided has no values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_text
from rfm_backend.errors import RfmError
from rfm_backend.pipeline.mapping.contents import Contents, contents_of
from rfm_backend.pipeline.mapping.date_format import DateHints, decide_date
from rfm_backend.pipeline.mapping.dates import timestamp_sql
from rfm_backend.pipeline.mapping.number_format import NumberHints, decide_number
from rfm_backend.pipeline.mapping.numbers import number_sql
from rfm_backend.pipeline.mapping.plan import ColumnPlan
from rfm_backend.pipeline.mapping.words import language_of
from rfm_backend.text_table import TextTable

# The choice of a person who leaves it to be found.
FOUND: Final = "found"
DATE_CHOICES: Final = (FOUND, "dmy", "mdy", "ymd")
NUMBER_CHOICES: Final = (FOUND, ".", ",")
_VALUES_SHOWN: Final = 3
_MOST_TEXT: Final = 60
# A file of a thousand columns is shown in reasonable time, too.
_MOST_COLUMNS: Final = 40
_LOOKS_LIKE: Final = 0.5

# A column with these values, read by each choice; None where a value cannot be read.
Values = Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The first different values of a column; ``dates`` and ``numbers`` tell them as read.

    Both go by choice: "found", "dmy", "mdy", "ymd"; "found", ".", ",".  Dates are written
    "2024-04-03 10:15:00", numbers with a point.  A choice that could not be decided is not there.
    """

    column: str
    texts: tuple[str, ...]
    dates: Values = field(default_factory=dict)
    numbers: Values = field(default_factory=dict)


def readings_of(table: TextTable, plan: ColumnPlan | None, engine: Engine) -> tuple[Reading, ...]:
    """Return how the first values of the columns of dates and numbers would be read."""
    shown = [
        (name, contents)
        for name, contents in contents_of(table).items()
        if contents.dates >= _LOOKS_LIKE or contents.numbers >= _LOOKS_LIKE
    ]
    return tuple(
        _reading_of(name, contents, table, plan, engine) for name, contents in shown[:_MOST_COLUMNS]
    )


def _reading_of(
    name: str, contents: Contents, table: TextTable, plan: ColumnPlan | None, engine: Engine
) -> Reading:
    place = table.columns.index(name)
    cells = [cell.strip() for row in table.sample if (cell := row[place]) and cell.strip()]
    texts = tuple(dict.fromkeys(cell[:_MOST_TEXT] for cell in cells))[:_VALUES_SHOWN]
    role = (
        next((role for role, column in plan.columns.items() if column == name), "") if plan else ""
    )
    language = language_of(table.columns) if table.has_header else None

    def date_sql(choice: str) -> str:
        if choice == FOUND and plan is not None and role in plan.dates:
            return timestamp_sql("text", plan.dates[role])
        asked = None if choice == FOUND else choice
        hints = DateHints(currencies=tuple(plan.currencies) if plan else (), language=language)
        return timestamp_sql("text", decide_date(name, [table], engine, asked=asked, hints=hints))

    def sql_of_number(choice: str) -> str:
        if choice == FOUND and plan is not None and role in plan.numbers:
            return number_sql("text", plan.numbers[role])
        asked = None if choice == FOUND else choice
        hints = NumberHints(language=language, assume_unmarked=True)
        return number_sql("text", decide_number(name, [table], engine, asked=asked, hints=hints))

    is_date = contents.dates >= _LOOKS_LIKE or _is_bare_date(contents)
    return Reading(
        column=name,
        texts=texts,
        dates=_values(texts, DATE_CHOICES if is_date else (), date_sql, engine),
        numbers=_values(
            texts, NUMBER_CHOICES if contents.numbers >= _LOOKS_LIKE else (), sql_of_number, engine
        ),
    )


def _is_bare_date(contents: Contents) -> bool:
    """Tell whether numbers may be a spreadsheet's days, or seconds since 1970."""
    return contents.numbers >= _LOOKS_LIKE and contents.length >= 5


def _values(
    texts: tuple[str, ...], choices: tuple[str, ...], sql_of: Callable[[str], str], engine: Engine
) -> Values:
    """Return the texts as each choice reads them, in one query."""
    read: dict[str, str] = {}
    for choice in choices:
        try:
            read[choice] = f"CAST({sql_of(choice)} AS VARCHAR)"
        except RfmError:
            continue
    if not read:
        return {}
    listed = ", ".join(f"({place}, {quote_text(text)})" for place, text in enumerate(texts))
    rows = engine.rows(
        f"SELECT {', '.join(read.values())} FROM (VALUES {listed}) AS shown (place, text) ORDER BY place"
    )
    return {
        choice: tuple(None if row[place] is None else str(row[place]) for row in rows)
        for place, choice in enumerate(read)
    }
