"""Uploading, columns and progress in a real browser: both languages, desk and phone, and what goes wrong."""

import re

import pytest
from api.shop import PASSWORD, SALES, Api
from playwright.sync_api import FilePayload, expect
from web.test_browser import DESK, PHONE
from web.test_uploading import LEASE, UNKNOWN, held_job
from web.watched import Watched

from rfm_backend.storage import jobs

pytestmark = pytest.mark.slow
# A file is looked at in a process of its own, which starts slowly on a machine that is busy.
LOOK_MS = 30_000
# Rows enough that the upload is not over before anybody looks.
LONG = SALES + b"\n".join(b"c%03d,B%d,2024-05-05,10.5,," % (n % 90, n) for n in range(4_000))


def file(name: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="text/csv", buffer=content)


def test_a_dropped_file_leads_to_its_columns_and_one_press_to_its_result(
    watched: Watched, api: Api
) -> None:
    page = watched.page
    watched.look("en", "light")
    page.set_viewport_size(DESK)
    watched.sign_in(api.person().token)
    page.goto("/uploads/new")
    watched.check_access()
    dropped = page.evaluate_handle(
        "text => { const moved = new DataTransfer();"
        "moved.items.add(new File([text], 'sales.csv')); return moved; }",
        LONG.decode(),
    )
    page.dispatch_event("main", "dragover", {"dataTransfer": dropped})
    expect(page.locator("#upload.is-over")).to_be_visible()
    page.dispatch_event("main", "drop", {"dataTransfer": dropped})

    expect(page).to_have_url(re.compile(r"/uploads/\d+$"), timeout=LOOK_MS)
    expect(page.get_by_role("button", name="Analyse")).to_be_focused()
    expect(page.get_by_label("customer_id", exact=True)).to_have_value("customer_id")
    watched.check_access()

    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs/\d+$"))
    job = page.url.rpartition("/")[2]
    page.reload()
    expect(page).not_to_have_url(re.compile("/jobs/"), timeout=60_000)
    page.goto("/jobs")
    expect(page.locator(f"#job-{job}")).to_contain_text("Ready")
    # Nothing is under way, so nothing is asked for any more.
    assert page.locator("[hx-trigger]").count() == 0


def test_several_files_are_a_list_and_what_is_unclear_is_asked_for_on_a_phone(
    watched: Watched, api: Api
) -> None:
    page = watched.page
    watched.allowed = ("Failed to load resource: the server responded with a status of 422",)
    watched.look("id", "dark")
    page.set_viewport_size(PHONE)
    watched.sign_in(api.person().token)
    page.goto("/uploads/new")
    page.locator("#file").set_input_files([file("januari.csv", UNKNOWN), file("kosong.csv", b"")])

    stored, refused = page.locator("#files li").all()
    expect(stored.get_by_role("button", name="Periksa kolomnya januari.csv")).to_be_visible()
    expect(refused).to_contain_text("Berkas ini kosong")
    watched.check_access()

    stored.get_by_role("button").click()
    needed = page.locator("#needed")
    expect(needed).to_contain_text("Belum jelas siapa yang membeli", timeout=LOOK_MS)
    page.get_by_label("wer", exact=True).select_option(label="nomor pelanggan")
    page.get_by_label("wann", exact=True).select_option(label="tanggal pesanan")
    expect(needed).not_to_contain_text("Belum jelas siapa yang membeli")
    page.get_by_label("wieviel", exact=True).select_option(label="nilai uang")
    expect(needed).to_contain_text("sudah ada kolomnya")

    # Live: "1,50" with a point before the fraction is no number, and 2,50 with a comma is.
    shown = page.locator("#reading")
    page.get_by_label("Angka", exact=True).select_option(".")
    expect(shown).to_contain_text("tidak terbaca")
    page.get_by_label("Angka", exact=True).select_option(",")
    expect(shown).not_to_contain_text("tidak terbaca")
    watched.check_access()


def test_an_upload_that_breaks_off_says_why_and_keeps_the_file(watched: Watched, api: Api) -> None:
    page, person = watched.page, api.person()
    watched.allowed = ("Failed to load resource",)
    watched.sign_in(person.token)
    page.goto("/uploads/new")
    said = page.locator("#files")

    page.context.set_offline(True)  # playwright's own
    page.locator("#file").set_input_files([file("a.csv", SALES), file("b.csv", LONG)])
    expect(said.locator(".state.failed")).to_have_count(2)
    expect(said).to_contain_text("The server does not answer. The file is still chosen")

    page.context.set_offline(False)
    person.ask("POST", "/api/auth/logout")
    page.get_by_role("button", name="Try again a.csv").click()
    expect(said).to_contain_text("Your login has ended")
    again = api.ask(
        "POST", "/api/auth/login", json={"identifier": person.name, "password": PASSWORD}
    )
    watched.sign_in(again.json["token"])
    page.get_by_role("button", name="Try again b.csv").click()
    expect(page.get_by_role("button", name="Check the columns b.csv")).to_be_visible()
    page.get_by_role("button", name="Leave out a.csv").click()
    expect(page.locator("#files li")).to_have_count(1)


def test_progress_is_shown_each_second_and_said_only_now_and_then(
    watched: Watched, api: Api
) -> None:
    page, person = watched.page, api.person()
    job = held_job(api, person, person.upload(), stage="read", done=10, total=1000)
    watched.sign_in(person.token)
    for language, theme, size in (("en", "light", DESK), ("id", "dark", PHONE)):
        watched.look(language, theme)
        page.set_viewport_size(size)
        for address in ("/jobs", f"/jobs/{job.id}"):
            page.goto(address)
            watched.check_access()
    watched.look("en", "light")
    page.reload()

    said = page.locator("#said")
    expect(said).to_have_text("Reading")
    page.evaluate(
        "() => { window.told = 0; new MutationObserver(() => { window.told += 1; })"
        ".observe(document.getElementById('said'), {childList: true}); }"
    )
    for stage, done in (("read", 200), ("read", 300), ("cluster", None)):
        api.service.database.write(
            lambda tx, at=(stage, done): jobs.renew(  # type: ignore[misc]
                tx, job, lease=LEASE, stage=at[0], done=at[1], total=1000
            )
        )
        if done:
            expect(page.get_by_text(f"{done} of about 1,000 rows")).to_be_visible()
    expect(said).to_have_text("Clustering, 50 %")
    assert page.evaluate("window.told") == 1
    assert page.title().startswith("50 % ·")

    page.goto("/jobs")
    stop = page.get_by_role("button", name="Cancel sales.csv")
    stop.focus()
    page.wait_for_timeout(1500)
    expect(stop).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Stopping").first).to_be_attached()
    api.service.database.write(lambda tx: jobs.end_cancelled(tx, job))
    expect(page.get_by_role("heading", name="The analysis was cancelled")).to_be_visible()
