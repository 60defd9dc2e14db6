"""The code keeps the rules of the house, and each guard is seen to refuse a planted breach."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from architecture import guards

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "src" / "rfm_backend"
Guard = Callable[[Path], list[str]]

HEADED = '"""Says what it is for."""\n'
LONG_MODULE = HEADED + "X = 1\n" * 420
LONG_FUNCTION = HEADED + 'def count() -> None:\n    """Count."""\n' + "    x = 1\n" * 50
BROAD = HEADED + "try:\n    X = 1\nexcept Exception:\n    X = 2\n"
BARE = HEADED + "try:\n    X = 1\nexcept:\n    X = 2\n"
BROAD_TUPLE = HEADED + "try:\n    X = 1\nexcept (OSError, BaseException):\n    X = 2\n"
READS_ENVIRONMENT = HEADED + "import os\n\nX = os.environ\n"
TELLS_A_FLAG = HEADED + "raise ValueError(f'{1} is odd. ' 'Say --odd yes.')\n"

DANGEROUS = [
    "import pickle",
    "from marshal import loads",
    "import joblib\n\nX = joblib.load('model')",
    "X = eval('1')",
    "exec('X = 1')",
    "import os\n\nos.system('ls')",
    "import subprocess\n\nsubprocess.run('ls', shell=True)",
    "import numpy as np\n\nX = np.load('a.npy', allow_pickle=True)",
    "import pandas as pd\n\nX = pd.read_pickle('a')",
    "import yaml\n\nX = yaml.load('a')",
]

PLANTED: list[tuple[Guard, str, str]] = [
    (guards.long_modules, "reading/long.py", LONG_MODULE),
    (guards.long_functions, "reading/long.py", LONG_FUNCTION),
    (guards.poor_headers, "reading/silent.py", "X = 1\n"),
    (guards.poor_headers, "reading/chatty.py", '"""' + "Word.\n" * 26 + '"""\n'),
    (guards.poor_headers, "pipeline/stage.py", HEADED),
    (guards.nameless_rooms, "reading/utils.py", HEADED),
    (guards.nameless_rooms, "helpers/__init__.py", ""),
    (guards.broad_catches, "reading/brave.py", BROAD),
    (guards.broad_catches, "reading/brave.py", BARE),
    (guards.broad_catches, "reading/brave.py", BROAD_TUPLE),
    (guards.words_of_the_terminal, "reading/terse.py", TELLS_A_FLAG),
    (guards.environment_readers, "reading/nosy.py", READS_ENVIRONMENT),
    *((guards.dangerous_calls, "reading/trusting.py", HEADED + line + "\n") for line in DANGEROUS),
]
GUARDS = sorted({guard for guard, _, _ in PLANTED}, key=lambda guard: guard.__name__)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_the_code_keeps_the_rule(guard: Guard) -> None:
    assert guard(PACKAGE) == []


@pytest.mark.parametrize(("guard", "name", "text"), PLANTED)
def test_a_planted_breach_is_named(guard: Guard, name: str, text: str, tmp_path: Path) -> None:
    planted = tmp_path / name
    planted.parent.mkdir(parents=True)
    planted.write_text(text, encoding="utf-8")

    breaches = guard(tmp_path)

    assert breaches
    assert all(name.split("/", maxsplit=1)[0] in breach for breach in breaches)


def test_a_function_of_fifty_lines_and_a_long_docstring_is_no_breach(tmp_path: Path) -> None:
    docstring = '    """' + "Word.\n    " * 40 + '"""\n'
    text = HEADED + "def count() -> None:\n" + docstring + "    x = 1\n" * 49
    (tmp_path / "fine.py").write_text(text, encoding="utf-8")

    assert guards.long_functions(tmp_path) == []


def test_a_handler_that_cleans_up_and_raises_again_is_no_breach(tmp_path: Path) -> None:
    text = BROAD.replace("    X = 2\n", "    X = 2\n    raise\n")
    (tmp_path / "tidy.py").write_text(text, encoding="utf-8")

    assert guards.broad_catches(tmp_path) == []


def test_the_tests_are_no_longer_than_the_code_may_be() -> None:
    assert guards.long_modules(REPOSITORY / "tests") == []
    assert guards.nameless_rooms(REPOSITORY / "tests") == []


def test_the_error_tree_is_drawn_as_it_is_coded() -> None:
    assert guards.wrong_error_tree((PACKAGE / "errors.py").read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("drawn", "redrawn"),
    [
        ("    │   ├── UnsafeFile  ", "    │   ├── UnsafeFiles "),
        ("    │   ├── UnsafeFile  ", "    ├── UnsafeFile      "),
        ("    ├── Cancelled              the caller asked to stop\n", ""),
    ],
)
def test_a_wrongly_drawn_error_tree_is_refused(drawn: str, redrawn: str) -> None:
    text = (PACKAGE / "errors.py").read_text("utf-8")
    assert drawn in text

    assert guards.wrong_error_tree(text.replace(drawn, redrawn))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("X = eval('1')", "S307"),
        ("import pickle\n\nX = pickle.loads(b'')", "S301"),
        ("import subprocess\n\nsubprocess.run('ls', shell=True)", "S602"),
        ("import hashlib\n\nX = hashlib.md5(b'')", "S324"),
        ("PASSWORD = 'hunter2'", "S105"),
        ("import random\n\nX = random.random()", "S311"),
    ],
)
def test_the_linter_refuses_what_is_unsafe(line: str, rule: str) -> None:
    program = Path(sys.executable).with_name("ruff")
    where = PACKAGE / "reading" / "planted.py"

    done = subprocess.run(
        [program, "check", "--no-cache", "--output-format=concise", "--stdin-filename", where, "-"],
        input=HEADED + line + "\n",
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert f" {rule} " in done.stdout
