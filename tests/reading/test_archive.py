"""Archives: what is in them is read; what would flood, hide or lie is refused before that."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from rfm_backend.errors import RfmError, UnreadableFile, UnsafeFile
from rfm_backend.progress import no_progress
from rfm_backend.reading.archive import check_size
from rfm_backend.reading.source import open_tables
from rfm_backend.text_table import ReadChoices, TextTable

TEXT = "who,day,sum\nann,2024-01-05,1\nbob,2024-02-01,2\n"


def tables_of(path: Path) -> list[TextTable]:
    folder = path.parent / "work"
    folder.mkdir()
    return open_tables(path, choices=ReadChoices(), workdir=folder, progress=no_progress)


def zipped(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_gzip_holds_one_table(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode()))

    (table,) = tables_of(path)

    assert (table.name, table.columns) == ("sales.csv", ("who", "day", "sum"))


def test_every_table_of_a_zip_is_read_and_the_rest_left_alone(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "year.zip",
        {
            "2024/january.csv": TEXT,
            "2024/february.csv": TEXT,
            "README.txt": "for your accountant",
            "__MACOSX/2024/._january.csv": b"\x00\x05\x16",
            ".DS_Store": b"\x00",
        },
    )

    assert [table.name for table in tables_of(path)] == [
        "year.zip/january.csv",
        "year.zip/february.csv",
    ]


def test_a_kind_is_told_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "sales.xlsx"
    path.write_bytes(gzip.compress(TEXT.encode()))

    assert tables_of(path)[0].format == "csv"


def test_no_name_of_an_archive_becomes_a_path(tmp_path: Path) -> None:
    path = zipped(tmp_path / "sales.zip", {"../../evil.csv": TEXT})

    (table,) = tables_of(path)

    assert table.path is not None
    assert (tmp_path / "work") in table.path.parents
    assert not (tmp_path.parent / "evil.csv").exists()


def nested() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("sales.csv", TEXT)
    return held.getvalue()


@pytest.mark.parametrize(
    ("members", "kind", "message"),
    [
        ({}, UnreadableFile, "without a file in it"),
        ({"inner.zip": nested()}, UnreadableFile, "an archive inside an archive"),
        ({f"{n}.csv": TEXT for n in range(1001)}, UnsafeFile, "1,001 entries; at most 1,000"),
        ({"sales.csv": b"0" * (65 * 1024**2)}, UnsafeFile, "more than 50 times its size"),
        ({"a.txt": "x", "b.md": "y"}, UnreadableFile, "holds no table of sales"),
    ],
    ids=["nothing", "archive", "entries", "bomb", "no table"],
)
def test_a_zip_that_is_no_table_is_refused(
    tmp_path: Path, members: dict[str, str | bytes], kind: type[RfmError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        tables_of(zipped(tmp_path / "sales.zip", members))


def test_a_gzip_that_unpacks_too_far_is_refused_while_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"0" * (65 * 1024**2)))

    with pytest.raises(UnsafeFile, match="decompression bomb"):
        tables_of(path)


@pytest.mark.parametrize("keep", [0.3, 0.9], ids=["early", "late"])
def test_a_truncated_archive_is_damaged(tmp_path: Path, keep: float) -> None:
    content = gzip.compress(TEXT.encode() * 100)
    path = tmp_path / "sales.csv.gz"
    path.write_bytes(content[: int(len(content) * keep)])

    with pytest.raises(UnreadableFile, match="damaged gzip"):
        tables_of(path)


def test_a_wrong_checksum_is_damaged(tmp_path: Path) -> None:
    path = zipped(tmp_path / "sales.zip", {"sales.csv": TEXT * 50})
    content = bytearray(path.read_bytes())
    # The checksum of the only member: 14 bytes into its local header, 16 into its directory entry.
    content[14] ^= 0xFF
    content[content.index(b"PK\x01\x02") + 16] ^= 0xFF
    path.write_bytes(bytes(content))

    with pytest.raises(UnreadableFile, match="damaged zip"):
        tables_of(path)


def test_what_unpacks_to_more_than_the_limit_is_refused_however_it_is_packed() -> None:
    check_size("x.zip", unpacked=1_000, packed=1_000, most_bytes=1_000)

    with pytest.raises(UnsafeFile, match="unpacks to more than"):
        check_size("x.zip", unpacked=1_001, packed=1_001, most_bytes=1_000)


def test_above_64_mib_a_ratio_of_50_is_the_most() -> None:
    free, limit = 64 * 1024**2, 1024**3
    check_size("x.zip", unpacked=free, packed=1, most_bytes=limit)
    check_size("x.zip", unpacked=50 * 2 * 1024**2, packed=2 * 1024**2, most_bytes=limit)

    with pytest.raises(UnsafeFile, match="decompression bomb"):
        check_size("x.zip", unpacked=50 * 2 * 1024**2 + 1, packed=2 * 1024**2, most_bytes=limit)
