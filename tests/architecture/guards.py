"""The rules of the house that no tool checks, each a function from a source tree to its breaches.

A guard takes the folder of a package, so that it can be shown a planted breach as well as the
code; what it returns are sentences that say where and what.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAX_MODULE_LINES: Final = 400
MAX_FUNCTION_LINES: Final = 50
MAX_HEADER_LINES: Final = 25
# A room with such a name has no subject of its own: anything fits in it, and in time does.
UNPICKLERS = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "yaml")
RUNNERS = ("eval", "exec", "compile", "__import__", "os.system", "os.popen")
LOADERS = ("joblib.load", ".read_pickle", "yaml.load", "torch.load")
NAMELESS: Final = frozenset(
    {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc", "tools"}
)
# Where everything must be caught: a job has to end, whatever went wrong, and the worker to go on.
LAST_RESORTS: Final = frozenset({"jobs/worker.py"})
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules(package: Path) -> Iterator[tuple[str, str]]:
    """Yield the path (from the package) and the text of each module, sorted.

    Migrations are left out: each is written once and never changed again, however long.
    """
    for path in sorted(package.rglob("*.py")):
        if path.parent.parts[-2:] != ("migrations", "versions"):
            yield path.relative_to(package).as_posix(), path.read_text("utf-8")


def long_modules(package: Path) -> list[str]:
    """Name the modules that are longer than a module may be."""
    counted = [(name, len(text.splitlines())) for name, text in modules(package)]
    return [
        f"{name} has {lines} lines, {MAX_MODULE_LINES} at most: split it along a line that means something"
        for name, lines in counted
        if lines > MAX_MODULE_LINES
    ]


def long_functions(package: Path) -> list[str]:
    """Name the functions whose code, docstring apart, is longer than a function may be."""
    return [
        f"{name}:{node.lineno} {node.name} has {lines} lines, {MAX_FUNCTION_LINES} at most"
        for name, text in modules(package)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, _FUNCTIONS) and (lines := _code_lines(node)) > MAX_FUNCTION_LINES
    ]


def poor_headers(package: Path) -> list[str]:
    """Name the modules whose header is missing, too long, or silent about what comes in and out."""
    found = []
    for name, text in modules(package):
        header = ast.get_docstring(ast.parse(text))
        is_empty_package = name.endswith("__init__.py") and not text.strip()
        if header is None:
            found += [] if is_empty_package else [f"{name} has no header"]
            continue
        if len(header.splitlines()) > MAX_HEADER_LINES and name != "errors.py":
            found.append(f"{name} has a header of more than {MAX_HEADER_LINES} lines")
        is_stage = name.startswith("pipeline/") and not name.endswith("__init__.py")
        if is_stage and not ("In:" in header and "Out:" in header):
            found.append(f"{name} does not say what comes in and what goes out (In:, Out:)")
    return found


def nameless_rooms(package: Path) -> list[str]:
    """Name the files and folders that are called after nothing."""
    return [
        f"{path.relative_to(package).as_posix()}: say what it is for"
        for path in sorted(package.rglob("*"))
        if path.name.split(".")[0] in NAMELESS
    ]


def words_of_the_terminal(package: Path) -> list[str]:
    """Name the messages of the stages that name an option of one door: `advice` lets each say its own."""
    return [
        f"{name}:{node.lineno} names an option of the terminal"
        for name, text in modules(package)
        if name.split("/")[0] in ("pipeline", "reading")
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        for argument in call.args
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant)
        and re.search(r"(^|\s)--[a-z]|\brfm [a-z]+ FILE", str(node.value))
    ]


def broad_catches(package: Path) -> list[str]:
    """Name the handlers that would swallow a fault together with what they mean to catch.

    One that cleans up and raises the same again as its last step swallows nothing.
    """
    return [
        f"{name}:{node.lineno} catches {ast.unparse(node.type) if node.type else 'everything'}"
        for name, text in modules(package)
        for node in ast.walk(ast.parse(text))
        if name not in LAST_RESORTS
        and isinstance(node, ast.ExceptHandler)
        and _is_broad(node.type)
        and not _raises_again(node)
    ]


def environment_readers(package: Path) -> list[str]:
    """Name the modules besides settings/ that read the environment."""
    return [
        f"{name}:{node.lineno} reads the environment; settings/ does that"
        for name, text in modules(package)
        if not name.startswith("settings/")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    ]


def wrong_error_tree(errors_module: str) -> list[str]:
    """Compare the tree drawn in the header of errors.py with the classes below it.

    The drawing must name each class once, in the order of the code, under its parent.
    """
    tree = ast.parse(errors_module)
    drawn = drawn_tree(ast.get_docstring(tree) or "")
    coded = [
        (node.name, ast.unparse(node.bases[0]) if node.bases else "")
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    ]
    if coded and drawn:
        # The root of the drawing stands under Exception, which is not drawn.
        coded[0] = (coded[0][0], "")
    return [
        f"drawn {left}, coded {right}"
        for left, right in zip(
            drawn + [("", "")] * len(coded), coded + [("", "")] * len(drawn), strict=False
        )
        if left != right
    ]


def drawn_tree(header: str) -> list[tuple[str, str]]:
    """Return the (name, parent) pairs of a tree drawn with box characters, top to bottom."""
    pairs: list[tuple[str, str]] = []
    open_branches: list[tuple[int, str]] = []
    for line in header.splitlines():
        name_and_words = line.lstrip(" │├└─")
        indent = len(line) - len(name_and_words)
        is_drawn = line.lstrip(" ")[:1] in ("│", "├", "└")
        if not is_drawn and not (line.startswith("    ") and not pairs and name_and_words):
            continue
        name = name_and_words.split(" ")[0]
        while open_branches and open_branches[-1][0] >= indent:
            open_branches.pop()
        pairs.append((name, open_branches[-1][1] if open_branches else ""))
        open_branches.append((indent, name))
    return pairs


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    last = node.end_lineno or node.lineno
    docstring = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    described = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
    return last - node.lineno + 1 - described


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(n, ast.Name) and n.id in ("Exception", "BaseException") for n in names)


def dangerous_calls(package: Path) -> list[str]:
    """Name the places that could run what a file, a row or a request says: pickles, eval, a shell."""
    return [
        f"{name}:{node.lineno} {what}"  # type: ignore[attr-defined]  # each of these nodes has a line
        for name, text in modules(package)
        for node in ast.walk(ast.parse(text))
        if (what := _danger(node))
    ]


def _danger(node: ast.AST) -> str:
    if isinstance(node, ast.Import | ast.ImportFrom):
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        names = [module or alias.name for alias in node.names]
        found = [name for name in names if name.split(".")[0] in UNPICKLERS]
        return f"imports {found[0]}, which can run what it reads" if found else ""
    if not isinstance(node, ast.Call):
        return ""
    called = ast.unparse(node.func)
    if called in RUNNERS or called.endswith(LOADERS):
        return f"calls {called}, which can run what it reads"
    for word in node.keywords:
        if word.arg in ("shell", "allow_pickle") and ast.unparse(word.value) != "False":
            return f"calls {called} with {word.arg}"
    return ""
