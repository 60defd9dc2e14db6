"""How far a job is: what its child notes is what its worker reads."""

from pathlib import Path

from rfm_backend.jobs.progress_file import ProgressFile, drop_progress, read_progress
from rfm_backend.progress import Step


def test_a_worker_reads_what_the_child_noted_last(tmp_path: Path) -> None:
    note = ProgressFile(tmp_path)
    before = read_progress(tmp_path)

    note(Step(stage="read", done=10, total=200, unit="bytes"))
    note(Step(stage="cluster", done=0, total=None, unit="rows"))
    noted = read_progress(tmp_path)
    drop_progress(tmp_path)

    assert before == ("start", None, None)
    assert noted == ("cluster", 0, None)
    assert list(tmp_path.iterdir()) == []


def test_a_step_is_noted_from_a_hundredth_of_its_stage_on(tmp_path: Path) -> None:
    note = ProgressFile(tmp_path)

    note(Step(stage="read", done=500, total=1_000, unit="bytes"))
    note(Step(stage="read", done=509, total=1_000, unit="bytes"))
    too_near = read_progress(tmp_path)
    note(Step(stage="read", done=511, total=1_000, unit="bytes"))
    far_enough = read_progress(tmp_path)
    note(Step(stage="aggregate", done=51, total=100, unit="percent"))

    assert too_near == ("read", 500, 1_000)
    assert far_enough == ("read", 511, 1_000)
    assert read_progress(tmp_path) == ("aggregate", 51, 100)


def test_what_is_half_written_is_no_progress(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text('{"stage": "re')

    assert read_progress(tmp_path) == ("start", None, None)
