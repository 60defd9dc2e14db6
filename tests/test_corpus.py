"""Every hostile and odd file gives a result or a clear refusal, soon, and never anything else."""

import time
from pathlib import Path

import pytest

import rfm_backend
from rfm_backend.errors import UnusableInput

# The files go to as many tests, so that they run side by side.
N_SHARES = 12
MOST_SECONDS = 10


def corpus_files(data_dir: Path) -> list[Path]:
    files = [path for path in sorted((data_dir / "corpus").rglob("*")) if path.is_file()]
    return [path for path in files if path.suffix not in (".md", ".py")]


@pytest.mark.slow
@pytest.mark.parametrize("share", range(N_SHARES))
def test_a_file_gives_a_result_or_a_refusal_in_words(data_dir: Path, share: int) -> None:
    files = corpus_files(data_dir)
    assert len(files) > 400

    for path in files[share::N_SHARES]:
        began = time.monotonic()
        try:
            rfm_backend.segment(path).close()
        except UnusableInput as refusal:
            words = refusal.message
            assert len(words) > 20, path
            assert str(path.parent) not in words, path
            assert "Error" not in words, path
            assert "duckdb" not in words.lower(), path
        assert time.monotonic() - began < MOST_SECONDS, path


def test_the_sound_files_in_other_clothes_give_one_result(data_dir: Path, tmp_path: Path) -> None:
    files = sorted((data_dir / "corpus" / "csv" / "synthetic").glob("ok_*"))
    assert len(files) == 13
    plain = data_dir / "corpus" / "csv" / "synthetic" / "ok.csv"

    results = {}
    for path in [plain, *files]:
        with rfm_backend.segment(path) as result:
            result.to_csv(tmp_path / "out.csv", force=True)
        results[path.name] = (tmp_path / "out.csv").read_bytes()

    assert {name for name, out in results.items() if out != results["ok.csv"]} == set()
