"""The pages of the documentation, and the examples in them, cut out for the tests.

An example is a fenced block marked ``bash`` or ``python``; it runs in a folder that the examples of
one page share, in order.  ``bash exit=3`` says with which code it ends.  A ``text`` block right after
it is what it prints, where a line of three dots stands for any lines.  Blocks marked ``console`` are
for a person's machine (apt-get, git) and are not run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
_FENCE = re.compile(r"^```(.*)$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block: where it begins, what stands behind the fence, and its text."""

    line: int
    language: str
    attributes: str
    text: str
    follows_example: bool


def all_pages() -> list[Path]:
    """Return every Markdown page of the project."""
    return sorted([*REPOSITORY.glob("*.md"), *DOCS.rglob("*.md")])


def twins() -> list[tuple[Path, Path]]:
    """Return the (English, Indonesian) pairs of pages."""
    readmes = (REPOSITORY / "README.md", REPOSITORY / "README.id.md")
    translated = sorted((DOCS / "id").rglob("*.md"))
    return [readmes, *((DOCS / page.relative_to(DOCS / "id"), page) for page in translated)]


def name_of(page: Path) -> str:
    """Return a page's path from the repository's root."""
    return page.relative_to(REPOSITORY).as_posix()


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in order."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    body: list[str] = []
    is_adjacent = False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and opened is None:
            opened, body = (number, fence[1].strip()), []
        elif fence and opened is not None:
            language, _, attributes = opened[1].partition(" ")
            follows = is_adjacent and bool(found) and found[-1].language in ("bash", "python")
            text = "\n".join(body)
            found.append(
                Block(
                    line=opened[0],
                    language=language,
                    attributes=attributes,
                    text=text,
                    follows_example=follows,
                )
            )
            opened, is_adjacent = None, True
        elif opened is not None:
            body.append(line)
        elif line.strip():
            is_adjacent = False
    return found


def prose_lines(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither code nor table nor comment, with their numbers."""
    in_block = False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line.startswith("```"):
            in_block = not in_block
        elif not in_block and not line.startswith(("|", "<!--", "<")):
            yield number, line


def matches(expected: str, printed: str) -> bool:
    """Return whether `printed` holds the lines of `expected`; a line "..." stands for any lines."""
    parts = [re.escape(part.strip("\n")) for part in re.split(r"(?m)^\s*\.\.\.\s*$", expected)]
    flat = "\n".join(line.rstrip() for line in printed.splitlines())
    return re.search(r"(?s)" + ".*".join(parts), flat) is not None
