"""Results: the whole array, pages in every order, exports of every form, explanations."""

import csv
import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from api.shop import SALES, Api, Person

import rfm_backend


@pytest.fixture(scope="module")
def person(api: Api) -> Person:
    return api.person()


@pytest.fixture(scope="module")
def upload_id(person: Person) -> int:
    made = person.upload()
    person.process(made)
    return made


@pytest.fixture(scope="module")
def rows(person: Person, upload_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.ask("GET", f"/api/rfm/results/{upload_id}").json
    return found


def walk(person: Person, upload_id: int, query: str) -> list[dict[str, Any]]:
    """Read every page of a query."""
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = person.ask("GET", f"/api/rfm/results/{upload_id}?{query}{cursor}").json
        seen += page["items"]
        if page["next_cursor"] is None:
            return seen
        cursor = f"&cursor={page['next_cursor']}"


def test_the_array_is_the_librarys_result_in_its_order(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    source = tmp_path / "sales.csv"
    source.write_bytes(SALES)
    with rfm_backend.segment(source) as result:
        expected = result.customers.fetchall()
        names = result.customers.columns

    assert [row["customer_id"] for row in rows] == [one[0] for one in expected]
    for row, one in zip(rows, expected, strict=True):
        told = dict(zip(names, one, strict=True))
        assert Decimal(str(row["monetary"])) == told["monetary"]
        for name in ("recency", "frequency", "segment", "cluster", "rfm_cell", "email"):
            assert row[name] == told[name]


@pytest.mark.parametrize("sort", ["customer_id", "recency", "frequency", "monetary"])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("filtered", ["", "segment", "cluster"])
def test_pages_join_to_the_whole_in_every_order(
    person: Person, upload_id: int, rows: list[dict[str, Any]], sort: str, sign: str, filtered: str
) -> None:
    value = rows[7][filtered] if filtered else None
    query = f"limit=7&sort={sign}{sort}" + (f"&{filtered}={value}" if filtered else "")

    seen = walk(person, upload_id, query)

    wanted = [row for row in rows if not filtered or row[filtered] == value]
    expected = sorted(wanted, key=lambda row: (row[sort], row["customer_id"]), reverse=bool(sign))
    assert [row["customer_id"] for row in seen] == [row["customer_id"] for row in expected]


def test_orders_that_got_lost_are_made_again_from_the_table(
    api: Api, person: Person, upload_id: int, rows: list[dict[str, Any]]
) -> None:
    folders = list(api.service.files.upload_path(person.user_id, "0").parents[1].glob("*/*/orders"))
    asked = f"segment={rows[7]['segment']}&sort=-monetary&limit=7"
    before = walk(person, upload_id, asked)
    kept = {path.name: path.read_bytes() for path in folders[0].iterdir()}
    shutil.rmtree(folders[0])

    assert walk(person, upload_id, asked) == before

    made = {name: np.load(io.BytesIO(text)) for name, text in kept.items() if "npy" in name}
    for name, values in made.items():
        assert np.array_equal(np.load(folders[0] / name), values), name
    assert (folders[0] / "groups.json").read_bytes() == kept["groups.json"]


def test_beginnings_of_id_name_and_address_are_found(person: Person, upload_id: int) -> None:
    assert len(walk(person, upload_id, "q=c00")) == 10
    assert len(walk(person, upload_id, "q=C001@EXAMPLE")) == 1
    assert len(walk(person, upload_id, "q=name 6")) == 11
    assert walk(person, upload_id, "q=%25") == []
    assert walk(person, upload_id, "q=' OR 1=1 --") == []


@pytest.mark.parametrize(
    "query",
    [
        "sort=segment",
        "limit=0",
        "cluster=x",
        "cursor=x",
        "cursor=WzFd",
        "q=",
        "page=2",
        "segment=a&segment=b",
    ],
)
def test_another_query_is_refused(person: Person, upload_id: int, query: str) -> None:
    answer = person.ask("GET", f"/api/rfm/results/{upload_id}?{query}")

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_exports_of_every_form_hold_the_same(
    person: Person, upload_id: int, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    source = tmp_path / "sales.csv"
    source.write_bytes(SALES)
    with rfm_backend.segment(source) as result:
        for form in ("csv", "json"):
            write = {"csv": result.to_csv, "json": result.to_json}[form]
            write(tmp_path / f"out.{form}")
            answer = person.ask("GET", f"/api/rfm/export/{upload_id}?format={form}")
            assert answer.status_code == 200
            assert answer.data == (tmp_path / f"out.{form}").read_bytes()
            assert f'filename="sales.segments.{form}"' in answer.headers["Content-Disposition"]
    read = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text("utf-8"))))
    assert len(read) == len(rows)
    book = openpyxl.load_workbook(
        io.BytesIO(person.ask("GET", f"/api/rfm/export/{upload_id}?format=xlsx").data)
    )
    assert book.active is not None
    assert book.active.max_row == len(rows) + 1
    parquet = person.ask("GET", f"/api/rfm/export/{upload_id}?format=parquet").data
    assert parquet[:4] == parquet[-4:] == b"PAR1"
    for language, word in (("en", "Whom to write to"), ("id", "Siapa yang perlu dihubungi")):
        page = person.ask("GET", f"/api/rfm/export/{upload_id}?format=html&lang={language}")
        assert word in page.text


def test_the_file_name_of_an_export_is_encoded(person: Person) -> None:
    made = person.upload(SALES + b"\n")
    name = 'Ünïcode "quoted" 日本.csv'
    person.ask("PATCH", f"/api/uploads/{made}", json={"filename": name})
    person.process(made)

    told = person.ask("GET", f"/api/rfm/export/{made}").headers["Content-Disposition"]

    assert told.isascii()
    assert "filename*=UTF-8''%C3%9Cn%C3%AFcode%20%22quoted%22%20%E6%97%A5%E6%9C%AC" in told


def test_the_summary_has_names_and_actions_in_both_languages(
    person: Person, upload_id: int
) -> None:
    english = person.ask("GET", f"/api/rfm/summary/{upload_id}").json
    indonesian = person.ask("GET", f"/api/rfm/summary/{upload_id}?lang=id").json

    assert english["total_customers"] == 70
    assert english["quality"]["rows_kept"] == 400
    names = {one["segment"]: one["name"] for one in english["segments"]}
    assert names["champions"] == "Champions"
    assert {one["segment"]: one["name"] for one in indonesian["segments"]}[
        "champions"
    ] != "Champions"
    assert sum(sum(counts) for counts in english["cross_table"].values()) == 70
    assert english["actions"]


def test_a_customer_is_explained_as_the_command_explains_him(
    person: Person, upload_id: int, rows: list[dict[str, Any]]
) -> None:
    told = person.ask("GET", f"/api/rfm/customers/{upload_id}/c007").json

    mine = next(row for row in rows if row["customer_id"] == "c007")
    assert (told["customer_id"], told["segment"]) == ("c007", mine["segment"])
    assert told["recency"]["value"] == mine["recency"]
    unknown = person.ask("GET", f"/api/rfm/customers/{upload_id}/nobody")
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown_customer")


def test_ids_of_every_shape_come_back_as_they_are(person: Person) -> None:
    ids = ["00123", "a/b", "ä ö", "=1+1", "x" * 255, "Ａ", "A", "a"]
    lines = ["customer_id,invoice_id,invoice_date,amount"]
    lines += [f"{name},I{n},2024-01-{n + 1:02},{n + 1}" for n, name in enumerate(ids)]
    made = person.upload("\n".join(lines).encode())
    person.process(made, n_clusters=2)

    found = person.ask("GET", f"/api/rfm/results/{made}").json
    assert [row["customer_id"] for row in found] == sorted(ids)
    for name in ("a/b", "ä ö", "=1+1", "A"):
        told = person.ask("GET", f"/api/rfm/customers/{made}/{name}")
        assert told.json["customer_id"] == name


def test_groups_are_rows_of_their_own(person: Person) -> None:
    lines = SALES.decode().splitlines()
    grouped = [
        f"{lines[0]},country",
        *(f"{row},{'ID' if n % 2 else 'UK'}" for n, row in enumerate(lines[1:])),
    ]
    made = person.upload("\n".join(grouped).encode())
    person.process(made, by="country", keep=["country"])

    found = person.ask("GET", f"/api/rfm/results/{made}").json
    assert {row["country"] for row in found} == {"ID", "UK"}
    several = person.ask("GET", f"/api/rfm/customers/{made}/{found[0]['customer_id']}")
    group = found[0]["country"]
    one = person.ask("GET", f"/api/rfm/customers/{made}/{found[0]['customer_id']}?group={group}")
    assert one.json["group"] == group
    assert several.status_code in (200, 404)


def test_amounts_are_written_exactly(person: Person) -> None:
    lines = ["customer_id,invoice_id,invoice_date,amount"]
    lines += [
        f"c{n},I{n},2024-01-0{n + 1},{amount}"
        for n, amount in enumerate(["0.000001", "12345678901.123456", "77183.60", "5"])
    ]
    made = person.upload("\n".join(lines).encode())
    person.process(made, n_clusters=2)

    text = person.ask("GET", f"/api/rfm/results/{made}").text
    told = {row["customer_id"]: row["monetary"] for row in json.loads(text, parse_float=Decimal)}
    assert told == {
        "c0": Decimal("0.000001"),
        "c1": Decimal("12345678901.123456"),
        "c2": Decimal("77183.6"),
        "c3": 5,
    }
