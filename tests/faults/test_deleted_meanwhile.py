"""An account that is deleted while its job runs, or its file comes in: nothing of it is left."""

import io
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from api.shop import SALES, Person
from faults.deletions import delete_at_random, left_of, own_api

from rfm_backend.jobs import worker
from rfm_backend.jobs.publish import publish
from rfm_backend.services import accounts

_SEED = 20_261_127


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_of_an_account_deleted_while_its_job_runs_nothing_is_left(
    tmp_path: Path, kind: str
) -> None:
    with own_api(tmp_path, kind) as api:
        assert delete_at_random(api, n_times=5, seed=_SEED) == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_worker_whose_work_was_deleted_tells_of_no_fault(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    moment: str,
) -> None:
    caplog.set_level("INFO", "rfm_backend.worker")
    with own_api(tmp_path, "sqlite", with_worker=False) as api:
        person = api.person()
        upload_id = person.upload()
        person.ask("POST", f"/api/rfm/process/{upload_id}", headers={"Prefer": "respond-async"})

        def deleting(*given: Any, **named: Any) -> int:
            """Publish, and delete the account before it or at its first rows."""
            if moment == "before":
                accounts.delete_account(api.service, person.user_id)
            else:
                named["check"] = lambda: accounts.delete_account(api.service, person.user_id)
            return publish(*given, **named)

        monkeypatch.setattr(worker, "publish", deleting)
        assert worker.Worker(api.service).work_once()

        assert "cancelled or taken over" in caplog.messages[-1]
        assert [one.message for one in caplog.records if one.levelname != "INFO"] == []
        assert left_of(api, person) == []


@pytest.mark.slow
def test_of_an_account_deleted_while_a_file_comes_in_nothing_is_left(tmp_path: Path) -> None:
    chance = random.Random(_SEED)
    with own_api(tmp_path, "sqlite") as api:
        for _ in range(10):
            person = api.person()
            statuses: list[int] = []
            uploading = threading.Thread(target=keep_uploading, args=(person, statuses))
            uploading.start()
            time.sleep(chance.uniform(0.01, 0.2))
            assert person.ask("DELETE", "/api/user/profile").status_code == 200
            uploading.join()

            assert set(statuses) <= {201, 401, 404}
            assert left_of(api, person) == []


def keep_uploading(person: Person, statuses: list[int]) -> None:
    """Send files until the account is gone."""
    for number in range(200):
        body = SALES + b"\n" * number
        answer = person.ask("POST", "/api/upload", data={"file": (io.BytesIO(body), "sales.csv")})
        statuses.append(answer.status_code)
        if answer.status_code != 201:
            return


def test_the_end_of_a_deletion_takes_nothing_of_who_comes_next(tmp_path: Path) -> None:
    with own_api(tmp_path, "sqlite", with_worker=False) as api:
        first = api.person()
        files = api.service.files
        assert first.ask("DELETE", "/api/user/profile").status_code == 200
        second = api.person()
        upload_id = second.upload()

        files.drop_empty(first.user_id)

        assert second.user_id > first.user_id
        assert second.ask("GET", f"/api/uploads/{upload_id}/preview").status_code == 200
