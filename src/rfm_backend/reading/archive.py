"""Archives: .zip and .gz, unpacked with a look at every promise they make.

In:  a file that begins like a zip or gzip archive and is no workbook.
Out: the unpacked members in the work folder, with the names that a person knows them by.

What always holds
    * nothing is unpacked beyond the limits, whatever the archive declares;
    * no name of an archive becomes a path;
    * a member is unpacked whole, with its checksum right, or the archive is refused.
"""

import gzip
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final

from rfm_backend.errors import UnreadableFile, UnsafeFile
from rfm_backend.progress import Progress, Step

MOST_ENTRIES: Final = 1000
# What an archive of text may hold; a text packs well, a bomb packs a thousand times.
MOST_UNPACKED_BYTES: Final = 20 * 1024**3
FREE_BYTES: Final = 64 * 1024**2
MOST_RATIO: Final = 50
_CHUNK: Final = 1024 * 1024
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IGNORED: Final = ("__MACOSX/",)
_ENCRYPTED: Final = 0x1


def unpack_gzip(path: Path, name: str, *, workdir: Path, progress: Progress) -> tuple[str, Path]:
    """Return the name and the path of what a .gz holds."""
    target = Path(tempfile.mkdtemp(dir=workdir)) / "unpacked"
    inner = name.removesuffix(".gz") if name.endswith(".gz") else f"{name} (unpacked)"
    try:
        with gzip.open(path) as stream:
            _copy(stream, target, name, packed=path.stat().st_size, progress=progress)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(
            f"{name} is a damaged gzip archive: it ends early or its checksum is wrong.", file=name
        ) from error
    return inner, target


def unpack_zip(
    path: Path, name: str, *, workdir: Path, progress: Progress
) -> list[tuple[str, Path]]:
    """Return (name, path) of every file in a .zip, in the archive's order.

    Raises
    ------
    UnsafeFile
        Too many entries, too large, packed too well, encrypted, or an unknown way of packing.
    UnreadableFile
        Damaged, or empty.
    """
    folder = Path(tempfile.mkdtemp(dir=workdir))
    try:
        with zipfile.ZipFile(path) as archive:
            members = check_entries(archive, name, most_bytes=MOST_UNPACKED_BYTES)
            return [
                (
                    f"{name}/{PurePosixPath(member.filename).name}",
                    _unpack_member(archive, member, name, folder / f"unpacked-{place}", progress),
                )
                for place, member in enumerate(members)
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise damaged(name) from error


def check_entries(archive: zipfile.ZipFile, name: str, *, most_bytes: int) -> list[zipfile.ZipInfo]:
    """Return the files of an archive whose declared sizes, names and ways of packing are in order."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise UnsafeFile(
            f"{name} holds {len(entries):,} entries; at most {MOST_ENTRIES:,} are opened.",
            file=name,
        )
    members = [
        entry
        for entry in entries
        if not entry.is_dir()
        and not entry.filename.startswith(_IGNORED)
        and not PurePosixPath(entry.filename).name.startswith(".")
    ]
    if not members:
        raise UnreadableFile(f"{name} is an archive without a file in it.", file=name)
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise UnsafeFile(f"{name} holds two entries of one name.", file=name)
    for entry in members:
        if entry.flag_bits & _ENCRYPTED:
            raise UnsafeFile(
                f"{name} is encrypted. Unpack it with its password and give the files.",
                file=name,
                reason="encrypted",
            )
        if entry.compress_type not in _METHODS:
            raise UnsafeFile(f"{name} is packed in a way that is not opened here.", file=name)
    check_size(
        name,
        unpacked=sum(entry.file_size for entry in members),
        packed=sum(entry.compress_size for entry in members),
        most_bytes=most_bytes,
    )
    return members


def check_size(name: str, *, unpacked: int, packed: int, most_bytes: int) -> None:
    """Refuse what is too large, or packed better than a table can be."""
    if unpacked > most_bytes:
        raise UnsafeFile(
            f"{name} unpacks to more than {most_bytes / 1024**3:g} GiB; larger ones are not opened.",
            file=name,
            unpacked_bytes=unpacked,
        )
    if unpacked > FREE_BYTES and unpacked > MOST_RATIO * max(packed, 1):
        raise UnsafeFile(
            f"{name} unpacks to more than {MOST_RATIO} times its size, as no table does: it is "
            "taken for a decompression bomb and not opened.",
            file=name,
            unpacked_bytes=unpacked,
        )


def damaged(name: str) -> UnreadableFile:
    """Return the refusal of an archive that does not keep its promises."""
    return UnreadableFile(
        f"{name} is a damaged zip archive: it ends early, or its sizes or checksums are wrong. "
        "Export or download it again.",
        file=name,
    )


def _unpack_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, target: Path, progress: Progress
) -> Path:
    with archive.open(member) as stream:
        _copy(stream, target, name, packed=member.compress_size, progress=progress)
    return target


def _copy(
    stream: IO[bytes] | gzip.GzipFile,
    target: Path,
    name: str,
    *,
    packed: int,
    progress: Progress,
) -> None:
    """Write a stream to a file, counting what comes instead of believing what was declared."""
    done = 0
    with target.open("wb") as writing:
        while chunk := stream.read(_CHUNK):
            done += len(chunk)
            check_size(name, unpacked=done, packed=packed, most_bytes=MOST_UNPACKED_BYTES)
            writing.write(chunk)
            progress(Step(stage="unpack", done=done, total=None, unit="bytes"))
