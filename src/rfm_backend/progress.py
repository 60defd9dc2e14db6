"""How long work tells its caller how far it is.

Reading and the pipeline report; a door draws a bar, writes a row or does nothing. A callback that
raises `Cancelled` stops the work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["unpack", "check", "read", "aggregate", "cluster", "save", "copy"]


@dataclass(frozen=True)
class Step:
    """How far one stage is.

    ``done`` and ``total`` count ``unit``; ``total`` is None where it cannot be known beforehand.
    """

    stage: Stage
    done: int
    total: int | None
    unit: Literal["rows", "bytes", "percent"]


Progress = Callable[[Step], None]


def no_progress(_step: Step) -> None:
    """Report to nobody."""
