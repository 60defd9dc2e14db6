"""The page of the library, from the docstrings of its public names."""

import ast
import inspect
import textwrap

import rfm_backend
from docs_tools import markdown

_WIDTH = 80


def page() -> str:
    """Return docs/reference/library.md."""
    parts = []
    errors = []
    for name in rfm_backend.__all__:
        value = getattr(rfm_backend, name)
        if isinstance(value, type) and issubclass(value, Exception):
            errors.append(name)
        elif inspect.isclass(value):
            parts.append(_class(name, value))
        elif callable(value):
            parts.append(f"## `rfm_backend.{name}`\n\n{_function(name, value)}")
    if errors:
        listed = ", ".join(f"`{name}`" for name in errors)
        parts.append(f"## Errors\n\n{listed}: see [errors](errors.md).")
    return markdown.page(
        "Library",
        "For whoever calls the package from a notebook or a script.",
        "the docstrings",
        parts,
    )


def _function(name: str, function: object) -> str:
    return f"```py\n{_signature(name, function)}\n```\n\n" + markdown.docstring(_doc(function))


def _class(name: str, kind: type) -> str:
    parts = [f"## `rfm_backend.{name}`", markdown.docstring(_doc(kind))]
    for member_name, member in vars(kind).items():
        if member_name.startswith("_"):
            continue
        if isinstance(member, property):
            parts.append(f"### `.{member_name}`\n\n{markdown.docstring(_doc(member))}")
        elif inspect.isfunction(member):
            parts.append(f"### `.{member_name}()`\n\n{_function(member_name, member)}")
    return "\n\n".join(parts)


def _doc(value: object) -> str:
    return inspect.getdoc(value) or ""


def _signature(name: str, function: object) -> str:
    """Return the signature as it is written, one parameter per line where it would be long."""
    if not inspect.isfunction(function):
        return name
    written = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(written, ast.FunctionDef):
        return name
    arguments = written.args
    if arguments.args and arguments.args[0].arg == "self":
        del arguments.args[0]
    returned = f" -> {ast.unparse(written.returns)}" if written.returns else ""
    short = f"{name}({ast.unparse(arguments)}){returned}"
    if len(short) <= _WIDTH:
        return short
    return f"{name}(\n{_parameter_lines(arguments)}){returned}"


def _parameter_lines(arguments: ast.arguments) -> str:
    """Return each parameter on a line of its own; ast writes a lone one as the source does."""
    plain = len(arguments.args) - len(arguments.defaults)
    defaults = [None] * plain + list(arguments.defaults)
    parts = [_parameter(a, d) for a, d in zip(arguments.args, defaults, strict=True)]
    if arguments.kwonlyargs:
        parts.append("*")
    parts += [
        _parameter(a, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        parts.append(f"**{ast.unparse(arguments.kwarg)}")
    return "".join(f"    {part},\n" for part in parts)


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(argument) + (f" = {ast.unparse(default)}" if default else "")
