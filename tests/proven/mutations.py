"""Every mutation of the proven modules: what one is, and the tests that reach it.

In:  the modules of modules.py; what `measure` (branches.py) wrote of lines and tests.
Out: `Mutation`; the tests to run against it, the quickest first.
"""

import ast
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator
from coverage import CoverageData
from proven.branches import DATA, PACKAGE, TIMES
from proven.modules import IN_CHILDREN, PROVEN
from proven.operators import OWN

# One for each way to be wrong: of a comparison its bound and its opposite, not each of eight.
_LIBRARY: Final = (
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in (
            "Eq_NotEq",
            "NotEq_Eq",
            "Lt_LtE",
            "LtE_Lt",
            "Gt_GtE",
            "GtE_Gt",
            "Is_IsNot",
            "IsNot_Is",
        )
    ),
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul")
    ),
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
)
# How many times as quick a test counts for each mutation of the module that it has seen.
_SEER: Final = 10


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One way to be wrong; lines count from 1, ``number`` the places of an operator in a module."""

    module: str
    operator: str
    number: int
    line: int
    last_line: int

    @cached_property
    def text(self) -> str:
        """The module with this in it."""
        text = mutate_code(_code(self.module), _operators()[self.operator](), self.number)
        assert isinstance(text, str)
        return text

    @property
    def before(self) -> str:
        """What stands there."""
        return _part(_code(self.module), self.text)

    @property
    def after(self) -> str:
        """What stands there instead."""
        return _part(self.text, _code(self.module))


def all_mutations(modules: Sequence[str] = PROVEN) -> Iterator[Mutation]:
    """Yield every mutation of what modules do.

    What declares is left out: values beside a decorator (its removal is none of them), and what an endpoint
    says of itself; the description's own tests and the type checker read those.
    """
    for module in modules:
        code = _code(module)
        tree, lines, silent = get_ast(code), code.splitlines(), _declarations(module, code)
        for name, kind in _operators().items():
            spans = [span for node in ast_nodes(tree) for span in kind().mutation_positions(node)]
            for number, ((line, column), (last, _)) in enumerate(spans):
                is_star = lines[line - 1][column:].startswith("*,")
                if not is_star and (line not in silent or name == "RemoveDecorator"):
                    yield Mutation(
                        module=module, operator=name, number=number, line=line, last_line=last
                    )


@cache
def _operators() -> Mapping[str, type[Operator]]:
    found = [*(get_operator(f"core/{name}") for name in _LIBRARY), *OWN]
    return {kind.__name__: kind for kind in found}


@cache
def _code(module: str) -> str:
    return (PACKAGE / module).read_text("utf-8")


def _declarations(module: str, code: str) -> set[int]:
    """Return the lines that declare and do nothing."""
    tree = ast.parse(code)
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
    named = (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.ClassDef))
    silent = {
        line for one in named for decorator in one.decorator_list for line in _span(decorator)
    }
    if module.startswith("api/"):
        done = {line for one in functions for line in _span(one)}
        silent |= set(range(1, len(code.splitlines()) + 1)) - done
    return silent


def _span(node: ast.expr | ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def tests_for(
    mutation: Mutation, seen_by: Mapping[str, int], most_seconds: float
) -> tuple[list[str], float]:
    """Return the tests to run, the quickest first, and the seconds that they took, ``most_seconds`` or one test.

    ``seen_by`` says how many mutations of the module each test has seen so far: it goes before those that are
    not so much quicker.
    """
    found = _tests_of_lines(mutation.module, _lines_of(mutation))
    if not found:
        files = IN_CHILDREN.get(mutation.module)
        if files is None:
            # Run once, as the module is loaded: whatever reaches the rest of it.
            found = _tests_of_lines(mutation.module, None)
        else:
            found = {test for test in _times() if test.partition("::")[0] in files}
    # What fails on one database fails on the other, where both reach the line.
    found -= {
        test for test in found if "mysql" in test and test.replace("mysql", "sqlite") in found
    }
    chosen: list[str] = []
    seconds = 0.0
    for test in sorted(
        found, key=lambda one: (_times()[one] / (1 + _SEER * seen_by.get(one, 0)), one)
    ):
        if chosen and seconds + _times()[test] > most_seconds:
            break
        chosen.append(test)
        seconds += _times()[test]
    return chosen, seconds


def _tests_of_lines(module: str, lines: range | None) -> set[str]:
    contexts = _contexts(module)
    named = {
        name.rpartition("|")[0]
        for line, names in contexts.items()
        if lines is None or line in lines
        for name in names
    }
    return {name for name in named if name in _times()}


def _lines_of(mutation: Mutation) -> range:
    """Return the lines of the smallest statement round a mutation: a part of one is noted under its beginning."""
    tree = ast.parse(_code(mutation.module))
    best = range(mutation.line, mutation.last_line + 1)
    sizes = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.end_lineno is not None:
            body = getattr(node, "body", None)
            # Of a compound statement its head alone.
            last = body[0].lineno - 1 if isinstance(body, list) else node.end_lineno
            if node.lineno <= mutation.line <= max(last, node.lineno):
                sizes.append((last - node.lineno, node.lineno, max(last, node.lineno)))
    if sizes:
        _, first, last = min(sizes)
        best = range(first, last + 1)
    return best


@cache
def _contexts(module: str) -> Mapping[int, Sequence[str]]:
    data = CoverageData(str(DATA))
    data.read()
    return data.contexts_by_lineno(str(PACKAGE / module))


@cache
def _times() -> Mapping[str, float]:
    """Return the seconds of each test that passed, by its name."""
    times: dict[str, float] = {}
    for case in ET.parse(TIMES).iter("testcase"):  # noqa: S314  # written by our own run
        if case.find("skipped") is None and case.find("failure") is None:
            path = case.attrib["classname"].replace(".", "/") + ".py"
            times[f"{path}::{case.attrib['name']}"] = float(case.attrib["time"])
    return times


def _part(of: str, other: str) -> str:
    """Return the lines of a text that another has not, as one line."""
    ours, theirs = of.splitlines(), other.splitlines()
    first = next(n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b)
    last = next(n for n, (a, b) in enumerate(zip(ours[::-1], theirs[::-1], strict=False)) if a != b)
    return " ".join(" ".join(ours[first : len(ours) - last]).split())
