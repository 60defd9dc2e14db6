"""What the surroundings decide: one table of settings, read once at the door.

In:  the environment and, beneath it, a ``.env`` file in the working folder.
Out: `Settings`, frozen.

What always holds
    * the environment beats ``.env``, and both beat the default;
    * an empty variable counts as one that is not set;
    * a value that cannot be used is refused with its name, never replaced in silence.

What it does not do: nothing below the doors reads it; a number of an analysis never depends on it.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rfm_backend.errors import InvalidOption

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row of the table: what a variable is called, what it may hold, and what it does.

    ``kind`` is "path", "size", "count", "language" or "flag" (a "presence" flag is on as soon as the
    variable holds anything, which is how NO_COLOR is defined).
    """

    name: str
    field: str
    kind: str
    default: str
    help: str
    secret: bool = False


SETTINGS: Final = (
    Setting(
        name="MODEL_PATH",
        field="model_path",
        kind="path",
        default="model/rfm_kmeans.model",
        help="Where `rfm train` saves the model; its JSON stands beside it.",
    ),
    Setting(
        name="RFM_MEMORY_LIMIT",
        field="memory_limit",
        kind="size",
        default="",
        help="Memory an analysis may use before it spills to disk, as 1.5GB. Empty: 600MB.",
    ),
    Setting(
        name="RFM_THREADS",
        field="threads",
        kind="count",
        default="",
        help="Cores an analysis may use. Empty: all. The numbers are the same for any.",
    ),
    Setting(
        name="RFM_LANG",
        field="language",
        kind="language",
        default="en",
        help="Language of summary and report where --lang is not given: en or id.",
    ),
    Setting(
        name="RFM_DEBUG",
        field="debug",
        kind="flag",
        default="",
        help="Show the trace of an unexpected fault: 1 or 0.",
    ),
    Setting(
        name="NO_COLOR",
        field="no_color",
        kind="presence",
        default="",
        help="Any value turns colours off (no-color.org).",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values of `SETTINGS`; None where nothing is set and there is no default."""

    model_path: Path = Path("model/rfm_kmeans.model")
    memory_limit: str | None = None
    threads: int | None = None
    language: str = "en"
    debug: bool = False
    no_color: bool = False


def read_settings(
    environment: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")
) -> Settings:
    """Return the settings of this process.

    Parameters
    ----------
    environment : mapping, optional
        Default: the environment of the process.  Not modified.
    env_file : Path or None
        Lines ``NAME=value``; a missing file is no error.

    Raises
    ------
    InvalidOption
        A variable holds a value that cannot be used.
    """
    given = os.environ if environment is None else environment
    # A variable that is set but empty says no more than one that is missing.
    values = {**_read_env_file(env_file), **{name: text for name, text in given.items() if text}}
    texts = {row.field: values.get(row.name, "").strip() or row.default for row in SETTINGS}
    return Settings(
        model_path=Path(texts["model_path"]),
        memory_limit=_size(texts["memory_limit"], "RFM_MEMORY_LIMIT"),
        threads=_count(texts["threads"], "RFM_THREADS"),
        language=_language(texts["language"], "RFM_LANG"),
        debug=_flag(texts["debug"], "RFM_DEBUG"),
        no_color=bool(texts["no_color"]),
    )


def wants_no_colour() -> bool:
    """Return whether NO_COLOR is set: asked before anything else is, as help needs it."""
    return bool(os.environ.get("NO_COLOR"))


def wants_traces() -> bool:
    """Return whether RFM_DEBUG is on, whatever else is wrong with the settings."""
    return os.environ.get("RFM_DEBUG", "").lower() in _TRUE


def parse_env_lines(text: str) -> dict[str, str]:
    r"""Return the variables of a ``.env`` text: comments and blank lines skipped, quotes taken off.

    Examples
    --------
    >>> parse_env_lines("# shop\nexport RFM_LANG = 'id'  # Bahasa\nRFM_THREADS=")
    {'RFM_LANG': 'id', 'RFM_THREADS': ''}
    """
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(
            r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*"
            r"""(?:"([^"]*)"|'([^']*)'|([^#\s](?:[^#]|(?<!\s)\#)*)|)\s*(?:\#.*)?""",
            line,
        )
        if match:
            name, *forms = match.groups()
            found[name] = next((form for form in forms if form is not None), "").strip()
    return found


def is_memory_size(text: str) -> bool:
    """Return whether `text` is a size such as 1.5GB, 800MB or 2GiB."""
    return re.fullmatch(r"\d+(\.\d+)?\s*([KMGT]i?B)", text.strip(), re.IGNORECASE) is not None


def _read_env_file(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    try:
        text = path.read_text("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, PermissionError, NotADirectoryError):
        return {}
    except UnicodeDecodeError as error:
        raise InvalidOption(
            f"{path} is not UTF-8 text: save it as UTF-8.", path=str(path)
        ) from error
    return {name: value for name, value in parse_env_lines(text).items() if value}


def _size(text: str, name: str) -> str | None:
    if text and not is_memory_size(text):
        raise _refused(name, text, "a size such as 1.5GB or 800MB")
    return text or None


def _count(text: str, name: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise _refused(name, text, "a whole number from 1")
    return int(text)


def _language(text: str, name: str) -> str:
    if text not in ("en", "id"):
        raise _refused(name, text, "en or id")
    return text


def _flag(text: str, name: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in ("", *_FALSE):
        return False
    raise _refused(name, text, "1 or 0")


def _refused(name: str, text: str, wanted: str) -> InvalidOption:
    return InvalidOption(
        f"The variable {name} is {text!r}: it must be {wanted}. Correct it in the environment or in "
        ".env, or unset it.",
        setting=name,
    )
