"""Rule tables: the two built in, a user's own, and every way in which one is refused."""

import itertools
from pathlib import Path

import pytest

from rfm_backend.errors import InvalidOption, InvalidRuleTable
from rfm_backend.pipeline.rules import (
    BUILT_IN_TABLES,
    RuleTable,
    built_in_rules,
    load_rules,
    non_monotone_steps,
    parse_rules,
)

DATA = Path(__file__).resolve().parent.parent / "data"

# A small whole table: low frequency, high frequency.
TWO_SEGMENTS = """\
dimensions = 2

[[segment]]
key = "rare"
f = [1, 2]

[[segment]]
key = "often"
name = "Sering belanja"
f = [3, 5]
"""


def refuse(text: str) -> InvalidRuleTable:
    with pytest.raises(InvalidRuleTable) as caught:
        parse_rules(text, "mine.toml")
    return caught.value


@pytest.mark.parametrize("name", BUILT_IN_TABLES)
def test_a_built_in_table_gives_every_cell_one_of_its_segments_and_leaves_none_empty(
    name: str,
) -> None:
    table = built_in_rules(name)

    cells = {"".join(digits) for digits in itertools.product("12345", repeat=table.dimensions)}
    assert set(table.cells) == cells
    assert set(table.cells.values()) == set(table.segments)


def test_ten_is_the_documented_table_cell_by_cell() -> None:
    # Rows are R from 5 to 1, columns F from 1 to 5: the table of DESIGN.md drawn as a map.
    drawn = (
        "new_customers potential_loyalists potential_loyalists champions champions",
        "promising potential_loyalists potential_loyalists loyal_customers loyal_customers",
        "about_to_sleep about_to_sleep need_attention loyal_customers loyal_customers",
        "hibernating hibernating at_risk at_risk cant_lose_them",
        "hibernating hibernating at_risk at_risk cant_lose_them",
    )
    expected = {
        f"{r}{f}": key
        for r, line in zip((5, 4, 3, 2, 1), drawn, strict=True)
        for f, key in enumerate(line.split(), start=1)
    }

    assert built_in_rules("ten").cells == expected


def test_eleven_has_the_published_number_of_cells_in_each_segment() -> None:
    table = built_in_rules("eleven")

    counts = [list(table.cells.values()).count(key) for key in table.segments]
    # Spotler's help page; 7+8+24+7+16+8+8+22+8+11+6 = 125.
    assert dict(zip(table.segments, counts, strict=True)) == {
        "champions": 7,
        "loyal": 8,
        "potential_loyalist": 24,
        "new_customers": 7,
        "promising": 16,
        "need_attention": 8,
        "about_to_sleep": 8,
        "at_risk": 22,
        "cannot_lose_them": 8,
        "hibernating": 11,
        "lost": 6,
    }


@pytest.mark.parametrize(
    ("cell", "segment"),
    [
        # The cells that circulating copies of this table have moved or lost.
        ("141", "lost"),
        ("231", "about_to_sleep"),
        ("213", "about_to_sleep"),
        ("214", "cannot_lose_them"),
        ("113", "cannot_lose_them"),
        ("132", "hibernating"),
        ("332", "hibernating"),
        ("433", "potential_loyalist"),
        ("443", "need_attention"),
    ],
)
def test_eleven_has_the_cells_that_copies_corrupt_in_their_place(cell: str, segment: str) -> None:
    assert built_in_rules("eleven").cells[cell] == segment


def test_ten_is_monotone_and_eleven_is_not() -> None:
    assert non_monotone_steps(built_in_rules("ten")) == ()

    steps = non_monotone_steps(built_in_rules("eleven"))

    # More orders move 433 from potential_loyalist to need_attention, and 443 back again.
    assert ("433", "443") in steps
    assert ("443", "453") in steps
    # Nothing is better than a champion, and nobody improves into lost.
    assert ("455", "555") not in steps


def test_load_rules_gives_a_built_in_table_without_findings() -> None:
    table, findings = load_rules("eleven")

    assert table is built_in_rules("eleven")
    assert findings == ()


def test_an_unknown_table_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InvalidOption, match=r'no segment table "twelve".*ten, eleven'):
        load_rules("twelve")


def test_a_users_own_table_keeps_order_and_names_and_has_no_findings() -> None:
    table, findings = load_rules("mine.toml", TWO_SEGMENTS)

    assert findings == ()
    assert table.segments == ("rare", "often")
    assert table.names == {"often": "Sering belanja"}
    assert table.name == "mine.toml"
    assert table.first_match is False
    assert [table.cells[cell] for cell in ("11", "52", "53", "15")] == [
        "rare",
        "rare",
        "often",
        "often",
    ]


def test_cells_and_a_box_of_one_segment_add_up() -> None:
    text = TWO_SEGMENTS.replace("f = [1, 2]", 'cells = ["51", "52"]\nr = [1, 4]\nf = [1, 2]')

    assert parse_rules(text, "t")[0].cells == parse_rules(TWO_SEGMENTS, "t")[0].cells


def test_a_single_score_is_a_range_of_one() -> None:
    text = 'dimensions = 2\n[[segment]]\nkey = "a"\nr = 5\n[[segment]]\nkey = "b"\nr = [1, 4]\n'

    table, _ = parse_rules(text, "t")

    assert {cell for cell, key in table.cells.items() if key == "a"} == {
        "51",
        "52",
        "53",
        "54",
        "55",
    }


def test_a_byte_order_mark_before_the_table_does_no_harm() -> None:
    assert parse_rules("\ufeff" + TWO_SEGMENTS, "t")[0] == parse_rules(TWO_SEGMENTS, "t")[0]


def test_gaps_are_refused_with_the_cells_named() -> None:
    error = refuse(TWO_SEGMENTS.replace("f = [3, 5]", "f = [4, 5]"))

    assert error.message == (
        "mine.toml: 5 cells belong to no segment: 13, 23, 33, 43, 53. "
        'Add them, or declare otherwise = "others".'
    )
    assert error.details["gaps"] == ("13", "23", "33", "43", "53")


def test_overlaps_are_refused_with_cells_segments_and_the_line_of_the_later_one() -> None:
    error = refuse(TWO_SEGMENTS.replace("f = [3, 5]", 'cells = ["12"]\nf = [3, 5]'))

    assert error.message == (
        "mine.toml, line 7: 1 cell belongs to several segments: 12 (rare, often). "
        'Leave each cell in one segment, or declare match = "first".'
    )
    assert error.details["line"] == 7


def test_gaps_and_overlaps_are_told_together() -> None:
    error = refuse(TWO_SEGMENTS.replace("f = [3, 5]", 'cells = ["12"]\nf = [4, 5]'))

    assert "5 cells belong to no segment" in error.message
    assert "12 (rare, often)" in error.message


def test_more_than_twenty_cells_are_counted_not_listed() -> None:
    error = refuse('dimensions = 3\n[[segment]]\nkey = "a"\ncells = ["111"]\n')

    assert "124 cells belong to no segment: 112, 113, " in error.message
    assert " and 104 more. Add" in error.message


def test_an_unreachable_segment_is_refused_by_the_cells_it_shares() -> None:
    error = refuse(TWO_SEGMENTS + '\n[[segment]]\nkey = "never"\ncells = ["11"]\n')

    assert "11 (rare, never)" in error.message


def test_declared_gaps_go_to_otherwise_and_are_a_warning() -> None:
    text = 'otherwise = "others"\n' + TWO_SEGMENTS.replace("f = [3, 5]", "f = [4, 5]")

    table, findings = parse_rules(text, "mine.toml")

    assert table.segments == ("rare", "often", "others")
    assert table.cells["13"] == "others"
    (finding,) = findings
    assert (finding.code, finding.level) == ("rule_gaps", "warning")
    assert finding.values == {
        "table": "mine.toml",
        "n": 5,
        "cells": "13, 23, 33, 43, 53",
        "otherwise": "others",
    }


def test_otherwise_may_be_one_of_the_segments_and_is_left_out_where_nothing_is_left_over() -> None:
    gaps = TWO_SEGMENTS.replace("f = [3, 5]", "f = [4, 5]")

    assert parse_rules('otherwise = "rare"\n' + gaps, "t")[0].segments == ("rare", "often")
    assert parse_rules('otherwise = "others"\n' + TWO_SEGMENTS, "t")[0].segments == (
        "rare",
        "often",
    )


def test_otherwise_does_not_permit_overlaps() -> None:
    error = refuse('otherwise = "others"\n' + TWO_SEGMENTS.replace("[3, 5]", "[2, 5]"))

    assert "5 cells belong to several segments" in error.message


def test_first_match_does_not_permit_gaps() -> None:
    error = refuse('match = "first"\n' + TWO_SEGMENTS.replace("[3, 5]", "[4, 5]"))

    assert "5 cells belong to no segment" in error.message


def test_with_first_match_the_earlier_segment_wins_and_overlaps_are_a_warning() -> None:
    text = 'match = "first"\n' + TWO_SEGMENTS.replace("f = [3, 5]", "f = [2, 5]")

    table, findings = parse_rules(text, "mine.toml")

    assert table.first_match is True
    assert table.cells["52"] == "rare"
    assert [finding.code for finding in findings] == ["rule_overlaps"]
    assert findings[0].values["cells"] == "12, 22, 32, 42, 52"


def read(name: str) -> tuple[RuleTable, dict[str, int]]:
    table, findings = parse_rules((DATA / name).read_text("utf-8"), name)
    return table, {finding.code: int(str(finding.values["n"])) for finding in findings}


def test_the_table_of_r_rfm_0_3_has_the_known_gaps_and_overlaps() -> None:
    table, found = read("rules_r_rfm_0_3.toml")

    # Counted over all 125 codes by others: 115 covered, 58 in several rules.
    assert found["rule_gaps"] == 10
    assert found["rule_overlaps"] == 58
    assert "rule_unreachable" not in found
    gaps = [cell for cell, key in table.cells.items() if key == "others"]
    assert " ".join(gaps) == "215 241 251 252 341 351 441 451 541 551"
    assert table.names["cant_lose_them"] == "Can't Lose Them"


def test_the_table_of_r_rfm_0_2_leaves_three_segments_empty() -> None:
    table, found = read("rules_r_rfm_0_2.toml")

    # 89 of 125 codes covered, 39 in several rules, three rules fully shadowed.
    assert (found["rule_gaps"], found["rule_overlaps"], found["rule_unreachable"]) == (36, 39, 3)
    empty = set(table.segments) - set(table.cells.values())
    assert empty == {"new_customers", "promising", "cant_lose_them"}


def test_a_table_that_sends_a_better_customer_back_is_noted() -> None:
    text = """\
dimensions = 2
[[segment]]
key = "a"
f = 1
[[segment]]
key = "b"
f = [2, 4]
[[segment]]
key = "c"
cells = ["15", "25", "35", "45"]
[[segment]]
key = "d"
cells = ["55"]
"""

    assert parse_rules(text, "t")[1] == ()
    table, findings = parse_rules(
        text.replace("f = 1", "f = [1, 1]\ncells = ['55']").split('[[segment]]\nkey = "d"')[0], "t"
    )

    # 54 is b and 55 is a, while 51 to 52 leads from a to b: the better customer circles.
    assert ("54", "55") in non_monotone_steps(table)
    (note,) = findings
    assert (note.code, note.level) == ("rule_not_monotone", "note")
    assert "54 b → 55 a" in str(note.values["cells"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dimensions = ", "not valid TOML"),
        ("dimensions = 2\nfoo = 1\n", 'unknown keys "foo"; possible are dimensions, match'),
        ("x = " + "[" * 5000, "nested too deeply"),
        ("x = 1" + "0" * 5000, "not valid TOML"),
        ("#" * 200_001, "at most 200,000 characters"),
        ("[[segment]]\nkey = 'a'\n", "dimensions = 2"),
        ("dimensions = true\n", "dimensions = 2"),
        ("dimensions = 4\n", "not 4"),
        ("dimensions = 2\nmatch = 'last'\n", "match can only be"),
        ("dimensions = 2\n", "there are no segments"),
        ("dimensions = 2\nsegment = []\n", "belong to no segment"),
        ("dimensions = 2\nsegment = 1\n", "there are no segments"),
        ("dimensions = 2\nsegment = [1]\n", "there are no segments"),
        ("dimensions = 2\n" + "[[segment]]\nkey='a'\n" * 126, "126 segments are more than"),
        ("dimensions = 2\n[[segment]]\ncells = ['11']\n", 'line 2: segment 1 has no "key"'),
        ("dimensions = 2\n[[segment]]\nkey = '=a'\n", "the key of segment 1 must be"),
        ("dimensions = 2\n[[segment]]\nkey = 'a b'\n", "the key of segment 1 must be"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncels = ['11']\n", 'unknown keys "cels"'),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\n", 'segment "a" has no cells'),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncells = []\n", 'segment "a" has no cells'),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncells = '11'\n", "must be a list"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncells = ['111']\n", "has the cell '111'"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncells = ['16']\n", "has the cell '16'"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncells = [11]\n", "has the cell 11"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\ncells = ['11', '11']\n", "the cell 11 twice"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nm = 5\n", 'gives "m", but the table has 2'),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = [5, 4]\n", "the lower score first"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = [0, 4]\n", "a score from 1 to 5"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = [1, 6]\n", "a score from 1 to 5"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = [1, 2, 3]\n", "a score from 1 to 5"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = true\n", "a score from 1 to 5"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = 5.0\n", "a score from 1 to 5"),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = 5\nname = ''\n", 'the name of "a"'),
        ("dimensions = 2\n[[segment]]\nkey = 'a'\nr = 5\nname = \"a\\nb\"\n", 'the name of "a"'),
        ("dimensions = 2\notherwise = 3\n[[segment]]\nkey = 'a'\nr = 5\n", "otherwise must be"),
        (TWO_SEGMENTS.replace("often", "rare"), 'line 7: the segment "rare" is given twice'),
    ],
)
def test_a_table_of_a_wrong_form_is_refused_in_words(text: str, words: str) -> None:
    error = refuse(text)

    assert error.message.startswith("mine.toml")
    assert words in error.message


def test_lines_are_left_out_where_they_would_be_wrong() -> None:
    text = TWO_SEGMENTS.replace('"Sering belanja"', '"""\n[[segment]]"""').replace(
        "[3, 5]", "[0, 5]"
    )

    assert refuse(text).details["line"] is None
