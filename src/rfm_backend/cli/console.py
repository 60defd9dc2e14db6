"""Where words for a person go: colours, width and the few signs, by what the output is.

In:  which stream is free, whether colours are wanted.
Out: a rich console.

What always holds: what is not a terminal gets plain text; signs that the output's encoding lacks
are replaced; no text of the user's file is read as markup.
"""

import shutil
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.text import Text

# Wide enough for a table, narrow enough to read; a page in a file is as wide.
_MAX_WIDTH: Final = 110
_FILE_WIDTH: Final = 100
_PLAIN_SIGNS: Final = str.maketrans(
    {"█": "#", "▌": "#", "━": "-", "─": "-", "·": "|", "–": "-", "“": '"', "”": '"', "→": ">", "…": "."}
)  # fmt: skip


def make_console(stream: IO[str], *, no_color: bool) -> "Console":
    """Return a console that writes to `stream`."""
    from rich.console import Console

    class PatientConsole(Console):
        """Leaves a reader that hangs up to `exits`, where rich would end the process itself."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    is_terminal = stream.isatty()
    width = shutil.get_terminal_size((_FILE_WIDTH, 40)).columns if is_terminal else _FILE_WIDTH
    return PatientConsole(
        file=stream,
        no_color=no_color or None,
        width=min(width, _MAX_WIDTH),
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_lines(console: "Console", lines: "Iterable[Text | str]") -> None:
    """Print lines as they are: they were laid out, and a longer one (a path) is never cut."""
    from rich.text import Text

    for line in lines:
        text = line if isinstance(line, Text) else Text(line)
        text.plain = plain_signs(text.plain, console.encoding)
        console.print(text, no_wrap=True, overflow="ignore", crop=False)


def plain_signs(text: str, encoding: str | None) -> str:
    """Return `text` as `encoding` can write it."""
    try:
        text.encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return text.translate(_PLAIN_SIGNS)
    return text
