"""The table of OWASP ASVS is whole, and each test that it names is there."""

import re
from collections import Counter

import pytest
from docs import pages

PAGE = (pages.DOCS / "security" / "asvs.md").read_text("utf-8")
TESTS = pages.REPOSITORY / "tests"
CELLS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+\.\d+\.\d+", line)
]
ROWS = [cells for cells in CELLS if len(cells) == 5]
NOT_APPLICABLE = [one for cells in CELLS if len(cells) == 2 for one in cells[0].split(", ")]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))
# ASVS 5.0.0: 70 requirements of level 1, 183 of level 2.
ALL_ROWS = 253


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_the_table_names_is_there(path: str, name: str) -> None:
    assert f"\ndef {name}(" in (TESTS / path).read_text("utf-8")


def test_every_requirement_has_its_row_once() -> None:
    ids = [row[0] for row in ROWS] + NOT_APPLICABLE

    assert len(ids) == len(set(ids)) == ALL_ROWS


def test_what_is_met_names_what_shows_it_and_the_rest_says_why() -> None:
    for row in ROWS:
        identity, level, _, state, why = row
        assert level in ("1", "2")
        assert why, identity
        assert state in ("met", "met in part", "not met", "operator"), identity


def test_the_counts_are_those_of_the_rows() -> None:
    told = dict(re.findall(r"(?m)^\| (met|met in part|not met|operator) \| (\d+) \|", PAGE))

    assert {state: int(count) for state, count in told.items()} == Counter(row[3] for row in ROWS)
    assert f"| not applicable | {len(NOT_APPLICABLE)} |" in PAGE
