"""Turns a shop's sales export into customer segments it can act on.

    >>> import rfm_backend
    >>> result = rfm_backend.segment("sales.csv")  # doctest: +SKIP
    >>> result.to_csv("segments.csv")  # doctest: +SKIP

The names below are the library; they are loaded when they are first used, so that the command starts
at once.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rfm_backend.errors import InvalidOption, RfmError, UnusableInput
    from rfm_backend.library import Resources, inspect, read_model, segment
    from rfm_backend.pipeline.model import Model
    from rfm_backend.pipeline.options import Options
    from rfm_backend.result import Result

__all__ = [
    "InvalidOption",
    "Model",
    "Options",
    "Resources",
    "Result",
    "RfmError",
    "UnusableInput",
    "inspect",
    "read_model",
    "segment",
]

_HOMES = {
    "InvalidOption": "errors",
    "Model": "pipeline.model",
    "Options": "pipeline.options",
    "Resources": "library",
    "Result": "result",
    "RfmError": "errors",
    "UnusableInput": "errors",
    "inspect": "library",
    "read_model": "library",
    "segment": "library",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
