"""An account that is deleted while its job runs, or its file comes in: nothing of it is left."""

import io
import random
import threading
import time
from pathlib import Path

import pytest
from api.shop import SALES, Person
from faults.deletions import delete_at_random, left_of, own_api

_SEED = 20_261_127


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "mysql"])
def test_of_an_account_deleted_while_its_job_runs_nothing_is_left(
    tmp_path: Path, kind: str
) -> None:
    with own_api(tmp_path, kind) as api:
        assert delete_at_random(api, n_times=5, seed=_SEED) == []


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
