"""Header and status words of seven languages, compared as a person would compare them.

In:  the TOML files of ``vocabulary/``; a header or a status as written in a file.
Out: roles that a header may mean, with a weight; the language that most headers are in.

What always holds: case, accents, blanks, punctuation and camelCase make no difference:
"CustomerID", "customer_id" and "Customer ID" are one word.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

EXACT: Final = 1.0
CONTAINED: Final = 0.7
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The words of one language, normalised: role -> words, status words."""

    language: str
    roles: Mapping[str, tuple[str, ...]]
    not_completed: frozenset[str]
    completed: frozenset[str]


def normalise(text: str) -> str:
    """Return `text` as it is compared.

    Examples
    --------
    >>> normalise("InvoiceNo"), normalise(" N° de Commande "), normalise("Müşteri_No")
    ('invoice no', 'n de commande', 'musteri no')
    """
    split = _CAMEL.sub(" ", text.replace("ı", "i").replace("ß", "ss"))
    plain = unicodedata.normalize("NFKD", split)
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return _OTHER.sub(" ", plain.lower()).strip()


@cache
def vocabularies() -> tuple[Vocabulary, ...]:
    """Return the vocabularies, English first."""
    folder = resources.files(__package__) / "vocabulary"
    found = [
        _read(entry.name.removesuffix(".toml"), entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return tuple(sorted(found, key=lambda words: (words.language != "en", words.language)))


def role_weights(header: str) -> dict[str, float]:
    """Return role -> how well `header` names it: 1 for a word of the vocabulary, less if it holds one."""
    written = normalise(header)
    tokens = f" {written} "
    weights: dict[str, float] = {}
    for vocabulary in vocabularies():
        for role, words in vocabulary.roles.items():
            if written in words:
                weights[role] = EXACT
            elif role not in weights and any(
                " " in word and f" {word} " in tokens for word in words
            ):
                weights[role] = CONTAINED
    return weights


def language_of(headers: Sequence[str]) -> str | None:
    """Return the language that names most of `headers`, None where no header is a known word.

    A word of two languages ("total") counts for both; the tie goes to the one with more words.
    """
    counts = {
        vocabulary.language: sum(
            any(normalise(header) in words for words in vocabulary.roles.values())
            for header in headers
        )
        for vocabulary in vocabularies()
    }
    best = max(counts.values(), default=0)
    if best == 0:
        return None
    leaders = [language for language, count in counts.items() if count == best]
    return leaders[0]


def _read(language: str, text: str) -> Vocabulary:
    told = tomllib.loads(text)
    return Vocabulary(
        language=language,
        roles={role: tuple(map(normalise, words)) for role, words in told["roles"].items()},
        not_completed=frozenset(map(normalise, told["status"]["not_completed"])),
        completed=frozenset(map(normalise, told["status"]["completed"])),
    )
