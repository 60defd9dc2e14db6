"""`rfm inspect`: how a file would be read, without changing anything.

In:  a file, options that say how to read it.
Out: format, columns and roles, problems, first rows.
"""

import sys
from typing import Unpack

import click

from rfm_backend.cli.help import HelpWriter
from rfm_backend.cli.shared import (
    AnalysisValues,
    json_option,
    language_option,
    read_language,
    read_options,
    reading_options,
    sources_of,
)


class InspectValues(AnalysisValues):
    """What click hands to this command, the file apart."""

    lang: str | None
    as_json: bool


@click.command("inspect", cls=HelpWriter, epilog="Example:  rfm inspect sales.xlsx")
@click.argument("file")
@reading_options
@json_option
@language_option
def command(file: str, **values: Unpack[InspectValues]) -> None:
    """Show how FILE would be read: encoding, header, columns and their roles, problems.

    It changes nothing; - is standard input.
    """
    from rfm_backend.catalogue import words as words_of
    from rfm_backend.cli.bars import Bars
    from rfm_backend.cli.console import make_console, print_lines
    from rfm_backend.cli.inspection import inspection_lines
    from rfm_backend.library import inspect
    from rfm_backend.output.as_json import json_text
    from rfm_backend.settings import read_settings

    settings = read_settings()
    words = words_of(read_language(settings, values["lang"]))
    errors = make_console(sys.stderr, no_color=settings.no_color)
    with Bars(errors, words) as bars:
        found = inspect(sources_of([file])[0], options=read_options(values), progress=bars)
    if values["as_json"]:
        click.echo(json_text(found))
        return
    console = make_console(sys.stdout, no_color=settings.no_color)
    print_lines(console, inspection_lines(found, words, width=console.width))
