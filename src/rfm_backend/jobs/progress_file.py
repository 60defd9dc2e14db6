"""How far a job's child is: written by the child, read by its worker.

In:  the steps of an analysis; the folder of the job.
Out: ``progress.json`` there, replaced whole, a hundred times per stage at the most.
"""

import json
import os
from pathlib import Path
from typing import Final

from rfm_backend.progress import Step

_NAME: Final = "progress.json"
_SMALLEST_MOVE: Final = 0.01


class ProgressFile:
    """Notes each step that is far enough from the last one."""

    def __init__(self, folder: Path) -> None:
        self._path: Final = folder / _NAME
        self._last = ("", -1.0)

    def __call__(self, step: Step) -> None:
        """Note a step."""
        share = step.done / step.total if step.total else float(step.done)
        stage, before = self._last
        if stage == step.stage and abs(share - before) < _SMALLEST_MOVE:
            return
        self._last = (step.stage, share)
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({"stage": step.stage, "done": step.done, "total": step.total}))
        os.replace(part, self._path)  # noqa: PTH105  # atomic, on every system


def read_progress(folder: Path) -> tuple[str, int | None, int | None]:
    """Return (stage, done, total) as noted last; the stage is "start" where nothing is."""
    try:
        told = json.loads((folder / _NAME).read_text())
    except (OSError, ValueError):
        return "start", None, None
    return told["stage"], told["done"], told["total"]


def drop_progress(folder: Path) -> None:
    """Remove the file, which says nothing once the child has ended."""
    (folder / _NAME).unlink(missing_ok=True)
