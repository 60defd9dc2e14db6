"""Mutations that the library lacks: of statements, of conditions of a query, of exceptions with dots.

In:  nodes of parso's tree, as cosmic-ray walks them.
Out: `OWN`, operators in its form: positions that a node can be changed at, and the changed node.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import parso
from cosmic_ray.operators.operator import Example, Operator

# The parser tells no types.
Node = Any
Span = tuple[tuple[int, int], tuple[int, int]]
_CONDITIONS: Final = ("where", "and_", "or_", "filter")
_NOBODYS: Final = "FloatingPointError"


class RemoveStatement(Operator):  # type: ignore[misc]  # the library has no types
    """Puts ``pass`` where a statement stood that calls, raises or changes something."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield where simple statements stand, but for those that nothing could do without."""
        if node.type == "simple_stmt" and _does_something(node.children[0]):
            yield node.children[0].start_pos, node.children[0].end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Put ``pass`` there."""
        assert index == 0
        node.children[0] = parso.parse(node.children[0].get_first_leaf().prefix + "pass")
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return what it does to one."""
        return (Example("f(x)\n", "pass\n"),)


class ReturnNothing(Operator):  # type: ignore[misc]  # the library has no types
    """Returns None where something was returned."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield where something other than None is returned."""
        if node.type == "return_stmt" and node.children[1].get_code().strip() != "None":
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Return None."""
        assert index == 0
        node.children[1:] = [parso.parse(" None")]
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return what it does to one."""
        return (Example("def f(): return 1", "def f(): return None"),)


class RemoveCondition(Operator):  # type: ignore[misc]  # the library has no types
    """Leaves out one of the conditions of a query: that it is this user's, say."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield the conditions of a query that has several."""
        for one in _conditions(node):
            yield one.start_pos, one.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Leave it out, with the comma after it."""
        gone = _conditions(node)[index]
        place = node.children.index(gone)
        comma = node.children[place + 1 : place + 2]
        is_followed = bool(comma) and comma[0].type == "operator" and comma[0].value == ","
        del node.children[place : place + 1 + is_followed]
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return what it does to one."""
        return (Example("q.where(a, b)", "q.where(b)"),)


class CatchAnother(Operator):  # type: ignore[misc]  # the library has no types
    """Catches an error that nobody raises instead of the one that is meant."""

    def mutation_positions(self, node: Node) -> Iterator[Span]:
        """Yield where errors are named that are caught; the library's own knows no dotted names."""
        for one in _caught(node):
            yield one.start_pos, one.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        """Name another."""
        named = _caught(node)[index]
        inside = named.parent.children
        inside[inside.index(named)] = parso.parse(named.get_first_leaf().prefix + _NOBODYS)
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """Return what it does to one."""
        before = "try: f()\nexcept OSError: pass"
        return (Example(before, before.replace("OSError", _NOBODYS)),)


OWN: Final = (CatchAnother, RemoveStatement, ReturnNothing, RemoveCondition)


def _does_something(node: Node) -> bool:
    if node.type != "expr_stmt":
        return node.type in ("atom_expr", "power", "raise_stmt", "del_stmt")
    # A name that is missing is noticed at once; what is put into something may not be.
    is_added = node.children[1].type == "operator" and node.children[1].value not in ("=", ":")
    return is_added or node.children[0].type in ("atom_expr", "power")


def _conditions(node: Node) -> list[Node]:
    """Return the members of a node that are several conditions of a query."""
    if node.type not in ("arglist", "testlist_comp"):
        return []
    members = [one for one in node.children if one.type != "operator"]
    if node.type == "testlist_comp":
        return members if any(one.type == "comparison" for one in members[1:]) else []
    called = node.parent.parent.children
    name = called[called.index(node.parent) - 1].get_last_leaf().value
    return members if name in _CONDITIONS else []


def _caught(node: Node) -> list[Node]:
    if node.type != "except_clause":
        return []
    what = node.children[1]
    if what.type != "atom":
        return [what]
    inner = what.children[1]
    return [one for one in inner.children if one.type != "operator"]
