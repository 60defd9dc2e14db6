"""Who reads: his language and theme, from a cookie or from what his browser prefers.

In:  a request.
Out: `Reader`; cookies that keep a choice for a year.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, cast

from flask import Request, Response

from rfm_backend.catalogue import LANGUAGES, Language, Words, words

Theme = Literal["system", "light", "dark"]
THEMES: Final[tuple[Theme, ...]] = ("system", "light", "dark")
_LANGUAGE: Final = "rfm_language"
_THEME: Final = "rfm_theme"
_YEAR: Final = dt.timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Language and theme of the one who reads."""

    language: Language
    theme: Theme

    @property
    def words(self) -> Words:
        """The catalogue of his language."""
        return words(self.language)


def reader_of(request: Request) -> Reader:
    """Return who reads; a cookie that says nothing known is as good as none."""
    language = request.cookies.get(_LANGUAGE)
    if language not in LANGUAGES:
        language = request.accept_languages.best_match(LANGUAGES, default="en")
    theme = request.cookies.get(_THEME)
    return Reader(
        language=cast("Language", language),
        theme=theme if theme in THEMES else "system",
    )


def keep_choice(answer: Response, *, language: str | None, theme: str | None) -> None:
    """Keep what the reader chose; what is no choice changes nothing."""
    for cookie, value, known in ((_LANGUAGE, language, LANGUAGES), (_THEME, theme, THEMES)):
        if value in known:
            answer.set_cookie(cookie, value or "", max_age=_YEAR, httponly=True, samesite="Lax")
