"""What a file looks like, on the terminal.

In:  `Inspection`, the words of a language.
Out: rich text, line by line: format, roles with their columns and how sure that is, problems with
     their first line, first rows.

What always holds: a cell of the file is shown as it stands, control characters apart.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rfm_backend.catalogue import Words
from rfm_backend.cli.layout import Column, Row, lay_out, wrap
from rfm_backend.cli.summary import heading, readable_name
from rfm_backend.pipeline.inspect import Inspection, Problem
from rfm_backend.pipeline.mapping.plan import ColumnPlan, DateFormat, NumberFormat, RoleGuess

if TYPE_CHECKING:
    from rich.text import Text

_SIGNS: Final = {
    ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "blank"
}  # fmt: skip
# Guesses below this are shown as doubtful.
_SURE: Final = 0.8
_CELL_WIDTH: Final = 22
_EXAMPLE_WIDTH: Final = 300


def inspection_lines(found: Inspection, words: Words, *, width: int) -> list["Text"]:
    """Return the page about one file."""
    from rich.text import Text

    gap = Text("")
    return [
        *_title(found, words, width),
        gap,
        *_roles(found, words, width),
        gap,
        *_problems(found.problems, words, width),
        gap,
        *_first_rows(found, words, width),
    ]


def _title(found: Inspection, words: Words, width: int) -> list["Text"]:
    facts = [_format(found, words)]
    if found.sheet is not None:
        facts.append(words("inspect.sheet", sheet=found.sheet))
    if len(found.sheets) > 1:
        facts.append(words("inspect.sheets", sheets=", ".join(found.sheets)))
    facts.append(
        words("inspect.no_header")
        if found.header_line is None
        else words("inspect.header_line", line=words.number(found.header_line))
    )
    facts.append(words("inspect.n_columns", n=words.number(len(found.columns))))
    lines = wrap(words("inspect.title", name=found.name), width=width, indent=0, style="bold cyan")
    lines += wrap(" · ".join(facts), width=width, indent=0)
    if found.plan is not None:
        lines += wrap(" · ".join(_meaning(found.plan, words)), width=width, indent=0)
    return lines


def _format(found: Inspection, words: Words) -> str:
    if found.encoding is None or found.delimiter is None:
        return words("inspect.format_other", format=found.format)
    sign = _SIGNS.get(found.delimiter, "other")
    delimiter = words(f"inspect.delimiter_{sign}", sign=found.delimiter)
    return words(
        "inspect.format_text", format=found.format, encoding=found.encoding, delimiter=delimiter
    )


def _meaning(plan: ColumnPlan, words: Words) -> list[str]:
    """Return what the rows are, whose export it is, and in which language."""
    facts = [words(f"inspect.level_{plan.level}")]
    if plan.preset:
        facts.insert(0, words("inspect.preset", preset=plan.preset))
    if plan.language:
        language = words(f"inspect.language_{plan.language}")
        facts.append(words("inspect.language", language=language))
    return facts


def _roles(found: Inspection, words: Words, width: int) -> list["Text"]:
    lines = heading(words("inspect.roles_title"), words("inspect.roles_note"))
    used = None if found.plan is None else found.plan.columns
    shown = [
        guess
        for guess in found.guesses
        if (guess.column and (used is None or guess.role in used)) or guess.alternatives
    ]
    if not shown:
        return [*lines, *wrap(words("inspect.undecided"), width=width)]
    columns = (
        Column(head=words("inspect.head_role")),
        Column(head=words("inspect.head_column"), flexible=True),
        Column(head=words("inspect.head_sure"), right=True),
        Column(head=words("inspect.head_how")),
    )
    rows = [_role_row(guess, found.plan, words) for guess in shown]
    lines += lay_out(columns, rows, width=width)
    if found.plan is None:
        return [*lines, *wrap(words("inspect.undecided"), width=width, style="yellow")]
    unused = [name for name in found.columns if name not in found.plan.columns.values()]
    if unused:
        text = words("inspect.not_used", columns=", ".join(map(_visible, unused)))
        lines += wrap(text, width=width, style="dim")
    return lines


def _role_row(guess: RoleGuess, plan: ColumnPlan | None, words: Words) -> Row:
    is_sure = guess.column is not None and guess.confidence >= _SURE
    others = ", ".join(f"{_visible(name)} {words.percent(c, 0)}" for name, c in guess.alternatives)
    return Row(
        cells=(
            guess.role,
            _visible(guess.column or "?"),
            words.percent(guess.confidence, 0) if guess.column else "",
            _reading(guess.role, plan, words),
        ),
        styles={1: "bold", 2: "green" if is_sure else "yellow"},
        beneath=f"{words('inspect.head_also')}: {others}" if others else "",
    )


def _reading(role: str, plan: ColumnPlan | None, words: Words) -> str:
    """Return how the values of a role are read, and what decided it."""
    if plan is None:
        return ""
    if role in plan.numbers:
        facts, evidence = _number_facts(plan.numbers[role], words), plan.numbers[role].evidence
    elif role in plan.dates:
        facts, evidence = _date_facts(plan.dates[role], words), plan.dates[role].evidence
    else:
        return ""
    key = f"inspect.evidence_{evidence}"
    return ", ".join([*facts, words(key) if key in words else evidence])


def _number_facts(number: NumberFormat, words: Words) -> list[str]:
    mark = "comma" if number.decimal == "," else "point"
    facts = [words(f"inspect.decimal_{mark}" if number.has_marks else "inspect.decimal_whole")]
    if number.currencies:
        facts.append(words("inspect.currencies", currencies=", ".join(number.currencies)))
    return facts


def _date_facts(date: DateFormat, words: Words) -> list[str]:
    if date.epoch_unit is not None:
        return [words("inspect.date_epoch")]
    if date.serial_epoch is not None:
        return [words("inspect.date_serial", epoch=date.serial_epoch)]
    facts = [words(f"inspect.date_{date.order}")]
    if date.months:
        facts.append(words("inspect.date_months"))
    if date.has_offsets:
        facts.append(words("inspect.date_offsets"))
    return facts


def _problems(problems: Iterable[Problem], words: Words, width: int) -> list["Text"]:
    found = list(problems)
    if not found:
        return wrap(words("inspect.no_problems"), width=width, indent=0, style="green")
    lines = heading(words("inspect.problems_title"), words("inspect.problems_note"))
    for problem in found:
        lines += wrap(_problem_sentence(problem, words), width=width, first="! ", style="yellow")
        if problem.example:
            shown = _visible(problem.example)[:_EXAMPLE_WIDTH]
            lines += wrap(
                words("inspect.example", example=shown), width=width, indent=4, style="dim"
            )
    return lines


def _problem_sentence(problem: Problem, words: Words) -> str:
    what = problem.message or readable_name(words, "reasons", problem.code)
    line = None if problem.line is None else words.number(problem.line)
    if problem.rows is None:
        return what if line is None else words("inspect.problem_line", what=what, line=line)
    rows = words.number(problem.rows)
    if line is None:
        return words("inspect.problem_rows_anywhere", what=what, rows=rows)
    return words("inspect.problem_rows", what=what, rows=rows, line=line)


def _first_rows(found: Inspection, words: Words, width: int) -> list["Text"]:
    lines = heading(words("inspect.rows_title"))
    # As many columns as fit; the rest is named above.
    room, shown = width - 2, 0
    for place, name in enumerate(found.columns):
        cells = [name, *(row[place] or "" for row in found.first_rows)]
        room -= min(_CELL_WIDTH, max(len(_visible(cell)) for cell in cells)) + 2
        if room < 0:
            break
        shown += 1
    shown = max(1, shown)
    columns = [Column(head=_cut(name)) for name in found.columns[:shown]]
    more = "…" if shown < len(found.columns) else ""
    rows = [Row(cells=tuple(_cut(cell or "") for cell in row[:shown])) for row in found.first_rows]
    table = lay_out(columns, rows, width=width)
    for line in table if more else []:
        line.append(f" {more}", style="dim")
    return [*lines, *table]


def _cut(text: str) -> str:
    shown = _visible(text)
    return shown if len(shown) <= _CELL_WIDTH else shown[: _CELL_WIDTH - 1] + "…"


def _visible(text: str) -> str:
    """Return a cell on one line, without characters that could steer the terminal."""
    return "".join(mark if mark.isprintable() else "·" for mark in text)
