"""The file .env.example, from the table of settings."""

import textwrap

from rfm_backend.settings import SETTINGS

_HEAD = """\
# Settings of RFM Backend.  Copy this file to .env and change what you need; a line that begins with #
# is left out, and an empty value counts as none.  Written by `make docs` from the table of settings.
"""
# What a person who tries things out needs; all others show their defaults.
_SET = {"FLASK_ENV": "development"}


def page() -> str:
    """Return .env.example."""
    blocks = [_HEAD]
    for row in SETTINGS:
        words = textwrap.fill(row.help, 96, initial_indent="# ", subsequent_indent="# ")
        line = f"{row.name}={_SET[row.name]}" if row.name in _SET else f"# {row.name}={row.default}"
        blocks.append(f"{words}\n{line}\n")
    return "\n".join(blocks)
