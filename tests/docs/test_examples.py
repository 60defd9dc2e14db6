"""The examples of the documentation run, and print what the page says they print."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from docs import pages

BINARIES = Path(sys.executable).parent
QUICK = ("README.md", "docs/start/cli.md")

# What a translated page shows is what the English one shows (test_languages.py), which runs.
TRANSLATED = {indonesian for _, indonesian in pages.twins()}
WITH_EXAMPLES = [
    pytest.param(page, id=pages.name_of(page), marks=[] if name in QUICK else [pytest.mark.slow])
    for page in pages.all_pages()
    if page not in TRANSLATED
    and (name := pages.name_of(page))
    and any(block.language in ("bash", "python") for block in pages.blocks(page))
]


def run(block: pages.Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one example as a reader would, with the commands of this environment."""
    program = ["bash", "-eo", "pipefail", "-c"] if block.language == "bash" else ["python", "-c"]
    kept = ("HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")
    return subprocess.run(
        [*program, block.text],
        cwd=folder,
        env={name: os.environ[name] for name in kept if name in os.environ}
        | {"PATH": f"{BINARIES}:{os.environ['PATH']}", "COLUMNS": "100", "PYTHONWARNINGS": "error"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_of_a_page_do_what_it_says(page: Path, tmp_path: Path) -> None:
    try:
        run_page(page, tmp_path)
    finally:
        # A page that broke off leaves the service that it started.
        if (tmp_path / "service.pid").exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int((tmp_path / "service.pid").read_text()), signal.SIGTERM)


def run_page(page: Path, folder: Path) -> None:
    """Run the examples of a page, in order."""
    printed = ""
    for block in pages.blocks(page):
        where = f"{pages.name_of(page)}:{block.line}"
        if block.language in ("bash", "python"):
            code = int(block.attributes.partition("exit=")[2] or 0)
            done = run(block, folder)
            printed = done.stdout
            assert done.returncode == code, f"{where} ended with {done.returncode}:\n{printed}"
        elif block.language == "text" and block.follows_example:
            assert pages.matches(block.text, printed), f"{where} printed:\n{printed}"


@pytest.mark.parametrize(
    ("expected", "printed", "fits"),
    [
        ("a\nb", "x\na  \nb\n", True),
        ("a\n...\nd", "a\nb\nc\nd\n", True),
        ("a\n...\nd", "d\na\n", False),
        ("a.c", "abc", False),
    ],
)
def test_an_answer_fits_line_by_line(expected: str, printed: str, *, fits: bool) -> None:
    assert pages.matches(expected, printed) is fits
