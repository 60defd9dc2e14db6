"""The page of messages has the words that are said, and every message that keeps the service from starting."""

import ast
import re
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from docs import pages

PAGE = pages.DOCS / "how-to" / "troubleshooting.md"
PACKAGE = pages.REPOSITORY / "src" / "rfm_backend"
# Whatever can keep the service from starting is raised here.
AT_START = (
    "cli/listener.py",
    "cli/serve.py",
    "cli/service.py",
    "services/service.py",
    "settings",
    "storage/database.py",
    "storage/migrate.py",
)
# Said by Python itself.
NOT_OURS = ("ModuleNotFoundError: No module named ...",)


def messages() -> list[str]:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    return [found for row in rows for found in re.findall(r"`([^`]+)`", row.split(" | ")[0])]


def words_of(node: ast.AST) -> str:
    r"""Return the text of a string in the code, with \0 where something is put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(words_of(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return "\0"


@cache
def strings(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        words_of(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.Constant)
    ]


def says(text: str, message: str) -> bool:
    """Tell whether a text holds a message, whose three dots stand for anything."""
    at = 0
    for piece in message.split("..."):
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


@pytest.mark.parametrize("message", messages())
def test_each_message_of_the_page_is_said(message: str) -> None:
    if message in NOT_OURS:
        return
    assert any(says(text, message) for path in PACKAGE.rglob("*.py") for text in strings(path)), (
        message
    )


def raised_at_start() -> list[str]:
    paths = [
        path
        for name in AT_START
        for path in ([PACKAGE / name] if name.endswith(".py") else (PACKAGE / name).glob("*.py"))
    ]
    return [
        text
        for path in paths
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in ("InvalidOption", "MissingExtra", "OutputFailed", "Unavailable")
        for text in _alternatives(node.args[0])
    ]


def _alternatives(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [words_of(node.body), words_of(node.orelse)]
    return [words_of(node)]


@pytest.mark.parametrize("text", raised_at_start())
def test_what_keeps_the_service_from_starting_is_on_the_page(text: str) -> None:
    assert any(says(text, message) for message in messages()), text


def test_the_search_for_such_messages_finds_them() -> None:
    assert len(raised_at_start()) >= 10


def test_a_port_in_use_is_told_in_the_words_of_the_page(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = started(tmp_path, "--port", str(port))

    assert done.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use." in done.stderr


def test_a_folder_that_cannot_be_made_is_told_in_the_words_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = started(tmp_path, UPLOAD_DIR="file/uploads")

    assert done.returncode == 1
    assert "The folder file/uploads of UPLOAD_DIR cannot be used: Not a directory." in done.stderr


def started(folder: Path, *options: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Return how `rfm serve` ended that could not begin."""
    return subprocess.run(
        [sys.executable, "-m", "rfm_backend", "serve", "--no-worker", *options],
        cwd=folder,
        env={"FLASK_ENV": "development", **values},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
