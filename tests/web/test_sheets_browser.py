"""A workbook of several sheets in a real browser: the right one is chosen, looked at and analysed."""

import io
import re

import pytest
import xlsxwriter
from api.shop import SALES, Api
from playwright.sync_api import expect
from web.test_browser import DESK, LOOKS
from web.watched import Watched

pytestmark = pytest.mark.slow
LOOK_MS = 30_000
TOTALS = [["Month", "Orders", "Total"], ["January", "34", "512.5"], ["February", "31", "498.0"]]


def three_sheets() -> bytes:
    """Return a workbook whose sales stand on the second sheet, behind totals; the third is empty."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, rows in (
            ("Totals", TOTALS),
            ("Sales & <more>", [row.split(",") for row in SALES.decode().splitlines()]),
            ("Notes", []),
        ):
            sheet = book.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return out.getvalue()


def test_the_second_of_three_sheets_is_chosen_seen_and_analysed(watched: Watched, api: Api) -> None:
    page, person = watched.page, api.person()
    watched.look("en", "light")
    page.set_viewport_size(DESK)
    watched.sign_in(person.token)
    upload_id = person.upload(three_sheets(), name="book.xlsx")
    page.goto(f"/uploads/{upload_id}", timeout=LOOK_MS)
    expect(page.get_by_label("Sheet", exact=True)).to_have_value("Totals")
    expect(page.locator("#needed")).to_contain_text("Who bought is missing")

    # Whoever presses on at once sees the columns of the other sheet first: nothing is begun unseen.
    page.get_by_label("Sheet", exact=True).select_option("Sales & <more>")
    page.get_by_role("button", name="Analyse").click()
    expect(page).to_have_url(re.compile(r"\?sheet=Sales"), timeout=LOOK_MS)
    expect(page.get_by_label("Sheet", exact=True)).to_have_value("Sales & <more>")
    expect(page.get_by_label("customer_id", exact=True)).to_have_value("customer_id")
    expect(page.locator("table.first")).to_contain_text("Name 1")
    for look in LOOKS:
        watched.look(*look[:2])
        page.set_viewport_size(look[2])
        page.reload(timeout=LOOK_MS)
        watched.check_access()

    page.get_by_label("Nama", exact=True).fill("toko")
    page.get_by_role("button", name="Simpan").click()
    expect(page).to_have_url(re.compile(r"mapping=\d+&sheet=Sales"))
    page.get_by_role("button", name="Analisis").click()
    expect(page).to_have_url(re.compile(r"/analyses/\d+$"), timeout=60_000)

    # Seventy customers are in the sheet (api/shop.py), and their orders say which one was read.
    (told,) = person.ask("GET", "/api/analyses").json["items"]
    assert (told["options"]["sheet"], told["total_customers"]) == ("Sales & <more>", 70)
    (kept,) = person.ask("GET", "/api/mappings").json["items"]
    assert kept["columns"]["amount"] == "amount"


def test_a_sheet_without_a_table_says_so_and_leads_back(watched: Watched, api: Api) -> None:
    page, person = watched.page, api.person()
    watched.allowed = ("Failed to load resource: the server responded with a status of 422",)
    watched.sign_in(person.token)
    upload_id = person.upload(three_sheets(), name="book.xlsx")
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        page.set_viewport_size(size)
        page.goto(f"/uploads/{upload_id}?sheet=Notes", timeout=LOOK_MS)
        expect(page.locator("main")).to_contain_text("“Notes”")
        watched.check_access()

    page.get_by_role("button", name="Pilih lembar lain").click()
    expect(page.get_by_label("Lembar", exact=True)).to_have_value("Totals")
