"""How the values of options are read from the command line: pairs, days, sizes, numbers of clusters.

In:  one text.
Out: one typed value, or click's usage error that shows the form.
"""

import datetime as dt
from typing import Final, Literal

import click

from rfm_backend import columns as c
from rfm_backend.pipeline.options import MOST_CLUSTERS
from rfm_backend.settings import is_memory_size

_FEWEST_CLUSTERS: Final = 2


class RoleColumn(click.ParamType[tuple[str, str]]):
    """``ROLE=COLUMN``: which column of the file has a role."""

    name = "ROLE=COLUMN"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return (role, column)."""
        role, mark, column = str(value).partition("=")
        role = role.strip().lower().replace("-", "_")
        if not mark or not column.strip():
            self.fail(f"{value!r} is not of the form ROLE=COLUMN: customer_id=Buyer.", param, ctx)
        if role not in c.ROLES:
            self.fail(f"{role!r} is no role. The roles are: {', '.join(c.ROLES)}.", param, ctx)
        return role, column


class ColumnValue(click.ParamType[tuple[str, str]]):
    """``COLUMN=VALUE``: rows in which a column has a value."""

    name = "COLUMN=VALUE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return (column, value); the value may be empty, and may hold "="."""
        column, mark, cell = str(value).partition("=")
        if not mark or not column.strip():
            self.fail(f"{value!r} is not of the form COLUMN=VALUE: Country=France.", param, ctx)
        return column, cell


class Day(click.ParamType[dt.date]):
    """A day such as 2024-12-31."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """Return the day."""
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no day of the form 2024-12-31.", param, ctx)


class Clusters(click.ParamType[int | Literal["auto"]]):
    """A number of clusters, or "auto"."""

    name = "N|auto"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | Literal["auto"]:
        """Return the number, or "auto"."""
        text = str(value).strip().lower()
        if text == "auto":
            return "auto"
        # isdecimal also takes digits of other scripts, which int reads as well.
        if not text.isdecimal() or not _FEWEST_CLUSTERS <= int(text) <= MOST_CLUSTERS:
            wanted = f"{_FEWEST_CLUSTERS} to {MOST_CLUSTERS}"
            self.fail(f"{value!r} is neither {wanted} nor auto.", param, ctx)
        return int(text)


class MemorySize(click.ParamType[str]):
    """An amount of memory such as 1.5GB."""

    name = "SIZE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the text, which the engine understands."""
        text = str(value).strip()
        if not is_memory_size(text):
            self.fail(f"{value!r} is no size such as 1.5GB or 800MB.", param, ctx)
        return text


class CurrencyCode(click.ParamType[str]):
    """An ISO code of three letters."""

    name = "CODE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the code in capitals."""
        text = str(value).strip().upper()
        if not (len(text) == 3 and text.isascii() and text.isalpha()):
            self.fail(f"{value!r} is no currency code such as IDR or EUR.", param, ctx)
        return text
