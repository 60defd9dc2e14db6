"""How often passwords may be tried: counted over processes, without telling who has an account."""

import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from api.shop import PASSWORD, Api, open_api, wipe
from rfm_testing import service_settings

from rfm_backend.app import create_app
from rfm_backend.errors import TooManyAttempts, Unavailable
from rfm_backend.services import open_service, throttle
from rfm_backend.services.accounts import add_user
from rfm_backend.services.throttle import STEP_SECONDS, WINDOW_SECONDS, forget_old
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.tables import ATTEMPTS

# RFM_LOGIN_ATTEMPTS here; its default has 10 for a name from an address, 50, 100 and 1,000 for the rest.
MOST = 2
WRONG = "wrong wrong"


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceSettings]:
    made = service_settings(request.param, tmp_path, login_attempts=MOST)
    yield made
    wipe(made)


@pytest.fixture
def api(settings: ServiceSettings) -> Iterator[Api]:
    with open_api(settings, with_worker=False) as opened:
        yield opened


def try_login(api: Api, name: str, password: str = WRONG, address: str = "10.0.0.1") -> Any:
    return api.ask(
        "POST",
        "/api/auth/login",
        json={"identifier": name, "password": password},
        environ_base={"REMOTE_ADDR": address},
    )


def statuses(api: Api, n_tries: int, name: str, address: str = "10.0.0.1") -> list[int]:
    return [try_login(api, name, address=address).status_code for _ in range(n_tries)]


def let_pass(api: Api, seconds: int) -> None:
    """Have everything counted so far be that much older: what the clock does, in less time."""
    older = ATTEMPTS.c.window_number - seconds // STEP_SECONDS
    with api.service.database.engine.begin() as connection:
        connection.execute(ATTEMPTS.update().values(window_number=older))


def counted(api: Api) -> list[tuple[Any, ...]]:
    with api.service.database.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(ATTEMPTS.select()))


def test_one_wrong_password_too_many_is_not_looked_at(api: Api) -> None:
    person = api.person()

    assert statuses(api, MOST + 1, person.name) == [401] * MOST + [429]
    refused = try_login(api, person.name, PASSWORD)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_attempts")
    wait = int(refused.headers["Retry-After"])
    assert WINDOW_SECONDS - 60 <= wait <= WINDOW_SECONDS + STEP_SECONDS
    # From elsewhere the owner gets in.
    assert try_login(api, person.name, PASSWORD, address="10.0.0.2").status_code == 200


def test_after_a_limit_was_lowered_the_wait_is_for_as_many_tries_as_are_too_many(api: Api) -> None:
    """Five, three and seven tries under a limit of 20; the next comes under one of 10, and is not counted.

    By hand: once the five are too old ten are left, which is still the limit; once the three are too, seven.
    """
    step = int(time.time()) // STEP_SECONDS
    for n_tries, at in ((5, step - 2), (3, step - 1), (7, step)):
        for _ in range(n_tries):
            throttle._count(api.service, {"x": 20}, at)
    until = (step - 1) * STEP_SECONDS + WINDOW_SECONDS + STEP_SECONDS

    with pytest.raises(TooManyAttempts) as refused:
        throttle._count(api.service, {"x": 10}, step)

    wait = refused.value.details["retry_after"]
    assert isinstance(wait, int)
    assert until - time.time() <= wait <= until - time.time() + 2


def test_in_no_five_minutes_are_there_more_tries_than_the_limit(api: Api) -> None:
    # Windows that began at fixed times would forget the first two somewhere on the way.
    person = api.person()
    seen = []
    assert statuses(api, MOST - 1, person.name) == [401] * (MOST - 1)

    for seconds in (150, 120):
        let_pass(api, seconds)
        seen.append(statuses(api, 2, person.name))

    # The first try is 270 seconds old and counts; 40 more, and there is room for one again.
    assert seen == [[401, 429], [429, 429]]
    let_pass(api, 40)
    assert statuses(api, 2, person.name) == [401, 429]
    refused = try_login(api, person.name)
    # Until the second is too old: 160 seconds of its 310 are over.
    assert 100 < int(refused.headers["Retry-After"]) <= 150
    forget_old(api.service)
    assert sum(row[2] for row in counted(api)) > 0
    let_pass(api, WINDOW_SECONDS + STEP_SECONDS)
    forget_old(api.service)
    assert counted(api) == []


def test_a_try_that_is_refused_is_counted_nowhere(api: Api) -> None:
    person = api.person()
    for n in range(5 * MOST):
        try_login(api, f"name-{n}")
    before = counted(api)

    assert statuses(api, MOST + 1, person.name) == [429] * (MOST + 1)

    assert counted(api) == before
    # Where the address may try again, the name has all its tries still.
    assert statuses(api, MOST + 1, person.name, address="10.0.0.2") == [401] * MOST + [429]


def test_an_account_that_is_not_there_is_counted_alike(api: Api) -> None:
    assert statuses(api, MOST + 1, "nobody-at-all") == [401] * MOST + [429]


def test_right_passwords_are_not_counted(api: Api) -> None:
    person = api.person()

    assert {try_login(api, person.name, PASSWORD).status_code for _ in range(MOST + 1)} == {200}
    assert statuses(api, MOST, person.name) == [401] * MOST


def test_a_try_that_could_not_be_judged_is_not_counted(api: Api) -> None:
    for _ in range(MOST + 1):
        with pytest.raises(Unavailable), throttle.password_try(api.service, user_id=1):
            raise Unavailable("The database went away.")

    assert {tries for *_, tries in counted(api)} == {0}


def test_one_address_has_five_times_as_many_over_all_names(api: Api) -> None:
    tried = [try_login(api, f"name-{n}").status_code for n in range(5 * MOST + 1)]

    assert tried == [401] * 5 * MOST + [429]
    # Those of another IPv6 address of the same home are the same.
    home = [
        try_login(api, f"n{n}", address=f"2001:db8::{n + 1:x}").status_code
        for n in range(5 * MOST + 1)
    ]
    assert home == [401] * 5 * MOST + [429]


def test_a_crowd_of_addresses_does_not_lock_the_owner_out(api: Api) -> None:
    person = api.person()
    assert try_login(api, person.name, PASSWORD, address="10.9.9.9").status_code == 200

    for n in range(10):
        assert statuses(api, MOST, person.name, address=f"10.1.0.{n}") == [401] * MOST
    assert try_login(api, person.name, address="10.1.0.200").status_code == 429
    assert try_login(api, person.name, PASSWORD, address="10.9.9.9").status_code == 200


def test_what_one_address_may_not_try_does_not_fill_what_all_share(api: Api) -> None:
    person = api.person()

    statuses(api, 100 * MOST + 1, person.name)

    assert try_login(api, person.name, PASSWORD, address="10.0.0.2").status_code == 200


def test_many_at_once_over_two_processes_get_no_more_tries(
    api: Api, settings: ServiceSettings
) -> None:
    person = api.person()
    other = open_service(settings, bcrypt_cost=4)
    second = Api(app=create_app(other), service=other)

    with ThreadPoolExecutor(20) as pool:
        asked = [
            pool.submit(try_login, one, person.name) for one in (api, second) for _ in range(20)
        ]
        counted = Counter(one.result().status_code for one in asked)

    other.close()
    assert counted == {401: MOST, 429: 40 - MOST}


def test_wrong_old_passwords_are_counted(api: Api) -> None:
    person = api.person()
    change = {"old_password": "wrong wrong", "new_password": "another horse"}

    tried = [
        person.ask("PUT", "/api/user/profile/password", json=change).status_code
        for _ in range(MOST + 1)
    ]

    assert tried == [403] * MOST + [429]


def test_one_address_makes_only_so_many_accounts(api: Api) -> None:
    made = [
        api.ask(
            "POST",
            "/api/auth/register",
            json={"username": f"a{n}", "email": f"a{n}@test.com", "password": PASSWORD},
            environ_base={"REMOTE_ADDR": "10.0.0.3"},
        ).status_code
        for n in range(5 * MOST + 1)
    ]

    assert made == [201] * 5 * MOST + [429]


def test_what_was_counted_is_kept_hidden_and_forgotten(api: Api) -> None:
    statuses(api, 1, "somebody@test.com")

    kept = counted(api)
    assert kept
    assert not any("somebody" in str(row) or "10.0.0.1" in str(row) for row in kept)
    forget_old(api.service)
    # These are still needed.
    assert counted(api) == kept


@pytest.mark.slow
def test_a_crowd_of_logins_is_told_to_come_back_and_holds_no_thread(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    migrate(settings)
    # The real cost of a hash.
    service = open_service(settings)
    add_user(service, username="budi", email="budi@test.com", password=PASSWORD)
    app = create_app(service)
    crowd = (os.cpu_count() or 1) * 8 + 24
    together = threading.Barrier(crowd)
    waits: dict[int, list[float]] = {200: [], 503: []}

    def log_in() -> None:
        client = app.test_client()
        together.wait()
        began = time.monotonic()
        answer = client.post("/api/auth/login", json={"identifier": "budi", "password": PASSWORD})
        waits[answer.status_code].append(time.monotonic() - began)
        if answer.status_code == 503:
            assert answer.headers["Retry-After"] == "2"

    threads = [threading.Thread(target=log_in) for _ in range(crowd)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(waits[200]) >= 1
    assert len(waits[503]) >= 12
    assert len(waits[200]) + len(waits[503]) == crowd
    # Refused before hashing, which takes a quarter of a second for each that waits.
    assert statistics.median(waits[503]) < statistics.median(waits[200])
    # Nobody was counted as wrong.
    answer = app.test_client().post(
        "/api/auth/login", json={"identifier": "budi", "password": PASSWORD}
    )
    assert answer.status_code == 200
    service.close()
