"""The words that people read, in English and Bahasa Indonesia, from one catalogue.

Messages are data: ``<language>/<section>.toml``, looked up as "section.name" and filled with
``str.format`` fields.  A test holds both languages to the same keys and fields.
"""

import datetime as dt
import tomllib
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from importlib import resources
from typing import Final, Literal

Language = Literal["en", "id"]
# Money of at least this much is written without a fraction.
_WHOLE_MONEY: Final = 10_000
LANGUAGES: Final[tuple[Language, ...]] = ("en", "id")


class Words:
    """The messages, numbers and dates of one language.

    Examples
    --------
    >>> words("id").number(1234567)
    '1.234.567'
    >>> words("en").percent(0.1234)
    '12.3 %'
    """

    def __init__(self, language: Language) -> None:
        self.language: Final = language
        self._messages = _load(language)
        marks = ",." if language == "en" else ".,"
        self._marks = str.maketrans(",.", marks)

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the message `key` ("section.name") with its fields filled."""
        return self._messages[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self._messages

    def keys(self) -> tuple[str, ...]:
        """Return every key, sorted."""
        return tuple(sorted(self._messages))

    def number(self, value: int | float | Decimal, decimals: int | None = None) -> str:
        """Return `value` with this language's marks; `decimals` None keeps what it has, at most two."""
        exact = value if isinstance(value, Decimal) else Decimal(str(value))
        if decimals is None:
            decimals = min(2, max(0, -_exponent(exact.normalize())))
        rounded = exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
        text = f"{rounded:,.{decimals}f}"
        return text.translate(self._marks)

    def money(self, value: int | float | Decimal, currency: str | None = None) -> str:
        """Return an amount with two decimals, none above ten thousand, and its currency."""
        decimals = 0 if abs(float(value)) >= _WHOLE_MONEY else 2
        text = self.number(value, decimals)
        return f"{text} {currency}" if currency else text

    def percent(self, share: float, decimals: int = 1) -> str:
        """Return a fraction of 1 as a percentage."""
        return f"{self.number(share * 100, decimals)} %"

    def date(self, day: dt.date) -> str:
        """Return a day as this language's readers write it."""
        return f"{day.day} {self(f'calendar.month_{day.month}')} {day.year}"


@cache
def words(language: Language) -> Words:
    """Return the catalogue of one language."""
    return Words(language)


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _load(language: Language) -> dict[str, str]:
    messages: dict[str, str] = {}
    folder = resources.files(__package__) / language
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".toml"):
            section = entry.name.removesuffix(".toml")
            for name, text in tomllib.loads(entry.read_text("utf-8")).items():
                messages[f"{section}.{name}"] = text
    return messages
