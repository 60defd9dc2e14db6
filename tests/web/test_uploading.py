"""Uploading, columns and jobs without a browser: the plain forms, what htmx gets, what is kept."""

import datetime as dt
import io
import re
from typing import Any

import pytest
from api.shop import SALES, Api, Person
from web.test_pages import visit

from rfm_backend.services import uploads
from rfm_backend.services.looks import look_at
from rfm_backend.storage import jobs
from rfm_backend.storage.jobs import Job

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
LEASE = dt.timedelta(hours=1)
UNKNOWN = "\n".join(
    ["wer;wann;wieviel;stand", *(f"k{n % 60};{1 + n % 28:02}.01.2024;{n},50;x" for n in range(200))]
).encode()


def send(api: Api, person: Person, *files: tuple[bytes, str], **headers: str) -> Any:
    data = {"file": [(io.BytesIO(content), name) for content, name in files]}
    return visit(api, "POST", "/uploads", person.token, data=data, headers=headers)


def held_job(api: Api, person: Person, upload_id: int, **state: object) -> Job:
    """Return a job that this test holds as a worker would, so that no worker takes it."""

    def unit(tx: Any) -> Job:
        joined = jobs.join(
            tx, user_id=person.user_id, upload_id=upload_id, fingerprint="f", options="{}"
        )
        taken = jobs.claim(tx, worker="test", lease=LEASE)
        assert taken is not None
        assert taken.id == joined.id
        jobs.renew(tx, taken, lease=LEASE, **{"stage": "read", "done": 0, "total": None, **state})  # type: ignore[arg-type]  # as given
        return taken

    return api.service.database.write(unit)


def test_the_plain_form_takes_fifty_files_at_once_and_says_so_to_more(api: Api) -> None:
    person = api.person()
    empty = [(b"", f"{n}.csv") for n in range(51)]

    fifty = send(api, person, *empty[:50])
    more = send(api, person, *empty)

    # Each file has its own line, here with why it was refused.
    assert fifty.text.count("<li><p><strong>") == 50
    assert more.status_code == 413
    assert "Choose at most 50 at a time" in more.text
    assert person.ask("GET", "/api/uploads").json["items"] == []


def test_one_file_leads_to_its_columns_and_several_to_a_list(api: Api) -> None:
    person = api.person()

    one = send(api, person, (SALES, "a.csv"))
    several = send(api, person, (SALES, "b.csv"), (b"", "empty.csv"), (SALES, "c.csv"))

    assert one.status_code == 303
    assert re.fullmatch(r"/uploads/\d+", one.headers["Location"])
    assert several.status_code == 200
    assert len(re.findall(r'href="/uploads/\d+" data-onward', several.text)) == 2
    assert "This file is empty" in several.text
    names = [
        one.filename for one in uploads.page(api.service, person.user_id, before=None, limit=9)
    ]
    assert sorted(names) == ["a.csv", "b.csv", "c.csv"]


def test_a_file_that_is_no_table_is_told_beside_the_field(api: Api) -> None:
    person = api.person()
    for data in ({}, {"file": (io.BytesIO(b"\x7fELF\x00\x01"), "sales.csv")}):
        answer = visit(api, "POST", "/uploads", person.token, data=data)
        assert answer.status_code in (400, 422)
        assert 'id="file-error"' in answer.text


def test_a_file_that_the_script_sends_is_answered_with_a_part(api: Api) -> None:
    person = api.person()

    stored = send(api, person, (SALES, "<b>.csv"), **HTMX)
    refused = send(api, person, (b"\x89PNG\r\n\x1a\n", "x.csv"), **HTMX)

    assert (stored.status_code, refused.status_code) == (201, 422)
    assert "data-onward" in stored.text
    assert "&lt;b&gt;.csv" in stored.text
    assert "<html" not in stored.text + refused.text


@pytest.mark.slow
def test_an_upload_is_looked_at_once_and_what_was_seen_goes_with_it(api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    upload = uploads.get(api.service, person.user_id, upload_id)
    files = api.service.files

    first = look_at(api.service, upload)
    noted = files.read_look(person.user_id, upload.token)
    # A note is believed: what is seen the second time is what stands in it.
    files.note_look(person.user_id, upload.token, str(noted).replace('"amount"', '"sum"'))
    again = look_at(api.service, upload)

    assert first.columns[3].name == "amount"
    assert again.columns[3].name == "sum"
    person.ask("DELETE", f"/api/uploads/{upload_id}")
    assert files.read_look(person.user_id, upload.token) is None


@pytest.mark.slow
def test_a_file_that_cannot_be_opened_says_so_and_what_to_do(api: Api) -> None:
    person = api.person()
    content = b"a" * 3_000_000

    sent = send(api, person, (content, "long.csv"))
    waiting = visit(api, "GET", sent.headers["Location"], person.token)
    seen = visit(api, "GET", f"{sent.headers['Location']}?look=now", person.token)

    assert "Looking at the file" in waiting.text
    assert seen.status_code == 422
    assert 'href="/uploads/new"' in seen.text


@pytest.mark.slow
def test_a_file_without_known_columns_is_analysed_once_they_are_chosen(api: Api) -> None:
    person = api.person()
    upload_id = person.upload(UNKNOWN, "unbekannt.csv")
    page = f"/uploads/{upload_id}"
    form = {"column_0": "customer_id", "column_1": "invoice_date", "column_2": "", "column_3": ""}

    shown = visit(api, "GET", page, person.token)
    early = visit(api, "POST", f"{page}/analyse", person.token, data=form, headers=HTMX)
    part = visit(api, "POST", f"{page}/reading", person.token, data=form, headers=HTMX)
    form |= {"column_2": "amount", "new_shop": "Laden"}
    again = visit(api, "POST", page, person.token, data=form)
    begun = visit(api, "POST", f"{page}/analyse", person.token, data=form, headers=HTMX)

    assert "Who bought is missing" in shown.text
    assert (early.status_code, early.headers["HX-Retarget"]) == (422, "#notice")
    assert "For how much is missing" in part.text
    assert "14 January 2024" in part.text or "1 January 2024" in part.text
    # The first row says 0,50, which counts; nothing else is wrong with this file.
    assert "Every row of those looked at can be used" in again.text
    job = int(re.fullmatch(r"/jobs/(\d+)", begun.headers["HX-Redirect"])[1])  # type: ignore[index]
    shops = [shop["name"] for shop in person.ask("GET", "/api/shops").json["items"]]
    assert shops[-1] == "Laden"
    done = person.ask("GET", f"/api/jobs/{job}", headers={"Accept": "text/event-stream"}).text
    assert '"state":"done"' in done.replace(" ", "")
    onward = visit(api, "GET", f"/jobs/{job}", person.token)
    assert onward.status_code == 303


@pytest.mark.slow
def test_the_guess_as_it_is_is_the_call_without_options(api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    made = person.process(upload_id)["analysis_id"]

    page = visit(api, "GET", f"/uploads/{upload_id}", person.token).text
    names = re.findall(r'<select name="(column_\d+)".*?</select>', page, flags=re.DOTALL)
    chosen = re.findall(
        r'<select name="column_\d+".*?<option value="(\w*)" selected>', page, flags=re.DOTALL
    )
    form = dict(zip(names, chosen, strict=True))
    begun = visit(api, "POST", f"/uploads/{upload_id}/analyse", person.token, data=form)

    assert chosen[:4] == ["customer_id", "invoice_id", "invoice_date", "amount"]
    assert begun.status_code == 303
    assert not begun.headers["Location"].startswith("/jobs/")
    assert len(person.ask("GET", "/api/analyses").json["items"]) == 1
    assert person.ask("GET", "/api/analyses").json["items"][0]["analysis_id"] == made


@pytest.mark.slow
def test_saved_columns_are_offered_for_the_same_header_and_to_their_owner_alone(api: Api) -> None:
    person, stranger = api.person(), api.person()
    first, second = person.upload(UNKNOWN, "jan.csv"), person.upload(UNKNOWN, "feb.csv")
    other, theirs = person.upload(), stranger.upload(UNKNOWN, "jan.csv")
    form = {"column_0": "customer_id", "column_1": "invoice_date", "column_2": "amount"}
    saving = f"/uploads/{first}/mappings"

    saved = visit(api, "POST", saving, person.token, data={**form, "mapping_name": "Kasse"})
    twice = visit(api, "POST", saving, person.token, data={**form, "mapping_name": "Kasse"})
    number = saved.headers["Location"].partition("=")[2]
    pages = [
        visit(api, "GET", f"/uploads/{one}", who.token).text
        for one, who in ((second, person), (other, person), (theirs, stranger))
    ]
    used = visit(api, "GET", f"/uploads/{second}?mapping={number}", person.token).text

    assert saved.status_code == 303
    assert (twice.status_code, "You have one of this name already" in twice.text) == (
        409,
        True,
    )
    assert ["Kasse" in page for page in pages] == [True, False, False]
    assert '<option value="amount" selected>' in used
    deleting = f"/uploads/{second}/mappings/delete"
    stolen = visit(api, "POST", deleting, stranger.token, data={"mapping_id": number})
    visit(api, "POST", deleting, person.token, data={"mapping_id": number})
    assert stolen.status_code == 404
    assert person.ask("GET", "/api/mappings").json["items"] == []


@pytest.mark.slow
def test_what_no_page_offers_is_a_bad_request(api: Api) -> None:
    person = api.person()
    page = f"/uploads/{person.upload()}/analyse"

    for nonsense in ({"column_0": "boss"}, {"column_0": "", "decimal": "x"}):
        assert visit(api, "POST", page, person.token, data=nonsense).status_code == 400


def test_a_job_tells_stage_rows_and_share_and_stops_when_told(api: Api) -> None:
    person = api.person()
    job = held_job(api, person, person.upload(), stage="read", done=250_000, total=500_000)
    path = f"/jobs/{job.id}"

    page = visit(api, "GET", path, person.token).text
    part = visit(api, "GET", path, person.token, headers=HTMX).text
    listed = visit(api, "GET", "/jobs", person.token).text

    for text in (page, part, listed):
        assert "250,000 of about 500,000 rows" in text
        assert "Reading" in text
    assert "<html" not in part
    told = person.ask("GET", f"/api/jobs/{job.id}").json
    assert (told["rows"], told["percent"]) == (250_000, 50.0)
    # What a workbook is checked by is bytes, and no rows.
    api.service.database.write(
        lambda tx: jobs.renew(tx, job, lease=LEASE, stage="check", done=5_000_000, total=9_000_000)
    )
    assert person.ask("GET", f"/api/jobs/{job.id}").json["rows"] is None
    assert "5,000,000" not in visit(api, "GET", path, person.token).text

    assert visit(api, "POST", f"{path}/cancel", person.token).headers["Location"] == path
    assert "Stopping" in visit(api, "GET", path, person.token).text
    api.service.database.write(lambda tx: jobs.end_cancelled(tx, job))
    ended = visit(api, "GET", path, person.token, headers=HTMX)
    assert ended.headers["HX-Refresh"] == "true"
    assert "The analysis was cancelled" in visit(api, "GET", path, person.token).text


@pytest.mark.parametrize(
    ("code", "words", "way"),
    [
        ("missing_columns", "A column is missing", "Back to the columns"),
        ("worker_lost", "stopped three times", "Try again"),
        ("never_heard_of", "In its own words.", "Try again"),
    ],
)
def test_a_job_that_failed_says_why_and_what_to_do(
    api: Api, code: str, words: str, way: str
) -> None:
    person = api.person()
    job = held_job(api, person, person.upload())
    api.service.database.write(
        lambda tx: jobs.fail(tx, job, code=code, message="In its own words.")
    )

    page = visit(api, "GET", f"/jobs/{job.id}", person.token).text

    assert words in page
    assert re.search(rf'href="/uploads/{job.upload_id}">{way}<', page)


def test_a_new_account_begins_where_files_are_chosen(api: Api) -> None:
    sent = {"username": "Pak Budi", "email": "budi@kasir.example", "password": "kata yang panjang"}

    assert visit(api, "POST", "/sign-up", data=sent).headers["Location"] == "/uploads/new"
