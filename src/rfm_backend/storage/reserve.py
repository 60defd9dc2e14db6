"""A piece of the disk kept back for the SQLite file, so that people can still log in when the disk is full.

In:  a folder.
Out: `Reserve`: a file of a fixed size, given up once it is needed and made again once there is room.

What it does not do: it stops nobody from filling the disk; uploads are refused before it is full.
"""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

_NAME: Final = "reserve"
# SQLite's log of changes grows to four of these by itself; the rest is thousands of logins.
_MIB: Final = 8
_BYTES: Final = 1024 * 1024


class Reserve:
    """Room for the database of a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def give(self) -> bool:
        """Give the room to whoever needs it now; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def refill(self) -> None:
        """Keep the room back again, where the disk has much more than that."""
        if self._path.exists() or shutil.disk_usage(self._path.parent).free < 4 * _MIB * _BYTES:
            return
        part = self._path.with_suffix(".part")
        with contextlib.suppress(OSError):
            with part.open("wb") as writing:
                for _ in range(_MIB):
                    writing.write(bytes(_BYTES))
                writing.flush()
                os.fsync(writing.fileno())
            part.replace(self._path)
