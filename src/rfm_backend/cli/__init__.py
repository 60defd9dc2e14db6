"""The command `rfm`: the door for an analyst with a file.

In:  the command line.
Out: a summary on the terminal, result files, an exit code (`exits`).

What always holds: what a command computes is what the library computes; standard output carries
either data or words for a person, never both.

Why imports stand inside functions all over this package: `rfm --help` must answer at once, and
DuckDB, scikit-learn and rich take longer to load than all the rest.  Only click is loaded here, and
a command's module only when the command is named.
"""

import importlib
from collections.abc import Sequence
from typing import Final

import click

from rfm_backend.cli.exits import Guarded, set_last_words
from rfm_backend.cli.help import HelpWriter

# Name, and the line that `rfm --help` shows, so that the list needs no command loaded.
COMMANDS: Final = {
    "segment": "Turn a sales file into customer segments.",
    "inspect": "Show how a file would be read; change nothing.",
    "explain": "Show why a customer stands where he stands.",
    "train": "Fit the model on a file and save it at MODEL_PATH.",
    "sample": "Write a made-up shop to try things with.",
    "serve": "Run the service: the HTTP API and a worker.",
    "worker": "Run one more worker for the service.",
    "migrate": "Make the service's database and its tables.",
    "admin": "Look after the service's accounts and backups.",
}


class Commands(HelpWriter, Guarded):
    """The group of all commands, each loaded when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a person meets them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load the module of a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"rfm_backend.cli.{cmd_name}")
        command = module.command
        # Each module of COMMANDS has one under this name.
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their lines, none of them loaded."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  (click's order)
    if wanted:
        from importlib.metadata import version

        click.echo(f"rfm {version('rfm-backend')}")
        ctx.exit()


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with:  rfm segment sales.xlsx -o segments.csv --report report.html",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and leave.",
)
def rfm() -> None:
    """Turn a shop's sales export into customer segments to act on.

    Every command says more:  rfm segment --help
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line of this process, or `arguments`, and leave with its exit code."""
    set_last_words()
    rfm.main(arguments, prog_name="rfm")
