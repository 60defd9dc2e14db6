"""What a person sees of an upload before it is analysed: its columns, what each means, what is wrong.

In:  an upload; what its owner says about it, where he does.
Out: `Look`.

What always holds: a column has at most one role, and a role at most one column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rfm_backend.errors import InvalidOption, InvalidRequest, UnusableInput
from rfm_backend.pipeline.mapping.guess import find_column
from rfm_backend.pipeline.options import Options
from rfm_backend.services.previews import header_hash, inspect_upload, is_quick
from rfm_backend.services.service import Service
from rfm_backend.storage import named
from rfm_backend.storage.named import SavedMapping
from rfm_backend.storage.uploads import Upload

_NO_READING: Final[Mapping[str, Any]] = {"texts": [], "dates": {}, "numbers": {}}


@dataclass(frozen=True, kw_only=True)
class SeenColumn:
    """One column: its first values, its role ("": none), how sure that is, and its values as read.

    ``dates`` and ``numbers`` go by choice, as in `pipeline.readings.Reading`, and belong to ``texts``.
    """

    place: int
    name: str
    values: tuple[str, ...]
    role: str
    confidence: float
    texts: tuple[str, ...]
    dates: Mapping[str, tuple[str | None, ...]]
    numbers: Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True, kw_only=True)
class SeenProblem:
    """What will not be used as it stands; ``code`` is an error's, or a reason for setting rows aside."""

    code: str
    message: str
    rows: int | None
    line: int | None
    example: str | None
    role: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen; ``is_decided`` tells whether the file can be read as it stands."""

    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    sheets: tuple[str, ...]
    header_line: int | None
    level: str
    preset: str | None
    language: str | None
    currencies: tuple[str, ...]
    date_order: str | None
    decimal: str | None
    is_decided: bool
    rows_about: int
    columns: tuple[SeenColumn, ...]
    problems: tuple[SeenProblem, ...]
    first_rows: tuple[tuple[str, ...], ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of each column, by place."""
        return tuple(column.role for column in self.columns)

    def column_of(self, name: str) -> str | None:
        """Return the column that an option means, by its name or its role; None where there is none."""
        of_role = next((column.name for column in self.columns if column.role == name), None)
        try:
            return find_column(name, [column.name for column in self.columns], None, option="")
        except InvalidOption:
            return of_role

    def has(self, code: str) -> bool:
        """Tell whether there is a problem of this code."""
        return any(problem.code == code for problem in self.problems)


def look_at(service: Service, upload: Upload, options: Options | None = None) -> Look:
    """Return what is seen of an upload, as it is found or as `options` say.

    Raises
    ------
    UnusableInput
        It cannot be opened as a table at all.
    """
    return _look_of(inspect_upload(service, upload, options))


def look_at_sheet(service: Service, upload: Upload, sheet: str) -> tuple[Look, str]:
    """Return what is seen of one sheet, and its name; "" and the file as it is found for that very sheet.

    Raises
    ------
    InvalidRequest
        The file has no such sheet.
    UnusableInput
        It cannot be opened as a table at all.
    """
    found = look_at(service, upload)
    if not sheet or sheet == found.sheet:
        return found, ""
    if sheet not in found.sheets:
        raise InvalidRequest("The file has no such sheet.", field="sheet", reason="choice")
    return look_at(service, upload, Options(sheet=sheet)), sheet


def quick_look(service: Service, upload: Upload, options: Mapping[str, object]) -> Look | None:
    """Return what is seen of an upload as an analysis read it, None where that would take long or fails."""
    if options.get("encoding") or options.get("delimiter"):
        return None
    sheet = str(options.get("sheet") or "")
    if not is_quick(service, upload, sheet):
        return None
    try:
        return look_at_sheet(service, upload, sheet)[0]
    except (InvalidRequest, UnusableInput):
        return None


def fitting_mappings(service: Service, upload: Upload, look: Look) -> list[SavedMapping]:
    """Return the user's mappings that were saved for a file with this header."""
    mark = header_hash([column.name for column in look.columns])
    saved = service.database.read(lambda tx: named.mappings(tx, upload.user_id))
    return [one for one in saved if one.header_hash == mark]


def _look_of(told: Mapping[str, Any]) -> Look:
    plan = told["plan"] or {}
    dates = list(plan.get("dates", {}).values())
    # A column without marks says nothing of how others are written.
    marked = [one["decimal"] for one in plan.get("numbers", {}).values() if one["has_marks"]]
    rows = tuple(tuple(cell or "" for cell in row) for row in told["first_rows"])
    return Look(
        format=told["format"],
        encoding=told["encoding"],
        delimiter=told["delimiter"],
        sheet=told["sheet"],
        sheets=tuple(told["sheets"]),
        header_line=told["header_line"],
        level=told["level"],
        preset=plan.get("preset"),
        language=plan.get("language"),
        currencies=tuple(plan.get("currencies", {})),
        date_order=dates[0]["order"] if dates and _is_written_out(dates[0]) else None,
        decimal=marked[0] if marked else None,
        is_decided=told["plan"] is not None and not _is_refused(told["problems"]),
        rows_about=told["rows_about"],
        columns=_columns(told, rows),
        problems=tuple(
            SeenProblem(**{**one, "columns": tuple(one["columns"])}) for one in told["problems"]
        ),
        first_rows=rows,
    )


def _is_written_out(date: Mapping[str, Any]) -> bool:
    """Tell whether dates have an order of day and month: a spreadsheet's days have none."""
    return date["serial_epoch"] is None and date["epoch_unit"] is None


def _is_refused(problems: list[Mapping[str, Any]]) -> bool:
    """Tell whether an error is among the problems; rows that are set aside are none."""
    return any(one["message"] for one in problems)


def _columns(told: Mapping[str, Any], rows: tuple[tuple[str, ...], ...]) -> tuple[SeenColumn, ...]:
    role_of = {column: role for role, column in told["roles"].items()}
    sure: dict[str, float] = {}
    for guess in told["guesses"]:
        name = guess["column"]
        sure[name] = max(sure.get(name, 0.0), guess["confidence"])
    readings = {one["column"]: one for one in told["readings"]}
    found = []
    for place, name in enumerate(told["columns"]):
        reading = readings.get(name, _NO_READING)
        found.append(
            SeenColumn(
                place=place,
                name=name,
                values=tuple(row[place] for row in rows),
                role=role_of.get(name, ""),
                confidence=sure.get(name, 0.0),
                texts=tuple(reading["texts"]),
                dates={choice: tuple(read) for choice, read in reading["dates"].items()},
                numbers={choice: tuple(read) for choice, read in reading["numbers"].items()},
            )
        )
    return tuple(found)
