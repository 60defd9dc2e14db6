"""Values as JSON for programs: what `--json` prints.

In:  the frozen dataclasses of the pipeline.
Out: text.

What always holds: amounts are JSON numbers written exactly, trailing zeros cut; days are ISO text; the
order is that of the fields, so that equal values give equal text.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Final

_INDENT: Final = "  "


def json_text(value: object) -> str:
    """Return `value` as indented JSON.

    Examples
    --------
    >>> print(json_text({"amount": Decimal("77183.600"), "day": dt.date(2011, 12, 9)}))
    {
      "amount": 77183.6,
      "day": "2011-12-09"
    }
    """
    return _text(value, "\n")


def _text(value: object, line: str) -> str:
    """Return `value` as JSON; `line` is a line end with the indent of where it stands.

    Written out because json writes a Decimal not at all and a float rounded.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        pairs = [
            f"{_quoted(_name(key))}: {_text(one, line + _INDENT)}" for key, one in value.items()
        ]
        return _bracketed("{}", pairs, line)
    if isinstance(value, list | tuple):
        return _bracketed("[]", [_text(one, line + _INDENT) for one in value], line)
    if isinstance(value, Decimal):
        return _digits(value)
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value, allow_nan=False)
    return _quoted(value.isoformat() if isinstance(value, dt.date) else str(value))


def _bracketed(signs: str, entries: list[str], line: str) -> str:
    if not entries:
        return signs
    inner = line + _INDENT
    return signs[0] + inner + f",{inner}".join(entries) + line + signs[1]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _name(key: object) -> str:
    """Return a key as text: the cell (5, 4) of the heat map is "54"."""
    return "".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _digits(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
