"""Uploads: what is taken in and what is refused, what the list shows, what is left after a deletion."""

import gzip
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from api.shop import SALES, Api, Person, open_api
from rfm_testing import service_settings
from sqlalchemy import event
from werkzeug.datastructures import FileStorage, Headers

from rfm_backend.api.shapes.base import MOST_ID
from rfm_backend.services import uploads
from rfm_backend.services.uploads import display_name


@pytest.fixture(scope="module")
def person(api: Api) -> Person:
    return api.person()


def send(person: Person, **data: Any) -> Any:
    return person.ask("POST", "/api/upload", data=data, content_type="multipart/form-data")


def test_an_upload_tells_what_it_is(person: Person) -> None:
    answer = send(person, file=(io.BytesIO(SALES + b"\n"), "../../tmp/Penjualan 2024.csv"))

    assert answer.status_code == 201
    told = answer.json
    assert told["message"] == "file uploaded"
    assert (told["filename"], told["format"]) == ("Penjualan 2024.csv", "csv")
    assert told["size_bytes"] == len(SALES) + 1
    assert (told["same_as"], told["analysis_id"]) == (None, None)
    read = person.ask("GET", f"/api/uploads/{told['upload_id']}").json
    assert read == {key: told[key] for key in read}


def test_the_same_bytes_again_are_a_new_upload_over_the_same_bytes(api: Api) -> None:
    person = api.person()
    first = person.upload()
    answer = send(person, file=(io.BytesIO(SALES), "again.csv")).json

    assert answer["upload_id"] != first
    assert answer["same_as"] == first
    folder = api.service.settings.upload_dir / str(person.user_id) / "files"
    assert len(list(folder.iterdir())) == 1
    # The bytes stay while one upload needs them, and go with the last.
    person.ask("DELETE", f"/api/uploads/{first}")
    assert person.process(answer["upload_id"])["total_customers"] == 70
    person.ask("DELETE", f"/api/uploads/{answer['upload_id']}")
    assert list(folder.iterdir()) == []
    # Somebody else's same bytes are his own.
    assert send(api.person(), file=(io.BytesIO(SALES), "x.csv")).json["same_as"] is None


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "unreadable_file"),
        (b"%PDF-1.7 ...", 422, "unreadable_file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 422, "unreadable_file"),
        (b"<html><body>", 422, "unreadable_file"),
        (b"PK\x03\x04" + bytes(50), 422, "unreadable_file"),
    ],
)
def test_what_is_plainly_no_table_is_refused(
    api: Api, person: Person, content: bytes, status: int, code: str
) -> None:
    before = person.ask("GET", "/api/uploads").json["items"]
    answer = send(person, file=(io.BytesIO(content), "x.csv"))

    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["message"].startswith("x.csv ")
    assert person.ask("GET", "/api/uploads").json["items"] == before
    assert list((api.service.settings.upload_dir / "tmp").iterdir()) == []


def test_a_body_of_another_form_is_refused(person: Person) -> None:
    answers = [
        person.ask("POST", "/api/upload"),
        person.ask("POST", "/api/upload", json={}),
        send(person, other=(io.BytesIO(SALES), "x.csv")),
        send(person, file="as text"),
        send(person, file=[(io.BytesIO(SALES), "a.csv"), (io.BytesIO(SALES), "b.csv")]),
        send(person, file=(io.BytesIO(SALES), "a.csv"), more="x"),
        send(person, file=(io.BytesIO(SALES), "a.csv"), shop_id="first"),
        send(person, file=(io.BytesIO(SALES), "a.csv"), shop_id=["1", "1"]),
        send(person, file=(io.BytesIO(SALES), "a.csv"), shop_id=str(MOST_ID + 1)),
        send(person, file=(io.BytesIO(SALES), "a.csv"), shop_id="0" * 20 + "9" * 30),
        send(person, file=(io.BytesIO(SALES), "a.csv"), shop_id="0" * 20 + "9" * 5000),
        send(
            person,
            file=FileStorage(
                io.BytesIO(SALES),
                "a.csv",
                headers=Headers({"Content-Transfer-Encoding": "base64"}),
            ),
        ),
    ]

    assert [one.status_code for one in answers] == [400] * len(answers)
    assert {one.json["code"] for one in answers} <= {"invalid_request", "bad_request"}
    missing = send(person, file=(io.BytesIO(SALES), "a.csv"), shop_id=str(MOST_ID))
    assert missing.status_code == 404


# The parser leaves its buffer to the garbage collector where a body ends too early.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_body_that_was_cut_off_is_an_error_and_not_an_upload(person: Person) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\na,b'

    answer = person.ask(
        "POST", "/api/upload", data=body, content_type="multipart/form-data; boundary=x"
    )

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert "cut off" in answer.json["message"]


def test_limits_of_size_number_and_space(tmp_path: Path) -> None:
    settings = service_settings(
        "sqlite", tmp_path, max_upload_bytes=20_000, quota_bytes=30_000, quota_files=3
    )
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        exact = b"a,b\n" + b"1,2\n" * 4_999
        assert len(exact) == 20_000
        assert send(person, file=(io.BytesIO(exact), "x.csv")).status_code == 201
        over = send(person, file=(io.BytesIO(exact + b"1"), "x.csv"))
        assert (over.status_code, over.json["code"]) == (413, "too_large")
        # Far over: refused before the body is read.
        huge = send(person, file=(io.BytesIO(bytes(3 * 1024**2)), "x.csv"))
        assert (huge.status_code, huge.json["code"]) == (413, "too_large")
        # The largest file, and a mebibyte for the rest of its form.
        assert "larger than 1,068,576 bytes" in huge.json["message"]
        full = send(person, file=(io.BytesIO(exact[:-4]), "y.csv"))
        assert (full.status_code, full.json["code"]) == (507, "over_quota")
        # To the last byte of what is allowed.
        assert send(person, file=(io.BytesIO(exact[:10_000]), "2.csv")).status_code == 201
        # The same bytes take no more space, but they are one more upload.
        assert send(person, file=(io.BytesIO(exact), "3.csv")).status_code == 201
        many = send(person, file=(io.BytesIO(exact), "4.csv"))
        assert (many.status_code, many.json["code"]) == (507, "over_quota")


def test_a_disk_without_room_for_two_of_the_largest_files_takes_none(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with open_api(
        service_settings("sqlite", tmp_path, max_upload_bytes=free), with_worker=False
    ) as api:
        person = api.person()
        refused = send(person, file=(io.BytesIO(SALES), "1.csv"))

        assert (refused.status_code, refused.json["code"]) == (507, "over_quota")
        assert "nearly full" in refused.json["message"]
        assert person.ask("GET", "/api/uploads").json["items"] == []


def test_the_list_goes_page_by_page_and_by_shop(api: Api) -> None:
    person = api.person()
    shop = person.ask("POST", "/api/shops", json={"name": "Bandung"}).json["shop_id"]
    made = [person.upload(SALES + b"\n" * n, name=f"{n}.csv") for n in range(5)]
    there = person.upload(shop_id=str(shop))
    seen, query = [], "?limit=3"
    while query:
        page = person.ask("GET", f"/api/uploads{query}").json
        seen += [one["upload_id"] for one in page["items"]]
        query = f"?limit=3&cursor={page['next_cursor']}" if page["next_cursor"] else ""

    assert seen == [there, *reversed(made)]
    in_shop = person.ask("GET", f"/api/uploads?shop_id={shop}").json["items"]
    assert [one["upload_id"] for one in in_shop] == [there]
    for query in ("limit=0", "limit=1001", "limit=x", "cursor=zzz", "page=2", "limit=1&limit=2"):
        assert person.ask("GET", f"/api/uploads?{query}").status_code == 400


def test_an_upload_is_renamed_and_moved(api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    shop = person.ask("POST", "/api/shops", json={"name": "B"}).json["shop_id"]

    changed = person.ask(
        "PATCH", f"/api/uploads/{upload_id}", json={"filename": "Juli.csv", "shop_id": shop}
    )

    assert (changed.json["filename"], changed.json["shop_id"]) == ("Juli.csv", shop)
    assert (
        person.ask("PATCH", f"/api/uploads/{upload_id}", json={"shop_id": 999999}).status_code
        == 404
    )
    assert person.ask("PATCH", f"/api/uploads/{upload_id}", json={"sha256": "x"}).status_code == 400


def test_a_deletion_leaves_nothing(api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    analysis = person.process(upload_id)["analysis_id"]
    assert person.ask("GET", f"/api/uploads/{upload_id}/preview").status_code == 200

    assert person.ask("DELETE", f"/api/uploads/{upload_id}").status_code == 200

    for path in (
        f"/api/uploads/{upload_id}",
        f"/api/rfm/results/{upload_id}",
        f"/api/analyses/{analysis}",
    ):
        assert person.ask("GET", path).status_code == 404
    folder = api.service.settings.upload_dir / str(person.user_id)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_rows_go_in_parts(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """SALES has 70 customers."""
    parts: list[int] = []
    person = api.person()
    upload_id = person.upload()
    person.process(upload_id)
    monkeypatch.setattr(uploads, "_ROWS_AT_ONCE", 30)

    def note(*told: Any) -> None:
        if told[2].startswith("DELETE FROM rfm_results"):
            parts.append(told[1].rowcount)

    event.listen(api.service.database.engine, "after_cursor_execute", note)
    assert person.ask("DELETE", f"/api/uploads/{upload_id}").status_code == 200
    event.remove(api.service.database.engine, "after_cursor_execute", note)

    assert parts == [30, 30, 10]


def test_the_preview_shows_what_inspect_shows_and_offers_a_mapping(api: Api) -> None:
    person = api.person()
    upload_id = person.upload(name="Juli.csv")
    told = person.ask("GET", f"/api/uploads/{upload_id}/preview").json

    assert (told["name"], told["delimiter"], told["header_line"]) == ("Juli.csv", ",", 1)
    assert told["columns"][:2] == ["customer_id", "invoice_id"]
    assert len(told["first_rows"]) == 5
    assert told["mappings"] == []
    person.ask(
        "POST",
        "/api/mappings",
        json={"name": "till", "columns": {"amount": "amount"}, "upload_id": upload_id},
    )
    other = person.upload(SALES + b"\n", name="August.csv")
    offered = person.ask("GET", f"/api/uploads/{other}/preview").json["mappings"]
    assert [one["name"] for one in offered] == ["till"]


def test_a_mapping_is_offered_though_nobody_looked_at_its_file_before(person: Person) -> None:
    first = person.upload(SALES + b"c1,A1,2024-01-01,1\n", name="Juli.csv")
    person.ask(
        "POST",
        "/api/mappings",
        json={"name": "till", "columns": {"amount": "amount"}, "upload_id": first},
    )

    other = person.upload(SALES + b"\n", name="August.csv")
    offered = person.ask("GET", f"/api/uploads/{other}/preview").json["mappings"]

    assert [one["name"] for one in offered] == ["till"]


def test_a_name_longer_than_a_disk_takes_is_read(person: Person) -> None:
    name = "売" * 251 + ".csv"
    upload_id = person.upload(SALES + b"\n\n", name=name)

    told = person.ask("GET", f"/api/uploads/{upload_id}/preview")

    assert (told.status_code, told.json["encoding"]) == (200, "utf-8")
    assert person.ask("GET", f"/api/uploads/{upload_id}").json["filename"] == name
    assert person.process(upload_id)["total_customers"] == 70


def test_archives_are_taken_in(person: Person) -> None:
    answer = send(person, file=(io.BytesIO(gzip.compress(SALES)), "sales.csv.gz"))

    assert answer.json["format"] == "gz"
    assert person.process(answer.json["upload_id"])["total_customers"] == 70


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\data\\a.csv", "a.csv"),
        ("../../etc/passwd", "passwd"),
        ("日本.csv", "日本.csv"),
        ("a\r\nSet-Cookie: x.csv", "aSet-Cookie: x.csv"),
        ("x" * 300 + ".csv", "x" * 251 + ".csv"),
        # What is longer than this is no end of a name.
        ("x" * 300 + "." + "y" * 10, "x" * 244 + "." + "y" * 10),
        ("x" * 250 + "." + "y" * 11, "x" * 250 + "." + "y" * 4),
    ],
)
def test_a_file_name_is_for_display_only(given: str, shown: str) -> None:
    assert display_name(given) == shown
