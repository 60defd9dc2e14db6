"""How help is written: options in panels by what they are for, in colour on a terminal.

In:  click's commands and options; `Panelled` options name their panel.
Out: help text.

rich draws help too, but loading it takes as long as all the rest of `rfm --help`.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import click

from rfm_backend.settings import wants_no_colour

_OTHER: Final = "Options"


class Panelled(click.Option):
    """An option that says under which heading help shows it."""

    def __init__(self, *args: object, panel: str = _OTHER, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed on as click has them
        self.panel = panel


class ColourFormatter(click.HelpFormatter):
    """Headings bold, option names cyan; click takes colours out where they do not belong."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the line that shows the form of a command."""
        del prefix
        super().write_usage(prog, args, prefix=click.style("Usage", bold=True) + ": ")

    def write_heading(self, heading: str) -> None:
        """Write a heading."""
        self.write(f"{click.style(heading, bold=True)}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and their explanations in two columns."""
        coloured = [(click.style(name, fg="cyan"), text) for name, text in rows]
        super().write_dl(coloured, col_max=col_max, col_spacing=col_spacing)


class HelpWriter(click.Command):
    """A command whose help is written by panels and in colour."""

    def get_help(self, ctx: click.Context) -> str:
        """Return the help text, with colour codes."""
        ctx.color = False if wants_no_colour() else ctx.color
        formatter = ColourFormatter(width=ctx.terminal_width, max_width=ctx.max_content_width)
        self.format_help(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their panels, in the order of their declaration."""
        panels = self._panels(ctx)
        # One width for all panels, so that the explanations stand in one column.
        widest = max((len(name) for rows in panels.values() for name, _ in rows), default=0)
        for heading, rows in panels.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), text) for name, text in rows])
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def _panels(self, ctx: click.Context) -> Mapping[str, list[tuple[str, str]]]:
        panels: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            # What an argument is stands in the text above.
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                panels.setdefault(getattr(param, "panel", _OTHER), []).append(record)
        if _OTHER in panels:
            panels[_OTHER] = panels.pop(_OTHER)
        return panels
