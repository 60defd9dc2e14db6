"""The section of growing shops: each stage's time and memory, the same work by hand, and how both grow.

In:  the numbers of rows.
Out: Markdown lines, and a picture beside the report.
"""

import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from timing import Run, run_once

_MEMORY = "1.5GB"
# Above this the recipe does not fit into the memory of an ordinary machine.
_MOST_PANDAS_ROWS = 5_000_000
_HERE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measured:
    """One shop in one form: our stages, our aggregation alone, and what others take for that."""

    rows: int
    form: str
    size_bytes: int
    stages: dict[str, tuple[float, float]]
    ours: Run
    peers: dict[str, Run]

    @property
    def whole(self) -> tuple[float, float]:
        """Return seconds and MiB of the whole job."""
        return self.stages["whole job"]


def measure_scale(folder: Path, *, sizes: Sequence[int], n_customers: int, picture: Path) -> str:
    """Measure everything of the section, draw the picture, and return the section as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for rows in sizes:
        for form in ("csv", "parquet"):
            found.append(_measure(folder, rows=rows, form=form))
            print(_stage_line(found[-1]), _peer_line(found[-1]), file=sys.stderr, flush=True)
    draw(found, picture)
    lines = [
        f"## {min(sizes) / 1e6:g} to {max(sizes) / 1e6:g} million lines: scale",
        "",
        f"Measured on {date.today()} with {os.cpu_count()} cores, Python {platform.python_version()}.",
        f"Seconds (peak MiB) of each stage of one job with `--memory-limit {_MEMORY}`.",
        "",
        f"![Time and memory against lines]({picture.name})",
        "",
        "| lines | form | " + " | ".join(found[0].stages) + " | lines per second |",
        "|---|---|" + "---|" * (len(found[0].stages) + 1),
        *(_stage_line(one) for one in found),
        "",
        "Reading and aggregating alone, as whole processes, beside what others would write by hand:",
        "",
        "| lines | form | ours | peers | ours / best peer | goal |",
        "|---|---|---|---|---|---|",
        *(_peer_line(one) for one in found),
        "",
        "| what | figure | goal |",
        "|---|---|---|",
        *_growth(found),
        *_many_customers(folder, n_customers),
    ]
    return "\n".join(lines) + "\n"


def _measure(folder: Path, *, rows: int, form: str) -> Measured:
    shop, out = folder / f"shop.{form}", str(folder / "out.csv")
    run_once([_rfm(), "sample", str(shop), "--rows", str(rows), "--force"])
    ours = [sys.executable, str(_HERE / "ours" / "aggregate.py"), str(shop), out]
    peers = {
        "Polars": [sys.executable, str(_HERE / "peers" / "polars_rfm.py"), str(shop), out],
        "DuckDB": [sys.executable, str(_HERE / "peers" / "duckdb_rfm.py"), str(shop), out],
    }
    if form == "csv" and rows <= _MOST_PANDAS_ROWS:
        recipe = str(_HERE / "peers" / "pandas_rfm.py")
        peers["pandas"] = [sys.executable, recipe, str(shop), out]
    # Whoever comes first would read from the disk what the others find in memory.
    run_once(ours)
    measured = Measured(
        rows=rows,
        form=form,
        size_bytes=shop.stat().st_size,
        stages=run_stages(shop, folder),
        ours=run_once(ours),
        peers={name: run_once(order) for name, order in peers.items()},
    )
    shop.unlink()
    return measured


def run_stages(shop: Path, folder: Path) -> dict[str, tuple[float, float]]:
    """Run one job in a process of its own and return (seconds, MiB) of each stage."""
    figures = folder / "figures.json"
    stages = str(_HERE / "ours" / "stages.py")
    out = str(folder / "out.parquet")
    run_once([sys.executable, stages, str(shop), out, _MEMORY, str(figures)])
    found: dict[str, tuple[float, float]] = json.loads(figures.read_text())
    return found


def _stage_line(one: Measured) -> str:
    cells = [f"{seconds:.1f} ({memory:.0f})" for seconds, memory in one.stages.values()]
    size = f"{one.rows / 1e6:g} M, {one.size_bytes / 1e9:.1f} GB"
    return f"| {size} | {one.form} | {' | '.join(cells)} | {one.rows / one.whole[0]:,.0f} |"


def _peer_line(one: Measured) -> str:
    best = min(run.wall for run in one.peers.values())
    told = ", ".join(
        f"{name} {run.wall:.1f} s ({run.memory:.0f} MiB)" for name, run in one.peers.items()
    )
    ratio = one.ours.wall / best
    return (
        f"| {one.rows / 1e6:g} M | {one.form} | {one.ours.wall:.1f} s ({one.ours.memory:.0f} MiB) | "
        f"{told} | {ratio:.2f} | <= 1.2 {_verdict(is_met=ratio <= 1.2)} |"
    )


def _growth(found: Sequence[Measured]) -> Iterator[str]:
    by_size = {(one.form, one.rows): one for one in found}
    most = max(one.rows for one in found)
    for form in ("csv", "parquet"):
        last, fifth = by_size[form, most], by_size.get((form, most // 5))
        if fifth is not None:
            ratio = last.whole[0] / fifth.whole[0]
            what = f"{form}: {most / 1e6:g} M lines against {most / 5e6:g} M, time of the whole job"
            yield f"| {what} | {ratio:.2f} times | <= 5.5 {_verdict(is_met=ratio <= 5.5)} |"
        memory = last.whole[1]
        what = f"{form}: {most / 1e6:g} M lines, peak memory with --memory-limit {_MEMORY}"
        yield f"| {what} | {memory:.0f} MiB | <= 2,000 {_verdict(is_met=memory <= 2_000)} |"


def _many_customers(folder: Path, n_customers: int) -> Iterator[str]:
    """Measure a shop with as many customers as a made-up one can have: one in six lines."""
    shop = folder / "many.parquet"
    order = [_rfm(), "sample", str(shop), "--force", "--rows", str(6 * n_customers)]
    run_once([*order, "--customers", str(n_customers)])
    stages = run_stages(shop, folder)
    shop.unlink()
    fitted = sum(stages[name][0] for name in ("load", "score and fit", "place"))
    saved, memory = stages["save as Parquet"][0], stages["whole job"][1]
    name = f"{n_customers / 1e6:g} M customers"
    goals = (30 * n_customers / 1e7, 10 * n_customers / 1e7)
    what = f"{name}: loaded, scored, clustered and placed after aggregation"
    yield f"| {what} | {fitted:.1f} s | <= {goals[0]:g} s {_verdict(is_met=fitted <= goals[0])} |"
    what = f"{name}: written to Parquet"
    yield f"| {what} | {saved:.1f} s | <= {goals[1]:g} s {_verdict(is_met=saved <= goals[1])} |"
    yield f"| {name}: peak memory of the whole job | {memory:.0f} MiB | |"


def draw(found: Sequence[Measured], picture: Path) -> None:
    """Draw time and memory against lines, both axes in powers of ten."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    time, memory = figure.subplots(1, 2)
    for form in ("csv", "parquet"):
        ours = [one for one in found if one.form == form]
        rows = [one.rows for one in ours]
        time.plot(rows, [one.whole[0] for one in ours], "o-", label=f"whole job, {form}")
        memory.plot(rows, [one.whole[1] for one in ours], "o-", label=f"whole job, {form}")
    text = [one for one in found if one.form == "csv"]
    for name in text[0].peers:
        shown = [one for one in text if name in one.peers]
        rows = [one.rows for one in shown]
        label = f"{name}, aggregating csv"
        time.plot(rows, [one.peers[name].wall for one in shown], "x--", label=label)
        memory.plot(rows, [one.peers[name].memory for one in shown], "x--", label=label)
    for axes, unit in ((time, "seconds"), (memory, "peak MiB")):
        axes.set(xscale="log", yscale="log", xlabel="lines", ylabel=unit)
        axes.grid(alpha=0.3)
    time.legend(fontsize="small")
    figure.savefig(picture, metadata={"Date": None})


def _rfm() -> str:
    return str(Path(sys.executable).with_name("rfm"))


def _verdict(*, is_met: bool) -> str:
    return "met" if is_met else "**missed**"
