"""Backups: everything of the service in one folder, and the service again from such a folder.

    <folder>/backup.json        what made it, when, of which form
    <folder>/database.sqlite3   or database.sql
    <folder>/secret_key         in development alone, where the service made its key itself
    <folder>/uploads/           UPLOAD_DIR

In:  `ServiceSettings`, a folder.
Out: the folder, as of one moment, made while the service goes on; or an empty service, filled from it.

What always holds
    * a backup's folder appears once it is whole; a restore touches a service only where it is empty;
    * what the database names is among the files: they are copied before it for what is deleted
      meanwhile, and again after it for what came;
    * a restored file has the bytes that were uploaded: each is held against its SHA-256.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from rfm_backend.errors import InvalidOption, OutputExists, OutputFailed, UnreadableFile
from rfm_backend.progress import Progress, Step
from rfm_backend.services.service import KEY_FILE, key_mark, key_marks
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage import uploads
from rfm_backend.storage.copying import copy_in, copy_out, is_empty
from rfm_backend.storage.database import open_database
from rfm_backend.storage.files import FileStore
from rfm_backend.storage.migrate import create_database, is_known_form, migrate, revision_of

_HEAD: Final = "backup.json"
_FILES: Final = "uploads"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore found: ``damaged`` names uploads whose bytes are missing or are others."""

    made_at: str
    n_files: int
    damaged: tuple[int, ...]


def back_up(settings: ServiceSettings, folder: Path, progress: Progress) -> None:
    """Write everything of the service into `folder`, which must not be there yet.

    Raises
    ------
    OutputExists
        `folder` is there already.
    OutputFailed
        It cannot be written: no such place, no permission, no space.
    Unavailable, MissingExtra
        As of `copy_out`.
    """
    if folder.exists():
        raise OutputExists(f"{folder} exists already. Choose another name.", path=str(folder))
    part = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700, parents=True)
        _copy_files(settings.upload_dir, part / _FILES, progress)
        database = part / _database_name(settings)
        copy_out(settings, database)
        _copy_files(settings.upload_dir, part / _FILES, progress)
        _copy_key(settings.data_dir / KEY_FILE, part / KEY_FILE)
        head = {
            "version": version("rfm-backend"),
            "form": revision_of(settings),
            "made_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "database": {"name": database.name, "sha256": _sha256(database)},
            "key_mark": key_mark(settings),
        }
        (part / _HEAD).write_text(json.dumps(head, indent=2) + "\n", "utf-8")
        part.rename(folder)
    except OSError as error:
        raise OutputFailed(
            f"The backup could not be written: {error.strerror}.", path=str(folder)
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def restore(settings: ServiceSettings, folder: Path, progress: Progress) -> Restored:
    """Fill an empty service from a backup, and bring it to this version's form.

    Raises
    ------
    UnreadableFile
        `folder` is no backup, is damaged, or was made by a newer version or over the other database.
    InvalidOption
        The service is not empty, or its SECRET_KEY is another one.
    OutputFailed
        Files cannot be written.
    """
    head = _head(settings, folder)
    _check_target(settings)
    try:
        _copy_key(folder / KEY_FILE, settings.data_dir / KEY_FILE)
        if head["key_mark"] not in key_marks(settings):
            raise InvalidOption(
                "SECRET_KEY is not the one that the backup was made with: no password and no token of it "
                "would hold. Set the old one, then restore again.",
                setting="SECRET_KEY",
            )
        _copy_files(folder / _FILES, settings.upload_dir, progress)
        # Last, because a row is what makes a file known.
        copy_in(settings, folder / _database_name(settings))
    except OSError as error:
        raise OutputFailed(f"The backup could not be restored: {error.strerror}.") from error
    migrate(settings)
    n_files, damaged = _check_files(settings)
    return Restored(made_at=str(head["made_at"]), n_files=n_files, damaged=damaged)


def _head(settings: ServiceSettings, folder: Path) -> dict[str, object]:
    """Return what a backup says of itself, once it can be restored here."""
    try:
        head = json.loads((folder / _HEAD).read_text("utf-8"))
        kept, digest = head["database"]["name"], head["database"]["sha256"]
        form, _ = head["form"], (head["made_at"], head["key_mark"])
        is_whole = digest == _sha256(folder / str(kept))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableFile(
            f"{folder} is no backup, or a part of it is missing.", path=str(folder)
        ) from error
    if not is_whole:
        raise UnreadableFile(f"{kept} in {folder} is damaged.", path=str(folder))
    if kept != _database_name(settings):
        raise UnreadableFile(
            f"The backup is of {'MySQL' if kept.endswith('.sql') else 'SQLite'}, and the settings name the "
            "other database: a backup goes back to where it came from. Check DB_HOST.",
            path=str(folder),
        )
    if not is_known_form(form):
        raise UnreadableFile(
            f"The backup was made by version {head.get('version')}, which is newer than this one.",
            path=str(folder),
        )
    return dict(head)


def _check_target(settings: ServiceSettings) -> None:
    if settings.db_host:
        create_database(settings)
    files = settings.upload_dir
    if not is_empty(settings) or (files.is_dir() and any(files.iterdir())):
        raise InvalidOption(
            "The service is not empty, and a restore does not write over what is there. Name another "
            "RFM_DATA_DIR (or DB_NAME) and UPLOAD_DIR, or move the old ones away.",
        )


def _copy_files(source: Path, target: Path, progress: Progress) -> None:
    """Copy what is not there yet, or there in an older form; what goes meanwhile is left out."""
    target.mkdir(parents=True, exist_ok=True)
    found = list(_files_of(source))
    total, done = sum(size for _, size in found), 0
    for path, size in found:
        copy = target / path.relative_to(source)
        try:
            if not _is_same(path, copy):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, copy)
        except FileNotFoundError:
            continue
        done += size
        progress(Step(stage="copy", done=done, total=total, unit="bytes"))


def _files_of(root: Path) -> Iterator[tuple[Path, int]]:
    for folder, below, names in os.walk(root):
        if Path(folder) == root:
            # What is being received belongs to nobody yet.
            below[:] = [name for name in below if name != "tmp"]
        for name in names:
            path = Path(folder) / name
            try:
                yield path, path.stat().st_size
            except FileNotFoundError:
                continue


def _is_same(path: Path, copy: Path) -> bool:
    if not copy.exists():
        return False
    new, old = path.stat(), copy.stat()
    return (new.st_size, new.st_mtime_ns) == (old.st_size, old.st_mtime_ns)


def _check_files(settings: ServiceSettings) -> tuple[int, tuple[int, ...]]:
    """Hold every upload's bytes against their hash; return how many there are, and whose differ."""
    files, database = FileStore(settings.upload_dir), open_database(settings)
    try:
        known = database.read(uploads.all_bytes)
    finally:
        database.close()
    damaged = []
    for upload_id, user_id, token, sha256 in known:
        path = files.upload_path(user_id, token)
        if not path.exists() or _sha256(path) != sha256:
            damaged.append(upload_id)
    return len(known), tuple(damaged)


def _copy_key(source: Path, target: Path) -> None:
    if source.exists() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _database_name(settings: ServiceSettings) -> str:
    return "database.sql" if settings.db_host else "database.sqlite3"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
