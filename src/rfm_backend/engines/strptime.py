"""The patterns of strptime as regular expressions of Java, which Spark has.

In:  a pattern such as "%d/%m/%Y %H:%M".
Out: an expression that fits just what DuckDB's strptime reads by it, and how to write that as ISO.

What always holds: what fits here is read there, to the same instant; a pattern with anything else in
it is refused.
"""

from dataclasses import dataclass
from typing import Final

from rfm_backend.errors import InvalidOption

_BLANKS: Final = r"[ \t\n\x0B\f\r]*+"
# DuckDB takes as many digits as there are, up to the width, and never gives one back.
_DIGITS: Final = {
    "d": "([0-9]{1,2}+)",
    "m": "([0-9]{1,2}+)",
    "Y": "([0-9]{1,4}+)",
    "H": "([0-9]{1,2}+)",
    "I": "([0-9]{1,2}+)",
    "M": "([0-9]{1,2}+)",
    "S": "([0-9]{1,2}+)",
    "f": "([0-9]{1,6}+)",
    "p": "((?i:[AP]M))",
}
# Of two digits, 69 to 99 are the last century; one digit is one of this.
_CENTURIES: Final = (
    ("20", "([0-5][0-9]|6[0-8])"),
    ("19", "(69|[7-9][0-9])"),
    ("200", "([0-9](?![0-9]))"),
)
_NEUTRAL: Final = {"Y": "1900", "m": "01", "d": "01", "H": "00", "M": "00", "S": "00"}


@dataclass(frozen=True, kw_only=True)
class IsoRewrite:
    """A text that fits ``pattern`` is the instant ``iso``, a replacement by the groups of the pattern.

    ``half_day`` is the number of the group that says AM or PM, None where hours go to 23.
    """

    pattern: str
    iso: str
    half_day: int | None


def iso_rewrites(pattern: str) -> list[IsoRewrite]:
    """Return the ways to read a strptime pattern; several where a year has two digits.

    Raises
    ------
    InvalidOption
        A part of the pattern has no counterpart.

    Examples
    --------
    >>> [way] = iso_rewrites("%d.%m.%Y")
    >>> way.iso
    '$3-$2-$1 00:00:00'
    """
    parts = _parts(pattern)
    if ("%", "y") in parts:
        return [_rewrite(parts, century, digits) for century, digits in _CENTURIES]
    return [_rewrite(parts, "", "")]


def _parts(pattern: str) -> list[tuple[str, str]]:
    """Return ("%", specifier) and ("", character) in their order."""
    parts: list[tuple[str, str]] = []
    signs = iter(pattern)
    for sign in signs:
        if sign != "%":
            parts.append(("", sign))
            continue
        name = next(signs, "")
        name = next(signs, "") if name == "-" else name
        if name == "%":
            parts.append(("", name))
        elif name in _DIGITS or name == "y":
            parts.append(("%", name))
        else:
            raise InvalidOption(
                f"Spark cannot read %{name} of the date format {pattern!r}: use %d, %m, %Y, %y, %H, %I, "
                "%M, %S, %f and %p, or the engine duckdb.",
                option="date_format",
            )
    return parts


def _rewrite(parts: list[tuple[str, str]], century: str, year_digits: str) -> IsoRewrite:
    written, groups = "", 0
    found = dict(_NEUTRAL)
    half_day = fraction = None
    for kind, name in parts:
        if kind == "":
            # A blank stands for any number of blanks, but not for none.
            written += r"[ \t\n\x0B\f\r]++" if name.isspace() else f"\\x{{{ord(name):x}}}"
            continue
        groups += 1
        written += year_digits if name == "y" else _DIGITS[name]
        if name == "p":
            half_day = groups
        elif name == "f":
            fraction = groups
        else:
            key = {"y": "Y", "I": "H"}.get(name, name)
            found[key] = f"{century if name == 'y' else ''}${groups}"
    iso = f"{found['Y']}-{found['m']}-{found['d']} {found['H']}:{found['M']}:{found['S']}"
    if fraction is not None:
        iso += f".${fraction}"
    return IsoRewrite(pattern=f"\\A{_BLANKS}{written}{_BLANKS}\\z", iso=iso, half_day=half_day)
