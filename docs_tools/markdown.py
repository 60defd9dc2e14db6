"""Pieces of Markdown: a generated page, tables, and a numpy docstring as Markdown."""

import inspect
import re
from collections.abc import Iterable, Sequence

_DEFINITIONS = ("Parameters", "Returns", "Raises", "Attributes", "Yields")


def page(title: str, reader: str, source: str, parts: Iterable[str]) -> str:
    """Return a generated page: title, for whom it is, where it comes from, then its parts."""
    origin = f"<!-- Written by `make docs` from {source}: change it there. -->"
    return "\n\n".join([f"# {title}", f"*{reader}*", origin, *map(str.strip, parts)]) + "\n"


def table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """Return `text` as inline code; an empty text stays empty."""
    return f"`{text}`" if text else ""


def docstring(text: str) -> str:
    """Return a numpy docstring as Markdown: sections become bold words, names become lists."""
    blocks = [_section(title, body) for title, body in _sections(inspect.cleandoc(text))]
    return "\n\n".join(block for block in blocks if block)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sections(text: str) -> list[tuple[str, list[str]]]:
    """Cut a docstring at its underlined titles; what comes before the first has the title ""."""
    found: list[tuple[str, list[str]]] = [("", [])]
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following and set(following) == {"-"} and len(following) == len(line):
            found.append((line, []))
        elif not (line and set(line) == {"-"}):
            found[-1][1].append(line)
    return found


def _section(title: str, lines: list[str]) -> str:
    if not title:
        return prose("\n".join(lines).strip())
    if title == "Examples":
        return "**Examples**\n\n" + _examples("\n".join(lines).strip())
    body = _definitions(lines) if title in _DEFINITIONS else prose("\n".join(lines).strip())
    return f"**{title}**\n\n{body}"


def prose(text: str) -> str:
    """Turn the marks of reStructuredText into those of Markdown."""
    return re.sub(r"`(\w[\w.]*)`(?!`)", r"`\1`", text.replace("``", "`"))


def _definitions(lines: list[str]) -> str:
    """Return "name : type" followed by indented words as a list."""
    items: list[list[str]] = []
    for line in lines:
        if line and not line.startswith(" "):
            name, colon, kind = line.partition(" : ")
            items.append([f"- `{name}`" + (f": {prose(kind)}" if colon else "")])
        elif line.strip() and items:
            items[-1].append(prose(line.strip()))
    return "\n".join(
        item[0] + (". " if len(item) > 1 else "") + " ".join(item[1:]) for item in items
    )


def _examples(text: str) -> str:
    """Return an Examples section: prompts and answers as code, the words between as prose."""
    parts = re.split(r"\n\s*\n", text)
    return "\n\n".join(
        f"```pycon\n{part}\n```" if part.startswith(">>>") else prose(part) for part in parts
    )
