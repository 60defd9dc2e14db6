"""TOML text of a user's own table, and refusals that say where in it the trouble is.

In:  the text of the file and the name a person knows it by.
Out: plain values, or `InvalidRuleTable` with file, line where it can be known, and what to do.

What always holds: no text, however long, deep or odd, raises anything but `InvalidRuleTable`.

What this module does not do: it opens no file and knows no table's meaning.
"""

import tomllib

from rfm_backend.errors import InvalidRuleTable

# A table of 125 cells with comments is below 10 kB; this keeps a wrong file from being parsed.
MAX_CHARACTERS = 200_000


def refusal(name: str, reason: str, line: int | None = None, **details: object) -> InvalidRuleTable:
    """Return the error for `reason` in the table `name`, to be raised by the caller."""
    where = f"{name}, line {line}" if line else name
    return InvalidRuleTable(f"{where}: {reason}", file=name, line=line, **details)


def read_toml(text: str, name: str) -> dict[str, object]:
    """Return the values of a TOML text.

    Raises
    ------
    InvalidRuleTable
        The text is too long for a table or is not TOML.
    """
    if len(text) > MAX_CHARACTERS:
        raise refusal(name, f"a table has at most {MAX_CHARACTERS:,} characters.")
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise refusal(name, "values are nested too deeply for a table.") from error
    except ValueError as error:
        # Not only TOMLDecodeError: dates and very long numbers raise a bare ValueError.
        raise refusal(name, f"this is not valid TOML. {error}.") from error


def check_keys(name: str, values: dict[str, object], known: tuple[str, ...], where: str) -> None:
    """Refuse a key that is not `known`: a misspelt one would otherwise change the table silently."""
    unknown = [key for key in values if key not in known]
    if unknown:
        listed = ", ".join(f'"{key}"' for key in unknown[:20])
        raise refusal(name, f"{where} has unknown keys {listed}; possible are {', '.join(known)}.")
