"""What the fuzzers start from, and what they have found so far, goes through each door."""

from pathlib import Path

import pytest
from fuzz.targets import DOORS, seeds

FINDINGS = Path(__file__).resolve().parent / "findings"


@pytest.mark.parametrize("door", DOORS)
def test_a_door_takes_or_refuses_what_was_ever_found(door: str) -> None:
    found = [path.read_bytes() for path in sorted((FINDINGS / door).glob("*"))]

    for content in [*seeds(door), *found]:
        DOORS[door](content)
