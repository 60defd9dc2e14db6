"""What users write stays text: in a spreadsheet, a query, a page, a header, a path and a log line."""

import csv
import io
import logging
import re
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser

import openpyxl
import pytest
from api.naughty import LINE_BREAKERS, NAUGHTY
from api.shop import Api, Person

from rfm_backend.output.cells import safe_text

# Nobody may write these: what a cell begins with, after what a spreadsheet passes over.
_FORMULA = re.compile("^[\\s'\"\x00]*[=+\\-@|%＝＋－＠]")


@dataclass(frozen=True)
class Sent:
    """Somebody whose customers, names and kept column are all harmful texts; and his upload."""

    person: Person
    upload_id: int
    # What the API tells of them: nothing is changed in JSON.
    ids: frozenset[str]


@pytest.fixture(scope="module")
def sent(api: Api) -> Sent:
    person = api.person()
    rows = io.StringIO()
    writing = csv.writer(rows, quoting=csv.QUOTE_ALL)
    writing.writerow(
        ["customer_id", "invoice_id", "invoice_date", "amount", "customer_name", "=colour()"]
    )
    for number, text in enumerate((*NAUGHTY, *LINE_BREAKERS)):
        day = f"2024-{1 + number % 12:02}-{1 + number % 28:02}"
        writing.writerow([text, f"A{number}", day, f"{10 + number}.5", text, text])
    upload_id = person.upload(rows.getvalue().encode(), name="=1+1 <b>.csv")
    person.process(upload_id, n_clusters=3, keep=["=colour()"])
    told = person.ask("GET", f"/api/rfm/results/{upload_id}").json
    return Sent(person, upload_id, frozenset(row["customer_id"] for row in told))


def test_json_tells_every_text_as_it_was(sent: Sent) -> None:
    # Outer blanks are cut, letters composed; NULL is how a file says that there is none.
    texts = {unicodedata.normalize("NFC", text).strip() for text in NAUGHTY if text != "NULL"}
    assert sent.ids >= texts


def test_a_csv_holds_no_formula(sent: Sent) -> None:
    person, upload_id = sent.person, sent.upload_id
    text = person.ask("GET", f"/api/rfm/export/{upload_id}?format=csv").data.decode("utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text, newline="")))
    places = {name: place for place, name in enumerate(header)}

    assert "'=colour()" in places
    assert len(rows) == len(sent.ids)
    for row in rows:
        for name in ("customer_id", "customer_name", "'=colour()"):
            cell = row[places[name]]
            assert not _FORMULA.match(cell) or cell.startswith("'"), cell
    assert {row[places["customer_id"]] for row in rows} == {safe_text(one) for one in sent.ids}


def test_a_workbook_holds_no_formula(sent: Sent) -> None:
    person, upload_id = sent.person, sent.upload_id
    content = person.ask("GET", f"/api/rfm/export/{upload_id}?format=xlsx").data

    book = openpyxl.load_workbook(io.BytesIO(content))

    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert all(cell.hyperlink is None for cell in cells)
    texts = {cell.value for cell in cells}
    assert "=cmd|' /C calc'!A0" in texts
    assert '=HYPERLINK("http://x.example","y")' in texts


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("language", ["en", "id"])
def test_a_report_has_no_element_of_theirs(sent: Sent, language: str) -> None:
    person, upload_id = sent.person, sent.upload_id
    path = f"/api/rfm/export/{upload_id}?format=html&lang={language}"

    answer = person.ask("GET", path)

    page = _Tags()
    page.feed(answer.text)
    assert page.tags.isdisjoint({"script", "img", "iframe", "object", "b"})
    assert not {name for name in page.attributes if name.startswith("on")}
    assert "49" not in re.findall(r"\{\{7\*7\}\}|\b49\b(?=</td>)", answer.text)
    assert answer.headers["Content-Disposition"].startswith("attachment; ")


@pytest.mark.parametrize("text", [*NAUGHTY, *LINE_BREAKERS], ids=ascii)
def test_a_query_takes_every_text_for_a_text(sent: Sent, text: str) -> None:
    person, upload_id = sent.person, sent.upload_id
    path = f"/api/rfm/results/{upload_id}"
    # The beginning of an id or a name, in any case; never a pattern.
    found = person.ask("GET", path, query_string={"q": text, "limit": 1000})
    assert found.status_code == 200
    asked = unicodedata.normalize("NFC", text).lower()
    got = {row["customer_id"] for row in found.json["items"]}
    assert got == {one for one in sent.ids if one.lower().startswith(asked)}
    none = person.ask("GET", path, query_string={"segment": text})
    assert (none.status_code, none.json["items"]) == (200, [])


def test_what_is_no_text_takes_none(sent: Sent) -> None:
    for text in (*NAUGHTY[::6], *LINE_BREAKERS):
        for name in ("sort", "cursor", "limit", "cluster"):
            path = f"/api/rfm/results/{sent.upload_id}"
            refused = sent.person.ask("GET", path, query_string={name: text})
            assert (refused.status_code, refused.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("text", [*NAUGHTY, *LINE_BREAKERS], ids=ascii)
def test_a_name_is_kept_as_a_text_or_refused(sent: Sent, text: str) -> None:
    person = sent.person
    before = len(person.ask("GET", "/api/shops").json["items"])
    text = f"{text}{before}"  # unlike the others, also without its blanks
    made = person.ask("POST", "/api/shops", json={"name": text})
    token = person.ask("POST", "/api/user/tokens", json={"name": text})
    renamed = person.ask("PUT", "/api/user/profile", json={"username": text})

    if made.status_code == 201:
        assert made.json["name"] == text.strip()
    else:
        assert (made.status_code, made.json["field"]) == (400, "name")
        assert not text.strip().isprintable()
    assert token.status_code == made.status_code
    assert renamed.status_code in (200, 400)
    assert (renamed.status_code == 200) == ("@" not in text and text.strip().isprintable())
    assert len(person.ask("GET", "/api/shops").json["items"]) == before + (made.status_code == 201)


@pytest.mark.parametrize(
    "name", ['ä;b".csv', "=1+1.csv", "日本.csv", "a%0d%0ab.csv", "a,b=c.csv", "\u202ex.csv"], ids=ascii
)  # fmt: skip
def test_a_file_name_is_encoded_in_the_header(api: Api, sent: Sent, name: str) -> None:
    person, upload_id = sent.person, sent.upload_id
    person.ask("PATCH", f"/api/uploads/{upload_id}", json={"filename": name})
    answer = person.ask("GET", f"/api/rfm/export/{upload_id}?format=html")

    value = answer.headers["Content-Disposition"]
    assert value.isascii()
    assert re.fullmatch(
        r"attachment; filename=\"[^\"\\\x00-\x1f]*\"; filename\*=UTF-8''[A-Za-z0-9%._~-]*", value
    )


def test_no_log_line_is_written_by_a_stranger(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    person = api.person()
    with caplog.at_level(logging.DEBUG, logger="rfm_backend"):
        for text in (*LINE_BREAKERS, "forged-by-me"):
            header = re.sub(r"[\r\n]", " ", text)
            api.ask("POST", "/api/auth/login", json={"identifier": text, "password": text})
            api.ask("GET", "/api/uploads", headers={"Authorization": f"Bearer {header}"})
            person.ask("GET", f"/api/{header}", query_string={text: text})
            person.ask("POST", "/api/shops", json={"name": text})
            person.ask("POST", "/api/segments/tables", json={"name": "t", "toml": text})
            person.ask(
                "GET", "/api/uploads", headers={"User-Agent": header, "X-Request-Id": header}
            )

    for record in caplog.records:
        line = record.getMessage()
        assert line.isprintable()
        assert "forged" not in line
