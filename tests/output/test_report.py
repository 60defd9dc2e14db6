"""The report: one page that asks nothing of a network, runs nothing and says every number twice.

The figures of the small shop are by hand; those of Online Retail are published in the folder of test
data (DESIGN: 4338 customers, 8,911,407.904, 541,909 rows).
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest

import rfm_backend
from rfm_backend.catalogue import Language, words
from rfm_backend.output.report import render_report
from rfm_backend.result import Result

EVIL = '<script>alert("x")</script>'
_VOID = {"meta", "link", "br", "img", "input", "hr", "base"}


class Page(HTMLParser):
    """The elements of a page, its visible text, and what stands within each section."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.sections: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.sections.append([])
        if self.sections:
            self.sections[-1].append(f"{tag}.{dict(attrs).get('class') or ''}")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Result]:
    rows = [
        f"c{n},A{n},2024-{1 + n % 6:02}-{1 + n % 28:02},{1000 + 37 * n}.5,{'UK' if n % 2 else 'ID'}"
        for n in range(120)
    ]
    rows += [f"c{n},B{n},2024-06-{1 + n % 28:02},{50 + n},UK" for n in range(0, 120, 3)]
    rows += [
        'c1,C1,"<i>no day</i>",5,UK',
        f'"{EVIL.replace(chr(34), chr(34) * 2)}",D1,2024-06-20,999999,UK',
    ]
    source = tmp_path_factory.mktemp("shop") / "a<b>&c.csv"
    source.write_text("\n".join(["customer_id,invoice_id,invoice_date,amount,<u>land", *rows]))
    with rfm_backend.segment(source, n_clusters=3, by="<u>land") as found:
        yield found


@pytest.fixture(scope="module", params=["en", "id"])
def page(result: Result, request: pytest.FixtureRequest) -> Page:
    return Page(render_report(result.analysis, language=request.param))


def test_it_asks_for_nothing_and_runs_nothing(result: Result) -> None:
    html = render_report(result.analysis, language="en")
    page = Page(html)

    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "href"}]
    assert not re.search(r"(?:https?:)?//\w|@import|url\(", html)


def test_its_style_is_that_of_the_file_unharmed(result: Result) -> None:
    style = (resources.files("rfm_backend.output.report") / "style.css").read_text("utf-8")

    assert f"<style>{style}</style>" in render_report(result.analysis, language="en")


def test_every_picture_stands_in_a_section_with_a_table(page: Page) -> None:
    drawn = [section for section in page.sections if "svg.chart" in section]

    # Segments, how customers differ, clusters; the heat maps are tables themselves.
    assert len(drawn) == 3
    for section in drawn:
        assert [tag for tag in section if tag.startswith("table") and tag != "table.bars"]
    pictures = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert all(p.get("aria-label") or p.get("aria-hidden") == "true" for p in pictures)


def test_what_a_file_says_is_text_and_never_markup(page: Page) -> None:
    assert EVIL in page.text
    assert "<i>no day</i>" in page.text
    assert "a<b>&c.csv" in page.text
    assert not [tag for tag, _ in page.elements if tag in {"script", "i", "u"}]


def test_no_field_and_no_key_of_the_catalogue_is_left_open(page: Page) -> None:
    assert not re.search(r"[{}]", page.text)
    # A missing message would show as its key: "report.title".
    assert not re.search(r"\b(?:report|findings|segments|clusters|reasons)\.[a-z_]+", page.text)


@pytest.mark.parametrize(("language", "revenue"), [("en", "1,388,579"), ("id", "1.388.579")])
def test_numbers_are_written_as_the_reader_writes_them(
    result: Result, language: Language, revenue: str
) -> None:
    # 120 x 1000.5 + 37 x (0 + ... + 119) + (40 x 50 + 3 x (0 + ... + 39)) + 999,999.
    assert 120 * 1000.5 + 37 * 7140 + 2000 + 2340 + 999999 == 1_388_579
    page = Page(render_report(result.analysis, language=language))

    lang = next(attributes["lang"] for tag, attributes in page.elements if tag == "html")
    assert lang == language
    other = {"en": r"\d\.\d{3}\.\d{3}", "id": r"\d,\d{3},\d{3}"}[language]
    assert revenue in page.text
    assert not re.search(other, page.text)


def test_the_findings_and_segments_are_told_in_the_language(result: Result) -> None:
    page = Page(render_report(result.analysis, language="id"))

    for segment in result.segments:
        if segment.n_customers:
            assert words("id")(f"segments.{segment.segment}") in page.text
            assert words("id")(f"segments.{segment.segment}_action") in page.text
    assert "Champions" not in page.text


def test_the_report_of_online_retail_holds_its_published_numbers(data_dir: Path) -> None:
    with rfm_backend.segment(data_dir / "online_retail" / "Online_Retail.csv") as retail:
        text = Page(render_report(retail.analysis, language="en")).text

    for figure in ("4,338", "18,532", "8,911,408", "541,909", "397,884", "135,080", "1,447,682.12"):
        assert figure in text
    # Segments in the order of the table, then the thresholds.
    for figure in ("1,335", "357", "478", "208", "501", "169", "681", "507"):
        assert f" {figure} " in text
    for edge in ("13.80", "250.19", "490.10", "942.28", "2,058.43"):
        assert edge in text
