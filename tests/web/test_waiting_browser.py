"""The pages of waiting, and of a file that is none, in a real browser: whoever cannot see them can use them."""

import io

import pytest
import xlsxwriter
from api.shop import SALES, Api
from playwright.sync_api import Route, expect
from web.test_browser import LOOKS
from web.test_uploading import held_job
from web.watched import Watched

pytestmark = pytest.mark.slow
# More than is looked at at once (previews.py: 2 MB).
LARGE = SALES + b"\n,,,,,".join([b""] * 420_000)


def test_axe_finds_nothing_on_the_page_of_progress(watched: Watched, api: Api) -> None:
    person = api.person()
    watched.sign_in(person.token)
    job = held_job(api, person, person.upload(), done=120, total=400)
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        watched.page.set_viewport_size(size)
        watched.page.goto(f"/jobs/{job.id}")
        expect(watched.page.get_by_role("progressbar")).to_be_visible()
        watched.check_access()
        watched.page.goto("/jobs")
        watched.check_access()
    assert person.ask("DELETE", f"/api/jobs/{job.id}").status_code == 200


def test_axe_finds_nothing_while_a_large_file_is_looked_at(watched: Watched, api: Api) -> None:
    person = api.person()
    watched.sign_in(person.token)
    upload_id = person.upload(LARGE)
    shown: list[str] = []

    def hold(route: Route) -> None:
        # Without the refresh, which Chromium follows before anything can be looked at.
        answer = route.fetch()
        shown.append(answer.text())
        route.fulfill(
            response=answer, body=shown[-1].replace('http-equiv="refresh"', 'name="held"')
        )

    watched.page.route(f"**/uploads/{upload_id}", hold)
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        watched.page.set_viewport_size(size)
        watched.page.goto(f"/uploads/{upload_id}")
        expect(watched.page.get_by_role("progressbar")).to_be_visible()
        watched.check_access()
    assert all('http-equiv="refresh"' in one for one in shown)


def test_axe_finds_nothing_on_the_page_of_a_file_that_is_no_table(
    watched: Watched, api: Api
) -> None:
    person = api.person()
    watched.sign_in(person.token)
    # A workbook of an empty sheet passes the door, and is no table.
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        book.add_worksheet()
    upload_id = person.upload(out.getvalue(), name="empty.xlsx")
    watched.allowed = ("Failed to load resource: the server responded with a status of 422",)
    for language, theme, size in LOOKS:
        watched.look(language, theme)
        watched.page.set_viewport_size(size)
        watched.page.goto(f"/uploads/{upload_id}")
        expect(watched.page.locator("main")).to_contain_text("CSV")
        watched.check_access()
