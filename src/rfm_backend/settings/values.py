"""What the text of a setting means, by its kind.

In:  the name of a variable, its text, its kind.
Out: the value; or a refusal that names the variable.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rfm_backend.errors import InvalidOption
from rfm_backend.settings.table import Kind

TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("", "0", "false", "no", "off")
_UNITS: Final = {"": 1, "B": 1} | {
    f"{letter}{i}B": (1024 if i else 1000) ** power
    for power, letter in enumerate("KMGT", start=1)
    for i in ("", "i")
}


def parse_value(name: str, text: str, kind: Kind) -> object:
    """Return what `text` says; None where an optional value is not given.

    Raises
    ------
    InvalidOption
        The text is none of its kind.
    """
    return _PARSERS[kind](text, name)


def is_memory_size(text: str) -> bool:
    """Return whether `text` is a size such as 1.5GB, 800MB or 2GiB."""
    return re.fullmatch(r"\d+(\.\d+)?\s*([KMGT]i?B)", text.strip(), re.IGNORECASE) is not None


def _size(text: str, name: str) -> str | None:
    if text and not is_memory_size(text):
        raise _refused(name, text, "a size such as 1.5GB or 800MB")
    return text or None


def _bytes(text: str, name: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text)
    unit = {key.lower(): size for key, size in _UNITS.items()}.get(
        match[2].lower() if match else "?"
    )
    if match is None or unit is None or float(match[1]) * unit < 1:
        raise _refused(name, text, "a number of bytes, or a size such as 512MiB")
    return int(float(match[1]) * unit)


def _file(text: str, name: str) -> Path | None:
    if text and not Path(text).is_file():
        raise _refused(name, text, "a file that is there and can be read")
    return Path(text).absolute() if text else None


def _count(text: str, name: str) -> int | None:
    return _number(text, name) if text else None


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise _refused(name, text, "a whole number from 1")
    return int(text)


def _port(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 65_536):
        raise _refused(name, text, "a port from 0 to 65535")
    return int(text)


def _seconds(text: str, name: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        raise _refused(name, text, "a number of seconds")
    return float(text)


def _flag(text: str, name: str) -> bool:
    if text.lower() not in (*TRUE, *_FALSE):
        raise _refused(name, text, "1 or 0")
    return text.lower() in TRUE


def _one_of(*choices: str) -> Callable[[str, str], str]:
    def parse(text: str, name: str) -> str:
        if text not in choices:
            raise _refused(name, text, " or ".join(choices))
        return text

    return parse


def _list(text: str, _: str) -> tuple[str, ...]:
    return tuple(part for piece in text.split(",") if (part := piece.strip()))


def _refused(name: str, text: str, wanted: str) -> InvalidOption:
    return InvalidOption(
        f"The variable {name} is {text!r}: it must be {wanted}. Correct it in the environment or in "
        ".env, or unset it.",
        setting=name,
    )


_PARSERS: Final[Mapping[Kind, Callable[[str, str], object]]] = {
    "path": lambda text, _: Path(text),
    "file": _file,
    "text": lambda text, _: text,
    "secret": lambda text, _: text,
    "size": _size,
    "bytes": _bytes,
    "count": _count,
    "number": _number,
    "seconds": _seconds,
    "language": _one_of("en", "id"),
    "flag": _flag,
    "presence": lambda text, _: bool(text),
    "environment": _one_of("development", "production"),
    "port": _port,
    "registration": _one_of("open", "closed"),
    "list": _list,
    "engine": _one_of("duckdb", "spark"),
}
