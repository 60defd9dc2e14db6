"""The options that several commands have, declared once, and the values made of them.

In:  click's parsed options.
Out: `pipeline.options.Options` and `library.Resources`.

What always holds: the options of one analysis are the same for `segment`, `train` and `inspect`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, TypeVar, cast

import click

from rfm_backend.cli.help import Panelled
from rfm_backend.cli.values import (
    Clusters,
    ColumnValue,
    CurrencyCode,
    Day,
    MemorySize,
    RoleColumn,
)
from rfm_backend.errors import InvalidOption
from rfm_backend.pipeline.options import MOST_SEED, Options

if TYPE_CHECKING:
    from rfm_backend.catalogue import Language
    from rfm_backend.library import Resources
    from rfm_backend.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., None])
_Decorator = Callable[[_Command], _Command]

READING: Final = "Reading the file"
COUNTING: Final = "What counts"
GROUPING: Final = "Scores, segments, clusters"
WRITING: Final = "What is written"
RUNNING: Final = "How it runs"


class AnalysisValues(TypedDict, total=False):
    """What click hands to a command for the shared options."""

    mapping: tuple[tuple[str, str], ...]
    use_map: Path | None
    keep: tuple[str, ...]
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    date_format: str | None
    level: str | None
    snapshot_date: object
    since: object
    until: object
    exclude: tuple[tuple[str, str], ...]
    returns: str
    duplicates: str
    timezone: str | None
    n_clusters: object
    seed: int
    segments: str
    scores: str
    by: str | None
    currency: str | None


class ResourceValues(TypedDict):
    """What click hands to a command for the options on how it runs."""

    memory_limit: str | None
    threads: int | None
    engine: str | None
    spark_master: str | None
    spark_folder: str | None
    local_customers: int | None
    lang: str | None
    quiet: bool


_READING_OPTIONS: Final = (
    click.option(
        "--map", "mapping", type=RoleColumn(), multiple=True, cls=Panelled, panel=READING,
        help="Which column is what: customer_id=Buyer. Repeatable; roles left out are found.",
    ),
    click.option(
        "--use-map", type=click.Path(path_type=Path, dir_okay=False), cls=Panelled, panel=READING,
        help="Columns as saved by --save-map; --map goes before it.",
    ),
    click.option(
        "--sheet", metavar="SHEET", cls=Panelled, panel=READING, help="Sheet of a workbook, by name or number."
    ),
    click.option(
        "--encoding", metavar="NAME", cls=Panelled, panel=READING,
        help="Encoding of a text file, such as cp1252. Found by itself otherwise.",
    ),
    click.option(
        "--delimiter", metavar="SIGN", cls=Panelled, panel=READING,
        help="What stands between cells; \\t for a tab. Found by itself otherwise.",
    ),
    click.option(
        "--decimal", type=click.Choice([".", ","]), cls=Panelled, panel=READING,
        help="Decimal mark of all numbers, where a file leaves it open.",
    ),
    click.option(
        "--date-format", metavar="FORMAT", cls=Panelled, panel=READING,
        help="Order of dates, dmy, mdy or ymd, or a pattern such as %d.%m.%Y.",
    ),
    click.option(
        "--level", type=click.Choice(["lines", "orders", "customers"]), metavar="LEVEL", cls=Panelled, panel=READING,
        help="What one row is: lines (of an invoice), orders or customers.",
    ),
    click.option(
        "--timezone", metavar="ZONE", cls=Panelled, panel=READING,
        help="Move times with a written offset to this zone: Asia/Jakarta.",
    ),
)  # fmt: skip

_COUNTING_OPTIONS: Final = (
    click.option(
        "--snapshot-date", type=Day(), cls=Panelled, panel=COUNTING,
        help="Day that recency is counted to. Default: the day after the last purchase.",
    ),
    click.option(
        "--since", type=Day(), cls=Panelled, panel=COUNTING, help="First day looked at."
    ),
    click.option(
        "--until", type=Day(), cls=Panelled, panel=COUNTING, help="Last day looked at."
    ),
    click.option(
        "--exclude", type=ColumnValue(), multiple=True, cls=Panelled, panel=COUNTING,
        help="Leave out rows in which a column has a value. Repeatable.",
    ),
    click.option(
        "--returns", type=click.Choice(["drop", "match", "net"]), default="drop",
        show_default=True, cls=Panelled, panel=COUNTING,
        help="Negative lines: leave them out, also leave out the sale returned, or subtract them.",
    ),
    click.option(
        "--duplicates", type=click.Choice(["keep", "drop"]), default="keep", show_default=True,
        cls=Panelled, panel=COUNTING, help="Rows that repeat another row in every cell.",
    ),
    click.option(
        "--currency", type=CurrencyCode(), cls=Panelled, panel=COUNTING,
        help="Only rows in this currency.",
    ),
)  # fmt: skip

_GROUPING_OPTIONS: Final = (
    click.option(
        "--clusters", "n_clusters", type=Clusters(), default=5, show_default=True, cls=Panelled,
        panel=GROUPING, help="Number of clusters, 2 to 50, or auto to compare several.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, MOST_SEED), metavar="N", default=42, show_default=True, cls=Panelled,
        panel=GROUPING, help="Seed of every random choice.",
    ),
    click.option(
        "--segments", default="ten", show_default=True, metavar="ten|eleven|FILE", cls=Panelled,
        panel=GROUPING, help="Table that names the segments; a TOML file for your own.",
    ),
    click.option(
        "--scores", default="quantile", show_default=True, metavar="quantile|r-rfm|FILE",
        cls=Panelled, panel=GROUPING, help="How scores are made; a TOML file for fixed thresholds.",
    ),
    click.option(
        "--by", metavar="COLUMN", cls=Panelled, panel=GROUPING,
        help="Score customers apart within each value of a column, such as country.",
    ),
)  # fmt: skip

keep_option: Final = click.option(
    "--keep", metavar="COLUMN", multiple=True, cls=Panelled, panel=WRITING,
    help="Carry a column to the result: the latest value of each customer. Repeatable.",
)  # fmt: skip

memory_option: Final = click.option(
    "--memory-limit", type=MemorySize(), cls=Panelled, panel=RUNNING,
    help="Memory to use before spilling to disk, such as 1.5GB (else 600MB).",
)  # fmt: skip
threads_option: Final = click.option(
    "--threads", type=click.IntRange(1, 1024), metavar="N", cls=Panelled, panel=RUNNING,
    help="Cores to use. The numbers are the same for any.",
)  # fmt: skip
engine_options: Final = (
    click.option(
        "--engine", type=click.Choice(["duckdb", "spark"]), cls=Panelled, panel=RUNNING,
        help="What runs it: duckdb, in this process, or spark, on a cluster.",
    ),
    click.option(
        "--spark-master", metavar="URL", cls=Panelled, panel=RUNNING,
        help="Spark's master, such as spark://host:7077 or yarn (else Spark on this machine).",
    ),
    click.option(
        "--spark-folder", metavar="PATH", cls=Panelled, panel=RUNNING,
        help="Folder or address that driver and executors share (else a temporary folder).",
    ),
    click.option(
        "--local-customers", type=click.IntRange(min=1), metavar="N", cls=Panelled, panel=RUNNING,
        help="Above so many customers the engine places them; clusters are fitted on a sample.",
    ),
)  # fmt: skip
language_option: Final = click.option(
    "--lang", type=click.Choice(["en", "id"]), cls=Panelled, panel=RUNNING,
    help="Language of what is shown: English or Bahasa Indonesia.",
)  # fmt: skip
quiet_option: Final = click.option(
    "--quiet", is_flag=True, cls=Panelled, panel=RUNNING, help="Say nothing but errors."
)  # fmt: skip
json_option: Final = click.option(
    "--json", "as_json", is_flag=True, cls=Panelled, panel=RUNNING,
    help="As JSON on standard output.",
)  # fmt: skip
force_option: Final = click.option(
    "--force", is_flag=True, cls=Panelled, panel=WRITING, help="Replace files that are there already."
)  # fmt: skip


def _all(options: Sequence[Callable[[_Command], _Command]]) -> _Decorator[_Command]:
    """Return one decorator for several options, shown in the order given."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


reading_options = _all(_READING_OPTIONS)
analysis_options = _all((*_READING_OPTIONS, *_COUNTING_OPTIONS, *_GROUPING_OPTIONS))
resource_options = _all(
    (memory_option, threads_option, *engine_options, language_option, quiet_option)
)


def read_options(values: AnalysisValues) -> Options:
    """Return the options of an analysis as the user gave them.

    Raises
    ------
    InvalidOption
        Two of them contradict each other, or the saved map cannot be read.
    """
    given = dict(values)
    use_map = cast("Path | None", given.pop("use_map", None))
    given["mapping"] = _join_maps(use_map, values.get("mapping", ()))
    if given.get("delimiter") in ("\\t", "tab"):
        given["delimiter"] = "\t"
    known = {field.name for field in fields(Options)}
    chosen = {name: value for name, value in given.items() if name in known}
    return Options(**chosen)  # type: ignore[arg-type]  # click's types made the values


def sources_of(files: Sequence[str]) -> list[object]:
    """Return what the library reads: paths, and the open standard input for "-".

    Raises
    ------
    InvalidOption
        "-" stands twice: standard input can be read once.
    """
    if list(files).count("-") > 1:
        raise InvalidOption("- stands twice, but standard input can be read only once.")
    return [
        sys.stdin.buffer if name == "-" else name if "://" in name else Path(name) for name in files
    ]


def read_resources(settings: "Settings", values: ResourceValues) -> "Resources":
    """Return what the analysis may use: options go before settings."""
    from rfm_backend.library import Resources

    return Resources(
        memory_limit=values["memory_limit"] or settings.memory_limit,
        threads=values["threads"] or settings.threads,
        engine=values["engine"] or settings.engine,
        spark_master=values["spark_master"] or settings.spark_master or None,
        spark_folder=values["spark_folder"] or settings.spark_folder or None,
        local_customers=values["local_customers"] or settings.local_customers,
    )


def read_language(settings: "Settings", lang: str | None) -> "Language":
    """Return the language: the option goes before the setting."""
    return "id" if (lang or settings.language) == "id" else "en"


def _join_maps(use_map: Path | None, pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    from rfm_backend.cli.mapfile import read_map

    mapping = dict(read_map(use_map)) if use_map else {}
    named: dict[str, str] = {}
    for role, column in pairs:
        if role in named:
            raise InvalidOption(f"--map names two columns for {role}: leave one out.", role=role)
        named[role] = column
    return {**mapping, **named}
