"""Which call follows which: OpenAPI links, found from names alone.

In:  routes.
Out: for each answer, the calls whose path can be filled from it: what a maker's answer names (an
     `upload_id`, say) or what its own path named already.

What always holds: a link leads to a declared route and fills every parameter of its path.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rfm_backend.api.routing import Route, Shown

# A thing that an answer names, and what the paths call it.
_CALLED: Final = {
    "upload_id": ("upload_id", "file_id"),
    "analysis_id": ("analysis_id", "other_id"),
}
# Lists that are the only place where a thing is named: the first of the list is followed.
_LISTED: Final = {"list_logins": "login_id", "read_results": "customer_id"}


def links_of(one: Route, shown: Shown, routes: Sequence[Route]) -> dict[str, dict[str, object]]:
    """Return the links of an answer, by name."""
    known = dict(_known(one, shown))
    # Where nothing is made, what the caller knew before he called leads nowhere new.
    new = set(known) if one.method == "POST" else set(known) - set(one.path_parameters)
    told: dict[str, dict[str, object]] = {}
    for other in routes:
        needed = other.path_parameters
        if other is not one and new.intersection(needed) and set(needed) <= set(known):
            told[other.name] = {
                "operationId": other.name,
                "parameters": {f"path.{name}": known[name] for name in needed},
            }
    return told


def _known(one: Route, shown: Shown) -> Iterator[tuple[str, str]]:
    for name in one.path_parameters:
        yield name, f"$request.path.{name}"
    if one.name in _LISTED:
        name = _LISTED[one.name]
        place = "/0" if isinstance(shown.example, list) else "/items/0"
        yield name, f"$response.body#{place}/{name}"
    elif one.method == "POST":
        for field in _fields(shown.example):
            for name in _CALLED.get(field, (field,)):
                yield name, f"$response.body#/{field}"


def _fields(example: object) -> Iterator[str]:
    if isinstance(example, Mapping):
        for name, value in example.items():
            if str(name).endswith("_id") and value is not None:
                yield str(name)
