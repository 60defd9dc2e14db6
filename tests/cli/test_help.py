import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from rfm_backend.cli import COMMANDS, rfm


def run(*arguments: str) -> str:
    found = CliRunner().invoke(rfm, list(arguments))
    assert found.exit_code == 0
    return found.output


def test_help_lists_every_command_with_its_line() -> None:
    shown = run("--help")

    for name, line in COMMANDS.items():
        assert f"{name:<7}  {line}" in shown


def test_help_loads_neither_rich_nor_the_engine_nor_any_command() -> None:
    script = (
        "import sys\n"
        "from rfm_backend.cli import rfm\n"
        "try:\n    rfm.main(['--help'])\n"
        "except SystemExit as left:\n    assert left.code == 0\n"
        "heavy = {'rich', 'duckdb', 'numpy', 'sklearn', 'rfm_backend.cli.segment', 'tomllib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_without_loading_the_engine(name: str) -> None:
    script = (
        "import sys\n"
        "from rfm_backend.cli import rfm\n"
        f"try:\n    rfm.main(['{name}', '--help'], 'rfm')\n"
        "except SystemExit as left:\n    assert left.code == 0\n"
        "print(sorted({'rich', 'duckdb', 'numpy', 'sklearn'} & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert f"Usage: rfm {name}" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_an_explanation(name: str) -> None:
    command = importlib.import_module(f"rfm_backend.cli.{name}").command

    options = [param for param in command.params if isinstance(param, click.Option)]

    assert command.name == name
    assert [option.name for option in options if not option.help] == []


def test_segment_has_the_options_that_are_promised() -> None:
    # The list of the command's specification.
    listed = (
        "--out --report --lang --force --map --save-map --use-map --keep --sheet --encoding "
        "--delimiter --decimal --date-format --level --snapshot-date --since --until --exclude "
        "--returns --duplicates --timezone --clusters --seed --segments --scores --by --currency "
        "--model --save-model --memory-limit --threads --json --quiet --set-aside "
        "--engine --spark-master --spark-folder --local-customers"
    )
    command = importlib.import_module("rfm_backend.cli.segment").command

    offered = {name for param in command.params for name in param.opts}

    assert {*listed.split(), "-o", "files"} == offered


def test_help_has_no_colours_where_it_is_no_terminal() -> None:
    assert "\x1b" not in run("segment", "--help")


def test_help_has_colours_on_a_terminal_unless_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = CliRunner().invoke(rfm, ["--help"], color=True).output
    monkeypatch.setenv("NO_COLOR", "1")
    plain = CliRunner().invoke(rfm, ["--help"], color=True).output

    assert "\x1b[36msample" in coloured
    assert "\x1b" not in plain


def test_help_fits_eighty_columns() -> None:
    assert max(len(line) for line in run("segment", "--help").splitlines()) <= 80


def test_the_version_is_told() -> None:
    assert run("--version").startswith("rfm ")


def test_an_unknown_command_is_wrong_usage() -> None:
    found = CliRunner().invoke(rfm, ["segmnt"])

    assert found.exit_code == 2
    assert "No such command 'segmnt'" in found.stderr
    assert "rfm --help" in found.stderr
