"""The file ``.env``: lines NAME=value beneath the environment.

In:  a path, or its text.
Out: name -> value; a missing file is no error.
"""

import re
from pathlib import Path

from rfm_backend.errors import InvalidOption


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


def read_env_file(path: Path | None) -> dict[str, str]:
    """Return the variables of the file that hold something.

    Raises
    ------
    InvalidOption
        The file is not UTF-8 text.
    """
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
