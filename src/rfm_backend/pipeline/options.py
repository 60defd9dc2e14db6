"""What a caller can ask of one analysis: the same options through each door.

In: keywords from a command line, a library call or a request.  Out: one checked, immutable value.
Only what can change a number stands here; memory and threads are `library.Resources`.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rfm_backend.errors import InvalidOption

Level = Literal["lines", "orders", "customers"]
Returns = Literal["drop", "match", "net"]

DEFAULT_SEED = 42
DEFAULT_CLUSTERS = 5
MOST_CLUSTERS = 50
# scikit-learn takes seeds of 32 bits.
MOST_SEED = 2**32 - 1


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one analysis; each default is the documented behaviour.

    Attributes
    ----------
    mapping : role -> column name of the file, or "" where the file has none; roles left out are found.
    keep : columns carried to the result, the latest value per customer.
    sheet, encoding, delimiter, decimal, date_format : None means "find it".
        ``decimal`` is "." or ","; ``date_format`` is "iso", "dmy", "mdy", "ymd" or a strptime pattern.
    level : what one row is: an invoice line, a whole order, or a customer; None means "find it".
    snapshot_date : the day recency is counted to; None: the day after the last purchase.
    since, until : first and last day of the purchases looked at, both included.
    exclude : (column, value) pairs; rows where the column has that value are set aside.
    returns, duplicates : how negative lines and exact repetitions are treated.
    timezone : IANA name; instants with a written offset are moved to this zone's wall time.
    n_clusters : 2 to 50, or "auto".
    segments : "ten", "eleven" or the path of a rule table (TOML).
    scores : "quantile", "r-rfm" or the path of a threshold table (TOML).
    by : column (or role) within whose values customers are scored apart.
    currency : ISO code; rows in another currency are set aside.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    date_format: str | None = None
    level: Level | None = None
    snapshot_date: dt.date | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    exclude: tuple[tuple[str, str], ...] = ()
    returns: Returns = "drop"
    duplicates: Literal["keep", "drop"] = "keep"
    timezone: str | None = None
    n_clusters: int | Literal["auto"] = DEFAULT_CLUSTERS
    seed: int = DEFAULT_SEED
    segments: str = "ten"
    scores: str = "quantile"
    by: str | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        """Refuse what can never be meant; what depends on the file is refused where it is read."""
        if self.n_clusters != "auto" and not 2 <= int(self.n_clusters) <= MOST_CLUSTERS:
            raise InvalidOption(
                f"The number of clusters is 2 to {MOST_CLUSTERS}, or auto; not {self.n_clusters}.",
                option="n_clusters",
            )
        if not 0 <= self.seed <= MOST_SEED:
            raise InvalidOption(f"The seed is 0 to {MOST_SEED}; not {self.seed}.", option="seed")
        if self.since and self.until and self.since > self.until:
            raise InvalidOption(
                f"The first day, {self.since}, comes after the last, {self.until}.", option="since"
            )
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                told = ", ".join(repr(choice) for choice in allowed)
                raise InvalidOption(f"{name} is one of {told}; not {value!r}.", option=name)


_CHOICES = {
    "decimal": (".", ","),
    "level": ("lines", "orders", "customers"),
    "returns": ("drop", "match", "net"),
    "duplicates": ("keep", "drop"),
}
