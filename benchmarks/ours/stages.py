"""One whole job with each stage's seconds and peak memory: ``stages.py SOURCE OUT.parquet MEMORY FIGURES.json``.

The stages are the functions that the job itself calls, timed as they are called; what lies between them,
such as the tables of the summary, is the rest of the whole.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import rfm_backend
from rfm_backend.pipeline import run
from rfm_backend.pipeline.in_engine import CustomersInEngine
from rfm_backend.pipeline.in_process import CustomersInProcess

_P = ParamSpec("_P")
_T = TypeVar("_T")
_STAGES = {
    "read and clean": (run, "map_and_clean"),
    "aggregate": (run, "aggregate_customers"),
    "load": (run, "_open_customers"),
}
# Of whichever class has the customers: `RFM_LOCAL_CUSTOMERS` decides.
_METHODS = {"score and fit": "fit", "place": "make_result", "profile": "profile"}
figures: dict[str, tuple[float, float]] = {}


def peak() -> float:
    """Return the most memory since the last call, in MiB."""
    status = Path("/proc/self/status").read_text()
    most = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(most.split()[1]) / 1024


def timed(name: str, act: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return `act` with its figures noted."""

    def noting(*values: _P.args, **named: _P.kwargs) -> _T:
        whole.append(peak())
        began = time.perf_counter()
        found = act(*values, **named)
        seconds = time.perf_counter() - began
        whole.append(peak())
        figures[name] = (seconds, whole[-1])
        return found

    return noting


if __name__ == "__main__":
    source, out, memory, told = sys.argv[1:5]
    whole: list[float] = []
    for name, (module, function) in _STAGES.items():
        setattr(module, function, timed(name, getattr(module, function)))
    for name, method in _METHODS.items():
        for kind in (CustomersInProcess, CustomersInEngine):
            setattr(kind, method, timed(name, getattr(kind, method)))
    began = time.perf_counter()
    resources = rfm_backend.Resources(memory_limit=memory)
    with rfm_backend.segment(source, resources=resources) as result:
        timed("save as Parquet", result.to_parquet)(out, force=True)
    figures["whole job"] = (time.perf_counter() - began, max(*whole, peak()))
    Path(told).write_text(json.dumps(figures))
