"""The folder of all files: what a disk refuses, what somebody takes away meanwhile, and what a sweep leaves."""

import errno
import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from rfm_backend.errors import OverQuota, TooLarge, Unavailable
from rfm_backend.storage.files import FileStore, is_full_disk, stand_under_name

if sys.platform != "win32":
    import resource

_NOBODY = 65534
_MANY = 100 * 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "uploads")


@contextmanager
def files_end_at(n_bytes: int) -> Iterator[None]:
    """Have the system refuse to write any file further than this, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def held_by_others(folder: Path) -> Iterator[None]:
    """Have this process no right to change a folder."""
    is_root = os.geteuid() == 0
    folder.chmod(0o555)
    if is_root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


def swept(
    store: FileStore,
    now: float,
    *,
    is_upload: Callable[[int, str], bool] = lambda *_: False,
    users: Sequence[int] = (1,),
) -> int:
    """Sweep as if only these users and uploads were known; return how many things went."""
    return store.sweep(
        is_upload=is_upload, is_analysis=lambda *_: False, is_user=users.__contains__, now=now
    )


def next_descriptor() -> int:
    """Return the least number that no open file of this process has."""
    handle = os.open(os.devnull, os.O_RDONLY)
    os.close(handle)
    return handle


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "full"), True),
        (OSError(errno.EDQUOT, "full for him"), True),
        (OSError(errno.EIO, "broken"), False),
        (ValueError("none of a disk"), False),
    ],
)
def test_a_full_disk_is_told_from_other_faults(error: Exception, *, is_full: bool) -> None:
    assert is_full_disk(error) is is_full


def test_what_a_disk_refuses_is_told_and_nothing_is_left_of_it(
    store: FileStore, tmp_path: Path
) -> None:
    with files_end_at(1024 * 1024), pytest.raises(OverQuota):
        store.receive(io.BytesIO(bytes(2 * 1024 * 1024)), most_bytes=_MANY)

    assert entries(tmp_path) == []


@pytest.mark.parametrize("size", [10, 11])
def test_as_many_bytes_as_may_come_are_taken_and_one_more_is_not(
    store: FileStore, tmp_path: Path, size: int
) -> None:
    if size == 10:
        received = store.receive(io.BytesIO(bytes(size)), most_bytes=10)
        assert (received.size_bytes, received.path.read_bytes()) == (10, bytes(10))
        return
    with pytest.raises(TooLarge):
        store.receive(io.BytesIO(bytes(size)), most_bytes=10)
    assert entries(tmp_path) == []


def test_what_was_seen_of_a_file_is_lost_on_a_full_disk_and_nothing_else(
    store: FileStore, tmp_path: Path
) -> None:
    with files_end_at(0):
        store.note_look(1, "abc", "seen")

    assert store.read_look(1, "abc") is None
    assert entries(tmp_path) == []
    store.note_look(1, "abc", "seen")
    assert store.read_look(1, "abc") == "seen"


def test_bytes_that_went_before_they_had_their_place_are_told(store: FileStore) -> None:
    received = store.receive(io.BytesIO(b"x"), most_bytes=_MANY)
    received.path.unlink()

    with pytest.raises(Unavailable):
        store.keep(received, user_id=1)


def test_a_folder_that_cannot_be_made_is_told(store: FileStore, tmp_path: Path) -> None:
    home = tmp_path / "uploads" / "1"
    home.mkdir(parents=True)
    (home / "analyses").write_text("no folder")

    with pytest.raises(Unavailable):
        store.new_folder(1)


def test_a_folder_that_cannot_be_removed_is_told_and_left_to_the_next_sweep() -> None:
    # Not in pytest's own folder, which nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        store = FileStore(Path(folder))
        token, path = store.new_folder(1)
        (path / "a").write_text("x")
        with held_by_others(path):
            with pytest.raises(Unavailable):
                store.drop_analysis(1, token)
            n_removed = swept(store, path.stat().st_mtime + 3601)
        assert n_removed == 0
        assert entries(Path(folder)) == ["a"]

        store.drop_analysis(1, token)
        assert entries(Path(folder)) == []


class Filling:
    """Somebody who makes a file in a folder each time that it is to be removed, `times` times."""

    path = ""
    times = 0

    def look(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.rmdir" and self.times and str(arguments[0]) == self.path:
            self.times -= 1
            Path(self.path, f"late{self.times}").touch()


FILLING = Filling()


@pytest.fixture(scope="module")
def _watched() -> None:
    # A hook stays for the life of the process: this one does nothing but for these tests.
    sys.addaudithook(FILLING.look)


@pytest.mark.usefixtures("_watched")
@pytest.mark.parametrize(("times", "goes"), [(3, True), (20, False)])
def test_a_folder_that_fills_while_it_goes_is_tried_again_but_not_for_ever(
    store: FileStore, tmp_path: Path, times: int, goes: bool
) -> None:
    path = tmp_path / "uploads" / "tmp" / "busy"
    path.mkdir(parents=True)
    (path / "a").touch()
    FILLING.path, FILLING.times = str(path), times

    n_removed = swept(store, path.stat().st_mtime + 3601)

    FILLING.times = 0
    assert (n_removed, path.exists()) == (int(goes), not goes)


def test_a_sweep_takes_what_is_old_and_of_nobody_and_nothing_else(
    store: FileStore, tmp_path: Path
) -> None:
    root = tmp_path / "uploads"
    for name in ("1/files/kept", "1/files/lost", "1/files/then", "2/files/a", "3/files/b", "x/y/z"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    old, young = 10_000.0, 20_000.0
    for path in root.rglob("*"):
        os.utime(path, (old, old))
    os.utime(root / "3", (young, young))

    def is_upload(user_id: int, token: str) -> bool:
        # While one is asked about, another goes.
        (root / "1/files/then").unlink(missing_ok=True)
        return (user_id, token) == (1, "kept")

    n_removed = swept(store, old + 3600.5, is_upload=is_upload)

    assert n_removed == 2
    assert entries(root) == ["b", "kept", "z"]


def test_a_sweep_goes_on_past_what_is_none_of_its_own_and_past_users_who_are_gone(
    store: FileStore, tmp_path: Path
) -> None:
    folder = tmp_path / "uploads"
    for path in ("+", "1", "2/files"):
        (folder / path).mkdir(parents=True)
    (folder / "2" / "files" / "a").touch()
    for path in ("+", "1", "2/files/a"):
        os.utime(folder / path, (0, 0))

    assert swept(store, 10_000.0, users=(2,)) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["+", "2", "tmp"]


def test_a_sweep_leaves_what_is_not_an_hour_old(store: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "uploads" / "tmp" / "a"
    path.parent.mkdir(parents=True)
    path.touch()
    os.utime(path, (10_000, 10_000))

    for now, n_removed in ((13_600.0, 0), (13_600.5, 1)):
        assert swept(store, now) == n_removed


@pytest.mark.parametrize("token", ["../1", "", "é", "a/b", "a.b"])
def test_a_name_that_is_no_token_leads_nowhere(store: FileStore, token: str) -> None:
    with pytest.raises(ValueError):
        store.upload_path(1, token)


def test_a_file_is_copied_where_no_link_can_be_made(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("rows")
    (tmp_path / "there").mkdir()
    # Something has the name already, so that the system refuses the link.
    (tmp_path / "there" / "a_b.csv").write_text("old")

    shown = stand_under_name(source, "a/b.csv", tmp_path / "there")

    assert (shown.name, shown.is_symlink(), shown.read_text()) == ("a_b.csv", False, "rows")


def test_a_name_keeps_every_mark_that_the_system_takes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("rows")
    (tmp_path / "there").mkdir()

    shown = stand_under_name(source, 'Q1: "a\\b|c"?*<é>.csv', tmp_path / "there")

    kept = "Q1_ _a_b_c____é_.csv" if os.name == "nt" else 'Q1: "a\\b|c"?*<é>.csv'
    assert (shown.name, shown.read_text()) == (kept, "rows")


def test_what_is_kept_is_not_kept_open(store: FileStore) -> None:
    before = next_descriptor()

    for _ in range(10):
        store.keep(store.receive(io.BytesIO(b"x"), most_bytes=_MANY), user_id=1)

    assert next_descriptor() == before


def test_a_users_folder_that_goes_while_a_file_comes_is_made_again(
    store: FileStore, tmp_path: Path
) -> None:
    ended = threading.Event()

    def remove() -> None:
        while not ended.is_set():
            store.drop_empty(1)

    removing = threading.Thread(target=remove)
    removing.start()
    tokens = []
    for _ in range(50):
        received = store.receive(io.BytesIO(b"x"), most_bytes=_MANY)
        tokens.append(store.keep(received, user_id=1))
        store.upload_path(1, tokens[-1]).rename(tmp_path / tokens[-1])
    ended.set()
    removing.join()

    assert entries(tmp_path) == sorted(tokens)
