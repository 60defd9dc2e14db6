"""Files that appear whole or not at all.

In:  a path, and somebody who writes.
Out: the file; or none, and an error in words.

What always holds: under the final name stands the old file or the new one, whole, also after a kill
or a power cut; a temporary file stands beside it only while it is written.  Where a folder of parts is
replaced, for a moment nothing stands there.
"""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rfm_backend.errors import OutputExists, OutputFailed


@contextmanager
def writing(path: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary path beside `path`; what is written there becomes `path` at the end.

    Raises
    ------
    OutputExists
        `path` stands there already and `force` is not given.
    OutputFailed
        No such folder, no permission, no space.
    """
    check_free(path, force=force)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise _failed(path, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _put_in_place(temporary, path)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary folder beside `path`; the parts written there become the folder `path`.

    Raises
    ------
    OutputExists, OutputFailed
        As in `writing`; a folder that holds anything but parts is not replaced.
    """
    check_free(path, force=force)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise _failed(path, error) from error
    try:
        yield temporary
        for part in temporary.iterdir():
            _finish(part)
        temporary.chmod(0o777 & ~_mask())
        _remove(path)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str, *, force: bool) -> None:
    """Write a text as UTF-8, whole or not at all."""
    with writing(path, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes, *, force: bool) -> None:
    """Write bytes, whole or not at all."""
    with writing(path, force=force) as temporary:
        temporary.write_bytes(content)


def check_free(path: Path, *, force: bool) -> None:
    """Refuse a path that is taken, or that is a folder.

    Raises
    ------
    OutputExists
        Something stands there and may not be replaced.
    OutputFailed
        It is a folder of other things than parts of a result.
    """
    if path.is_dir() and not is_folder_of_parts(path):
        raise OutputFailed(f"{path} is a folder: give the name of a file.", path=str(path))
    if path.exists() and not force:
        raise OutputExists(
            f"{path} exists already. Choose another name, or say --force to replace it.",
            path=str(path),
        )


def is_folder_of_parts(path: Path) -> bool:
    """Tell whether a folder holds the parts of a result and nothing else, so that it may be replaced."""
    names = [part.name for part in path.iterdir()] if path.is_dir() else []
    return bool(names) and all(re.fullmatch(r"part-\d+\.parquet", name) for name in names)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Sync the content, rename, sync the folder: in this order a crash leaves a whole file."""
    _finish(temporary)
    if path.is_dir():
        _remove(path)
    temporary.replace(path)
    _sync_folder(path.parent)


def _finish(file: Path) -> None:
    """Make a file an ordinary one, which mkstemp does not, and sync its content."""
    file.chmod(0o666 & ~_mask())
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remove(path: Path) -> None:
    """Delete what a folder of parts replaces, or the folder that a file replaces."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    if os.name == "posix":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _failed(path: Path, error: OSError) -> OutputFailed:
    why = {
        errno.ENOENT: f"there is no folder {path.parent}",
        errno.EACCES: f"nothing may be written in {path.parent}",
        errno.EPERM: f"nothing may be written in {path.parent}",
        errno.EROFS: f"{path.parent} is read-only",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
    }.get(error.errno or 0, error.strerror or "the disk refused it")
    return OutputFailed(f"{path.name} could not be written: {why}.", path=str(path))
