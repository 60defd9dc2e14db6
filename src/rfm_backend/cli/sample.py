"""`rfm sample`: write a made-up shop to try things with.

In:  a path, how large.
Out: a sales file, CSV or Parquet.
"""

import sys
from pathlib import Path

import click

from rfm_backend.cli.help import HelpWriter, Panelled
from rfm_backend.cli.shared import (
    force_option,
    language_option,
    quiet_option,
    read_language,
    threads_option,
)

_SHOP = "The shop"


@click.command(
    "sample", cls=HelpWriter, epilog="Example:  rfm sample shop.csv --rows 1000000 --seed 7"
)
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--rows",
    type=click.IntRange(1),
    default=80_000,
    show_default=True,
    cls=Panelled,
    panel=_SHOP,
    help="Invoice lines.",
)
@click.option(
    "--customers",
    type=click.IntRange(1),
    cls=Panelled,
    panel=_SHOP,
    help="Different customers. Default: one for about 27 lines.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    cls=Panelled,
    panel=_SHOP,
    help="Another seed makes another shop.",
)
@force_option
@threads_option
@language_option
@quiet_option  # fmt: skip
def command(
    path: Path,
    *,
    rows: int,
    customers: int | None,
    seed: int,
    force: bool,
    threads: int | None,
    lang: str | None,
    quiet: bool,
) -> None:
    """Write a made-up shop to PATH, as .csv or .parquet.

    Returns, guests, blanks, seasons, loyal and lapsed customers: two years of a shop whose people do
    not exist. The same seed gives the same file.
    """
    from rfm_backend.catalogue import words as words_of
    from rfm_backend.cli.bars import Bars
    from rfm_backend.cli.console import make_console, print_lines
    from rfm_backend.sample import write_sample
    from rfm_backend.settings import read_settings

    settings = read_settings()
    words = words_of(read_language(settings, lang))
    errors = make_console(sys.stderr, no_color=settings.no_color)
    with Bars(None if quiet else errors, words) as bars:
        shop = write_sample(
            path,
            rows=rows,
            customers=customers,
            seed=seed,
            threads=threads or settings.threads,
            force=force,
            progress=bars,
        )
    if not quiet:
        told = words(
            "terminal.sample_written",
            rows=words.number(shop.rows),
            customers=words.number(shop.customers),
            invoices=words.number(shop.invoices),
            size=words.number(shop.size_bytes / 1_000_000, 1),
        )
        console = make_console(sys.stdout, no_color=settings.no_color)
        print_lines(console, [told, words("terminal.sample_next", path=path)])
