"""The page of the library, from the docstrings of its public names."""

import inspect

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
    """Return the signature, one parameter per line where it would be long."""
    if not callable(function):
        return name
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.name != "self"]
    short = f"{name}{signature.replace(parameters=kept)}"
    if len(short) <= _WIDTH:
        return short
    return f"{name}(\n{_parameter_lines(kept)}){_returned(signature)}"


def _parameter_lines(parameters: list[inspect.Parameter]) -> str:
    lines = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "    *,\n" not in lines:
            lines.append("    *,\n")
        lines.append(f"    {parameter},\n")
    return "".join(lines)


def _returned(signature: inspect.Signature) -> str:
    if signature.return_annotation is signature.empty:
        return ""
    return f" -> {inspect.formatannotation(signature.return_annotation)}"
