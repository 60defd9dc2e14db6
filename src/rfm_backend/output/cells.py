"""Cells that no spreadsheet takes as a formula.

A text that begins with one of ``= + - @ | %``, a tab, a line end, NUL or a full-width form of these,
perhaps behind blanks or quotes, gets an apostrophe before it: spreadsheets then show the text.
Numbers stay numbers; this is for text only.
"""

import re
from typing import Final

from rfm_backend.engines.quoting import quote_text

# Every blank by name: the engine's \s knows those of ASCII alone, and some of these do not show.
_BLANKS: Final = "\u00a0\u1680\u2000-\u200f\u2028\u2029\u202a-\u202f\u205f-\u2064\u3000\ufeff"
_DANGER: Final = rf"""^[\s{_BLANKS}"']*[=+\-@|%＝＋－＠]|^[\t\r\n\x00]"""
_PATTERN: Final = re.compile(_DANGER)


def safe_text(text: str) -> str:
    r"""Return `text` as it may stand in a CSV cell.

    Examples
    --------
    >>> safe_text("=1+1"), safe_text("Ann"), safe_text("\t=1")
    ("'=1+1", 'Ann', "'\t=1")
    """
    return f"'{text}" if _PATTERN.search(text) else text


def safe_text_sql(expression: str) -> str:
    """Return SQL for the same, of an expression of type VARCHAR."""
    return (
        f"CASE WHEN regexp_matches({expression}, {quote_text(_DANGER)}) "
        f"THEN '''' || {expression} ELSE {expression} END"
    )
