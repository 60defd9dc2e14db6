"""How a text is cut into a table: delimiter, title block, header, first row.

In:  the beginning of a text, as characters.
Out: `Shape`.

What always holds
    * the delimiter is the one under which most rows have the same width, quotes respected;
    * lines above the header, of another width or mostly blank, are skipped and counted;
    * a first row that looks like the rows below it (numbers and dates in the same places) is no header.

What it does not do: it knows no column name in any language; `pipeline.mapping` does.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rfm_backend.errors import UnreadableFile, UnsafeFile

DELIMITERS: Final = (",", ";", "\t", "|")
BLANKS: Final = " "
MOST_COLUMNS: Final = 1024
MOST_HEADER_CHARACTERS: Final = 256
SAMPLE_ROWS: Final = 1000
# A cell of the sample that is longer than this is no cell of a table of sales.
_MOST_CELL_CHARACTERS: Final = 131_072
_ROWS_WEIGHED: Final = 200
_VALUE = re.compile(
    r"""^\s*(
        [-+(]?\s*[^\W\d_]{0,3}[.$€£¥\s]*\d[\d\s.,'\u00a0]*\s*[^\W\d_]{0,3}[€%)-]?   # numbers and money
      | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T\s].*)?                                   # dates
    )\s*$""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a text becomes a table.

    ``skip_records`` counts the records before the header (or before the first row), blank ones
    too; ``header_line`` and ``first_row_line`` are physical lines from 1.  ``blanks`` tells that
    runs of blanks are the delimiter.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    header_line: int | None
    first_row_line: int
    skip_records: int
    rows: tuple[tuple[str | None, ...], ...]

    @property
    def blanks(self) -> bool:
        """Whether runs of blanks stand between the cells."""
        return self.delimiter == BLANKS


@dataclass(frozen=True)
class _Record:
    """One record of the text: its cells, the lines it begins and ends on, its place."""

    cells: list[str]
    begins: int
    ends: int
    place: int


def find_shape(text: str, name: str, *, delimiter: str | None, is_whole: bool) -> Shape:
    """Return how the table in `text` is cut.

    Parameters
    ----------
    text : the beginning of the file; `is_whole` tells that nothing follows.
    delimiter : the user's choice, or None.

    Raises
    ------
    UnreadableFile
        Nothing but blanks; a quote that never closes; cells without end.
    UnsafeFile
        More than 1,024 columns.
    """
    text, first_line, told = _without_sep_line(text)
    delimiter = delimiter or told or _find_delimiter(text)
    records = _records(text, delimiter, first_line=first_line, name=name)
    last = records[-1] if records else None
    if not is_whole and len(records) > 1:
        records = records[:-1]
    filled = [record for record in records if any(cell.strip() for cell in record.cells)]
    if not filled:
        raise UnreadableFile(f"{name} has no rows: it is empty or blank.", file=name)
    _check_cells(filled, name)
    width = _usual_width(filled)
    wide = [record for record in filled if len(record.cells) == width]
    header, rows = split_header([record.cells for record in wide])
    skipped_sep = first_line - 1
    first = wide[0] if header is None else wide[header]
    columns = name_columns(first.cells if header is not None else None, width, name)
    below = [record for record in wide if header is None or record.place > first.place]
    if not below and last and last.ends > last.begins:
        raise _open_quote(name, last.begins)
    return Shape(
        delimiter=delimiter,
        columns=columns,
        has_header=header is not None,
        header_line=first.begins if header is not None else None,
        first_row_line=below[0].begins if below else first.ends + 1,
        skip_records=skipped_sep + first.place,
        rows=clean_rows(rows)[:SAMPLE_ROWS],
    )


def split_header(
    rows: Sequence[Sequence[str | None]],
) -> tuple[int | None, Sequence[Sequence[str | None]]]:
    """Return the place of the header among rows of one width, or None, and the rows below it."""
    for place, row in enumerate(rows[:50]):
        below = rows[place + 1 : place + 1 + _ROWS_WEIGHED]
        filled = sum(bool(cell and cell.strip()) for cell in row)
        usual = _usual_fill(below) if below else filled
        if filled * 2 < min(len(row), usual + 1):
            continue
        return (None, rows[place:]) if _looks_like_data(row, below) else (place, rows[place + 1 :])
    return None, rows


def name_columns(header: Sequence[str | None] | None, width: int, name: str) -> tuple[str, ...]:
    """Return unique names: as in the header, "Amount_2" for a second "amount", "column3" for a blank.

    Raises
    ------
    UnsafeFile
        More than 1,024 columns.
    UnreadableFile
        A header cell of more than 256 characters.
    """
    if width > MOST_COLUMNS:
        raise UnsafeFile(
            f"{name} has {width:,} columns; a table of sales has at most {MOST_COLUMNS:,}.",
            file=name,
            columns=width,
            reason="columns",
        )
    names: list[str] = []
    taken: set[str] = set()
    for place in range(width):
        cell = (header[place] or "").strip() if header else ""
        if len(cell) > MOST_HEADER_CHARACTERS:
            raise UnreadableFile(
                f"{name}: the header of column {place + 1} has {len(cell):,} characters, so this is "
                f"no header. At most {MOST_HEADER_CHARACTERS} can be read.",
                file=name,
                column=place + 1,
            )
        cell = cell or f"column{place + 1}"
        unique, number = cell, 2
        # The engine compares column names without case.
        while unique.casefold() in taken:
            unique, number = f"{cell}_{number}", number + 1
        taken.add(unique.casefold())
        names.append(unique)
    return tuple(names)


def clean_rows(rows: Sequence[Sequence[str | None]]) -> tuple[tuple[str | None, ...], ...]:
    """Return rows with blank cells as None."""
    return tuple(tuple(cell if cell and cell.strip() else None for cell in row) for row in rows)


def _without_sep_line(text: str) -> tuple[str, int, str | None]:
    """Obey Excel's own first line, "sep=;": return the rest, its first line and the delimiter."""
    found = re.match(r'"?sep=(.)"?\r?\n', text, re.IGNORECASE)
    return (text[found.end() :], 2, found.group(1)) if found else (text, 1, None)


def _open_quote(name: str, line: int) -> UnreadableFile:
    return UnreadableFile(
        f'{name}, line {line}: this cannot be cut into cells: a quote (") opens and never closes, or '
        "a cell is too long.",
        file=name,
        line=line,
    )


def _records(text: str, delimiter: str, *, first_line: int = 1, name: str = "") -> list[_Record]:
    if delimiter == BLANKS:
        return [
            _Record(line.split(), number, number, number - first_line)
            for number, line in enumerate(text.splitlines(), start=first_line)
        ]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    records: list[_Record] = []
    begins = first_line
    try:
        for place, cells in enumerate(reader):
            ends = first_line - 1 + reader.line_num
            records.append(_Record(cells, begins, ends, place))
            begins = ends + 1
    except csv.Error as error:
        raise _open_quote(name, begins) from error
    return records


def _find_delimiter(text: str) -> str:
    """Return the delimiter under which the rows agree best on a width above one."""
    head = text[:65536]
    weighed = [(_agreement(head, delimiter), delimiter) for delimiter in DELIMITERS]
    (share, _), best = max(weighed, key=lambda entry: entry[0])
    if share >= 0.5:
        return best
    (share_of_blanks, _) = _agreement(head, BLANKS)
    if share_of_blanks >= 0.95:
        return BLANKS
    return best if share > 0 else ","


def _agreement(text: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows that have the usual width, and that width; (0, 1) for one column."""
    try:
        records = _records(text, delimiter)
    except UnreadableFile:
        return 0.0, 1
    widths = Counter(len(record.cells) for record in records[:-1] or records if record.cells)
    several = {width: count for width, count in widths.items() if width > 1}
    if not several:
        return 0.0, 1
    width, count = max(several.items(), key=lambda item: (item[1], item[0]))
    # Wider at the same agreement: a decimal comma cuts every row of a ";" file in two as well.
    return round(count / widths.total(), 2), width


def _usual_width(records: Sequence[_Record]) -> int:
    widths = Counter(len(record.cells) for record in records)
    return max(widths.items(), key=lambda item: (item[1], item[0]))[0]


def _usual_fill(rows: Sequence[Sequence[str | None]]) -> int:
    return sorted(sum(bool(cell and cell.strip()) for cell in row) for row in rows)[len(rows) // 2]


def _looks_like_data(row: Sequence[str | None], below: Sequence[Sequence[str | None]]) -> bool:
    """Whether a row has values where the rows below it have values."""
    typed = [
        column
        for column in range(len(row))
        if below
        and sum(bool(_VALUE.match(other[column] or "")) for other in below) > 0.8 * len(below)
    ]
    if typed:
        return sum(bool(_VALUE.match(row[column] or "")) for column in typed) > len(typed) / 2
    return any(_VALUE.match(cell or "") for cell in row)


def _check_cells(records: Sequence[_Record], name: str) -> None:
    for record in records:
        for place, cell in enumerate(record.cells):
            if len(cell) > _MOST_CELL_CHARACTERS:
                raise UnreadableFile(
                    f"{name}, line {record.begins}: column {place + 1} has more than "
                    f'{_MOST_CELL_CHARACTERS:,} characters. Is a quote (") opened and never closed?',
                    file=name,
                    line=record.begins,
                    column=place + 1,
                )
