"""An analysis in a real browser: Online Retail from the overview by a cell to a segment and a customer."""

import csv
import re
from pathlib import Path

import pytest
from api.shop import Api, Person
from playwright.sync_api import Browser, Page, ViewportSize, expect
from web.shown import Shown
from web.watched import Watched

from rfm_backend.web.addresses import customer_address

pytestmark = pytest.mark.slow
DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
LOOKS = (("en", "light", DESK), ("id", "dark", PHONE))


@pytest.fixture(scope="module")
def retail(api: Api, data_dir: Path) -> tuple[Person, str]:
    """Somebody who has analysed Online Retail, and the address of the analysis."""
    person = api.person()
    upload_id = person.upload(
        data_dir / "online_retail" / "Online_Retail.xlsx", name="Online_Retail.xlsx"
    )
    return person, f"/analyses/{person.process(upload_id)['analysis_id']}"


def see(watched: Watched, owner: Person, language: str, theme: str, size: ViewportSize) -> Page:
    watched.sign_in(owner.token)
    watched.look(language, theme)
    watched.page.set_viewport_size(size)
    return watched.page


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS)
@pytest.mark.parametrize(
    "path", ["?cell=54&by=revenue", "/segments/at_risk", "/customers", "/customers/12346"]
)
def test_axe_finds_nothing_on_the_pages_of_an_analysis(
    watched: Watched,
    retail: tuple[Person, str],
    path: str,
    language: str,
    theme: str,
    size: ViewportSize,
) -> None:
    owner, address = retail
    page = see(watched, owner, language, theme, size)

    page.goto(f"{address}{path}")

    watched.check_access()


def test_the_published_figures_of_online_retail_are_shown(
    watched: Watched, retail: tuple[Person, str]
) -> None:
    owner, address = retail
    page = see(watched, owner, "en", "light", DESK)
    page.goto(address)

    numbers = page.locator("dl.numbers dd:not(.note)").all_inner_texts()
    assert numbers == ["4,338", "8,911,408", "18,532", "73.4 %"]
    expect(page.get_by_text("135,080 rows (24.9 %) were set aside: no customer")).to_be_visible()
    page.goto(f"{address}/customers/12346")
    values = page.locator("#stands + table tbody td:nth-of-type(1)").all_inner_texts()
    assert values == ["326", "1", "77,183.60"]


def test_a_cell_pressed_by_keyboard_filters_everything_and_back_undoes_it(
    watched: Watched, retail: tuple[Person, str]
) -> None:
    owner, address = retail
    page = see(watched, owner, "en", "light", DESK)
    page.goto(address)
    whole = page.locator("table.profiles").first.locator("tbody tr")
    expect(whole).to_have_count(10)

    page.locator("#cell-35").focus()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"\?cell=35$"))
    expect(page.get_by_role("heading", name="Only the cell R3 F5")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("89 customers (2.1 % of all)")
    expect(page.locator("#cell-35")).to_be_focused()
    expect(page.locator("#cell-35")).to_have_attribute("aria-current", "true")
    expect(whole).to_have_count(1)
    expect(whole.first).to_contain_text("Loyal customers")
    expect(page.locator("table.customers tbody tr").first).to_contain_text("16029")

    page.get_by_role("button", name="Revenue").click()
    expect(page).to_have_url(re.compile(r"cell=35&by=revenue$"))
    expect(page.locator("#cell-35")).to_have_accessible_name("424k – R3 F5: revenue 423,935")
    page.go_back()
    page.go_back()
    expect(whole).to_have_count(10)
    watched.check_access()

    # The largest tile, top left, is the champions'.
    page.locator(".drawing canvas").first.click(position={"x": 60, "y": 60})
    expect(page).to_have_url(re.compile("/segments/champions$"))


def test_a_list_is_searched_ordered_paged_ticked_and_taken_away(
    watched: Watched, retail: tuple[Person, str]
) -> None:
    owner, address = retail
    page = see(watched, owner, "id", "light", DESK)
    page.goto(f"{address}/segments/champions")
    first = page.locator("table.customers tbody tr").first
    expect(first).to_contain_text("14646")

    page.get_by_role("link", name="Hari lalu").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Hari lalu")
    page.get_by_role("button", name="Halaman berikutnya").click()
    expect(page.get_by_role("link", name="Kembali ke halaman pertama")).to_be_visible()
    page.get_by_label("Awal nomor, nama, atau surel").fill("123")
    expect(page).to_have_url(re.compile("q=123"))
    upload = owner.ask("GET", f"/api{address}").json["upload_id"]
    query = f"/api/rfm/results/{upload}?segment=champions&q=123&sort=recency"
    expected = [one["customer_id"] for one in owner.ask("GET", query).json["items"]]
    assert len(expected) > 1
    listed = page.locator("table.customers tbody th a")
    expect(listed).to_have_text(expected)
    expect(page.get_by_label("Awal nomor, nama, atau surel")).to_be_focused()

    page.get_by_role("button", name="Pilih semua di halaman ini").click()
    page.get_by_role("checkbox").first.uncheck()
    with page.expect_download() as begun:
        page.get_by_role("button", name="CSV").click()
    with Path(begun.value.path()).open(encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    assert begun.value.suggested_filename == "Online_Retail.champions.pelanggan.csv"
    assert [row[0] for row in rows] == ["customer_id", *sorted(expected[1:])]

    page.get_by_text("Hal yang sama dari program Anda sendiri").click()
    call = page.locator("#call").inner_text()
    asked = re.search(r"(/api/rfm/results/\S+)'", call)
    assert asked is not None
    told = owner.ask("GET", asked[1]).json["items"]
    assert [one["customer_id"] for one in told] == expected


def test_without_a_script_a_cell_a_search_and_an_export_work(
    browser: Browser, address: str, retail: tuple[Person, str]
) -> None:
    owner, analysis = retail
    context = browser.new_context(base_url=address, java_script_enabled=False, locale="en-GB")
    context.add_cookies([{"name": "rfm_login", "value": owner.token, "url": address}])
    page = context.new_page()
    page.goto(analysis)
    page.locator("#cell-35").click()
    assert page.locator("table.profiles").first.locator("tbody tr").count() == 1
    page.get_by_role("link", name="All of them").click()
    assert "cell=35" in page.url
    page.get_by_label("Beginning of number").fill("16029")
    page.get_by_role("button", name="Show").click()
    assert page.locator("table.customers tbody th a").all_inner_texts() == ["16029"]
    context.close()


def test_odd_numbers_of_customers_are_reached_by_their_links(watched: Watched, odd: Shown) -> None:
    page = see(watched, odd.person, "en", "light", PHONE)
    for one in ("a/../b", "..", "/x", "é😀", "一" * 255):
        page.goto(customer_address(odd.analysis_id, one))
        expect(page.locator("h1")).to_have_text(f"Customer {one}")
    watched.check_access()
