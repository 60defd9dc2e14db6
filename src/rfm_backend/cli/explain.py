"""`rfm explain`: why a customer stands where he stands, and what would move him.

In:  a result file, a customer.
Out: values, standing, thresholds, the rule, and the smallest changes that alter the segment.
"""

import sys
from pathlib import Path

import click

from rfm_backend.cli.help import HelpWriter, Panelled
from rfm_backend.cli.shared import RUNNING, json_option, language_option, read_language


@click.command(
    "explain", cls=HelpWriter, epilog="Example:  rfm explain segments.csv 17850 --lang id"
)
@click.argument("result", type=click.Path(path_type=Path))
@click.argument("customer")
@click.option(
    "--group",
    metavar="VALUE",
    cls=Panelled,
    panel=RUNNING,
    help="Which of his groups, where a customer stands in several (--by).",
)
@json_option
@language_option  # fmt: skip
def command(
    result: Path, customer: str, *, group: str | None, as_json: bool, lang: str | None
) -> None:
    """Show why CUSTOMER of RESULT has his segment and cluster, and what would move him.

    RESULT is a .json result, or a .csv, .xlsx or .parquet result with its .model.json beside it.
    """
    from rfm_backend.catalogue import words as words_of
    from rfm_backend.cli.console import make_console, print_lines
    from rfm_backend.cli.explanation import explanation_lines
    from rfm_backend.output.as_json import json_text
    from rfm_backend.settings import read_settings
    from rfm_backend.stored import explain_stored

    settings = read_settings()
    found = explain_stored(result, customer, group=group)
    if as_json:
        click.echo(json_text(found))
        return
    console = make_console(sys.stdout, no_color=settings.no_color)
    words = words_of(read_language(settings, lang))
    print_lines(console, explanation_lines(found, words, width=console.width))
