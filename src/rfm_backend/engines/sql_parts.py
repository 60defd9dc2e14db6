"""SQL in parts, words, texts and brackets; and texts, names and patterns as Spark writes them.

In:  SQL as the pipeline writes it; a text, a name, a pattern of RE2.
Out: nodes; SQL of Spark.

What it does not do: it knows no call; `dialect` does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_][A-Za-z_0-9]*|[0-9]+(?:\.[0-9]+)?|\s+|<>|<=|>=|\|\||:=|."""
)
_CLOSING: Final = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Group:
    """What stands between brackets."""

    opening: str
    inside: "tuple[Node, ...]"


Node = str | Group


def parse(sql: str) -> tuple["Node", ...]:
    """Return the nodes of a statement."""
    return _grouped(iter(_TOKEN.findall(sql)), None)


def names_in(sql: str) -> set[str]:
    """Return the bare words of a statement: among them the tables it reads."""
    return {token for token in _TOKEN.findall(sql) if token[0].isalpha() or token[0] == "_"}


def spark_text(text: str) -> str:
    """Return `text` as a string of Spark's SQL, in which a backslash escapes."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def spark_name(name: str) -> str:
    """Return `name` as an identifier of Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def java_pattern(pattern: str) -> str:
    r"""Return a pattern of RE2 as one of Java that fits the same texts.

    Examples
    --------
    >>> print(java_pattern(r"^\s*a$"))
    (?d)^[\t\n\f\r ]*a\z
    """
    out, place, in_class = "", 0, False
    while place < len(pattern):
        sign = pattern[place]
        if sign == "\\":
            escape = pattern[place : place + 2]
            blanks = r"\t\n\f\r "
            out += {r"\s": blanks if in_class else f"[{blanks}]"}.get(escape, escape)
            place += 2
            continue
        if sign == "$" and not in_class:
            sign = r"\z"
        elif in_class and sign in "[&":
            sign = f"\\{sign}"
        elif sign == "[":
            in_class = True
        elif sign == "]":
            in_class = False
        out += sign
        place += 1
    return "(?d)" + out.replace("(?i", "(?iu")


def split_arguments(group: Group) -> list[tuple[Node, ...]]:
    """Return the arguments of a call."""
    found: list[list[Node]] = [[]]
    for node in group.inside:
        if node == ",":
            found.append([])
        elif found[-1] or not str(node).isspace():
            found[-1].append(node)
    return [tuple(part) for part in found if part]


def _grouped(tokens: Iterator[str], closing: str | None) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for token in tokens:
        if token == closing:
            return tuple(nodes)
        nodes.append(
            Group(token, _grouped(tokens, _CLOSING[token])) if token in _CLOSING else token
        )
    return tuple(nodes)
