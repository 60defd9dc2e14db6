"""What pages say of a file's faults names what to press on a page, and no option of the command."""

import html
import json
import re
import string
from functools import partial

import pytest
import sqlalchemy as sa
from api.shop import Api
from web.shown import Shown
from web.test_pages import visit

from rfm_backend import errors
from rfm_backend.catalogue import LANGUAGES, Language, words
from rfm_backend.errors import RfmError
from rfm_backend.output.phrases import HINTS
from rfm_backend.storage.tables import ANALYSES, JOBS

pytestmark = pytest.mark.slow
# Sections and messages that only a terminal shows.
TERMINAL = ("terminal.", "hints.terminal_", "inspect.roles_note", "explain.hint_")
OPTION = re.compile(r"(?<![\w-])--[a-z]|\brfm (?:segment|inspect|explain|train|sample)")
VALUES = {
    "amount": "12.50", "cells": "11, 12", "column": "Total", "customer_id": "c001", "day": "2031-05-01",
    "dimension": "recency", "groups": "Bali", "offsets": "+07:00", "option": "amount", "otherwise": "lost",
    "previous": "2024-01-02", "reason": "unreadable_date", "role": "amount", "scores": "2", "segment": "champions",
    "segments": "lost", "share": 0.5, "snapshot_date": "2024-01-02", "words": "DONE",
}  # fmt: skip


def codes_of_findings() -> list[str]:
    keys = words("en").keys()
    return [key.partition(".")[2] for key in keys if key.startswith("findings.")]


def every_finding() -> list[dict[str, object]]:
    """Return one of each, as a summary keeps them."""
    found: list[dict[str, object]] = []
    for code in codes_of_findings():
        text = words("en")._messages[f"findings.{code}"]
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name} | {"option"}
        values = {name: VALUES.get(name, 3) for name in names}
        found.append({"code": code, "level": "warning", "values": values})
    return found


def text_of(page: str) -> str:
    shown = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(shown))


def execute(statement: sa.Update, tx: sa.Connection) -> None:
    tx.execute(statement)


def in_language(api: Api, path: str, token: str, language: Language) -> str:
    cookie = f"rfm_login={token}; rfm_language={language}"
    return str(visit(api, "GET", path, headers={"Cookie": cookie}).text)


def errors_raised() -> list[type[RfmError]]:
    kinds = [RfmError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return [kind for kind in kinds if kind.__module__ == errors.__name__ and kind is not RfmError]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_that_a_page_can_show_names_an_option(language: Language) -> None:
    say = words(language)

    named = {
        key: text
        for key, text in say._messages.items()
        if not key.startswith(TERMINAL) and OPTION.search(text)
    }

    assert named == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_leads_to_the_control_that_decides_it(
    api: Api, shown: Shown, language: Language
) -> None:
    mine = Shown(shown.person)
    with_all = api.service.database.read(
        lambda tx: json.loads(
            tx.execute(sa.select(ANALYSES.c.summary).filter_by(id=mine.analysis_id)).scalar_one()
        )
    )
    with_all["findings"] = every_finding()
    api.service.database.write(
        lambda tx: tx.execute(
            sa.update(ANALYSES).filter_by(id=mine.analysis_id).values(summary=json.dumps(with_all))
        )
    )

    page = in_language(api, mine.address, mine.person.token, language)

    listed = page.partition('<ul class="findings">')[2].partition("</ul>")[0]
    assert listed.count("<li") == len(codes_of_findings())
    assert OPTION.findall(text_of(page)) == []
    links = [html.unescape(one) for one in re.findall(r'href="([^"]+)"', listed)]
    assert len(links) == len(HINTS)
    for link in dict.fromkeys(links):
        path, _, place = link.partition("#")
        led_to = in_language(api, path, mine.person.token, language)
        assert f'id="{place or "roles"}"' in led_to


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failed_analysis_says_what_to_press(api: Api, shown: Shown, language: Language) -> None:
    job_id = api.service.database.read(
        lambda tx: tx.execute(
            sa.select(JOBS.c.id).filter_by(user_id=shown.person.user_id).limit(1)
        ).scalar_one()
    )
    told = {}
    for kind in errors_raised():
        failed = (
            sa.update(JOBS)
            .filter_by(id=job_id)
            .values(state="failed", error_code=kind.code, error_message="Say --map ROLE=COLUMN.")
        )
        api.service.database.write(partial(execute, failed))
        page = in_language(api, f"/jobs/{job_id}", shown.person.token, language)
        told[kind.code] = OPTION.findall(text_of(page))

    assert set(map(tuple, told.values())) == {()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_columns_of_an_undecided_file_say_what_to_press(
    api: Api, shown: Shown, language: Language
) -> None:
    rows = ["customer_id,customer_no,invoice_date,amount,currency"]
    rows += [
        f"c{n},k{n},0{1 + n % 9}/0{1 + n % 8}/2024,1{n}.000,{('IDR', 'USD')[n % 2]}"
        for n in range(9)
    ]
    upload_id = shown.person.upload("\n".join(rows).encode())

    page = in_language(api, f"/uploads/{upload_id}", shown.person.token, language)

    assert words(language)("choose.problem_file") in page
    assert OPTION.findall(text_of(page)) == []
