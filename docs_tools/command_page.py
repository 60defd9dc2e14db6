"""The page of the command line, from the commands themselves."""

import inspect
import re

import click

from docs_tools import markdown
from rfm_backend.cli import rfm as group


def page() -> str:
    """Return docs/reference/cli.md."""
    context = click.Context(group, info_name="rfm")
    commands = [_command(name, command, context) for name, command in all_commands()]
    return markdown.page(
        "Command line",
        "For whoever works with `rfm` in a terminal.",
        "the commands in src/rfm_backend/cli",
        [_words(group), *commands],
    )


def all_commands() -> list[tuple[str, click.Command]]:
    """Return the commands of ``rfm`` by name, in the order of its help."""
    context = click.Context(group, info_name="rfm")
    found = [(name, group.get_command(context, name)) for name in group.list_commands(context)]
    return [(name, command) for name, command in found if command and not command.hidden]


def _command(name: str, command: click.Command, parent: click.Context) -> str:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(["rfm", name, *command.collect_usage_pieces(context)])
    parts = [f"## `rfm {name}`", f"```text\n{usage}\n```", _words(command)]
    for panel, options in _panels(command).items():
        rows = [_option_row(option) for option in options]
        table = markdown.table(("option", "default", "what it does"), rows)
        parts.append(f"### {panel}\n\n{table}")
    return "\n\n".join(parts)


def _panels(command: click.Command) -> dict[str, list[click.Option]]:
    """Return the options under the headings of the command's help."""
    panels: dict[str, list[click.Option]] = {}
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            panels.setdefault(getattr(option, "panel", "Options"), []).append(option)
    return panels


def _words(command: click.Command) -> str:
    """Return a command's help as prose, one sentence per line; what click keeps apart stays apart."""
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    return "\n\n".join(
        text.removeprefix("\b\n") if text.startswith("\b") else _sentences(text)
        for text in paragraphs
    )


def _sentences(text: str) -> str:
    return re.sub(r"(?<=[.!?]) (?=[A-Z])", "\n", " ".join(text.split()))


def _option_row(option: click.Option) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if isinstance(option.type, click.Choice):
        values = f" `{'|'.join(map(str, option.type.choices))}`"
    elif option.is_flag:
        values = ""
    else:
        values = f" `{option.metavar or option.type.name.upper()}`"
    repeatable = " Can be given several times." if option.multiple else ""
    return f"{names}{values}", _default(option), f"{option.help or ''}{repeatable}"


def _default(option: click.Option) -> str:
    """Return an option's default where it says something to a reader."""
    is_said = isinstance(option.default, str | int | float) and not isinstance(option.default, bool)
    return markdown.code(str(option.default)) if is_said else ""
