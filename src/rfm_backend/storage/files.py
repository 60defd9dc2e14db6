"""The bytes: uploaded files, and the files of finished analyses.

In:  streams and finished files; the number of their owner.
Out: paths within UPLOAD_DIR, made here and never from a name that somebody gave.

    <UPLOAD_DIR>/tmp/                         what is being received
    <UPLOAD_DIR>/<user>/files/<token>         the bytes of an upload
    <UPLOAD_DIR>/<user>/analyses/<token>/     the files of an analysis

What always holds
    * a file under its final name is whole and synced before anybody is told of it;
    * one user's folder holds nothing of another's, so that deleting him is deleting one folder.
"""

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rfm_backend.errors import OverQuota, TooLarge

_CHUNK: Final = 1024 * 1024
# Files of nobody are swept once they are older than any request can be.
_STRAY_SECONDS: Final = 3600
_MOST_NAME_BYTES: Final = 255
_NO_SPACE: Final = "The server's disk is full: nothing can be stored now. Tell its operator."


class Readable(Protocol):
    """Whatever bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """Bytes that have come in and have no owner yet."""

    path: Path
    sha256: str
    size_bytes: int


class FileStore:
    """The folder of all files."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def receive(self, stream: Readable, *, most_bytes: int) -> Received:
        """Write a stream to a temporary file, counting and hashing what comes.

        Raises
        ------
        TooLarge
            More than `most_bytes` came.
        OverQuota
            The disk is full.
        """
        folder = self._root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(16)
        digest, size = hashlib.sha256(), 0
        try:
            with path.open("wb") as writing:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    _check_size(size, most_bytes)
                    digest.update(chunk)
                    writing.write(chunk)
                writing.flush()
                os.fsync(writing.fileno())
        except OSError as error:
            path.unlink(missing_ok=True)
            raise OverQuota(_NO_SPACE) from error
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Received(path=path, sha256=digest.hexdigest(), size_bytes=size)

    def keep(self, received: Received, *, user_id: int) -> str:
        """Give received bytes their place among a user's; return the token that names it."""
        token = secrets.token_hex(16)
        path = self.upload_path(user_id, token)
        path.parent.mkdir(parents=True, exist_ok=True)
        received.path.replace(path)
        sync_folder(path.parent)
        return token

    def upload_path(self, user_id: int, token: str) -> Path:
        """Return where an upload's bytes stand."""
        return self._root / str(int(user_id)) / "files" / _plain(token)

    def drop_upload(self, user_id: int, token: str) -> None:
        """Remove an upload's bytes and see that they are gone."""
        path = self.upload_path(user_id, token)
        path.unlink(missing_ok=True)
        if path.parent.exists():
            sync_folder(path.parent)

    def new_folder(self, user_id: int) -> tuple[str, Path]:
        """Make the folder of one analysis; return its token and its path."""
        token = secrets.token_hex(16)
        path = self.analysis_folder(user_id, token)
        path.mkdir(parents=True)
        return token, path

    def analysis_folder(self, user_id: int, token: str) -> Path:
        """Return where the files of an analysis stand."""
        return self._root / str(int(user_id)) / "analyses" / _plain(token)

    def drop_analysis(self, user_id: int, token: str) -> None:
        """Remove the files of an analysis."""
        _remove(self.analysis_folder(user_id, token))

    def drop_user(self, user_id: int) -> None:
        """Remove everything of a user and see that it is gone."""
        _remove(self._root / str(int(user_id)))

    def bytes_free(self) -> int:
        """Return the free bytes of the disk."""
        self._root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free

    def sweep(
        self,
        *,
        is_upload: Callable[[int, str], bool],
        is_analysis: Callable[[int, str], bool],
        is_user: Callable[[int], bool],
    ) -> int:
        """Remove what is an hour old and known to nobody; return how many things went."""
        before = time.time() - _STRAY_SECONDS
        strays = [path for path in _children(self._root / "tmp") if _is_older(path, before)]
        for folder in _children(self._root):
            if not folder.name.isdecimal():
                continue
            user_id = int(folder.name)
            if not is_user(user_id):
                strays += [folder] if _is_older(folder, before) else []
                continue
            for kind, is_known in (("files", is_upload), ("analyses", is_analysis)):
                strays += [
                    path
                    for path in _children(folder / kind)
                    if _is_older(path, before) and not is_known(user_id, path.name)
                ]
        for path in strays:
            _remove(path)
        return len(strays)


def stand_under_name(source: Path, name: str, folder: Path) -> Path:
    """Give a stored file, which has a token for a name, the name that its owner knows it by."""
    barred = '<>:"/\\|?*\0' if os.name == "nt" else "/\0"
    plain = "".join("_" if mark in barred else mark for mark in name)
    # A name has 255 characters at most here, and 255 bytes at most on a disk; its end says what it is.
    shown = folder / plain.encode()[-_MOST_NAME_BYTES:].decode(errors="ignore")
    try:
        shown.symlink_to(source)
    except OSError:
        # Windows lets only some accounts make links.
        shutil.copyfile(source, shown)
    return shown


def sync_folder(path: Path) -> None:
    """Make what was renamed into a folder survive a power cut."""
    if os.name != "posix":
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_size(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise TooLarge(f"The file is larger than {most_bytes:,} bytes, which is the limit here.")


def _plain(token: str) -> str:
    if not (token.isascii() and token.isalnum()):
        raise ValueError(token)
    return token


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_older(path: Path, moment: float) -> bool:
    try:
        return path.stat().st_mtime < moment
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
