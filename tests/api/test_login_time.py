"""How long a login takes tells nothing: not whether there is an account, nor how its hash was made."""

import random
import statistics
import time
from dataclasses import replace
from pathlib import Path

import pytest
from api.shop import PASSWORD
from figures import note_figure
from rfm_testing import service_settings

from rfm_backend.app import create_app
from rfm_backend.services import accounts, open_service
from rfm_backend.services.passwords import check_password, hash_password
from rfm_backend.storage.migrate import migrate

OLD_COST, COST = 6, 9


def test_a_hash_of_less_work_takes_as_long_as_one_of_now_and_as_none(tmp_path: Path) -> None:
    # The time of this thread alone, and the least of several: others on the machine change neither.
    service = open_service(service_settings("sqlite", tmp_path), bcrypt_cost=COST)
    old = hash_password(replace(service, bcrypt_cost=OLD_COST), PASSWORD)
    new = hash_password(service, PASSWORD)
    took: dict[str, list[float]] = {"old": [], "new": [], "missing": []}

    for _ in range(7):
        for name, kept in (("old", old), ("new", new), ("missing", None)):
            began = time.thread_time()
            assert not check_password(service, "wrong wrong", kept).is_right
            took[name].append(time.thread_time() - began)

    service.close()
    least = [min(times) for times in took.values()]
    # Without the padding 2**6 against 2**9: an eighth.
    assert max(least) < 1.25 * min(least)
    assert check_password(service, PASSWORD, old).is_outdated
    assert not check_password(service, PASSWORD, new).is_outdated


@pytest.mark.security_long
def test_the_medians_of_five_hundred_interleaved_logins_differ_by_two_percent_at_most(
    tmp_path: Path,
) -> None:
    settings = service_settings("sqlite", tmp_path)
    migrate(settings)
    # The real cost of a hash, and an account that was made when it was less.
    service = open_service(settings)
    less = replace(service, bcrypt_cost=service.bcrypt_cost - 2)
    accounts.add_user(less, username="old", email="old@test.com", password=PASSWORD)
    accounts.add_user(service, username="new", email="new@test.com", password=PASSWORD)
    client = create_app(service).test_client()
    took: dict[str, list[float]] = {"old": [], "new": [], "missing": []}
    bodies = set()

    for _ in range(500):
        for name in random.sample(list(took), len(took)):
            body = {"identifier": name, "password": "wrong wrong"}
            began = time.perf_counter()
            answer = client.post("/api/auth/login", json=body)
            took[name].append(time.perf_counter() - began)
            told = {**(answer.json or {}), "request_id": ""}
            bodies.add((answer.status_code, tuple(told.items())))

    service.close()
    medians = {name: statistics.median(times) for name, times in took.items()}
    apart = 100 * (max(medians.values()) / min(medians.values()) - 1)
    note_figure(
        "500 wrong logins each, medians of old, new and no account", f"{apart:.2f} % apart", "2 %"
    )
    assert len(bodies) == 1
    assert max(medians.values()) < 1.02 * min(medians.values())
