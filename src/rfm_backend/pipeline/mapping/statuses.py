"""Which words of a status column mean an order that did not complete.

In:  the status column, whole.
Out: `StatusRule`.

What always holds: a word in neither list is kept and named, never guessed.
"""

from collections.abc import Sequence
from typing import Final

from rfm_backend.engines.protocol import Engine
from rfm_backend.engines.quoting import quote_name
from rfm_backend.pipeline.mapping.plan import StatusRule
from rfm_backend.pipeline.mapping.words import normalise, vocabularies
from rfm_backend.text_table import TextTable

# A column of more different words than this tells no status.
MOST_WORDS: Final = 60


def find_status_rule(column: str, tables: Sequence[TextTable], engine: Engine) -> StatusRule | None:
    """Return the rule for the words that occur in `column`; None where it holds no status words.

    Words are compared without case, accents and punctuation, in all languages at once, and stored
    as they are written, in lower case.
    """
    name = quote_name(column)
    words: set[str] = set()
    for table in tables:
        found = engine.rows(
            f"SELECT DISTINCT lower(trim({name})) FROM {engine.scan(table, (column,))} "
            f"WHERE {name} IS NOT NULL LIMIT {MOST_WORDS + 1}"
        )
        words |= {str(row[0]) for row in found if str(row[0])}
    if not words or len(words) > MOST_WORDS:
        return None
    completed, not_completed, unknown = [], [], []
    for word in sorted(words):
        plain = normalise(word)
        if any(plain in vocabulary.not_completed for vocabulary in vocabularies()):
            not_completed.append(word)
        elif any(plain in vocabulary.completed for vocabulary in vocabularies()):
            completed.append(word)
        else:
            unknown.append(word)
    return StatusRule(
        not_completed=tuple(not_completed), completed=tuple(completed), unknown=tuple(unknown)
    )
