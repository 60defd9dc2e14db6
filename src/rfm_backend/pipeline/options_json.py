"""The options of an analysis as plain JSON values, and back.

In:  `Options`, or the JSON object that `options_to_json` wrote.
Out: the other of the two; equal options, whichever way.

What always holds: every field of `Options` is written; a field that is not there when reading has
its default, so that a model outlives an option that is added later; an unknown one is refused.

What this module does not do: whether options make sense together is asked where they are used.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final, Literal, TypeVar

from rfm_backend.pipeline.options import Level, Options, Returns
from rfm_backend.pipeline.strict_json import Fields

# A seed is what scikit-learn and numpy take as one: 32 bits.
MAX_SEED: Final = 2**32 - 1
MAX_CLUSTERS: Final = 50

_T = TypeVar("_T")


def options_to_json(options: Options) -> dict[str, object]:
    """Return the options as JSON values, in the order of the class."""
    return {field.name: _plain(getattr(options, field.name)) for field in fields(Options)}


def options_from_json(values: Fields) -> Options:
    """Return the options that an object holds.

    Raises
    ------
    InvalidModel
        A value of another type or out of its range, or an option that is not known.
    """
    values.allow(field.name for field in fields(Options))
    default = Options()

    def given(name: str, read: Callable[[str], _T], otherwise: _T) -> _T:
        return read(name) if name in values else otherwise

    def text_or_none(name: str) -> str | None:
        return values.optional(name, values.text)

    def date_or_none(name: str) -> dt.date | None:
        return values.optional(name, values.date)

    return Options(
        mapping=given("mapping", values.text_map, default.mapping),
        keep=given("keep", values.texts, default.keep),
        sheet=given("sheet", text_or_none, default.sheet),
        encoding=given("encoding", text_or_none, default.encoding),
        delimiter=given("delimiter", text_or_none, default.delimiter),
        decimal=given("decimal", lambda name: _decimal(values, name), default.decimal),
        date_format=given("date_format", text_or_none, default.date_format),
        level=given("level", lambda name: _level(values, name), default.level),
        snapshot_date=given("snapshot_date", date_or_none, default.snapshot_date),
        since=given("since", date_or_none, default.since),
        until=given("until", date_or_none, default.until),
        exclude=given("exclude", lambda name: _pairs(values, name), default.exclude),
        returns=given("returns", lambda name: _returns(values, name), default.returns),
        duplicates=given("duplicates", lambda name: _duplicates(values, name), default.duplicates),
        timezone=given("timezone", text_or_none, default.timezone),
        n_clusters=given("n_clusters", lambda name: _clusters(values, name), default.n_clusters),
        seed=given("seed", lambda name: values.integer(name, 0, MAX_SEED), default.seed),
        segments=given("segments", values.text, default.segments),
        scores=given("scores", values.text, default.scores),
        by=given("by", text_or_none, default.by),
        currency=given("currency", text_or_none, default.currency),
    )


def _plain(value: object) -> object:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(value[name]) for name in sorted(value)}
    return value


def _decimal(values: Fields, name: str) -> Literal[".", ","] | None:
    match values.raw(name):
        case "." | "," | None as mark:
            return mark
    raise values.failure(f'"{name}" must be ".", "," or null')


def _level(values: Fields, name: str) -> Level | None:
    match values.raw(name):
        case "lines" | "orders" | "customers" | None as level:
            return level
    raise values.failure(f'"{name}" must be "lines", "orders", "customers" or null')


def _returns(values: Fields, name: str) -> Returns:
    match values.raw(name):
        case "drop" | "match" | "net" as returns:
            return returns
    raise values.failure(f'"{name}" must be "drop", "match" or "net"')


def _duplicates(values: Fields, name: str) -> Literal["keep", "drop"]:
    match values.raw(name):
        case "keep" | "drop" as duplicates:
            return duplicates
    raise values.failure(f'"{name}" must be "keep" or "drop"')


def _clusters(values: Fields, name: str) -> int | Literal["auto"]:
    if values.raw(name) == "auto":
        return "auto"
    return values.integer(name, 2, MAX_CLUSTERS)


def _pairs(values: Fields, name: str) -> tuple[tuple[str, str], ...]:
    pairs = values.text_lists(name)
    if not all(len(pair) == 2 for pair in pairs):
        raise values.failure(f'"{name}" must be a list of pairs of texts')
    return tuple((pair[0], pair[1]) for pair in pairs)
