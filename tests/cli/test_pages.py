"""The summary as a page on the terminal, and how its lines are laid out."""

import dataclasses
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pytest
from rich.text import Text

from rfm_backend.catalogue import words
from rfm_backend.cli.console import make_console, plain_signs, print_lines
from rfm_backend.cli.layout import Column, Row, bar, lay_out, wrap
from rfm_backend.cli.summary import readable_name, summary_lines, written_lines
from rfm_backend.output.as_json import json_text
from rfm_backend.pipeline.analysis import ClusterCriteria, Summary


def plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("width", [80, 100, 110])
def test_no_line_of_the_page_is_wider_than_the_terminal(
    summary: Summary, language: str, width: int
) -> None:
    chosen = words("id" if language == "id" else "en")

    lines = summary_lines(summary, chosen, width=width)

    assert max(line.cell_len for line in lines) <= width


def test_the_accounting_shows_every_reason_with_rows_share_and_money(summary: Summary) -> None:
    # Rows and money of Online Retail, DESIGN.md; 135,080 / 541,909 = 24.93 %.
    lines = plain(summary_lines(summary, words("en"), width=100))

    start = lines.index("Rows  money in the currency of the file")
    assert [" ".join(line.split()) for line in lines[start + 2 : start + 7]] == [
        "read 541,909 100.0 % 9,747,747.93",
        "kept 397,884 73.4 % 8,911,407.90",
        "no customer 135,080 24.9 % 1,447,682.12",
        "quantity not above zero 8,905 1.6 % -611,342.09",
        "unit price not above zero 40 0.0 % 0.00",
    ]


def test_money_that_cannot_be_read_is_left_open(summary: Summary) -> None:
    aside = dataclasses.replace(summary.quality.set_aside[0], amount=None)
    changed = dataclasses.replace(
        summary, quality=dataclasses.replace(summary.quality, set_aside=(aside,))
    )

    lines = plain(summary_lines(changed, words("en"), width=100))

    assert any(line.split() == ["no", "customer", "135,080", "24.9", "%"] for line in lines)


def test_a_segment_shows_size_shares_medians_money_and_action(summary: Summary) -> None:
    # 507 / 4338 = 11.7 %; 4,812,345.10 / 8,911,407.904 = 54.0 %.
    lines = plain(summary_lines(summary, words("en"), width=100))

    place = next(n for n, line in enumerate(lines) if line.startswith("  Champions"))
    assert lines[place].split() == [
        "Champions", "507", "11.7", "%", "12.5", "3", "1,235", "4,812,345", "54.0", "%",
        "██████████",
    ]  # fmt: skip
    assert lines[place + 1].strip() == words("en")("segments.champions_action")


def test_a_segment_of_nobody_has_a_line_and_no_action(summary: Summary) -> None:
    lines = plain(summary_lines(summary, words("en"), width=100))

    place = next(n for n, line in enumerate(lines) if "My own empty one" in line)
    assert lines[place].split() == ["My", "own", "empty", "one", "0", "0.0", "%"]
    assert lines[place + 1] == ""


def test_a_narrow_page_goes_without_bars(summary: Summary) -> None:
    assert "█" not in "".join(plain(summary_lines(summary, words("en"), width=80)))


def test_the_cross_check_counts_customers_in_the_main_cluster_of_their_segment(
    summary: Summary,
) -> None:
    # Of 40 champions 30 are in cluster 0, of 60 others 45 in cluster 4: 75 of 100.
    changed = dataclasses.replace(
        summary, cross_table={"champions": (30, 10, 0, 0, 0), "hibernating": (0, 0, 0, 15, 45)}
    )
    page = " ".join(plain(summary_lines(changed, words("en"), width=200)))

    assert "75.0 % of the customers are in the main cluster of their segment" in page
    assert "“Champions”: 75.0 % in cluster 0" in page
    assert "“Hibernating”: 75.0 % in cluster 4" in page


def test_warnings_come_before_notes(summary: Summary) -> None:
    lines = plain(summary_lines(summary, words("en"), width=200))

    start = lines.index("Before you act")
    assert lines[start + 1].startswith("  ! Only 12 customers")
    assert lines[start + 2].startswith("    The file has no invoice number")


def test_without_findings_the_page_says_so(summary: Summary) -> None:
    changed = dataclasses.replace(summary, findings=())

    assert plain(summary_lines(changed, words("id"), width=100))[-1] == "Tidak ada peringatan."


def test_compared_numbers_of_clusters_are_shown_side_by_side(summary: Summary) -> None:
    criteria = tuple(
        ClusterCriteria(
            n_clusters=number,
            inertia=100.0 / number,
            silhouette=0.412,
            davies_bouldin=0.961,
            calinski_harabasz=6043.2,
            gap=1.977,
            gap_error=0.01,
            stability=0.97,
            smallest_share=0.106,
        )
        for number in (4, 5)
    )
    changed = dataclasses.replace(summary, criteria=criteria, cluster_choice="gap")

    lines = plain(summary_lines(changed, words("en"), width=100))

    start = lines.index("How many clusters")
    assert " ".join(lines[start + 3].split()) == "5 0.412 0.961 6,043 1.977 0.97 10.6 %"
    assert lines[start + 4].strip().startswith("5 clusters: the smallest number")


def test_many_files_are_counted_instead_of_named(summary: Summary) -> None:
    quality = dataclasses.replace(summary.quality, files=("jan.csv", "feb.csv", "mar.csv"))
    changed = dataclasses.replace(summary, quality=quality)

    first = plain(summary_lines(changed, words("en"), width=100))[0]

    assert first == "Customer segments of jan.csv and 2 more files"


def test_a_long_path_is_never_cut() -> None:
    path = Path("/a" * 60) / "segments.csv"

    lines = plain(written_lines([("result", path)], words("en"), seconds=1.25, width=80))

    assert lines == [
        "Written", f"  {path}", "    one row per customer", "", "Done in 1.2 s.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "key", "shown"),
    [
        ("segments", "champions", "Champions"),
        ("clusters", "one_time_lapsed_2", "One purchase, lapsed 2"),
        ("segments", "vip_eins", "Vip eins"),
        ("reasons", "no_customer", "no customer"),
    ],
)
def test_a_key_without_words_is_made_readable(section: str, key: str, shown: str) -> None:
    assert readable_name(words("en"), section, key) == shown


def test_columns_give_way_in_the_flexible_one() -> None:
    columns = (Column(head="name", flexible=True), Column(head="n", right=True))
    rows = [Row(cells=("a name that is far too long", "12"), beneath="a sentence beneath it")]

    lines = plain(lay_out(columns, rows, width=24))

    assert lines[1] == "  a name that is far… 12"
    assert [line.strip() for line in lines[2:]] == ["a sentence beneath it"]


def test_wide_characters_keep_the_columns_straight() -> None:
    columns = (Column(head="name"), Column(head="n", right=True))

    lines = lay_out(columns, [Row(cells=("東京", "1")), Row(cells=("abcd", "2"))], width=40)

    assert {line.cell_len for line in lines} == {2 + 4 + 2 + 1}


def test_a_sentence_hangs_under_its_first_word() -> None:
    lines = plain(wrap("one two three four five six seven", width=30, first="! "))

    assert lines == ["  ! one two three four five", "    six seven"]


@pytest.mark.parametrize(("share", "drawn"), [(-1.0, ""), (0.24, "█"), (2.0, "████")])
def test_a_bar_stays_within_its_width(share: float, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_signs_that_an_encoding_lacks_are_replaced() -> None:
    assert plain_signs("a · b █ “c”", "ascii") == 'a | b # "c"'
    assert plain_signs("a · b █ “c”", "utf-8") == "a · b █ “c”"


def test_text_of_a_file_is_no_markup() -> None:
    stream = io.StringIO()

    print_lines(make_console(stream, no_color=False), ["[bold]x[/bold] :smile:"])

    assert stream.getvalue() == "[bold]x[/bold] :smile:\n"


def test_json_keeps_amounts_exact_and_days_as_text() -> None:
    value = {
        "amount": Decimal("123456789012345678.120"),
        "whole": Decimal("1200.000"),
        "day": dt.date(2024, 2, 29),
        ("5", "4"): (None, True, 1.5),
    }

    assert json_text(value) == (
        '{\n  "amount": 123456789012345678.12,\n  "whole": 1200,\n  "day": "2024-02-29",\n'
        '  "54": [\n    null,\n    true,\n    1.5\n  ]\n}'
    )
