"""Cells: the text of one without what means nothing at its ends.

    read -> [map] -> clean

In:  an SQL expression for a cell's text.
Out: SQL for the text without outer blanks (tab, line ends, no-break and wide space among them).

What always holds
    * ordinary cells take a short way: a comparison of their first and last character;
    * no expression that costs anything stands twice in what is returned: the engine would lift it out
      of its branch and run it for every row.
"""

from typing import Final

BLANK: Final = r"[\s\x0b\x{a0}\x{3000}]"
_BLANKS: Final = (
    "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(12288)"
)


def is_plain_sql(text: str) -> str:
    """Return SQL that tells whether a text begins and ends with a visible ASCII character."""
    # One comparison of whole strings looks at the first character, before the last is fetched.
    return f"{text} BETWEEN '!' AND '~~' AND {text}[-1] BETWEEN '!' AND '~'"


def trimmed_sql(text: str) -> str:
    """Return SQL for a cell's text without outer blanks, NULL where nothing is left."""
    # trim() with a list of characters costs six times what a look at both ends does.
    return (
        f"CASE WHEN {is_plain_sql(text)} THEN {text} "
        f"WHEN regexp_full_match({text}, '{BLANK}*') THEN NULL "
        f"WHEN regexp_matches({text}, '^{BLANK}|{BLANK}$') THEN trim({text}, {_BLANKS}) ELSE {text} END"
    )
