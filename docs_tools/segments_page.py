"""The page of named segments, from the built-in rule tables and the catalogue."""

from docs_tools import markdown
from rfm_backend.catalogue import words
from rfm_backend.pipeline.rules import BUILT_IN_TABLES, RuleTable, load_rules

_WORDS = """\
A segment follows from the scores by a table: every cell of scores belongs to exactly one segment.
The key is what stands in result files; name and action are shown in English or Bahasa Indonesia.
For a table of your own see [change segment rules](../how-to/change-segment-rules.md)."""


def page() -> str:
    """Return docs/reference/segments.md."""
    return markdown.page(
        "Segments",
        "For whoever reads a result and wants to know what a segment means.",
        "src/rfm_backend/pipeline/tables and the catalogue",
        [_WORDS, *(_table(name, load_rules(name)[0]) for name in BUILT_IN_TABLES)],
    )


def _table(name: str, rules: RuleTable) -> str:
    english, indonesian = words("en"), words("id")
    rows = [
        (
            f"`{key}`",
            " ".join(cell for cell, owner in rules.cells.items() if owner == key),
            english(f"segments.{key}"),
            indonesian(f"segments.{key}"),
            english(f"segments.{key}_action"),
        )
        for key in rules.segments
    ]
    scores = "R and F" if rules.dimensions == 2 else "R, F and M"
    titles = ("key", f"cells ({scores})", "English", "Bahasa Indonesia", "recommended action")
    default = ", the default" if name == BUILT_IN_TABLES[0] else ""
    return f"## `--segments {name}`{default}\n\n{markdown.table(titles, rows)}"
