"""Signing in and out in a browser: the way out, what is typed into a password, what stays behind."""

import re

import pytest
from api.shop import PASSWORD, Api
from playwright.sync_api import expect
from web.owned import own_everything
from web.shown import Shown
from web.test_pages import visit
from web.watched import Watched

from rfm_backend.web.routing import PAGES

pytestmark = pytest.mark.slow
# What a script of the page could have put away for later.
_PUT_AWAY = """async () => [
  localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
  (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length,
]"""


def test_every_page_of_a_person_has_the_way_out(api: Api) -> None:
    owner, named = own_everything(api)
    seen = []

    for page in PAGES:
        if page.method == "GET" and page.access == "user":
            path = re.sub(r"<\w+:(\w+)>", lambda found: str(named[found[1]]), page.path)
            answer = visit(api, "GET", path, owner.token)
            # Files (the report is one), parts of pages and what leads on are no pages.
            if "<html" in answer.text and not path.endswith("/report"):
                seen.append(path)
                assert 'action="/sign-out"' in answer.text, path
    assert len(seen) >= 15


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/sign-in", ["password"]),
        ("/sign-up", ["password"]),
        ("/account", ["email_password", "old_password", "password"]),
    ],
)
def test_a_password_is_hidden_and_can_be_pasted(
    watched: Watched, api: Api, path: str, fields: list[str]
) -> None:
    page = watched.page
    if path == "/account":
        watched.sign_in(api.person().token)
    page.goto(path)
    # What is pasted is copied from a field that shows its text.
    source = page.locator("form input:not([type=hidden]):not([type=password])").first
    source.fill("pasted: 一 &")
    for name in fields:
        field = page.locator(f"#{name}")
        source.press("Control+a")
        source.press("Control+c")
        field.press("Control+v")

        assert field.get_attribute("type") == "password"
        expect(field).to_have_value("pasted: 一 &")


def test_nothing_of_a_person_stays_in_the_browser_after_signing_out(
    watched: Watched, api: Api, shown: Shown
) -> None:
    page = watched.page
    page.goto("/sign-in")
    page.locator("#identifier").fill(shown.person.name)
    page.locator("#password").fill(PASSWORD)
    page.locator("#password").press("Enter")
    page.wait_for_url("**/history")
    page.goto(shown.address)
    page.goto(f"{shown.address}/customers")
    expect(page.get_by_role("link", name="c012", exact=True)).to_be_visible()

    page.locator("form[action='/sign-out'] button").click()
    page.wait_for_url(f"{watched.address}/")

    assert page.evaluate(_PUT_AWAY) == [0, 0, 0, 0, 0]
    kept = {one["name"] for one in page.context.cookies()}
    assert kept <= {"rfm_device", "rfm_language", "rfm_theme"}
    page.go_back()
    page.wait_for_url("**/sign-in**")
    assert "c012" not in page.content()


def test_names_from_a_file_change_no_object_of_the_page(watched: Watched, api: Api) -> None:
    names = ("__proto__", "constructor", "toString", "hasOwnProperty")
    rows = [
        f"c{place:03},2024-01-{place % 28 + 1:02},{place + 1},{names[place % 4]}"
        for place in range(80)
    ]
    content = "\n".join(["customer_id,invoice_date,amount,country", *rows]).encode()
    analysis = Shown(api.person(), content, by="country")
    watched.sign_in(analysis.person.token)
    page = watched.page
    page.goto("/sign-in")
    own = "Object.getOwnPropertyNames(Object.prototype).sort().join()"
    before = page.evaluate(own)

    page.goto(analysis.address)
    page.locator("figure.chart[data-drawn]").first.wait_for()

    assert page.evaluate(own) == before
    assert page.evaluate("String({})") == "[object Object]"
