"""The orders in which a result's customers are read: their positions, sorted once, in files beside the result.

    <folder>/orders/groups.json              where each segment, and each cluster, begins and ends
    <folder>/orders/<order>.npy              what is ordered by, one value per customer, by position
    <folder>/orders/<grouping>.<order>.npy   positions: group by group, each group in the order

In:  one value per customer in each array, in the order of position.
Out: the positions of one page.

What always holds
    * a page is what the table itself would give: ties stand in the order of position, and a page goes
      on behind its cursor, whoever made that up;
    * the folder appears whole, and can be made again from the table at any time.

Why not indexes of the table: eight of them, each a million times in random places, were two thirds of
the time that saving a million customers took (docs/decisions/0012).
"""

import bisect
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rfm_backend.storage.results import ORDERS, Wanted

_FOLDER: Final = "orders"
_GROUPS: Final = "groups.json"
_ALL: Final = "all"
_Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """What the orders of a result are made of; arrays have one entry per customer, by position.

    ``segment`` is the place of each customer's segment in ``segments``.
    """

    segments: Sequence[str]
    segment: _Array
    cluster: _Array
    recency: _Array
    frequency: _Array
    monetary_rank: _Array


def write_orders(folder: Path, ordered: Ordered) -> None:
    """Write the orders of a result into the folder of its files; there already, they stay as they are."""
    part = Path(tempfile.mkdtemp(prefix=f"{_FOLDER}.", dir=folder))
    try:
        _write(part, ordered)
        part.chmod(0o755)
        part.rename(folder / _FOLDER)
    except OSError:
        # Somebody else has made them meanwhile.
        if not has_orders(folder):
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def has_orders(folder: Path) -> bool:
    """Tell whether the orders of a result are there."""
    return (folder / _FOLDER / _GROUPS).exists()


def page_positions(folder: Path, wanted: Wanted) -> list[int]:
    """Return the positions of one page, in its order; ``beginning`` is not looked at.

    Raises
    ------
    FileNotFoundError
        The orders are not there (any more).
    """
    orders = folder / _FOLDER
    found = _members(orders, wanted)
    if wanted.after is None:
        return _cut(found, len(found) if wanted.descending else 0, wanted)
    values = np.load(orders / f"{wanted.order}.npy", mmap_mode="r")
    look = bisect.bisect_left if wanted.descending else bisect.bisect_right
    place = look(found, wanted.after, key=lambda one: (int(values[one - 1]), int(one)))
    return _cut(found, place, wanted)


def _cut(found: _Array, place: int, wanted: Wanted) -> list[int]:
    """Return a page of ascending positions, from a place on or back from it."""
    if wanted.descending:
        return [int(one) for one in found[max(0, place - wanted.limit) : place][::-1]]
    return [int(one) for one in found[place : place + wanted.limit]]


def _members(orders: Path, wanted: Wanted) -> _Array:
    """Return the positions of whoever is wanted, ascending in the order."""
    groups = json.loads((orders / _GROUPS).read_text("utf-8"))
    chosen = {"segment": wanted.segment, "cluster": wanted.cluster}
    named = [(name, str(key)) for name, key in chosen.items() if key is not None]
    if not named:
        return _load(orders, _ALL, wanted.order)
    stretches = [groups[name].get(key, (0, 0)) for name, key in named]
    found = _load(orders, named[0][0], wanted.order)[slice(*stretches[0])]
    for (name, _), stretch in zip(named[1:], stretches[1:], strict=True):
        others = _load(orders, name, "customer_id")[slice(*stretch)]
        found = found[np.isin(found, others)]
    return found


def _load(orders: Path, grouping: str, order: str) -> _Array:
    loaded: _Array = np.load(orders / f"{grouping}.{order}.npy", mmap_mode="r")
    return loaded


def _write(folder: Path, ordered: Ordered) -> None:
    n_customers = len(ordered.segment)
    positions = np.arange(1, n_customers + 1, dtype=np.int32)
    groupings: Mapping[str, tuple[_Array, Sequence[str]]] = {
        _ALL: (np.zeros(n_customers, np.int16), ("",)),
        "segment": (ordered.segment, ordered.segments),
        "cluster": (ordered.cluster, [str(n) for n in range(int(ordered.cluster.max()) + 1)]),
    }
    for order, column in ORDERS.items():
        values = positions if column == "position" else getattr(ordered, column)
        np.save(folder / f"{order}.npy", values, allow_pickle=False)
        # Stable: ties stay in the order of position.
        sorted_all = np.argsort(values, kind="stable")
        for name, (codes, _) in groupings.items():
            by_group = sorted_all[np.argsort(codes[sorted_all], kind="stable")]
            np.save(folder / f"{name}.{order}.npy", positions[by_group], allow_pickle=False)
    bounds = {
        name: _bounds(codes, keys) for name, (codes, keys) in groupings.items() if name != _ALL
    }
    (folder / _GROUPS).write_text(json.dumps(bounds, ensure_ascii=False), "utf-8")


def _bounds(codes: _Array, keys: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return where each group begins and ends."""
    ends = np.cumsum(np.bincount(codes, minlength=len(keys)))
    return {
        key: (int(end) - int(size), int(end))
        for key, end, size in zip(keys, ends, np.bincount(codes, minlength=len(keys)), strict=True)
    }
