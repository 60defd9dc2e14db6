"""What is kept: uploads renamed, moved and deleted; analyses deleted; shops; the history of one shop."""

import json
import re
import secrets
from typing import Any

import pytest
from api.shop import Api, Person
from sqlalchemy.engine import Connection
from web.test_pages import visit

from rfm_backend.pipeline.options import Options
from rfm_backend.pipeline.options_json import options_to_json
from rfm_backend.storage import analyses, uploads


@pytest.fixture
def owner(api: Api) -> Person:
    """Somebody with an upload that has two analyses."""
    person = api.person()
    upload_id = person.upload(name="maret.csv")
    for n_clusters in (5, 3):
        note_analysis(api, person, upload_id, n_clusters=n_clusters)
    return person


def note_analysis(api: Api, person: Person, upload_id: int, *, n_clusters: int) -> None:
    """Write an analysis as a worker publishes it, without the seconds that computing it takes."""

    def unit(tx: Connection) -> None:
        analysis_id = analyses.add(
            tx,
            user_id=person.user_id,
            upload_id=upload_id,
            fingerprint=str(n_clusters),
            options=json.dumps(options_to_json(Options(n_clusters=n_clusters))),
            summary="{}",
            model="{}",
            columns="[]",
            folder=secrets.token_hex(8),
            n_customers=70,
            n_clusters=n_clusters,
            seed=42,
            version="1",
        )
        analyses.publish(tx, analysis_id, user_id=person.user_id)
        uploads.change(tx, upload_id, user_id=person.user_id, current_analysis_id=analysis_id)

    api.service.database.write(unit)


def uploads_of(person: Person) -> list[dict[str, Any]]:
    return list(person.ask("GET", "/api/uploads").json["items"])


def test_an_upload_is_renamed_and_given_to_another_shop(api: Api) -> None:
    person = api.person()
    upload_id = person.upload(name="maret.csv")
    shop = person.ask("POST", "/api/shops", json={"name": "Bandung"}).json["shop_id"]

    shown = visit(api, "GET", f"/history/{upload_id}/keep", person.token)
    sent = {"filename": "Maret 2024.csv", "shop_id": str(shop)}
    done = visit(api, "POST", f"/history/{upload_id}/keep", person.token, data=sent)

    assert 'value="maret.csv"' in shown.text
    assert done.headers["Location"] == "/history?done=upload"
    assert uploads_of(person)[0]["filename"] == "Maret 2024.csv"
    assert uploads_of(person)[0]["shop_id"] == shop
    of_shop = visit(api, "GET", f"/history?shop={shop}", person.token).text
    assert "Maret 2024.csv" in of_shop
    first_shop = person.ask("GET", "/api/shops").json["items"][0]["shop_id"]
    assert (
        "No uploads of this shop"
        in visit(api, "GET", f"/history?shop={first_shop}", person.token).text
    )


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"filename": " ", "shop_id": "1"}, "filename"),
        ({"filename": "a.csv", "shop_id": "x"}, "shop_id"),
        ({"filename": "a.csv", "shop_id": "999999"}, ""),
    ],
)
def test_a_name_or_shop_that_cannot_be_is_told_beside_its_field(
    api: Api, owner: Person, sent: dict[str, str], field: str
) -> None:
    upload_id = uploads_of(owner)[-1]["upload_id"]

    answer = visit(api, "POST", f"/history/{upload_id}/keep", owner.token, data=sent)

    assert answer.status_code in (400, 404)
    assert (f'id="{field}-error"' in answer.text) if field else ('role="alert"' in answer.text)
    assert uploads_of(owner)[-1]["filename"] == "maret.csv"


def test_an_analysis_is_deleted_and_its_upload_stays_with_the_other(
    api: Api, owner: Person
) -> None:
    (before,) = uploads_of(owner)
    path = f"/analyses/{before['analysis_id']}/delete"

    asked = visit(api, "GET", path, owner.token)
    unsure = visit(api, "POST", path, owner.token)
    done = visit(api, "POST", path, owner.token, data={"sure": "yes"})
    again = visit(api, "POST", path, owner.token, data={"sure": "yes"})

    assert "The file maret.csv stays. Its other analyses stay too (1)." in asked.text
    assert (unsure.status_code, done.status_code, again.status_code) == (400, 303, 404)
    (after,) = uploads_of(owner)
    assert after["analysis_id"] not in (None, before["analysis_id"])


def test_before_an_upload_is_deleted_a_page_names_what_goes(api: Api, owner: Person) -> None:
    (upload,) = uploads_of(owner)
    path = f"/history/{upload['upload_id']}/delete"

    asked = visit(api, "GET", path, owner.token)
    unsure = visit(api, "POST", path, owner.token)
    kept = uploads_of(owner)
    done = visit(api, "POST", path, owner.token, data={"sure": "yes"})

    assert "the file maret.csv (" in asked.text
    assert asked.text.count("with 70 customers and its reports") == 2
    assert (unsure.status_code, len(kept), done.status_code) == (400, 1, 303)
    assert uploads_of(owner) == []
    assert owner.ask("GET", "/api/analyses").json["items"] == []
    keep = f"/history/{upload['upload_id']}/keep"
    assert visit(api, "GET", keep, owner.token).status_code == 404


def test_a_shop_is_added_renamed_and_deleted_but_not_with_uploads_nor_the_last(api: Api) -> None:
    person = api.person()
    (first,) = person.ask("GET", "/api/shops").json["items"]

    def change(shop_id: int, **sent: str) -> Any:
        return visit(api, "POST", f"/shops/{shop_id}", person.token, data=sent)

    last = change(first["shop_id"], do="delete")
    added = visit(api, "POST", "/shops", person.token, data={"name": "Bandung"})
    twice = visit(api, "POST", "/shops", person.token, data={"name": "Bandung"})
    second = person.ask("GET", "/api/shops").json["items"][1]["shop_id"]
    person.upload(shop_id=str(second))
    in_use = change(second, do="delete")
    renamed = change(second, do="rename", shop_name="Bandung Kota")
    taken = change(second, do="rename", shop_name=first["name"])
    gone = change(first["shop_id"], do="delete")

    assert last.status_code == 403
    assert "your only shop" in last.text
    assert added.status_code == 303
    assert twice.status_code == 409
    assert in_use.status_code == 403
    assert "has uploads" in in_use.text
    assert renamed.status_code == 303
    assert taken.status_code == 409
    assert f'id="shop-{second}-error"' in taken.text
    assert gone.status_code == 303
    told = person.ask("GET", "/api/shops").json["items"]
    assert [one["name"] for one in told] == ["Bandung Kota"]
    assert len(uploads_of(person)) == 1
    assert change(999_999, do="delete").status_code == 404


def test_a_name_that_is_too_long_for_the_database_is_refused(api: Api) -> None:
    person = api.person()

    answer = visit(api, "POST", "/shops", person.token, data={"name": "x" * 101})

    assert answer.status_code == 400
    assert "1 to 100 characters" in answer.text


def test_a_moment_says_utc_until_a_script_shows_the_readers_clock(api: Api, owner: Person) -> None:
    english = visit(api, "GET", "/history", owner.token).text
    indonesian = visit(api, "GET", "/history", owner.token, headers={"Accept-Language": "id"}).text

    assert re.search(
        r"<time datetime=\"[^\"]+\+00:00\">\d+ \w+ 20\d\d, \d\d:\d\d UTC</time>", english
    )
    assert re.search(r">\d+ \w+ 20\d\d, \d\d\.\d\d UTC</time>", indonesian)
