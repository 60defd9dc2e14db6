"""Processing: one run however many ask, jobs that can be followed and cancelled, failures in words."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from api.shop import SALES, Api, Person, open_api
from rfm_testing import service_settings

from rfm_backend.storage import jobs


@pytest.fixture(scope="module")
def person(api: Api) -> Person:
    return api.person()


def start(person: Person, upload_id: int, **options: Any) -> Any:
    return person.ask(
        "POST",
        f"/api/rfm/process/{upload_id}",
        json=options,
        headers={"Prefer": "respond-async"},
    )


def wait(person: Person, job_id: int) -> dict[str, Any]:
    for _ in range(600):
        told: dict[str, Any] = person.ask("GET", f"/api/jobs/{job_id}").json
        if told["state"] not in jobs.ACTIVE:
            return told
        time.sleep(0.05)
    raise AssertionError(told)


def test_a_client_that_does_not_wait_gets_a_job_to_follow(person: Person) -> None:
    upload_id = person.upload(SALES + b"\n# 1")
    answer = start(person, upload_id)

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/jobs/{answer.json['job_id']}"
    ended = wait(person, answer.json["job_id"])
    assert (ended["state"], ended["upload_id"]) == ("done", upload_id)
    assert person.ask("GET", f"/api/analyses/{ended['analysis_id']}").json["total_customers"] == 70
    # Asked again, the answer is there.
    assert start(person, upload_id).json["analysis_id"] == ended["analysis_id"]


def test_fifty_who_ask_for_the_same_get_one_run(api: Api, person: Person) -> None:
    upload_id = person.upload(SALES + b"\n# 2")
    answers: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=lambda: answers.append(person.process(upload_id)))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 50
    assert len({one["analysis_id"] for one in answers}) == 1
    found = api.service.database.read(
        lambda tx: jobs.page(tx, person.user_id, before=None, limit=1000)
    )
    assert len([job for job in found if job.upload_id == upload_id]) == 1


def test_other_options_are_another_analysis_and_the_newest_is_shown(person: Person) -> None:
    upload_id = person.upload(SALES + b"\n# 3")
    first = person.process(upload_id)["analysis_id"]
    second = person.process(upload_id, n_clusters=3)
    assert (second["clusters"], second["analysis_id"] != first) == (3, True)
    assert person.ask("GET", f"/api/rfm/summary/{upload_id}").json["analysis_id"] != first
    # The earlier options again: no new run, and theirs is shown again.
    assert person.process(upload_id)["analysis_id"] == first
    assert person.ask("GET", f"/api/rfm/summary/{upload_id}").json["analysis_id"] == first

    listed = person.ask("GET", f"/api/analyses?file_id={upload_id}").json["items"]
    assert [one["analysis_id"] for one in listed] == [second["analysis_id"], first]
    assert listed[0]["options"]["n_clusters"] == 3

    person.ask("DELETE", f"/api/analyses/{first}")
    shown = person.ask("GET", f"/api/rfm/summary/{upload_id}").json["analysis_id"]
    assert shown == second["analysis_id"]
    person.ask("DELETE", f"/api/analyses/{shown}")
    assert person.ask("GET", f"/api/rfm/summary/{upload_id}").json["code"] == "not_processed"


EDGES = {
    "recency": [30, 90, 180, 365],
    "frequency": [1, 2, 4, 5],
    "monetary": [1000, 1500, 2000, 3000],
}


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"n_clusters": 1}, "where"),
        ({"n_clusters": "many"}, "n_clusters"),
        ({"returns": "keep"}, "returns"),
        ({"seed": -1}, None),
        ({"snapshot_date": "soon"}, None),
        ({"since": "2024-02-01", "until": "2024-01-01"}, "since"),
        ({"scores": "/etc/passwd"}, "scores"),
        ({"scores": "thresholds"}, "scores"),
        ({"scores": "r-rfm", "thresholds": EDGES}, "scores"),
        ({"thresholds": {**EDGES, "recency": [30, 30, 180, 365]}}, "thresholds"),
        ({"thresholds": {**EDGES, "recency": [30, 90, 180]}}, "where"),
        ({"nonsense": 1}, "nonsense"),
        ({"mapping": {"customer_id": 7}}, "mapping"),
    ],
)
def test_an_option_that_cannot_be_is_refused_at_once(
    person: Person, options: dict[str, Any], field: str | None
) -> None:
    upload_id = person.upload()
    answer = person.ask("POST", f"/api/rfm/process/{upload_id}", json=options)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    if field not in (None, "where"):
        assert answer.json["field"] == field


def test_no_path_of_the_server_is_read_for_a_client(person: Person) -> None:
    upload_id = person.upload()
    answer = person.ask("POST", f"/api/rfm/process/{upload_id}", json={"segments": "/etc/passwd"})

    assert answer.status_code == 404
    assert person.ask("GET", "/api/uploads").status_code == 200


def test_a_file_that_cannot_be_used_says_why_and_where(person: Person) -> None:
    no_columns = person.upload(b"a,b\n1,2\n3,4\n")
    answer = person.ask("POST", f"/api/rfm/process/{no_columns}")
    assert (answer.status_code, answer.json["code"]) == (422, "analysis_failed")
    assert answer.json["reason"] == "missing_columns"
    assert "Its columns: a, b" in answer.json["message"]
    job = person.ask("GET", f"/api/jobs/{answer.json['job_id']}").json
    assert (job["state"], job["error_code"]) == ("failed", "missing_columns")

    swallowed = "customer_id,invoice_date,amount\n" + '"a,2024-01-01,5\n' + "b,2024-01-02,5\n" * 9
    answer = person.ask("POST", f"/api/rfm/process/{person.upload(swallowed.encode())}")
    assert answer.json["reason"] == "unreadable_file"
    assert "line 2" in answer.json["message"]
    for word in ("/", "Traceback", "SELECT", "duckdb"):
        assert word not in answer.json["message"]


def test_a_mapping_a_table_and_a_model_of_ones_own(person: Person) -> None:
    odd = SALES.replace(b"customer_id,invoice_id,invoice_date,amount", b"who,slip,when,paid")
    upload_id = person.upload(odd)
    assert person.ask("POST", f"/api/rfm/process/{upload_id}").status_code == 422
    columns = {"customer_id": "who", "invoice_id": "slip", "invoice_date": "when", "amount": "paid"}
    person.ask("POST", "/api/mappings", json={"name": "odd", "columns": columns})
    toml = (
        'dimensions = 2\nmatch = "first"\notherwise = "rest"\n'
        '[[segment]]\nkey = "best"\nr = [4, 5]\nf = [4, 5]\n'
    )
    made = person.ask("POST", "/api/segments/tables", json={"name": "halves", "toml": toml})
    assert made.json["segments"] == ["best", "rest"]
    assert made.json["cells"]["55"] == "best"

    done = person.process(upload_id, use_mapping="odd", segments="halves")
    summary = person.ask("GET", f"/api/rfm/summary/{upload_id}").json
    assert {one["segment"] for one in summary["segments"]} == {"best", "rest"}
    assert summary["segment_table"] == "halves"
    stored = person.ask("GET", f"/api/analyses/{done['analysis_id']}").json
    assert "/" not in json.dumps(stored["options"])

    again = person.process(person.upload(), model_from=done["analysis_id"])
    applied = person.ask("GET", f"/api/rfm/summary/{upload_id}").json
    assert again["total_customers"] == applied["total_customers"] == 70
    missing = person.ask(
        "POST", f"/api/rfm/process/{upload_id}", json={"model": "server", "use_mapping": "odd"}
    )
    assert (missing.status_code, missing.json["code"]) == (404, "not_found")
    gaps = person.ask(
        "POST",
        "/api/segments/tables",
        json={
            "name": "gaps",
            "toml": 'dimensions = 2\n[[segment]]\nkey = "a"\nr = [1, 5]\nf = [1, 4]\n',
        },
    )
    assert (gaps.status_code, gaps.json["code"]) == (422, "invalid_rule_table")
    assert "15" in gaps.json["message"]


def test_two_analyses_are_compared_both_ways(person: Person) -> None:
    before = person.process(person.upload(SALES + b"\n# 4"))["analysis_id"]
    later = SALES + b"\nc001,X1,2025-01-05,5000,Name 1,c001@example.com\n"
    after = person.process(person.upload(later))["analysis_id"]

    there = person.ask("GET", f"/api/analyses/{before}/compare/{after}").json
    back = person.ask("GET", f"/api/analyses/{after}/compare/{before}").json

    assert sum(one["n_customers"] for one in there["flows"]) == 70
    forth = {(one["before"], one["after"]): one["n_customers"] for one in there["flows"]}
    assert forth == {(one["after"], one["before"]): one["n_customers"] for one in back["flows"]}
    gain = sum(one["monetary_after"] - one["monetary_before"] for one in there["flows"])
    assert gain == pytest.approx(5000)


def test_what_to_say_is_told_as_a_field_and_not_as_an_option_of_the_terminal(
    person: Person,
) -> None:
    dates = "".join(f"c{n % 7},A{n},0{1 + n % 9}/0{1 + n % 8}/2024,5\n" for n in range(40))
    upload_id = person.upload(f"customer,invoice,date,amount\n{dates}".encode())

    failed = wait(person, start(person, upload_id).json["job_id"])
    told = person.ask("POST", f"/api/rfm/process/{upload_id}")

    assert failed["error_code"] == "ambiguous_dates"
    assert failed["error_message"].endswith('Say "date_format": "dmy" or "date_format": "mdy".')
    assert failed["error_message"] in told.json["message"]


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_soon(
    api: Api, tmp_path: Path
) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as alone:
        person = alone.person()
        job_id = start(person, person.upload()).json["job_id"]
        cancelled = person.ask("DELETE", f"/api/jobs/{job_id}").json
        assert cancelled["state"] == "cancelled"
        # It can be asked for again.
        assert start(person, person.upload()).json["state"] == "queued"
    person = api.person()
    big = (
        SALES
        + b"\n"
        + b"\n".join(
            b"c%d,Z%d,2024-01-%02d,%d,N,e@x.org" % (n % 5000, n, 1 + n % 28, n)
            for n in range(400_000)
        )
    )
    job_id = start(person, person.upload(big)).json["job_id"]
    for _ in range(400):
        if person.ask("GET", f"/api/jobs/{job_id}").json["state"] == "running":
            break
        time.sleep(0.02)
    person.ask("DELETE", f"/api/jobs/{job_id}")
    ended = wait(person, job_id)
    assert ended["state"] in ("cancelled", "done")
    folder = api.service.settings.upload_dir / str(person.user_id) / "analyses"
    if ended["state"] == "cancelled":
        assert not folder.exists() or list(folder.iterdir()) == []


def test_events_follow_a_job_to_its_end(person: Person) -> None:
    job_id = start(person, person.upload(SALES + b"\n# 5")).json["job_id"]
    answer = person.ask("GET", f"/api/jobs/{job_id}", headers={"Accept": "text/event-stream"})

    assert answer.content_type.startswith("text/event-stream")
    events = [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]
    assert events[-1]["state"] == "done"


def test_an_account_deleted_while_its_job_runs_leaves_nothing(api: Api) -> None:
    person = api.person()
    job_id = start(person, person.upload()).json["job_id"]
    assert job_id
    assert person.ask("DELETE", "/api/user/profile").status_code == 200
    time.sleep(3)

    folder = api.service.settings.upload_dir / str(person.user_id)
    assert not folder.exists() or not [path for path in folder.rglob("*") if path.is_file()]
    gone = api.service.database.read(lambda tx: jobs.get(tx, job_id, user_id=person.user_id))
    assert gone is None
