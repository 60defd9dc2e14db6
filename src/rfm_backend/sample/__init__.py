"""Writes a made-up shop: a realistic sales file of any size, the same for the same seed.

In:  a path, how many rows and customers, a seed.
Out: a CSV or Parquet file, there whole or not at all, and `Shop`, what it holds.

What always holds: same rows, customers and seed give the same bytes of CSV, whatever the threads;
memory does not grow with the rows; the file has returns that match earlier sales, lines without a
customer, guests, free lines, seasons, loyal, lapsed and one-time customers and a few wholesalers.

What it does not do: it reads no clock, so that the shop's two years never move.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rfm_backend.errors import InvalidOption, OutputExists, OutputFailed
from rfm_backend.progress import Progress, no_progress
from rfm_backend.sample import shop
from rfm_backend.sample.parts import FORMATS, write_parts
from rfm_backend.work_folder import WorkFolder

DEFAULT_ROWS: Final = 80_000
DEFAULT_SEED: Final = 1
# As many lines for each customer as the big benchmark has (20 million lines, 0.75 million customers).
_LINES_PER_CUSTOMER: Final = 80 / 3


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What a written shop holds; ``customers`` counts neither guests nor blanks."""

    path: Path
    rows: int
    customers: int
    invoices: int
    seed: int
    size_bytes: int


def write_sample(
    path: Path,
    *,
    rows: int = DEFAULT_ROWS,
    customers: int | None = None,
    seed: int = DEFAULT_SEED,
    threads: int | None = None,
    force: bool = False,
    progress: Progress = no_progress,
) -> Shop:
    """Write a made-up shop to `path` and return what it holds.

    Parameters
    ----------
    path : Path
        Ends in .csv or .parquet; its folder exists.
    rows : int
        Invoice lines, 1 to 4,000 million.
    customers : int, optional
        Different known customers; at most one per invoice.  Default: one per 26.7 lines.
    seed : int
        Another seed makes another shop.
    threads : int, optional
        Default: the cores this process may use.  The file is the same for any number.
    force : bool
        Whether a file at `path` may be replaced.
    progress : callable, optional
        Called with a `Step` now and then.

    Raises
    ------
    InvalidOption
        Another suffix, too few or too many rows, more customers than invoices.
    OutputExists
        `path` exists and `force` is not given.
    OutputFailed
        The folder is missing or the disk refuses the file.
    """
    check_sample_path(path, force=force)
    plan = _plan(rows, customers, seed)
    try:
        with WorkFolder(path.parent) as folder:
            # Written beside its place and then renamed, so that half a file never has the name.
            workdir = Path(folder)
            whole = workdir / path.name
            write_parts(plan, whole, workdir=workdir, threads=threads, progress=progress)
            size_bytes = whole.stat().st_size
            whole.replace(path)
    except OSError as error:
        raise OutputFailed(f"{path} could not be written: {error.strerror}.") from error
    return Shop(
        path=path,
        rows=plan.rows,
        customers=plan.customers,
        invoices=plan.invoices,
        seed=seed,
        size_bytes=size_bytes,
    )


def check_sample_path(path: Path, *, force: bool) -> None:
    """Refuse a path that cannot or may not be written."""
    if path.suffix.lower() not in FORMATS:
        raise InvalidOption(
            f"A sample is written as .csv or .parquet, not as {path.name!r}.", path=str(path)
        )
    if path.exists() and not force:
        raise OutputExists(
            f"{path} is there already. Give --force to replace it, or another name.", path=str(path)
        )
    if not path.parent.is_dir():
        raise OutputFailed(f"The folder {path.parent} does not exist.", path=str(path))


def _plan(rows: int, customers: int | None, seed: int) -> shop.Plan:
    if not 1 <= rows <= shop.MAX_ROWS:
        raise InvalidOption(f"A sample has 1 to {shop.MAX_ROWS:,} rows, not {rows:,}.", rows=rows)
    invoices = shop.count_invoices(rows, seed)
    if customers is None:
        customers = max(1, min(invoices, round(rows / _LINES_PER_CUSTOMER)))
    if not 1 <= customers <= invoices:
        raise InvalidOption(
            f"{rows:,} rows make {invoices:,} invoices, so they can have 1 to {invoices:,} customers, "
            f"not {customers:,}. A customer needs about six rows: give more --rows.",
            customers=customers,
        )
    return shop.plan_shop(rows, customers, seed)
