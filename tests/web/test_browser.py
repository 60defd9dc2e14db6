"""The dashboard in a real browser: every page in both themes, the trial, forms, a login that ends."""

import datetime as dt
import re
from pathlib import Path

import pytest
from api.shop import PASSWORD, Api
from playwright.sync_api import Browser, ViewportSize, expect
from web.watched import Watched

from rfm_backend.storage import uploads
from rfm_backend.web.pages.start import EXAMPLE

pytestmark = pytest.mark.slow
DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)
LOOKS = (("en", "light", DESK), ("id", "dark", PHONE))


@pytest.mark.parametrize("address_of_page", ["/", "/sign-in", "/sign-up", "/nowhere"])
def test_axe_finds_nothing_on_the_pages_for_anyone(watched: Watched, address_of_page: str) -> None:
    watched.allowed = ("Failed to load resource: the server responded with a status of 404",)
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        watched.page.set_viewport_size(size)
        watched.page.goto(address_of_page)
        watched.check_access()


@pytest.mark.parametrize("address_of_page", ["/history", "/account"])
def test_axe_finds_nothing_on_the_pages_for_users(
    watched: Watched, api: Api, address_of_page: str
) -> None:
    person = api.person()
    watched.sign_in(person.token)
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        watched.page.set_viewport_size(size)
        watched.page.goto(address_of_page)
        watched.check_access()
        person.upload()


def test_a_trial_shows_its_progress_and_ends_in_the_picture_of_the_start(
    watched: Watched, api: Api
) -> None:
    page = watched.page
    watched.look("id", "light")
    page.goto("/")
    page.get_by_role("button", name="Coba dengan data contoh").click()

    expect(page).to_have_url(re.compile(r"/jobs/\d+$"))
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page).not_to_have_url(re.compile(r"/jobs/"), timeout=60_000)
    page.goto("/history")
    expect(page.get_by_role("row", name=re.compile("Penjualan contoh.csv"))).to_be_visible()
    expect(page.locator(".state.ready")).to_be_visible(timeout=60_000)
    assert page.locator("tr[hx-get]").count() == 0
    with page.expect_download() as begun:
        page.get_by_role("link", name=re.compile("Unduh laporan")).click()
    assert '<html lang="id">' in Path(begun.value.path()).read_text("utf-8")

    # The figures on the start page are those of this very shop.
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "rfm_login")
    headers = {"Authorization": f"Bearer {token}"}
    analysis = api.ask("GET", "/api/analyses", headers=headers).json["items"][0]
    told = api.ask("GET", f"/api/rfm/summary/{analysis['upload_id']}", headers=headers)
    shown = {key: (people, money) for key, people, money in EXAMPLE}
    for one in told.json["segments"]:
        assert shown[one["segment"]] == pytest.approx(
            (one["share_of_customers"], one["share_of_monetary"]), abs=5e-6
        )
    watched.check_access()


def test_a_form_keeps_what_was_typed_and_says_what_is_wrong_beside_the_field(
    watched: Watched,
) -> None:
    page = watched.page
    watched.allowed = ("Failed to load resource: the server responded with a status of 400",)
    page.goto("/sign-up")
    page.get_by_label("Username").fill("  Budi ")
    page.get_by_label("E-mail address").fill("budi@toko.example")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_label("Username")).to_have_value("  Budi ")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.get_by_label("Password")).to_be_focused()
    expect(page.get_by_label("Password")).to_have_accessible_description(re.compile("8 to 1,024"))
    watched.check_access()


def test_signing_up_in_and_out_leads_on_to_where_one_was_going(watched: Watched, api: Api) -> None:
    person = api.person()
    page = watched.page
    page.goto("/account")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/account$"))
    page.get_by_label("Username or e-mail address").fill(person.name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(re.compile("/account$"))
    expect(page.get_by_label("E-mail address")).to_have_value(f"{person.name}@test.com")

    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.goto("/account")
    expect(page).to_have_url(re.compile("/sign-in"))


def test_a_login_that_ended_keeps_the_work_on_the_screen(watched: Watched, api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    watched.allowed = ("Failed to load resource: the server responded with a status of 401",)
    watched.sign_in(person.token)
    page = watched.page
    page.goto("/history")
    person.ask("POST", "/api/auth/logout")
    page.evaluate(
        "id => htmx.ajax('GET', `/history/${id}`, {source: `#upload-${id}`, target: `#upload-${id}`, swap: 'outerHTML'})",
        upload_id,
    )

    expect(page.locator("#notice")).to_contain_text("Your login has ended")
    expect(page.get_by_role("link", name="Sign in in a new tab")).to_be_visible()
    expect(page.locator(f"#upload-{upload_id}")).to_be_visible()
    expect(page).to_have_url(re.compile("/history$"))

    # What asks every second says it once; what a person does is answered each time.
    page.locator("#notice > *").evaluate("message => { message.dataset.seen = 'true'; }")
    again = "id => htmx.ajax('GET', `/history/${id}`, {source: `#upload-${id}`})"
    page.locator("tbody tr").evaluate("row => row.setAttribute('hx-trigger', 'every 1s')")
    page.evaluate(again, upload_id)
    expect(page.locator("#notice > [data-seen]")).to_be_visible()
    page.locator("tbody tr").evaluate("row => row.removeAttribute('hx-trigger')")
    page.evaluate(again, upload_id)
    expect(page.locator("#notice > [data-seen]")).to_have_count(0)
    expect(page.locator("#notice")).to_contain_text("Your login has ended")


def test_a_server_that_is_away_is_told_and_the_page_stays(watched: Watched, api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    watched.allowed = (
        "Failed to load resource: net::ERR_INTERNET",
        "htmx: htmx:error: Failed to fetch",
    )
    watched.sign_in(person.token)
    page = watched.page
    page.goto("/history")
    page.context.set_offline(True)  # playwright's own
    page.evaluate("id => htmx.ajax('GET', `/history/${id}`, `#upload-${id}`)", upload_id)

    expect(page.locator("#notice")).to_contain_text("The server does not answer")
    expect(page.locator(f"#upload-{upload_id}")).to_be_visible()


def test_a_moment_is_shown_by_the_clock_of_the_reader(
    browser: Browser, address: str, api: Api
) -> None:
    person = api.person()
    upload_id = person.upload()
    moment = dt.datetime(2026, 3, 31, 20, 30)  # noqa: DTZ001  # stored in UTC, without a zone
    api.service.database.write(
        lambda tx: uploads.change(tx, upload_id, user_id=person.user_id, created_at=moment)
    )
    context = browser.new_context(base_url=address, timezone_id="Asia/Jakarta", locale="id-ID")
    context.add_cookies([{"name": "rfm_login", "value": person.token, "url": address}])
    page = context.new_page()
    page.goto("/history")

    # 20:30 UTC is half past three of the next morning in Jakarta.
    expect(page.locator("time")).to_have_text(re.compile(r"1 April 2026.*03[.:]30"))
    context.close()


def test_the_keyboard_alone_reaches_the_content_and_the_switches(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Try with sample data")).to_be_focused()

    page.get_by_role("button", name="Bahasa Indonesia").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Coba dengan data contoh")).to_be_visible()


def test_a_chart_follows_the_theme_and_the_width_and_has_its_table(watched: Watched) -> None:
    page = watched.page
    page.emulate_media(color_scheme="light")
    page.goto("/")
    watched.check_access()
    canvas = page.locator(".drawing canvas")
    light = canvas.evaluate("drawing => drawing.toDataURL()")
    page.emulate_media(color_scheme="dark")
    # wait_for_function would be refused: it evaluates text, as the content policy says nothing may.
    for _ in range(50):
        if canvas.evaluate("drawing => drawing.toDataURL()") != light:
            break
        page.wait_for_timeout(100)
    assert canvas.evaluate("drawing => drawing.toDataURL()") != light

    page.set_viewport_size(PHONE)
    expect(canvas).to_have_css("width", "328px")

    page.get_by_text("Show the figures as a table").click()
    row = page.get_by_role("row", name=re.compile("^Champions"))
    assert row.get_by_role("cell").all_inner_texts() == ["9.7 %", "56.7 %"]


def test_a_tooltip_shows_a_hostile_name_as_text(watched: Watched) -> None:
    page = watched.page
    page.goto("/")
    watched.check_access()
    hostile = "</script><img src=x onerror=document.title='taken'>"
    page.evaluate(
        "name => { const told = document.querySelector('figure script');"
        "const figures = JSON.parse(told.textContent); figures.names[0] = name;"
        "told.textContent = JSON.stringify(figures); }",
        hostile,
    )
    page.set_viewport_size({"width": 1100, "height": 800})
    page.locator(".drawing canvas").hover(position={"x": 250, "y": 60})
    page.wait_for_timeout(200)

    assert page.locator(".drawing img").count() == 0
    assert page.title() != "taken"
