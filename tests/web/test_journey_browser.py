"""The whole way in a real browser, on a phone and in Bahasa Indonesia: from signing up to the last deletion."""

import csv
import re
import secrets
from pathlib import Path

import pytest
from api.shop import PASSWORD
from playwright.sync_api import expect
from web.test_browser import PHONE
from web.watched import Watched

from rfm_backend.catalogue import words

pytestmark = pytest.mark.slow
SAY = words("id")
# Half a million rows of a workbook are uploaded, looked at and analysed.
LONG_MS = 120_000


def test_from_signing_up_with_online_retail_to_its_deletion(
    watched: Watched, data_dir: Path
) -> None:
    page, name = watched.page, f"toko{secrets.token_hex(4)}"
    watched.look("id", "dark")
    page.set_viewport_size(PHONE)
    page.goto("/sign-up")
    for field, typed in (
        ("username", name),
        ("email", f"{name}@toko.example"),
        ("password", PASSWORD),
    ):
        page.locator(f"input[name={field}]").fill(typed)
    page.locator("form[action='/sign-up'] button").click()

    # Upload, and correct a column: what the goods are called is not looked at.
    expect(page).to_have_url(re.compile("/uploads/new$"))
    page.locator("#file").set_input_files(data_dir / "online_retail" / "Online_Retail.xlsx")
    begin = page.get_by_role("button", name=SAY("choose.analyse"), exact=True)
    expect(begin).to_be_visible(timeout=LONG_MS)
    page.get_by_label("Description", exact=True).select_option("")
    begin.click()

    # Watch, until the overview is there.
    expect(page).to_have_url(re.compile(r"/jobs/\d+$"))
    expect(page).to_have_url(re.compile(r"/analyses/\d+$"), timeout=LONG_MS)
    analysis = page.url
    expect(page.locator("dl.numbers dd").first).to_have_text("4.338")

    # A cell of the heat map: 89 customers, as the test of the overview counts them.
    page.locator("#cell-35").click()
    expect(page.get_by_role("status")).to_contain_text("89")
    page.go_back()

    # A segment, and its customers taken away.
    page.goto(f"{analysis}/segments/champions")
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").click()
    with Path(begun.value.path()).open(encoding="utf-8") as stream:
        taken = list(csv.DictReader(stream))
    assert {row["segment"] for row in taken} == {"champions"}
    assert "14646" in {row["customer_id"] for row in taken}

    # A rule is changed, and the file analysed again with it.
    page.goto(f"{analysis}/rules")
    page.get_by_text(SAY("segments.champions")).first.click()
    page.locator("td[data-cell='35']").click()
    expect(page.locator("#effect strong")).to_contain_text("89")
    page.locator("input[name=name]").fill("juara lebih banyak")
    page.locator("button[name=do][value=run]").click()
    expect(page).not_to_have_url(re.compile("/rules|/jobs"), timeout=LONG_MS)
    assert page.url != analysis

    # The two beside each other; then everything goes.
    page.get_by_role("link", name=SAY("overview.tab_compare")).click()
    expect(page.locator(".big-number")).to_contain_text("89")
    page.goto("/history")
    page.locator("a[href$='/keep']").click()
    page.locator("a[href$='/delete'].danger").last.click()
    page.locator("form[action$='/delete'] button").click()
    expect(page.get_by_text(SAY("history.empty"))).to_be_visible()
