"""Rules, settings, comparison, history and account in a real browser, in both languages and widths."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from api.shop import PASSWORD, Api, Person
from playwright.sync_api import Browser, Page, ViewportSize, expect
from web.watched import Watched

from rfm_backend.pipeline.rules import built_in_rules

pytestmark = pytest.mark.slow
DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)
LOOKS = (("en", "light", DESK), ("id", "dark", PHONE))
TEN = built_in_rules("ten")


@pytest.fixture(scope="module")
def owner(api: Api) -> Person:
    """Somebody with an analysis whose number of clusters was found."""
    person = api.person()
    person.process(person.upload(name="maret.csv"), n_clusters="auto")
    return person


@pytest.fixture
def analysis(owner: Person, watched: Watched) -> tuple[Page, str]:
    """The page of somebody signed in, and the address of his first analysis."""
    watched.sign_in(owner.token)
    watched.page.set_viewport_size(DESK)
    first = owner.ask("GET", "/api/analyses").json["items"][-1]["analysis_id"]
    return watched.page, f"/analyses/{first}"


def customers_of(owner: Person, *cells: str) -> int:
    """Count the customers of the first analysis in cells of R and F, from the API's rows."""
    rows: list[dict[str, Any]] = owner.ask(
        "GET", f"/api/rfm/results/{owner.ask('GET', '/api/uploads').json['items'][-1]['upload_id']}"
    ).json
    return sum(row["rfm_cell"][:2] in cells for row in rows)


def cell(page: Page, name: str) -> Any:
    return page.locator(f"td[data-cell='{name}']")


def test_the_rules_are_painted_by_keyboard_and_mouse_kept_run_and_compared(
    analysis: tuple[Page, str], owner: Person, watched: Watched
) -> None:
    page, address = analysis
    moved = customers_of(owner, "52", "42", "32", "33")
    page.goto(f"{address}/rules")

    # Keyboard: from R5 F2 one down, painted with the space bar.
    page.get_by_role("radio", name="Champions").check()
    cell(page, "52").focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(cell(page, "42")).to_be_focused()
    page.keyboard.press("Enter")
    # Mouse: one stroke over two cells.
    boxes = [cell(page, name).bounding_box() for name in ("32", "33")]
    assert all(boxes)
    page.mouse.move(boxes[0]["x"] + 20, boxes[0]["y"] + 20)
    page.mouse.down()
    page.mouse.move(boxes[1]["x"] + 20, boxes[1]["y"] + 20, steps=4)
    page.mouse.up()

    expect(cell(page, "33")).to_have_accessible_name(re.compile(r"^R3 F3 10 ?Champions \d+$"))
    expect(page.locator("#effect strong")).to_have_text(re.compile(f"^{moved} customers move"))
    expect(page.locator("#effect")).to_contain_text("No cell is left for these segments")
    # What was changed has a frame in the colour of the text.
    ink = page.locator("h1").evaluate("one => getComputedStyle(one).color")
    expect(cell(page, "33")).to_have_css("border-top-color", ink)
    expect(cell(page, "34")).not_to_have_css("border-top-color", ink)
    watched.check_access()

    page.get_by_label("Name of the table").fill("more champions")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Table of segments")).to_have_value("more champions")
    page.get_by_label("Use the number below").check()
    page.get_by_role("textbox", name="Number of clusters").fill("2")
    page.get_by_role("button", name="Run again").click()
    painted = dict.fromkeys(("52", "42", "32", "33"), "champions")
    (table,) = owner.ask("GET", "/api/segments/tables").json["items"]
    assert table["cells"] == TEN.cells | painted

    new = wait_for_second(page, owner)
    # The page of the job leads on to what it made.
    expect(page).to_have_url(re.compile(rf"/analyses/{new}$"), timeout=30_000)
    page.goto(f"{address}/compare?other={new}")
    expect(page).to_have_url(re.compile(f"/analyses/{new}/compare/"))
    expect(page.locator(".big-number")).to_have_text(
        re.compile(f"^{moved} customers are in another segment")
    )
    expect(page.get_by_role("row", name=re.compile("Table of segments"))).to_contain_text(
        "more champions"
    )
    expect(page.get_by_role("row", name=re.compile("Number of clusters"))).to_contain_text(
        "Find the number"
    )
    watched.check_access()
    page.get_by_role("link", name="Turn the sides round").click()
    expect(page).to_have_url(re.compile(f"{address}/compare/{new}$"))
    expect(page.locator(".big-number")).to_have_text(re.compile(f"^{moved} "))
    watched.look("id", "dark")
    page.set_viewport_size(PHONE)
    page.reload()
    watched.check_access()


def wait_for_second(page: Page, owner: Person) -> int:
    """Return the number of the newer analysis once it is there."""
    for _ in range(300):
        found = owner.ask("GET", "/api/analyses").json["items"]
        if len(found) > 1:
            return int(found[0]["analysis_id"])
        page.wait_for_timeout(100)
    raise AssertionError("The second analysis did not end.")


def test_a_finger_paints_a_stroke(browser: Browser, address: str, owner: Person) -> None:
    context = browser.new_context(base_url=address, viewport=PHONE, has_touch=True, is_mobile=True)
    context.add_cookies([{"name": "rfm_login", "value": owner.token, "url": address}])
    page = context.new_page()
    first = owner.ask("GET", "/api/analyses").json["items"][-1]["analysis_id"]
    page.goto(f"/analyses/{first}/rules")
    page.get_by_text("Promising").first.tap()
    cell(page, "32").scroll_into_view_if_needed()
    box = [cell(page, name).bounding_box() for name in ("32", "33")]
    touch = context.new_cdp_session(page)
    for kind, place in (("touchStart", 0), ("touchMove", 1), ("touchEnd", None)):
        points = [] if place is None else [{"x": box[place]["x"] + 9, "y": box[place]["y"] + 9}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for name in ("32", "33"):
        expect(cell(page, name)).to_have_accessible_name(re.compile("Promising"))
    moved = customers_of(owner, "32", "33")
    expect(page.locator("#effect strong")).to_have_text(re.compile(f"^{moved} customers move"))
    context.close()


@pytest.fixture
def plain(browser: Browser, address: str, owner: Person) -> Iterator[Page]:
    """A page of somebody whose browser runs no script."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    context.add_cookies([{"name": "rfm_login", "value": owner.token, "url": address}])
    yield context.new_page()
    context.close()


def test_without_a_script_the_rules_are_chosen_cell_by_cell(plain: Page, owner: Person) -> None:
    first = owner.ask("GET", "/api/analyses").json["items"][-1]["analysis_id"]
    plain.goto(f"/analyses/{first}/rules?table=ten")
    plain.get_by_label("R5 F2", exact=True).select_option("champions")
    plain.get_by_label("Name of the table").fill("champions")
    plain.get_by_label("Its name").fill("Dormant")
    plain.get_by_role("button", name="Add the segment").click()

    expect(plain.get_by_label("R5 F2", exact=True)).to_have_value("champions")
    moved = customers_of(owner, "52")
    expect(plain.locator("#effect strong")).to_have_text(re.compile(f"^{moved} customers move"))
    plain.get_by_label("R1 F1", exact=True).select_option("dormant")
    plain.get_by_role("button", name="Save", exact=True).click()
    expect(plain.get_by_label("Table of segments")).to_have_value("champions")
    expect(plain.locator("time").first).to_have_text(re.compile(" UTC$"))


def test_settings_that_are_refused_or_sent_after_the_login_ended_stay_on_the_screen(
    api: Api, owner: Person, watched: Watched
) -> None:
    sent = {"identifier": owner.name, "password": PASSWORD}
    token = api.ask("POST", "/api/auth/login", json=sent).json["token"]
    watched.sign_in(token)
    watched.allowed = ("Failed to load resource: the server responded with a status of 40",)
    page = watched.page
    first = owner.ask("GET", "/api/analyses").json["items"][-1]["analysis_id"]
    page.goto(f"/analyses/{first}/settings")
    page.get_by_text("Further settings").click()
    page.get_by_label("Leave rows out").fill("Country Unspecified")
    page.get_by_label("Use the number below").check()
    page.get_by_role("button", name="Run again").click()

    expect(page.locator("#exclude-error")).to_be_visible()
    expect(page.get_by_label("Leave rows out")).to_be_focused()
    expect(page.get_by_label("Use the number below")).to_be_checked()
    watched.check_access()

    api.ask("POST", "/api/auth/logout", headers={"Authorization": f"Bearer {token}"})
    page.get_by_label("Leave rows out").fill("Country = Unspecified")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#notice")).to_contain_text("Your login has ended")
    expect(page.get_by_label("Leave rows out")).to_have_value("Country = Unspecified")

    # After signing in in another tab the same form goes through.
    watched.sign_in(owner.token)
    page.get_by_label("Leave rows out").fill("")
    page.get_by_label("Find the number").check()
    page.get_by_role("button", name="Run again").click()
    expect(page).to_have_url(re.compile(rf"/(history|analyses/{first})$"))


def test_what_is_deleted_in_one_tab_is_told_in_the_other(api: Api, watched: Watched) -> None:
    person = api.person()
    upload_id = person.upload(name="maret.csv")
    watched.sign_in(person.token)
    watched.allowed = ("Failed to load resource: the server responded with a status of 404",)
    page, other = watched.page, watched.page.context.new_page()
    page.goto(f"/history/{upload_id}/keep")
    other.goto("/history")
    other.get_by_role("link", name="Manage maret.csv").click()
    other.get_by_role("button", name="Delete this upload …").click()
    other.get_by_role("button", name="Delete", exact=True).click()
    expect(other.get_by_role("status")).to_contain_text("The upload is deleted")
    expect(other.get_by_text("Nothing here yet")).to_be_visible()

    page.get_by_label("Name", exact=True).fill("april.csv")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It may have been deleted")).to_be_visible()


def test_a_new_token_is_copied_and_gone_after_a_look_elsewhere(api: Api, watched: Watched) -> None:
    person = api.person()
    watched.sign_in(person.token)
    page = watched.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/account")
    page.get_by_label("Name", exact=True).fill("nightly export")
    page.get_by_label("Holds for").select_option("365")
    page.get_by_role("button", name="Make a token").click()
    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    token = page.evaluate("navigator.clipboard.readText()")
    headers = {"Authorization": f"Bearer {token}"}
    assert api.ask("GET", "/api/uploads", headers=headers).status_code == 200
    page.goto("/account")
    expect(page.get_by_text("nightly export", exact=True)).to_be_visible()
    assert page.get_by_text(token).count() == 0

    watched.look("id", "light")
    page.reload()
    page.get_by_role("button", name="Cabut nightly export").click()
    expect(page.get_by_role("status")).to_contain_text("Token sudah dicabut")
    page.get_by_role("button", name="Hapus akun saya …").click()
    page.get_by_label("Kata sandi Anda, untuk memastikan").fill(PASSWORD)
    page.get_by_role("button", name="Hapus semuanya").click()
    expect(page.get_by_role("button", name="Coba dengan data contoh")).to_be_visible()
    assert person.ask("GET", "/api/user/profile").status_code == 401


@pytest.mark.parametrize(
    ("path", "looks"),
    [
        ("/analyses/{analysis}/settings", LOOKS),
        ("/analyses/{analysis}/rules?table=eleven", LOOKS[1:]),
        ("/history/{upload}/keep", LOOKS[1:]),
        ("/history/{upload}/delete", LOOKS[:1]),
        ("/analyses/{analysis}/delete", LOOKS[1:]),
        ("/shops", LOOKS[1:]),
        ("/account/delete", LOOKS[1:]),
    ],
)
def test_axe_finds_nothing_on_these_pages(
    watched: Watched, owner: Person, path: str, looks: tuple[tuple[str, str, ViewportSize], ...]
) -> None:
    upload = owner.ask("GET", "/api/uploads").json["items"][-1]["upload_id"]
    first = owner.ask("GET", "/api/analyses").json["items"][-1]["analysis_id"]
    watched.sign_in(owner.token)
    for language, theme, size in looks:
        watched.look(language, theme)
        watched.page.set_viewport_size(size)
        watched.page.goto(path.format(upload=upload, analysis=first))
        watched.check_access()


def test_steps_of_ones_own_are_asked_for_where_they_are_chosen(
    analysis: tuple[Page, str], watched: Watched
) -> None:
    page, address = analysis
    watched.allowed = ("Failed to load resource: the server responded with a status of 400",)
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        page.set_viewport_size(size)
        page.goto(f"{address}/settings")
        expect(page.locator("#recency_1")).to_be_hidden()
        page.locator("[value='thresholds']").check()
        page.locator("#recency_1").fill("9999")
        watched.check_access()
        page.locator(".act button").click()
        expect(page.locator("#recency_1-error")).to_be_visible()
        watched.check_access()
