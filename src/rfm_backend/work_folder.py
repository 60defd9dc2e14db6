"""Folders for the temporary files of one run, which also go when the run was killed.

In:  the system's temporary folder, or the one that a result is written into.
Out: `WorkFolder`, a `tempfile.TemporaryDirectory`.

What always holds
    * a folder is removed at the end of its ``with``, or with its object;
    * a folder whose process was killed is removed by the next `WorkFolder` of the same user in the same place;
    * a folder in use is never touched: its process, or a child of it, holds a lock that only the
      system can give back, whatever number the process has and in whatever container it runs.

Where the system has no such locks (Windows), nothing is swept.
"""

import contextlib
import os
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

_PREFIX: Final = "rfm-work-"
# Stands in a folder once its lock is held: one without it may just be being made.
_HELD: Final = ".held"


class WorkFolder(tempfile.TemporaryDirectory[str]):
    """A temporary folder; ``with`` gives its path as text.

    In another place than the system's, on the disk of what is made there, it is hidden.
    """

    def __init__(self, inside: Path | None = None) -> None:
        sweep_work_folders(inside)
        super().__init__(prefix=_PREFIX if inside is None else f".{_PREFIX}", dir=inside)
        lock = _lock(Path(self.name))
        self._release = weakref.finalize(self, os.close, lock) if lock is not None else None
        (Path(self.name) / _HELD).touch()

    def cleanup(self) -> None:
        """Remove the folder, then give its lock back."""
        super().cleanup()
        if self._release is not None:
            self._release()


def sweep_work_folders(inside: Path | None = None) -> None:
    """Remove the folders of processes that are gone."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        for entry in os.scandir(inside or tempfile.gettempdir()):
            if entry.name.removeprefix(".").startswith(_PREFIX):
                _remove_if_left(Path(entry.path))


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        is_ours = folder.lstat().st_uid == os.getuid()
        if is_ours and (folder / _HELD).exists() and (lock := _lock(folder)) is not None:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """Return what holds the lock of a folder until it is closed; None where another holds it."""
    if sys.platform == "win32":
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
