"""What every page of the documentation keeps: a reader, short lines, links that lead somewhere."""

import re
from pathlib import Path

import pytest
from docs import pages

PAGES = [pytest.param(page, id=pages.name_of(page)) for page in pages.all_pages()]
SECTIONS = [
    pytest.param(page, id=pages.name_of(page))
    for page in pages.all_pages()
    if page.parent.parent == pages.DOCS
]
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# The end of a sentence followed by another on the same line; "e.g." and list numbers are none.
_TWO_SENTENCES = re.compile(r"(?<!\be\.g)(?<!\bvs)(?<!^\d)[.!?] +[A-Z]")
_ITEM = re.compile(r"\s*(-|\d+\.) ")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    heads = [line.lstrip("# ") for _, line in pages.prose_lines(page) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", SECTIONS)
def test_a_page_begins_with_its_title_and_for_whom_it_is(page: Path) -> None:
    title, blank, reader = page.read_text("utf-8").splitlines()[:3]

    assert title.startswith("# ")
    assert blank == ""
    assert re.fullmatch(r"\*For .+\.\*", reader)


@pytest.mark.parametrize("page", PAGES)
def test_each_line_holds_one_sentence(page: Path) -> None:
    # An item of a list may hold a few short ones: it is read at a glance.
    lines = [(n, line) for n, line in pages.prose_lines(page) if not _ITEM.match(line)]
    crowded = [number for number, line in lines if _TWO_SENTENCES.search(line)]

    assert crowded == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_something(page: Path) -> None:
    broken = []
    for target in _LINK.findall(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        aimed = page.parent / path if path else page
        if "://" in target or target.startswith("mailto:"):
            continue
        if not aimed.exists() or (anchor and anchor not in anchors(aimed)):
            broken.append(target)

    assert broken == []


def test_every_page_of_docs_is_listed_in_its_index() -> None:
    index = pages.DOCS / "README.md"
    listed = {
        (index.parent / target).resolve() for target in _LINK.findall(index.read_text("utf-8"))
    }

    missing = [
        pages.name_of(page)
        for page in pages.DOCS.rglob("*.md")
        if page != index and page.resolve() not in listed
    ]

    assert missing == []


def test_make_targets_that_pages_name_exist() -> None:
    targets = set(
        re.findall(r"(?m)^([a-z-]+):.*##", (pages.REPOSITORY / "Makefile").read_text("utf-8"))
    )

    named = {
        target
        for page in pages.all_pages()
        for target in re.findall(
            r"(?:^|`|\$ )make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE
        )
    }

    assert named <= targets
