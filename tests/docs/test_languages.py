"""What stands in Bahasa Indonesia says what the English page says: same sections, code, tables and links."""

import re
from pathlib import Path

import pytest
from docs import pages

TWINS = [
    pytest.param(english, indonesian, id=pages.name_of(indonesian))
    for english, indonesian in pages.twins()
]
NEEDED = (
    "start/cli.md",
    "start/library.md",
    "start/api.md",
    "how-to/bring-your-own-columns.md",
    "how-to/run-the-service.md",
    "how-to/troubleshooting.md",
    "explain/words.md",
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", NEEDED)
def test_what_a_newcomer_reads_is_there_in_both_languages(name: str) -> None:
    assert (pages.DOCS / name).is_file()
    assert (pages.DOCS / "id" / name).is_file()


@pytest.mark.parametrize(("english", "indonesian"), TWINS)
def test_both_languages_have_the_same_sections(english: Path, indonesian: Path) -> None:
    def levels(page: Path) -> list[int]:
        lines = [line for _, line in pages.prose_lines(page)]
        return [len(line) - len(line.lstrip("#")) for line in lines if line.startswith("#")]

    assert levels(indonesian) == levels(english)


@pytest.mark.parametrize(("english", "indonesian"), TWINS)
def test_both_languages_show_the_same_code(english: Path, indonesian: Path) -> None:
    def shown(page: Path) -> list[tuple[str, str, str]]:
        # A remark behind a command for a person's machine is words, and translated.
        return [
            (
                block.language,
                block.attributes,
                re.sub(r" +#.*", "", block.text) if block.language == "console" else block.text,
            )
            for block in pages.blocks(page)
        ]

    assert shown(indonesian) == shown(english)


@pytest.mark.parametrize(("english", "indonesian"), TWINS)
def test_both_languages_have_the_same_tables(english: Path, indonesian: Path) -> None:
    def commands(page: Path) -> list[list[str]]:
        rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
        # Words that a reader replaces are translated: customer_id=Client.
        return [re.findall(r"`([^`]+)`", re.sub(r"=[^`]*`", "=`", row)) for row in rows]

    assert commands(indonesian) == commands(english)


@pytest.mark.parametrize(("english", "indonesian"), TWINS)
def test_both_languages_lead_to_the_same_pages(english: Path, indonesian: Path) -> None:
    translated = {page.resolve(): other.resolve() for other, page in pages.twins()}

    def aims(page: Path) -> list[str]:
        found = []
        for target in _LINK.findall(page.read_text("utf-8")):
            if "://" in target:
                found.append(target)
                continue
            path = (page.parent / target.partition("#")[0]).resolve()
            found.append(str(translated.get(path, path)))
        return found

    # Each README leads to the other.
    readme = str(english.resolve())
    assert [aim for aim in aims(indonesian) if aim != readme] == [
        aim for aim in aims(english) if aim != readme
    ]


@pytest.mark.parametrize("indonesian", [page for _, page in pages.twins() if "id" in page.parts])
def test_a_translated_page_says_for_whom_it_is(indonesian: Path) -> None:
    assert re.fullmatch(r"\*Untuk .+\.\*", indonesian.read_text("utf-8").splitlines()[2])
