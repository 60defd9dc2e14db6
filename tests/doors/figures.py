"""Figures against their goals, as the long forms measure them."""

import os
import sys
from pathlib import Path


def note_figure(name: str, figure: str, goal: str) -> None:
    """Print a figure beside its goal, and add it to the file that RFM_FIGURES names, if it does."""
    sys.stderr.write(f"\n{name}: {figure} (goal: {goal})\n")
    if path := os.environ.get("RFM_FIGURES"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{name}\t{figure}\t{goal}\n")
