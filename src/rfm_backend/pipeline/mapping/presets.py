"""Exports of known platforms: which header means what there, with the source that says so.

In:  the headers of a file.
Out: `Preset` of the platform whose export it is, or None.

What always holds: a preset names its public source, and is recognised by all the headers that it
requires, whatever else stands beside them.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import cast

from rfm_backend.pipeline.mapping.words import normalise
from rfm_backend.pipeline.options import Level


@dataclass(frozen=True, kw_only=True)
class Preset:
    """One platform's export.

    ``requires`` are alternatives of sets of headers; ``columns`` maps a role to the headers that may
    have it, the first present counts; ``fill_down`` are headers of an order's first line.
    """

    name: str
    source: str
    requires: tuple[tuple[str, ...], ...]
    columns: Mapping[str, tuple[str, ...]]
    fill_down: tuple[str, ...] = ()
    level: Level = "lines"


def find_preset(headers: Sequence[str]) -> Preset | None:
    """Return the preset that `headers` fulfil; of several the one that requires most."""
    have = {normalise(header) for header in headers}
    fitting = [
        (len(required), preset)
        for preset in all_presets()
        for required in preset.requires
        if {normalise(header) for header in required} <= have
    ]
    return max(fitting, key=lambda entry: entry[0])[1] if fitting else None


def preset_columns(preset: Preset, headers: Sequence[str]) -> dict[str, str]:
    """Return role -> header of the file, for the roles whose header is present."""
    by_word = {normalise(header): header for header in reversed(headers)}
    found = {}
    for role, names in preset.columns.items():
        present = [by_word[normalise(name)] for name in names if normalise(name) in by_word]
        if present:
            found[role] = present[0]
    return found


@cache
def all_presets() -> tuple[Preset, ...]:
    """Return every preset, by name."""
    folder = resources.files(__package__) / "presets"
    texts = {
        entry.name.removesuffix(".toml"): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return tuple(_read(name, texts[name]) for name in sorted(texts))


def _read(name: str, text: str) -> Preset:
    told = tomllib.loads(text)
    return Preset(
        name=name,
        source=told["source"],
        requires=tuple(tuple(headers) for headers in told["requires"]),
        columns={role: tuple(names) for role, names in told["columns"].items()},
        fill_down=tuple(told.get("fill_down", ())),
        level=cast("Level", told.get("level", "lines")),
    )
