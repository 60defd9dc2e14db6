"""`rfm train`: fit the model on a file and save it for later use.

In:  files, options.
Out: a scikit-learn pipeline (joblib) and the model (JSON) beside it.
"""

import sys
import time
from pathlib import Path
from typing import Unpack

import click

from rfm_backend.cli.help import HelpWriter, Panelled
from rfm_backend.cli.shared import (
    WRITING,
    AnalysisValues,
    ResourceValues,
    analysis_options,
    read_language,
    read_options,
    read_resources,
    resource_options,
    sources_of,
)


class TrainValues(AnalysisValues, ResourceValues):
    """What click hands to this command, the files apart."""

    save_model: Path | None


@click.command(
    "train", cls=HelpWriter, epilog="Then:  rfm segment new.csv --model model/rfm_kmeans.model.json"
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--save-model",
    type=click.Path(path_type=Path, dir_okay=False),
    cls=Panelled,
    panel=WRITING,
    help="Where the joblib file goes; its JSON stands beside it. Default: MODEL_PATH.",
)
@analysis_options
@resource_options  # fmt: skip
def command(files: tuple[str, ...], **values: Unpack[TrainValues]) -> None:
    """Fit the model on sales files and save it at MODEL_PATH.

    A model that is there is replaced: training again is how it is kept up to date.
    """
    from rfm_backend.catalogue import words as words_of
    from rfm_backend.cli.bars import Bars
    from rfm_backend.cli.console import make_console, print_lines
    from rfm_backend.cli.summary import summary_lines, written_lines
    from rfm_backend.library import segment
    from rfm_backend.output.model_files import write_model_files
    from rfm_backend.settings import read_settings

    started = time.monotonic()
    settings = read_settings()
    words = words_of(read_language(settings, values["lang"]))
    path = values["save_model"] or settings.model_path
    prepare_folder(path)
    errors = make_console(sys.stderr, no_color=settings.no_color)
    with (
        Bars(None if values["quiet"] else errors, words) as bars,
        segment(
            sources_of(files),
            options=read_options(values),
            resources=read_resources(settings, values),
            progress=bars,
        ) as result,
    ):
        summary = result.summary
        write_model_files(result.model, path)
    if not values["quiet"]:
        console = make_console(sys.stdout, no_color=settings.no_color)
        print_lines(console, summary_lines(summary, words, width=console.width))
        written = [("joblib", path), ("model", path.with_name(path.name + ".json"))]
        seconds = time.monotonic() - started
        lines = written_lines(written, words, seconds=seconds, width=console.width)
        print_lines(console, ["", *lines])


def prepare_folder(path: Path) -> None:
    """Make the folder of a model, so that the default MODEL_PATH works in a fresh place.

    Raises
    ------
    OutputFailed
        It cannot be made, or the path is a folder itself.
    """
    from rfm_backend.errors import OutputFailed

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFailed(f"The folder {path.parent} cannot be made: {error.strerror}.") from error
    if path.is_dir():
        raise OutputFailed(f"{path} is a folder. Give the name of a file.", path=str(path))
