"""Files appear whole or not at all."""

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rfm_backend.errors import OutputExists, OutputFailed
from rfm_backend.output.atomic import write_bytes, write_text, writing, writing_folder


def test_a_new_file_has_its_content_and_the_rights_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")

    write_text(tmp_path / "out.csv", "a\n", force=False)

    assert (tmp_path / "out.csv").read_bytes() == b"a\n"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_nothing_is_replaced_unless_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")

    with pytest.raises(OutputExists, match="say --force to replace it"):
        write_bytes(path, b"new", force=False)
    assert path.read_text() == "old"
    write_bytes(path, b"new", force=True)
    assert path.read_text() == "new"


def fail_half_way(path: Path, error: BaseException) -> None:
    with writing(path, force=True) as temporary:
        temporary.write_text("half")
        raise error


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")

    with pytest.raises(KeyboardInterrupt):
        fail_half_way(path, KeyboardInterrupt())

    assert [entry.name for entry in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_text() == "old"


@pytest.mark.parametrize(("name", "message"), [("no/such/out.csv", "no folder"), (".", "a folder")])
def test_a_place_where_nothing_can_be_written_is_told(
    tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(OutputFailed, match=message):
        write_text(tmp_path / name, "x", force=True)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    with pytest.raises(OutputFailed, match="the disk is full"):
        fail_half_way(path, OSError(errno.ENOSPC, "No space left on device"))

    assert not path.exists()


def test_a_process_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    code = (
        "import pathlib, sys, time\n"
        "from rfm_backend.output.atomic import writing\n"
        "with writing(pathlib.Path(sys.argv[1]), force=True) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    print('half', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        os.kill(writer.pid, signal.SIGKILL)

    assert path.read_text() == "old"


def write_parts(path: Path, *names: str, force: bool = False) -> None:
    with writing_folder(path, force=force) as folder:
        for name in names:
            (folder / name).write_text(name)


def test_a_folder_of_parts_replaces_parts_or_a_file_only_where_it_is_asked_for(
    tmp_path: Path,
) -> None:
    path = tmp_path / "out.parquet"
    write_parts(path, "part-00000.parquet", "part-00001.parquet")

    with pytest.raises(OutputExists):
        write_parts(path, "part-00000.parquet")
    write_parts(path, "part-00000.parquet", force=True)
    assert [part.name for part in path.iterdir()] == ["part-00000.parquet"]
    write_text(path, "a file", force=True)
    assert path.read_text() == "a file"
    write_parts(path, "part-00000.parquet", force=True)
    assert [part.name for part in path.iterdir()] == ["part-00000.parquet"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.parquet"]


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "photos"
    path.mkdir()
    (path / "part-00000.parquet").touch()
    (path / "cat.jpg").touch()

    with pytest.raises(OutputFailed, match="folder"):
        write_parts(path, "part-00000.parquet", force=True)
    with pytest.raises(OutputFailed, match="folder"):
        write_text(path, "x", force=True)
    assert (path / "cat.jpg").exists()


def fail_after_a_part(path: Path, error: BaseException) -> None:
    with writing_folder(path, force=True) as folder:
        (folder / "part-00000.parquet").write_text("half")
        raise error


def test_a_writer_of_parts_who_fails_leaves_the_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    write_parts(path, "part-00000.parquet")

    with pytest.raises(KeyboardInterrupt):
        fail_after_a_part(path, KeyboardInterrupt())

    assert (path / "part-00000.parquet").read_text() == "part-00000.parquet"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.parquet"]
