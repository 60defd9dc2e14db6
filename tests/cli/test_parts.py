"""The small parts of the command: maps, progress bars, where files go."""

import io
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rfm_backend import columns as c
from rfm_backend.catalogue import words
from rfm_backend.cli import bars as bars_module
from rfm_backend.cli.bars import Bars, count_text
from rfm_backend.cli.mapfile import map_text, read_map
from rfm_backend.cli.outputs import Destinations, check_destinations
from rfm_backend.errors import InvalidOption, OutputExists, OutputFailed
from rfm_backend.output.tables import model_path
from rfm_backend.progress import Step


@given(st.dictionaries(st.sampled_from(c.ROLES), st.text(st.characters(codec="utf-8"))))
def test_a_map_reads_back_as_it_was_written(columns: dict[str, str]) -> None:
    path = Path("/tmp") / "rfm-test-map.toml"  # noqa: S108  (hypothesis and tmp_path do not mix)
    path.write_text(map_text(columns), "utf-8", newline="\n")
    try:
        assert read_map(path) == columns
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no toml at all", "is no map"),
        ("[other]\nx = 1\n", "[columns]"),
        ("[columns]\ncustomer_id = 7\n", "[columns]"),
        ('[columns]\nbuyer = "A"\n', "buyer"),
        ("columns = 3\n", "[columns]"),
    ],
)
def test_a_file_that_is_no_map_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text)

    with pytest.raises(InvalidOption) as raised:
        read_map(path)

    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (Step(stage="read", done=20_500, total=541_909, unit="rows"), "20,500 of 541,909 rows"),
        (Step(stage="read", done=20_500, total=None, unit="rows"), "20,500 rows"),
        (Step(stage="read", done=1_500_000, total=2_000_000, unit="bytes"), "1.5 of 2.0 MB"),
        (Step(stage="read", done=45, total=100, unit="percent"), "45 %"),
        (Step(stage="cluster", done=0, total=None, unit="rows"), ""),
    ],
)
def test_a_step_is_told_in_its_unit(step: Step, shown: str) -> None:
    assert count_text(step, words("en")) == shown


def terminal() -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, width=100), stream


def test_the_bar_is_shown_after_a_while_with_rows_and_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bars_module, "_PATIENCE_SECONDS", 0.05)
    console, stream = terminal()

    with Bars(console, words("en")) as bars:
        bars(Step(stage="read", done=10, total=100, unit="rows"))
        time.sleep(0.3)
        bars(Step(stage="read", done=50, total=100, unit="rows"))
        bars(Step(stage="cluster", done=0, total=None, unit="rows"))
        time.sleep(0.2)

    drawn = stream.getvalue()
    assert "Reading" in drawn
    assert "10 of 100 rows" in drawn
    assert "Clustering" in drawn
    # The last that happens is that the line is wiped.
    assert drawn.endswith("\x1b[2K")


def test_work_that_is_done_at_once_draws_nothing() -> None:
    console, stream = terminal()

    with Bars(console, words("en")) as bars:
        bars(Step(stage="read", done=10, total=100, unit="rows"))

    assert stream.getvalue() == ""


def test_nothing_is_drawn_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bars_module, "_PATIENCE_SECONDS", 0.0)
    stream = io.StringIO()

    with Bars(Console(file=stream), words("en")) as bars:
        bars(Step(stage="read", done=10, total=100, unit="rows"))
        time.sleep(0.1)

    assert stream.getvalue() == ""


def test_every_result_but_json_has_its_model_beside_it(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.csv", "a.xlsx", "b.parquet", "c.json")]
    told = Destinations(results=(*map(str, paths), "-"))

    models = {path for what, path in told.files() if what == "model"}

    assert models == {model_path(path) for path in paths[:3]}
    assert told.takes_stdout


def check(destinations: Destinations, *, force: bool = False) -> None:
    check_destinations(destinations, inputs=(), force=force, json_summary=False)


def test_two_names_for_one_file_are_one_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="twice"):
        check(
            Destinations(
                results=(str(tmp_path / "a.csv"),), set_aside=tmp_path / "x" / ".." / "a.csv"
            )
        )


def test_force_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()

    with pytest.raises(OutputFailed, match="folder"):
        check(Destinations(results=(str(tmp_path / "a.csv"),)), force=True)


def test_force_replaces_a_folder_of_parts(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").mkdir()
    (tmp_path / "a.parquet" / "part-00000.parquet").touch()

    check(Destinations(results=(str(tmp_path / "a.parquet"),)), force=True)
    with pytest.raises(OutputExists):
        check(Destinations(results=(str(tmp_path / "a.parquet"),)))


@pytest.mark.parametrize(
    ("address", "engine", "is_fine"),
    [
        ("s3a://shop/segments.parquet", "spark", True),
        ("s3a://shop/segments.parquet", "duckdb", False),
        ("s3a://shop/segments.csv", "spark", False),
    ],
)
def test_an_address_is_for_spark_and_parquet(address: str, engine: str, is_fine: bool) -> None:
    destinations = Destinations(results=(address,))
    caught = None

    try:
        check_destinations(destinations, inputs=(), force=False, json_summary=False, engine=engine)
    except InvalidOption as error:
        caught = error.message

    assert (caught is None) is is_fine
    assert caught is None or address in caught
    assert list(destinations.files()) == []


def test_force_is_asked_for_once_something_is_there(tmp_path: Path) -> None:
    (tmp_path / "r.html").touch()

    check(Destinations(report=tmp_path / "r.html"), force=True)
    with pytest.raises(OutputExists, match=r"r\.html"):
        check(Destinations(report=tmp_path / "r.html"))
