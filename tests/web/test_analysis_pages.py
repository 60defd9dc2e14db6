"""The pages of an analysis without a browser: figures are the API's, any customer's number works, exports are safe."""

import csv
import html
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from web.shown import ODD_IDS, Shown

from rfm_backend.catalogue import words
from rfm_backend.web.addresses import customer_address

pytestmark = pytest.mark.slow
SAY = words("en")


def rows_of(text: str, start: str) -> list[list[str]]:
    """Return the cells of the first table behind `start`, as text."""
    table = text[text.index(start) :].partition("<tbody>")[2].partition("</tbody>")[0]
    return [
        [
            html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", cell))).strip()
            for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    ]


def test_the_overview_shows_the_figures_of_the_api(shown: Shown) -> None:
    told = shown.api(f"/api/rfm/summary/{shown.upload_id}")
    text = shown.page(shown.address)

    peopled = [one for one in told["segments"] if one["n_customers"]]
    assert {tuple(row[1:6]) for row in rows_of(text, 'class="cards profiles')} == {
        figures(one) for one in peopled
    }
    assert [row[0] for row in rows_of(text, 'id="clusters"')] == [
        f"{one['cluster']} · {one['title']}" for one in told["clusters"]
    ]
    assert [tuple(row[1:6]) for row in rows_of(text, 'id="clusters"')] == [
        figures(one) for one in told["clusters"]
    ]
    cells = {(one["r_score"], one["f_score"]): one["n_customers"] for one in told["heat_map"]}
    grid = rows_of(text, 'class="heat"')
    for row in grid:
        for frequency, cell in enumerate(row[1:], start=1):
            assert cell == (str(cells[int(row[0][1]), frequency]) if cell != "·" else "·")
    shown_people = sum(int(cell) for row in grid for cell in row[1:] if cell != "·")
    assert shown_people == told["total_customers"] == 70
    names = {one["name"]: one["segment"] for one in told["segments"]}
    cross = rows_of(text, SAY("report.cross"))
    assert {names[row[0]]: [int(cell) for cell in row[1:]] for row in cross} == {
        key: counts for key, counts in told["cross_table"].items() if any(counts)
    }


def figures(one: dict[str, Any]) -> tuple[str, ...]:
    """Return a segment or cluster of the API as the page writes it."""
    return (
        f"{SAY.number(one['n_customers'])} {SAY.percent(one['share_of_customers'])}",
        SAY.number(one["median_recency"]),
        SAY.number(one["median_frequency"]),
        SAY.money(one["median_monetary"]),
        f"{SAY.money(one['monetary'])} {SAY.percent(one['share_of_monetary'])}",
    )


def test_a_cell_filters_everything_and_a_part_comes_without_its_page(shown: Shown) -> None:
    whole = shown.api(f"/api/rfm/results/{shown.upload_id}")
    cell = max(
        {row["rfm_cell"][:2] for row in whole},
        key=lambda one: sum(row["rfm_cell"].startswith(one) for row in whole),
    )
    chosen = [row for row in whole if row["rfm_cell"].startswith(cell)]

    answer = shown.visit(f"{shown.address}?cell={cell}", **{"HX-Request-Type": "partial"})
    text = answer.text

    assert "<html" not in text
    best = sorted(chosen, key=lambda row: -row["monetary"])[:8]
    assert [row[0].split()[0] for row in rows_of(text, 'class="cards customers')] == [
        row["customer_id"] for row in best
    ]
    [of_segment] = rows_of(text, 'class="cards profiles')
    assert of_segment[1] == f"{len(chosen)} 100.0 %"
    of_clusters = [row[1].split()[0] for row in rows_of(text, 'id="clusters"')]
    counted = [str(sum(row["cluster"] == place for row in chosen)) for place in range(5)]
    assert of_clusters == counted
    asked = shown.api(f"/api/rfm/results/{shown.upload_id}?cell={cell}&sort=-monetary")
    assert [row["customer_id"] for row in asked["items"]] == [
        row["customer_id"] for row in sorted(chosen, key=lambda row: -row["monetary"])
    ]
    assert shown.visit(f"{shown.address}?cell=99&by=x").status_code == 200


def test_the_list_is_the_apis_page_by_page(shown: Shown) -> None:
    query = "sort=-monetary"
    expected = shown.api(f"/api/rfm/results/{shown.upload_id}?{query}&limit=1000")["items"]

    seen, address = [], f"{shown.address}/customers?{query}"
    while address:
        text = shown.page(address)
        seen += rows_of(text, 'class="cards customers')
        following = re.search(r'id="next"[^>]*href="([^"]+)"', text)
        address = html.unescape(following[1]) if following else ""

    assert [row[1].split()[0] for row in seen] == [row["customer_id"] for row in expected]
    assert [row[2:6] for row in seen] == [
        [
            SAY.number(row["recency"]),
            SAY.number(row["frequency"]),
            SAY.money(row["monetary"]),
            SAY(f"segments.{row['segment']}"),
        ]
        for row in expected
    ]
    for nonsense in ("cluster=x", "sort=password", "cell=9", "segment=%00", "q=%27%22", "q=%00"):
        assert shown.visit(f"{shown.address}/customers?{nonsense}").status_code == 200
    assert shown.visit(f"{shown.address}/customers?cursor=nonsense").status_code == 400


def test_any_number_of_a_customer_has_its_page(odd: Shown) -> None:
    text = odd.page(f"{odd.address}/customers?sort=customer_id")
    links = re.findall(r'<th scope="row"><a href="([^"]+)">(.*?)</a>', text)
    assert {html.unescape(name) for _, name in links} == set(ODD_IDS)

    for link, name in links:
        assert html.unescape(link) == customer_address(odd.analysis_id, html.unescape(name))
        title = re.search(r"<title>Customer (.*) · ", odd.page(html.unescape(link)))
        assert title is not None
        assert title[1] == name
    assert odd.visit(f"{odd.address}/customers/nobody").status_code == 404
    assert "<script>alert" not in text


def test_an_export_is_what_was_ticked_or_listed_and_no_cell_is_a_formula(
    shown: Shown, odd: Shown
) -> None:
    def read(of: Shown, query: str) -> list[list[str]]:
        answer = of.visit(f"{of.address}/export?{query}")
        assert answer.status_code == 200
        return list(csv.reader(io.StringIO(answer.data.decode())))

    whole = shown.api(f"/api/rfm/results/{shown.upload_id}")
    cell = whole[0]["rfm_cell"][:2]
    of_cell = [row["customer_id"] for row in whole if row["rfm_cell"].startswith(cell)]
    in_order = sorted(ODD_IDS)
    places = [in_order.index("=1+1") + 1, in_order.index("a/b c") + 1]

    assert [row[0] for row in read(shown, f"cell={cell}&q=c0")[1:]] == of_cell
    ticked = read(odd, f"row={places[1]}&row={places[0]}")
    assert [row[0] for row in ticked] == ["customer_id", "'=1+1", "a/b c"]
    assert ticked[1][-2:] == ["'=cmd|' /C calc'!A0", "'+1@example.com"]
    assert read(odd, f"form=contacts&row={places[0]}") == [
        ["customer_name", "email"],
        ["'=cmd|' /C calc'!A0", "'+1@example.com"],
    ]
    assert shown.visit(f"{shown.address}/export?form=exe").status_code == 400


def test_a_workbook_holds_numbers_as_numbers_and_text_as_text(odd: Shown, tmp_path: Path) -> None:
    answer = odd.visit(f"{odd.address}/export?form=xlsx&q=%3D1")
    path = tmp_path / "out.xlsx"
    path.write_bytes(answer.data)

    sheet = openpyxl.load_workbook(path)["customers"]

    assert answer.headers["Content-Disposition"].startswith('attachment; filename="sales.')
    assert [sheet["A2"].value, sheet["A2"].data_type] == ["=1+1", "s"]
    assert sheet["D2"].data_type == "n"
    assert sheet.max_row == 2


def test_a_segment_is_told_beside_the_others(shown: Shown) -> None:
    told = shown.api(f"/api/rfm/summary/{shown.upload_id}")
    own = max(told["segments"], key=lambda one: one["n_customers"])
    text = shown.page(f"{shown.address}/segments/{own['segment']}")

    assert own["name"] in text
    assert f"{own['n_customers']} customers ({SAY.percent(own['share_of_customers'])}" in text
    assert f"bought {SAY.number(own['median_recency'])} days ago" in text
    listed = rows_of(text, 'class="cards customers')
    assert len(listed) == min(own["n_customers"], 50)
    empty = next(one for one in told["segments"] if not one["n_customers"])
    nobody = shown.page(f"{shown.address}/segments/{empty['segment']}")
    assert SAY("segment_page.nobody") in nobody
    assert shown.visit(f"{shown.address}/segments/nothing").status_code == 404


def test_a_customer_is_told_as_the_api_explains_him(shown: Shown) -> None:
    told = shown.api(f"/api/rfm/customers/{shown.upload_id}/c001")
    text = shown.page(f"{shown.address}/customers/c001")

    standing = rows_of(text, 'id="stands"')
    for row, name in zip(standing, ("recency", "frequency", "monetary"), strict=True):
        one = told[name]
        assert row[1] == SAY.number(one["value"], 2 if name == "monetary" else None)
        assert row[2] == str(one["score"])
        assert row[3:] == [SAY.percent(one["share_worse"]), SAY.percent(one["share_equal"])]
    assert f"cell {told['rfm_cell']} of the table" in text
    assert text.count("<li>") >= len(told["moves"])
    # The range that holds his own value is the one that is pointed at.
    marked = re.findall(r"<th scope=\"row\">([\d,.]+) – ([\d,.]+) \(here: ([\d,.]+)\)", text)
    assert len(marked) == 3
    for low, high, value in marked:
        first, last, own = (float(one.replace(",", "")) for one in (low, high, value))
        assert first <= own < last


def test_a_segment_shows_its_change_since_the_upload_before_to_the_same_shop(
    shown: Shown, grouped: Shown
) -> None:
    text = grouped.page(grouped.address)

    counts = [
        {
            one["name"]: one["n_customers"]
            for one in shown.api(f"/api/rfm/summary/{of.upload_id}")["segments"]
        }
        for of in (shown, grouped)
    ]
    assert f"/analyses/{shown.analysis_id}/compare/{grouped.analysis_id}" in text
    assert "/compare/" not in shown.page(shown.address)
    rows = rows_of(text, 'class="cards profiles')
    for row in rows:
        name = next(name for name in counts[0] if row[0].startswith(name))
        change = counts[1][name] - counts[0][name]
        assert int(row[6].replace("−", "-").replace("as before", "0")) == change
    assert any(row[6] != "as before" for row in rows)


def test_a_customer_of_several_groups_is_told_in_each(grouped: Shown) -> None:
    text = grouped.page(f"{grouped.address}/customers?q=c001&sort=customer_id")
    links = [html.unescape(one) for one in re.findall(r'scope="row"><a href="([^"]+)"', text)]

    assert [one.partition("group=")[2] for one in links] == ["Bandung", "Jakarta"]
    for link in links:
        page = grouped.page(link)
        assert f"in {link.partition('group=')[2]}" in page
        assert all(html.escape(other) in page for other in links)
