"""Where results go: checked before the work begins, written after it.

In:  the paths of the command line, a `result.Result`.
Out: files, each whole or not at all; rows on standard output for "-".

What always holds: nothing is computed when a file cannot be written as asked; an input is never
overwritten; beside each result stands ``<name>.model.json``, which `rfm explain` needs.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rfm_backend.errors import InvalidOption, OutputExists, OutputFailed
from rfm_backend.output.atomic import is_folder_of_parts
from rfm_backend.text_table import is_far

if TYPE_CHECKING:
    from rfm_backend.catalogue import Language
    from rfm_backend.result import Result

STANDARD_OUTPUT: Final = "-"
FORMATS: Final = (".csv", ".xlsx", ".parquet", ".json")
# What each other file holds decides its ending: a name that says something else would mislead.
_ENDINGS: Final = {
    "report": (".html", ".htm"),
    "save_model": (".json",),
    "map": (".toml",),
    "set_aside": (".csv",),
}


@dataclass(frozen=True, kw_only=True)
class Destinations:
    """What is to be written: results (``-`` is standard output), report, model, map, rows set aside."""

    results: tuple[str, ...] = ()
    report: Path | None = None
    model: Path | None = None
    map_file: Path | None = None
    set_aside: Path | None = None

    @property
    def takes_stdout(self) -> bool:
        """Whether the rows go to standard output."""
        return STANDARD_OUTPUT in self.results

    @property
    def addresses(self) -> tuple[str, ...]:
        """The results that go to addresses, such as s3a://shop/segments.parquet."""
        return tuple(name for name in self.results if is_far(name))

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield (what it is, path) of every file here, the models beside the results included."""
        paths = [
            Path(name) for name in self.results if name != STANDARD_OUTPUT and not is_far(name)
        ]
        for path in paths:
            yield "result", path
        for path in _models_beside(paths):
            yield "model", path
        others = {
            "report": self.report,
            "save_model": self.model,
            "map": self.map_file,
            "set_aside": self.set_aside,
        }
        yield from ((what, asked) for what, asked in others.items() if asked is not None)


def check_destinations(
    destinations: Destinations,
    *,
    inputs: Iterable[str],
    force: bool,
    json_summary: bool,
    engine: str = "duckdb",
) -> None:
    """Refuse what could not be written at the end; what stands at an address is seen only then.

    Raises
    ------
    InvalidOption
        A name without a known ending, one name twice, an input, two things for standard output, an
        address that `engine` does not reach.
    OutputExists
        A file is there already and `force` is not given.
    OutputFailed
        A folder does not exist.
    """
    for what, path in destinations.files():
        endings = _ENDINGS.get(what, FORMATS)
        if path.suffix.lower() not in endings:
            or_rows = ", or give - for CSV on standard output" if what == "result" else ""
            raise InvalidOption(
                f"{path} says not what it is: let it end in {', '.join(endings)}{or_rows}."
            )
    for address in destinations.addresses:
        if engine != "spark" or not address.endswith(".parquet"):
            raise InvalidOption(
                f"{address} is an address: only --engine spark writes there, and only Parquet. Let it end in "
                ".parquet, or give the path of a file.",
                option="out",
            )
    if destinations.takes_stdout and json_summary:
        raise InvalidOption(
            "Standard output can carry the rows (-o -) or the summary (--json), not both. "
            "Write one of them to a file: -o segments.csv."
        )
    paths = [path for _, path in destinations.files()]
    _refuse_twice(paths)
    _refuse_inputs(paths, inputs)
    for path in paths:
        if path.exists() and not force:
            raise OutputExists(
                f"{path} is there already. Give --force to replace it, or another name.",
                path=str(path),
            )
        if path.is_dir() and not is_folder_of_parts(path):
            raise OutputFailed(f"{path} is a folder. Give the name of a file.", path=str(path))
        if not path.parent.is_dir():
            raise OutputFailed(
                f"The folder {path.parent} does not exist. Make it, or choose another.",
                path=str(path),
            )


def write_destinations(
    result: "Result", destinations: Destinations, *, language: "Language", force: bool
) -> list[tuple[str, str]]:
    """Write everything and return (what it is, where) of each file, in the order written."""
    from rfm_backend.cli.mapfile import map_text
    from rfm_backend.output.atomic import write_text
    from rfm_backend.output.tables import (
        model_path,
        write_result,
        write_result_far,
        write_result_to,
    )

    # First, while the customers stand where the engine has them.
    for address in destinations.addresses:
        write_result_far(result.analysis, address, force=force)
    beside: set[Path] = set()
    for what, path in destinations.files():
        if what == "result":
            # Two results of one name share the model beside them, which the first has written.
            write_result(result.analysis, path, force=force or model_path(path) in beside)
            beside.add(model_path(path))
        elif what == "save_model":
            result.save_model(path, force=force)
        elif what == "report":
            result.to_html(path, language=language, force=force)
        elif what == "set_aside":
            result.write_set_aside(path, force=force)
        elif what == "map":
            write_text(path, map_text(result.analysis.plan.columns), force=force)
    if destinations.takes_stdout:
        write_result_to(result.analysis, sys.stdout.buffer, form="csv")
        sys.stdout.buffer.flush()
    return [
        *(("result_parts", address) for address in destinations.addresses),
        *((_told_as(what, path), str(path)) for what, path in destinations.files()),
    ]


def _told_as(what: str, path: Path) -> str:
    """Return the key of the words for a file."""
    if what == "save_model":
        return "model"
    return "result_parts" if what == "result" and path.is_dir() else what


def _models_beside(results: Iterable[Path]) -> Iterable[Path]:
    """Return where the models of results stand, each once (as `output.tables.model_path` has it)."""
    return dict.fromkeys(
        path.with_name(f"{path.stem}.model.json")
        for path in results
        if path.suffix.lower() != ".json"
    )


def _refuse_twice(paths: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        if path.resolve() in seen:
            raise InvalidOption(f"{path} would be written twice. Give each file its own name.")
        seen.add(path.resolve())


def _refuse_inputs(paths: Sequence[Path], inputs: Iterable[str]) -> None:
    sources = {Path(name).resolve() for name in inputs if name != STANDARD_OUTPUT}
    for path in paths:
        if path.resolve() in sources:
            raise InvalidOption(
                f"{path} is the input: it is never overwritten. Choose another name."
            )
