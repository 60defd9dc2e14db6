"""The browser that is known again: its owner gets in while strangers try his name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from api.shop import PASSWORD, Api, Person, open_api, wipe
from rfm_testing import service_settings
from web.test_pages import cookie, value_of

MOST = 2
WRONG = "wrong wrong"


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("devices")
    settings = service_settings(request.param, folder, login_attempts=MOST)
    with open_api(settings, with_worker=False) as opened:
        yield opened
    wipe(settings)


def sign_in(
    api: Api, name: str, password: str = PASSWORD, *, address: str, device: str = ""
) -> Any:
    return api.app.test_client(use_cookies=False).post(
        "/sign-in",
        data={"identifier": name, "password": password},
        headers={"Cookie": f"rfm_device={device}"} if device else {},
        environ_base={"REMOTE_ADDR": address},
    )


def device_of(answer: Any) -> str:
    return value_of(cookie(answer, "rfm_device"))


def crowd(api: Api, person: Person) -> None:
    """Have strangers use up all tries for a name."""
    for n in range(10 * MOST):
        assert sign_in(api, person.name, WRONG, address=f"10.1.0.{n}").status_code == 401
    assert sign_in(api, person.name, PASSWORD, address="10.2.0.1").status_code == 429


def test_the_cookie_is_set_by_a_login_that_succeeds_and_hidden_from_scripts(api: Api) -> None:
    person = api.person()

    wrong = sign_in(api, person.name, WRONG, address="10.0.0.1")
    right = sign_in(api, person.name, address="10.0.0.1")
    again = sign_in(api, person.name, address="10.0.0.1", device=device_of(right))
    out = api.app.test_client(use_cookies=False).post(
        "/sign-out", headers={"Cookie": f"rfm_login={value_of(cookie(right))}"}
    )

    assert cookie(wrong, "rfm_device") == ""
    for mark in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=7776000"):
        assert mark in cookie(right, "rfm_device")
    assert device_of(again) == device_of(right)
    # Logging out leaves it.
    assert cookie(out, "rfm_device") == ""


def test_outside_development_the_cookie_is_for_this_host_over_encrypted_connections(
    tmp_path: Path,
) -> None:
    settings = replace(service_settings("sqlite", tmp_path), environment="production")
    with open_api(settings, with_worker=False) as api:
        person = api.person(password="a battery staple of horses")
        answer = sign_in(api, person.name, "a battery staple of horses", address="10.0.0.1")

    assert cookie(answer, "rfm_device").startswith("__Host-rfm_device=")
    assert "Secure" in cookie(answer, "rfm_device")


def test_a_known_device_gets_in_from_anywhere_while_a_crowd_tries_the_name(api: Api) -> None:
    person, other = api.person(), api.person()
    device = device_of(sign_in(api, person.name, address="10.0.0.1"))
    others = device_of(sign_in(api, other.name, address="10.0.0.2"))
    crowd(api, person)

    assert device
    for stranger in (others, "made-up", device[:-1], f"{device[:43]}.{others[44:]}"):
        refused = sign_in(api, person.name, address="10.3.0.1", device=stranger)
        assert refused.status_code == 429
    assert sign_in(api, person.name, address="10.3.0.1", device=device).status_code == 303


def test_a_known_device_has_a_counter_of_its_own_which_it_can_fill(api: Api) -> None:
    person = api.person()
    device = device_of(sign_in(api, person.name, address="10.0.0.1"))
    # Somebody else at the same address uses up the tries of name and address.
    for _ in range(MOST):
        sign_in(api, person.name, WRONG, address="10.0.0.1")
    assert sign_in(api, person.name, address="10.0.0.1").status_code == 429

    tries = [
        sign_in(api, person.name, WRONG, address="10.0.0.1", device=device).status_code
        for _ in range(MOST + 1)
    ]

    assert tries == [401] * MOST + [429]
    # Its owner waits no longer than others do, and gets in elsewhere.
    assert sign_in(api, person.name, address="10.4.0.1").status_code == 303


def test_a_device_stays_known_through_a_change_of_the_key(api: Api) -> None:
    person = api.person()
    device = device_of(sign_in(api, person.name, address="10.0.0.1"))
    old = api.service.settings
    api.service.close()
    new = replace(old, secret_key="n" + old.secret_key, secret_key_old=old.secret_key)
    with open_api(new, with_worker=False) as later:
        crowd(later, person)

        answer = sign_in(later, person.name, address="10.3.0.1", device=device)

        assert answer.status_code == 303
        assert device_of(answer).partition(".")[0] == device.partition(".")[0]
        assert device_of(answer) != device
