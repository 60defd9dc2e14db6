"""The bytes: uploaded files, and the files of finished analyses.

In:  streams and finished files; the number of their owner.
Out: paths within UPLOAD_DIR, made here and never from a name that somebody gave.

    <UPLOAD_DIR>/tmp/                         what is being received
    <UPLOAD_DIR>/<user>/files/<token>         the bytes of an upload
    <UPLOAD_DIR>/<user>/looks/<token>         what was seen of it, so that it is looked at once
    <UPLOAD_DIR>/<user>/analyses/<token>/     the files of an analysis

What always holds
    * a file under its final name is whole and synced before anybody is told of it;
    * one user's folder holds nothing of another's, so that deleting him is deleting one folder.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rfm_backend.errors import OverQuota, TooLarge, Unavailable

_CHUNK: Final = 1024 * 1024
# Files of nobody are swept once they are older than any request can be.
_STRAY_SECONDS: Final = 3600
_MOST_NAME_BYTES: Final = 255
_MOST_REMOVALS: Final = 20
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
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
        OverQuota, Unavailable
            The disk is full; it cannot be written.
        """
        folder = self._root / "tmp"
        path = folder / secrets.token_hex(16)
        digest, size = hashlib.sha256(), 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as writing:
                while chunk := stream.read(_CHUNK):
                    size += len(chunk)
                    _check_size(size, most_bytes)
                    digest.update(chunk)
                    writing.write(chunk)
                writing.flush()
                os.fsync(writing.fileno())
        except OSError as error:
            _forget(path)
            raise told_of_disk(error) from error
        except BaseException:
            _forget(path)
            raise
        return Received(path=path, sha256=digest.hexdigest(), size_bytes=size)

    def keep(self, received: Received, *, user_id: int) -> str:
        """Give received bytes their place among a user's; return the token that names it.

        Raises
        ------
        OverQuota, Unavailable
            The disk is full; it cannot be written.
        """
        token = secrets.token_hex(16)
        path = self.upload_path(user_id, token)
        try:
            self._move(received.path, path)
            # Where the folder is gone again, so is the account.
            with contextlib.suppress(FileNotFoundError):
                sync_folder(path.parent)
        except OSError as error:
            _forget(path)
            raise told_of_disk(error) from error
        return token

    def _move(self, source: Path, path: Path) -> None:
        while True:
            try:
                if not path.parent.is_dir():
                    path.parent.mkdir(parents=True, exist_ok=True)
                    sync_folder(self._root)
                    sync_folder(path.parent.parent)
                source.replace(path)
            except FileNotFoundError:
                # The user's folder went in between, with his account; what to make of that is not decided here.
                if not source.exists():
                    raise
            else:
                return

    def upload_path(self, user_id: int, token: str) -> Path:
        """Return where an upload's bytes stand."""
        return self._root / str(int(user_id)) / "files" / _plain(token)

    def read_look(self, user_id: int, token: str) -> str | None:
        """Return what was noted of an upload, None where nothing was."""
        try:
            return self._look_path(user_id, token).read_text("utf-8")
        except FileNotFoundError:
            return None

    def note_look(self, user_id: int, token: str, text: str) -> None:
        """Note what was seen of an upload; a full disk loses the note and nothing else."""
        path = self._look_path(user_id, token)
        part = path.with_suffix(f".{secrets.token_hex(8)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, "utf-8")
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)

    def _look_path(self, user_id: int, token: str) -> Path:
        return self._root / str(int(user_id)) / "looks" / _plain(token)

    def drop_upload(self, user_id: int, token: str) -> None:
        """Remove an upload's bytes, and what was seen of them, and see that they are gone.

        Raises
        ------
        OverQuota, Unavailable
            The disk would not, as of every removal here.
        """
        path = self.upload_path(user_id, token)
        try:
            self._look_path(user_id, token).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                sync_folder(path.parent)
        except OSError as error:
            raise told_of_disk(error) from error

    def new_folder(self, user_id: int) -> tuple[str, Path]:
        """Make the folder of one analysis; return its token and its path.

        Raises
        ------
        OverQuota, Unavailable
            The disk is full; it cannot be written.
        """
        token = secrets.token_hex(16)
        path = self.analysis_folder(user_id, token)
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise told_of_disk(error) from error
        return token, path

    def analysis_folder(self, user_id: int, token: str) -> Path:
        """Return where the files of an analysis stand."""
        return self._root / str(int(user_id)) / "analyses" / _plain(token)

    def drop_analysis(self, user_id: int, token: str) -> None:
        """Remove the files of an analysis."""
        self._remove(self.analysis_folder(user_id, token))

    def drop_user(self, user_id: int) -> None:
        """Remove everything of a user and see that it is gone."""
        self._remove(self._root / str(int(user_id)))

    def drop_empty(self, user_id: int) -> None:
        """Remove the empty folders of a user who is gone.

        One that a late worker still writes into is left to the sweep.
        """
        home = self._root / str(int(user_id))
        for folder in (home / "files", home / "looks", home / "analyses", home):
            with contextlib.suppress(OSError):
                folder.rmdir()

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
        now: float,
    ) -> int:
        """Remove what is an hour old and known to nobody; return how many things went.

        What is asked of the database is asked after the age is looked at: of two answers the later one counts.
        """
        before = now - _STRAY_SECONDS
        strays = [path for path in _children(self._root / "tmp") if _is_older(path, before)]
        for folder in _children(self._root):
            if not folder.name.isdecimal():
                continue
            user_id = int(folder.name)
            if not is_user(user_id):
                strays += [folder] if _is_older(folder, before) else []
                continue
            kinds = (("files", is_upload), ("looks", is_upload), ("analyses", is_analysis))
            for kind, is_known in kinds:
                strays += [
                    path
                    for path in _children(folder / kind)
                    if _is_older(path, before) and not is_known(user_id, path.name)
                ]
        n_removed = 0
        for path in strays:
            # The next sweep tries again.
            with contextlib.suppress(OverQuota, Unavailable):
                self._remove(path)
                n_removed += 1
        return n_removed

    def _remove(self, path: Path) -> None:
        """Take a thing away in one step, and then its parts.

        What a child process still writes to its folder has no place to go from then on; in a folder that
        stood until its last file is gone there would be a new one each time.
        """
        aside = self._root / "tmp" / secrets.token_hex(16)
        if path.is_dir() and path.parent != aside.parent:
            # A full disk, or Windows where one of the files is open: it goes from where it is.
            with contextlib.suppress(OSError):
                aside.parent.mkdir(parents=True, exist_ok=True)
                path.replace(aside)
                path = aside
        try:
            _remove_tree(path)
        except OSError as error:
            raise told_of_disk(error) from error


def told_of_disk(error: OSError) -> OverQuota | Unavailable:
    """Return what a client is told where a file could not be written."""
    if error.errno in _FULL:
        return OverQuota(_NO_SPACE)
    return Unavailable(
        "The server's disk cannot be written now. Try again; tell its operator.", reason="disk"
    )


def is_full_disk(error: BaseException) -> bool:
    """Tell whether something failed because the disk is full."""
    return isinstance(error, OSError) and error.errno in _FULL


def _forget(path: Path) -> None:
    """Remove a file where the disk lets it go; if not, the sweep does."""
    with contextlib.suppress(OSError):
        path.unlink()


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
    if os.name != "posix":  # pragma: no cover  # Windows opens no folder
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sync_tree(path: Path) -> None:
    """Make a folder, all that is in it, and its own name survive a power cut."""
    for one in _children(path):
        if one.is_dir():
            sync_tree(one)
            continue
        with one.open("rb+") as file:
            os.fsync(file.fileno())
    sync_folder(path)
    sync_folder(path.parent)


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


def _remove_tree(path: Path) -> None:
    """Remove a file or a folder, in which somebody may still be making files."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for _ in range(_MOST_REMOVALS):
        with contextlib.suppress(FileNotFoundError):
            try:
                shutil.rmtree(path)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
        if not path.exists():
            return
    raise OSError(errno.ENOTEMPTY, "files are still being made in it", str(path))
