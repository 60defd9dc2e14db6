"""Reads JSON that may come from anywhere, and says in words what is wrong with it.

In:  text, and what a person calls it.
Out: `Fields`: an object whose values come out with the type that was asked for, or `InvalidModel`.

What always holds: numbers are finite; no name stands twice in an object; nothing is executed; no
text, however long, deep or odd, raises anything but `InvalidModel`.

What this module does not do: it opens no file and knows nothing of models.
"""

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NoReturn, TypeGuard, TypeVar

from rfm_backend.errors import InvalidModel

# 40,000 groups of edges fit; a wrong file is refused before it fills the memory.
MAX_CHARACTERS: Final = 32_000_000

_T = TypeVar("_T")


class Fields:
    """An object of the JSON; ``where`` is its place, such as 'model.json: edges[2]'.

    Each method takes out one value by name and refuses a missing one and one of another type.
    """

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self.where: Final = where
        self._values = values

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> tuple[str, ...]:
        """Return the names of all values, as they stand."""
        return tuple(self._values)

    def allow(self, names: Iterable[str]) -> None:
        """Refuse values under any other name: they would otherwise be left out silently."""
        unknown = sorted(set(self._values) - set(names))
        if unknown:
            listed = ", ".join(f'"{name:.40}"' for name in unknown[:20])
            raise self.failure(f"unknown entries {listed}; a newer version may have written it")

    def raw(self, name: str) -> object:
        """Return a value of any type."""
        if name not in self._values:
            raise self.failure(f'"{name}" is missing')
        return self._values[name]

    def text(self, name: str) -> str:
        """Return a text."""
        return self._text(name, self.raw(name))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self._text(name, value) for value in self._list(name))

    def text_lists(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of texts."""
        lists = self._list(name)
        if not all(isinstance(part, list) for part in lists):
            raise self.failure(f'"{name}" must be a list of lists')
        return tuple(
            tuple(self._text(name, value) for value in part)
            for part in lists
            if isinstance(part, list)
        )

    def text_map(self, name: str) -> dict[str, str]:
        """Return an object whose values are all texts, in its order."""
        fields = self.nested(name)
        return {self._text(name, key): fields.text(key) for key in fields.names()}

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value = self.raw(name)
        if not isinstance(value, bool):
            raise self.failure(f'"{name}" must be true or false')
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`."""
        value = self.raw(name)
        if not _is_integer(value) or not low <= value <= high:
            raise self.failure(f'"{name}" must be a whole number from {low} to {high}')
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers, none below zero."""
        values = self._list(name)
        if not all(_is_integer(value) and value >= 0 for value in values):
            raise self.failure(f'"{name}" must be a list of whole numbers, none below zero')
        return tuple(value for value in values if _is_integer(value))

    def number(self, name: str) -> float:
        """Return a finite number."""
        return self._number(name, self.raw(name))

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a list of finite numbers."""
        return tuple(self._number(name, value) for value in self._list(name))

    def triple(self, name: str) -> tuple[float, float, float]:
        """Return the three numbers of recency, frequency and monetary."""
        return self._triple(name, self.raw(name))

    def triples(self, name: str) -> tuple[tuple[float, float, float], ...]:
        """Return a list of such threes."""
        return tuple(self._triple(name, value) for value in self._list(name))

    def date(self, name: str) -> dt.date:
        """Return a day written as YYYY-MM-DD."""
        text = self.text(name)
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            day = None
        # Python takes 20240131 and 2024-W05-3 for days as well.
        if day is None or day.isoformat() != text:
            raise self.failure(f'"{name}" must be a day such as "2024-01-31"')
        return day

    def nested(self, name: str) -> "Fields":
        """Return an object within this one."""
        return self._object(f"{self.where}: {name}", self.raw(name))

    def nested_list(self, name: str) -> tuple["Fields", ...]:
        """Return a list of objects."""
        return tuple(
            self._object(f"{self.where}: {name}[{place}]", value)
            for place, value in enumerate(self._list(name))
        )

    def optional(self, name: str, read: Callable[[str], _T]) -> _T | None:
        """Return what `read` makes of a value, None where null stands for it."""
        return None if self.raw(name) is None else read(name)

    def failure(self, reason: str) -> InvalidModel:
        """Return the error for the place and the reason, to be raised by the caller."""
        return InvalidModel(f"{self.where}: {reason}.", where=self.where)

    def _list(self, name: str) -> list[object]:
        value = self.raw(name)
        if not isinstance(value, list):
            raise self.failure(f'"{name}" must be a list')
        return value

    def _text(self, name: str, value: object) -> str:
        # A lone surrogate cannot be written to any file again.
        if not isinstance(value, str) or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise self.failure(f'"{name}" must be text')
        return value

    def _number(self, name: str, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        raise self.failure(f'"{name}" must hold finite numbers')

    def _triple(self, name: str, value: object) -> tuple[float, float, float]:
        if not isinstance(value, list) or len(value) != 3:
            raise self.failure(
                f'"{name}" must hold three numbers each: recency, frequency, monetary'
            )
        recency, frequency, monetary = (self._number(name, part) for part in value)
        return recency, frequency, monetary

    def _object(self, where: str, value: object) -> "Fields":
        if not isinstance(value, dict):
            raise InvalidModel(f"{where}: this must be an object.", where=where)
        return Fields(value, where)


def read_json_object(text: str, name: str) -> Fields:
    """Return the object that a JSON text holds.

    Raises
    ------
    InvalidModel
        Too long, not JSON, a number that is none, a name twice, or not an object.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidModel(f"{name}: too long for a model ({len(text):,} characters).", where=name)
    try:
        values = parse_json(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise InvalidModel(f"{name}: nested too deeply for a model.", where=name) from error
    except ValueError as error:
        raise InvalidModel(f"{name}: this is not valid JSON. {error}.", where=name) from error
    if not isinstance(values, dict):
        raise InvalidModel(f"{name}: this is not a model: an object is expected.", where=name)
    return Fields(values, name)


def parse_json(text: str) -> object:
    """Return the value of a JSON text in which every number is one and no name stands twice.

    Raises
    ------
    ValueError, RecursionError
        It is no such text; nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repetition)


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _refuse_constant(constant: str) -> NoReturn:
    message = f"{constant} is not a number"
    raise ValueError(message)


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        message = "An object gives the same name twice"
        raise ValueError(message)
    return values
