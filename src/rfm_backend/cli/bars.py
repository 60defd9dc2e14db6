"""Progress on a terminal: one line with stage, bar, count and time left, after the first second.

In:  `progress.Step` values, from any thread.
Out: the line on standard error, gone when the work is done; nothing where that is no terminal.
"""

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from rfm_backend.catalogue import Words
from rfm_backend.progress import Step

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

# Below this nobody waits, and a bar that flashes up is only noise.
_PATIENCE_SECONDS: Final = 1.0
_MEGABYTE: Final = 1_000_000


class Bars:
    """Draws `Step` values on `console` while the block runs; `console` None draws nothing."""

    def __init__(self, console: "Console | None", words: Words) -> None:
        self._console = console
        self._words = words
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._stage = ""
        self._last: Step | None = None

    def __call__(self, step: Step) -> None:
        """Take note of a step; draw it where the bar is shown."""
        with self._lock:
            self._last = step
            if self._bar is not None:
                self._draw(self._bar, step)

    def __enter__(self) -> Self:
        if self._console is not None and self._console.is_terminal:
            self._timer = threading.Timer(_PATIENCE_SECONDS, self._show)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            if self._bar is not None:
                self._bar.stop()
                self._bar = None

    def _show(self) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        with self._lock:
            if self._console is None or self._bar is not None:
                return
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                TextColumn("{task.fields[count]}"),
                TimeRemainingColumn(compact=True, elapsed_when_finished=True),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(
                self._words("terminal.stage_start"), total=None, count=""
            )
            self._bar.start()
            if self._last is not None:
                self._draw(self._bar, self._last)

    def _draw(self, bar: "Progress", step: Step) -> None:
        if self._task is None:
            return
        if step.stage != self._stage:
            # A stage has its own time left, so that its clock starts anew.
            bar.reset(self._task, total=step.total)
            self._stage = step.stage
        bar.update(
            self._task,
            completed=step.done,
            total=step.total,
            description=self._words(f"terminal.stage_{step.stage}"),
            count=count_text(step, self._words),
        )


def count_text(step: Step, words: Words) -> str:
    """Return how far a step is, in the words of a language.

    Examples
    --------
    >>> from rfm_backend.catalogue import words
    >>> count_text(Step(stage="read", done=20500, total=541909, unit="rows"), words("en"))
    '20,500 of 541,909 rows'
    >>> count_text(Step(stage="read", done=20500000, total=None, unit="bytes"), words("id"))
    '20,5 MB'
    """
    if step.unit == "percent":
        return words("terminal.unit_percent", done=step.done)
    if step.total is None and step.done == 0:
        return ""
    key = f"terminal.unit_{step.unit}" + ("" if step.total is not None else "_open")
    return words(key, done=_amount(step.done, step, words), total=_amount(step.total, step, words))


def _amount(value: int | None, step: Step, words: Words) -> str:
    if value is None:
        return ""
    return words.number(value / _MEGABYTE, 1) if step.unit == "bytes" else words.number(value)
