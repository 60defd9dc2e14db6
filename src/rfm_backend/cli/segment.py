"""`rfm segment`: from sales files to segments, in one command.

In:  files, options.
Out: a summary, result files, a report.
"""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from rfm_backend.cli.help import HelpWriter, Panelled
from rfm_backend.cli.outputs import Destinations, check_destinations, write_destinations
from rfm_backend.cli.shared import (
    GROUPING,
    WRITING,
    AnalysisValues,
    ResourceValues,
    analysis_options,
    force_option,
    json_option,
    keep_option,
    read_language,
    read_options,
    read_resources,
    resource_options,
    sources_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from rfm_backend.catalogue import Words
    from rfm_backend.result import Result


class SegmentValues(AnalysisValues, ResourceValues):
    """What click hands to this command, the files apart."""

    out: tuple[str, ...]
    report: Path | None
    set_aside: Path | None
    save_map: Path | None
    save_model: Path | None
    model: Path | None
    force: bool
    as_json: bool


_file_path = click.Path(path_type=Path, dir_okay=False)


@click.command(
    "segment",
    cls=HelpWriter,
    epilog="Example:  rfm segment january.csv february.csv -o segments.xlsx --lang id",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "-o",
    "--out",
    multiple=True,
    metavar="PATH",
    cls=Panelled,
    panel=WRITING,
    help="Result: .csv, .xlsx, .parquet or .json; - is CSV on standard output. Repeatable.",
)
@click.option(
    "--report",
    type=_file_path,
    cls=Panelled,
    panel=WRITING,
    help="Report: one HTML page that needs no network.",
)
@click.option(
    "--set-aside",
    type=_file_path,
    cls=Panelled,
    panel=WRITING,
    help="Rows that were not used, with file, line and reason, as CSV.",
)
@click.option(
    "--save-map",
    type=_file_path,
    cls=Panelled,
    panel=WRITING,
    help="Save which column is what, for --use-map.",
)
@click.option(
    "--save-model",
    type=_file_path,
    cls=Panelled,
    panel=WRITING,
    help="Save the model (JSON), for --model.",
)
@keep_option
@force_option
@analysis_options
@click.option(
    "--model",
    type=_file_path,
    cls=Panelled,
    panel=GROUPING,
    help="Apply a saved model: its thresholds and centres, nothing is fitted.",
)
@resource_options
@json_option  # fmt: skip
def command(files: tuple[str, ...], **values: Unpack[SegmentValues]) -> None:
    """Turn sales files into customer segments.

    FILE is CSV, XLSX, XLS, XLSB, ODS, Parquet, .zip or .gz; - is standard input. Several files,
    such as monthly exports, make one analysis.
    """
    from rfm_backend.settings import read_settings

    destinations = Destinations(
        results=values["out"],
        report=values["report"],
        model=values["save_model"],
        map_file=values["save_map"],
        set_aside=values["set_aside"],
    )
    check_destinations(
        destinations,
        inputs=files,
        force=values["force"],
        json_summary=values["as_json"],
        engine=values["engine"] or read_settings().engine,
    )
    _segment(files, destinations, values)


def _segment(files: tuple[str, ...], destinations: Destinations, values: SegmentValues) -> None:
    """Run the analysis, write what was asked, and say so."""
    from rfm_backend.catalogue import words
    from rfm_backend.cli.bars import Bars
    from rfm_backend.cli.console import make_console
    from rfm_backend.library import segment
    from rfm_backend.output.summary_json import summary_to_json
    from rfm_backend.progress import Step
    from rfm_backend.settings import read_settings

    started = time.monotonic()
    settings = read_settings()
    language = read_language(settings, values["lang"])
    console = make_console(sys.stderr, no_color=settings.no_color)
    with Bars(None if values["quiet"] else console, words(language)) as bars:
        result = segment(
            sources_of(files),
            options=read_options(values),
            model=values["model"],
            resources=read_resources(settings, values),
            progress=bars,
        )
        with result:
            bars(Step(stage="save", done=0, total=None, unit="rows"))
            written = write_destinations(
                result, destinations, language=language, force=values["force"]
            )
    if values["as_json"]:
        click.echo(json.dumps(summary_to_json(result.summary), ensure_ascii=False, indent=2))
    elif not values["quiet"]:
        if not destinations.takes_stdout:
            console = make_console(sys.stdout, no_color=settings.no_color)
        seconds = time.monotonic() - started
        _tell(result, written, words(language), console=console, seconds=seconds)


def _tell(
    result: "Result",
    written: list[tuple[str, str]],
    words: "Words",
    *,
    console: "Console",
    seconds: float,
) -> None:
    from rfm_backend.cli.console import print_lines
    from rfm_backend.cli.summary import summary_lines, written_lines

    width = console.width
    lines = summary_lines(result.summary, words, width=width)
    print_lines(console, lines)
    print_lines(console, ["", *written_lines(written, words, seconds=seconds, width=width)])
