"""What the pipeline asks of an engine, whichever library is behind it.

SQL comes from the pipeline; an engine runs it, hands rows or arrays back and knows how to scan a
`TextTable`.  Nothing here or above names DuckDB.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rfm_backend.progress import Progress, Stage
from rfm_backend.text_table import TextTable

Row = tuple[object, ...]
# What a column's cells are that are no text: integers, decimals of at most six places, binary floats,
# days, instants on a clock without zone.
Kind = Literal["whole", "decimal", "float", "day", "instant"]


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A row that cannot be cut into as many cells as the header has: where it stands, what it says.

    ``swallows_rows`` tells that a quote opened in it and took many further rows in.
    """

    path: str
    line: int
    text: str
    swallows_rows: bool


class Engine(Protocol):
    """Runs SQL over text tables and keeps named tables until it is closed.

    ``stops_early`` tells whether a LIMIT ends the reading of a file as soon as it is reached.
    """

    stops_early: bool

    def scan(
        self,
        table: TextTable,
        columns: Sequence[str],
        *,
        keep_rejects: bool = False,
        first_rows: int | None = None,
        ordinal: str | None = None,
        as_stored: Collection[str] = (),
    ) -> str:
        """Return a FROM item in parentheses that yields `columns` of `table` as text, blank NULL.

        Rows of another width than the header are left out; with `keep_rejects` the scan that uses
        the item notes them for `take_rejects`.  `first_rows` bounds how many rows there are;
        `ordinal` names a column for their number, from 1 in the order of the file.  Of the columns
        that `kinds` names, those in `as_stored` keep their type.
        """

    def kinds(self, table: TextTable) -> Mapping[str, Kind]:
        """Return which columns of `table` a scan can yield as they are stored, and what they hold."""

    def take_rejects(self) -> list[Rejected]:
        """Return the rows that scans with ``keep_rejects`` refused, once each, and forget them."""

    def execute(
        self, sql: str, *, stage: Stage = "aggregate", progress: Progress | None = None
    ) -> None:
        """Run a statement that returns nothing, reporting percent to `progress`."""

    def rows(self, sql: str) -> list[Row]:
        """Return all rows of a query as tuples of Python values."""

    def arrays(self, sql: str) -> dict[str, NDArray[np.generic]]:
        """Return the columns of a query as arrays, by name, in the query's order."""

    def create_from_arrays(self, name: str, arrays: dict[str, NDArray[np.generic]]) -> None:
        """Make the table `name` of equally long arrays, row order kept."""

    def write(self, sql: str, path: Path, *, form: str) -> None:
        """Write a query's rows to `path` as "csv" or "parquet"."""

    def interrupt(self) -> None:
        """Stop the running statement, from any thread."""

    def close(self) -> None:
        """Give memory and temporary files back."""


@runtime_checkable
class WritesParts(Protocol):
    """An engine of many machines, which write a result beside each other, each its part."""

    def write_parts(self, sql: str, folder: Path) -> None:
        """Write a query's rows as Parquet into an empty folder here: ``part-00000.parquet`` and on.

        The query's order goes on from part to part.
        """

    def write_far(self, sql: str, address: str, *, force: bool) -> None:
        """Write a query's rows as Parquet to a folder at an address, its order from part to part.

        Raises
        ------
        OutputExists
            Something stands there and `force` is not given.
        OutputFailed
            The address cannot be written to.
        """

    def write_text_far(self, text: str, address: str) -> None:
        """Write a text as UTF-8 to an address, in place of what stands there."""
