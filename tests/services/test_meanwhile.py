"""What happens between two steps of a use case: an account goes, an upload goes, the same bytes come twice."""

import datetime as dt
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from api.shop import PASSWORD, SALES, Api, open_api, wipe
from faults.network import proxied
from rfm_testing import service_settings
from sqlalchemy import event

from rfm_backend.errors import (
    AlreadyTaken,
    InvalidRequest,
    NotAuthenticated,
    OverQuota,
    Unavailable,
)
from rfm_backend.services import accounts, uploads
from rfm_backend.services.throttle import network_of
from rfm_backend.services.tokens import Caller, authenticate
from rfm_backend.storage import logins, users
from rfm_backend.storage import uploads as rows
from rfm_backend.storage.files import Received
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import API_TOKENS, LOGINS
from rfm_backend.storage.users import User


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    settings = service_settings(request.param, tmp_path_factory.mktemp("meanwhile"))
    with open_api(settings, with_worker=False) as opened:
        yield opened
    wipe(settings)


def user_of(api: Api, user_id: int) -> User:
    found = api.service.database.read(lambda tx: users.by_id(tx, user_id))
    assert found is not None
    return found


def once(api: Api, name: str, act: Callable[[], object], *, nth: int, begins: str = "") -> None:
    """Do something, once, right after the nth event of a name, with a statement that begins so."""
    n_left = nth

    def after(*told: Any) -> None:
        nonlocal n_left
        if not begins or " ".join(str(told[2]).split()).startswith(begins):
            n_left -= 1
            if n_left == 0:
                act()

    event.listen(api.service.database.engine, name, after)


def after_select(api: Api, columns: str, act: Callable[[], object], *, nth: int = 1) -> None:
    once(api, "after_cursor_execute", act, nth=nth, begins=f"SELECT {columns}")


def test_nobody_changes_an_account_that_is_gone_or_logs_in_to_it(api: Api) -> None:
    person = api.person()
    user = user_of(api, person.user_id)
    caller = authenticate(api.service, f"Bearer {person.token}")
    accounts.delete_account(api.service, person.user_id)
    place = {"device": "x", "address": "10.0.0.1"}

    with pytest.raises(NotAuthenticated):
        accounts.change_profile(api.service, user, username="other", email=None)
    with pytest.raises(NotAuthenticated):
        accounts.change_password(api.service, caller, old=PASSWORD, new="new words", **place)
    with pytest.raises(NotAuthenticated):
        accounts.begin_login(api.service, user, **place)
    assert not api.service.database.read(lambda tx: users.exists(tx, person.user_id))


def test_a_file_that_comes_to_rest_once_its_account_is_gone_leaves_no_folder(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = api.person()
    files = api.service.files
    keep = files.keep

    def keep_late(received: Received, *, user_id: int) -> str:
        accounts.delete_account(api.service, user_id)
        return keep(received, user_id=user_id)

    monkeypatch.setattr(files, "keep", keep_late)
    with pytest.raises(NotAuthenticated):
        uploads.receive(
            api.service, person.user_id, io.BytesIO(SALES), filename="s.csv", shop_id=None
        )

    assert not files.upload_path(person.user_id, "x").parent.parent.exists()


def test_a_change_of_nothing_changes_nothing(api: Api) -> None:
    person = api.person()
    upload_id = person.upload()
    before = user_of(api, person.user_id), uploads.get(api.service, person.user_id, upload_id)

    assert person.ask("PUT", "/api/user/profile", json={}).json["user"]["username"] == person.name
    assert person.ask("PATCH", f"/api/uploads/{upload_id}", json={}).status_code == 200

    after = user_of(api, person.user_id), uploads.get(api.service, person.user_id, upload_id)
    assert after == before


def test_a_login_of_nobodys_token_ends_nothing(api: Api) -> None:
    person = api.person()

    accounts.log_out(api.service, Caller(user=user_of(api, person.user_id)))

    assert person.ask("GET", "/api/user/profile").status_code == 200


def test_a_password_that_an_operator_sets_ends_every_login(api: Api) -> None:
    person = api.person()
    before = user_of(api, person.user_id)

    accounts.set_password(api.service, before, "other words 4 it")

    assert user_of(api, person.user_id).token_version == before.token_version + 1
    assert person.ask("GET", "/api/user/profile").status_code == 401
    assert api.service.database.read(lambda tx: logins.open_ones(tx, person.user_id)) == []


def test_who_logs_out_everywhere_ends_tokens_by_their_version_too(api: Api) -> None:
    person = api.person()
    before = user_of(api, person.user_id)
    caller = authenticate(api.service, f"Bearer {person.token}")

    accounts.log_out_everywhere(api.service, caller)

    assert user_of(api, person.user_id).token_version == before.token_version + 1


@pytest.mark.parametrize("field", ["username", "email"])
def test_a_name_that_is_taken_between_the_look_and_the_change_is_told(api: Api, field: str) -> None:
    if api.service.database.is_sqlite:
        pytest.skip("Who writes to SQLite lets nobody else write.")
    one, other = api.person(), api.person()
    wanted = {"username": f"{one.name}x", "email": f"{one.name}x@test.com"}
    values = {"username": None, "email": None, field: wanted[field]}
    mine, theirs = user_of(api, one.user_id), user_of(api, other.user_id)
    after_select(
        api,
        f"users.id FROM users WHERE users.{field}_key",
        lambda: accounts.change_profile(api.service, theirs, **values),
    )

    with pytest.raises(AlreadyTaken) as told:
        accounts.change_profile(api.service, mine, **values)

    assert told.value.details["field"] == field


@pytest.mark.parametrize("field", ["username", "email"])
def test_a_name_that_is_taken_between_the_look_and_the_making_is_told(api: Api, field: str) -> None:
    if api.service.database.is_sqlite:
        pytest.skip("Who writes to SQLite lets nobody else write.")
    other = api.person()
    new = {"username": f"{other.name}y", "email": f"{other.name}y@test.com"}
    values = {"username": None, "email": None, field: new[field]}
    theirs = user_of(api, other.user_id)
    # The name is looked at first, then the address.
    after_select(
        api,
        "users.id FROM users WHERE users.email_key",
        lambda: accounts.change_profile(api.service, theirs, **values),
    )

    with pytest.raises(AlreadyTaken) as told:
        accounts.add_user(
            api.service, username=new["username"], email=new["email"], password=PASSWORD
        )

    assert told.value.details["field"] == field


@pytest.mark.parametrize(("seconds", "is_noted"), [(270, False), (301, True)])
def test_the_use_of_a_login_is_noted_every_five_minutes(
    api: Api, seconds: int, is_noted: bool
) -> None:
    person, other = api.person(), api.person()
    then = (utc_now() - dt.timedelta(seconds=seconds)).replace(microsecond=0)

    def set_back(tx: Any) -> None:
        both = LOGINS.c.user_id.in_([person.user_id, other.user_id])
        tx.execute(sa.update(LOGINS).where(both).values(last_used_at=then))

    api.service.database.write(set_back)

    assert person.ask("GET", "/api/user/profile").status_code == 200

    def used(user_id: int) -> Any:
        chosen = sa.select(LOGINS.c.last_used_at).where(LOGINS.c.user_id == user_id)
        return api.service.database.read(lambda tx: tx.execute(chosen).scalar_one())

    assert (used(person.user_id) > then) == is_noted
    assert used(other.user_id) == then


def receive(api: Api, user_id: int, content: bytes = SALES) -> uploads.Stored:
    return uploads.receive(
        api.service, user_id, io.BytesIO(content), filename="sales.csv", shop_id=None
    )


def test_the_same_bytes_that_come_twice_at_once_are_kept_once(api: Api) -> None:
    if api.service.database.is_sqlite:
        pytest.skip("Who writes to SQLite lets nobody else write.")
    person = api.person()
    others: list[uploads.Stored] = []
    # The first look is before the bytes have their place, the second within the transaction.
    after_select(
        api,
        "stored_files.id FROM",
        lambda: others.append(receive(api, person.user_id)),
        nth=2,
    )

    stored = receive(api, person.user_id)

    assert stored.same_as == others[0].upload.id
    assert stored.upload.token == others[0].upload.token
    files = api.service.settings.upload_dir / str(person.user_id) / "files"
    assert [path.name for path in files.iterdir()] == [stored.upload.token]


def test_an_upload_that_somebody_else_removes_first_is_gone_all_the_same(api: Api) -> None:
    person = api.person()
    one, same = receive(api, person.user_id), receive(api, person.user_id)
    for stored in (one, same):
        api.service.database.write(
            lambda tx, stored=stored: rows.begin_deletion(  # type: ignore[misc]
                tx, stored.upload.id, user_id=person.user_id
            )
        )
    # The row is gone and its transaction ended: the bytes come next.
    other_too = partial(uploads.remove_upload, api.service, person.user_id, same.upload.id)
    once(api, "checkin", other_too, nth=2)

    uploads.remove_upload(api.service, person.user_id, one.upload.id)
    uploads.remove_upload(api.service, person.user_id, one.upload.id)

    files = api.service.settings.upload_dir / str(person.user_id) / "files"
    assert list(files.iterdir()) == []
    assert api.service.database.read(lambda tx: rows.space_used(tx, person.user_id)) == (0, 0)


@pytest.mark.parametrize("name", ["", "///", "...", " . ", "a/\u200b"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        uploads.display_name(name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a" * 255, "a" * 255),
        ("a" * 256, "a" * 255),
        ("a" * 252 + ".csv", "a" * 251 + ".csv"),
        ("a" * 300 + ".123456789", "a" * 245 + ".123456789"),
        ("a" * 300 + ".12345678901", "a" * 255),
        ("a.b" + "c" * 300, ("a.b" + "c" * 300)[:255]),
    ],
)
def test_a_name_that_is_too_long_is_cut_before_its_end(name: str, shown: str) -> None:
    assert uploads.display_name(name) == shown


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nowhere", "unknown"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_upload_whose_row_finds_no_room_leaves_no_file(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        engine = api.service.database.engine

        @event.listens_for(engine, "begin")
        def _full(connection: Any) -> None:
            # As many pages as there are: SQLite's own word for a disk that is full.
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

        def fill() -> None:
            for n in range(1000):
                receive(api, person.user_id, SALES + b"\n" * n)

        with pytest.raises(OverQuota):
            fill()

    left = sorted(
        path.name for path in (settings.upload_dir / str(person.user_id) / "files").iterdir()
    )
    with open_api(settings, with_worker=False) as api:
        kept = uploads.page(api.service, person.user_id, before=None, limit=2000)
    assert sorted(one.token for one in kept) == left
    assert list((settings.upload_dir / "tmp").iterdir()) == []


@pytest.mark.parametrize("n_looks", [0, 1])
def test_an_upload_whose_row_finds_no_database_is_told(tmp_path: Path, n_looks: int) -> None:
    port = int((os.environ.get("RFM_TEST_DB_HOST") or "").partition(":")[2] or 3306)
    with proxied(port) as proxy:
        settings = service_settings("mysql", tmp_path, db_host=f"127.0.0.1:{proxy.port}")
        with open_api(settings, with_worker=False) as api:
            person = api.person()
            # Before it is looked whether the bytes are known, or after that and before the row.
            away = partial(once, api, "checkin", proxy.close, nth=n_looks)
            sales = Ending(away if n_looks else proxy.close)
            with pytest.raises(Unavailable):
                uploads.receive(
                    api.service, person.user_id, sales, filename="sales.csv", shop_id=None
                )
    wipe(replace(settings, db_host=f"127.0.0.1:{port}"))

    assert list((settings.upload_dir / "tmp").iterdir()) == []


class Ending:
    """A file that does something as it ends."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._parts = [SALES]
        self._act = act

    def read(self, _size: int, /) -> bytes:
        if self._parts:
            return self._parts.pop()
        self._act()
        return b""


def test_the_use_of_a_named_token_is_noted_every_five_minutes(api: Api) -> None:
    person = api.person()
    body = {"name": "export", "is_read_only": True}
    token = person.ask("POST", "/api/user/tokens", json=body).json["token"]

    def used() -> Any:
        (told,) = person.ask("GET", "/api/user/tokens").json["items"]
        return told["last_used_at"]

    def ask() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        assert api.ask("GET", "/api/uploads", headers=headers).status_code == 200

    def set_back(minutes: int) -> None:
        then = utc_now() - dt.timedelta(minutes=minutes)
        mine = sa.update(API_TOKENS).where(API_TOKENS.c.user_id == person.user_id)
        api.service.database.write(lambda tx: tx.execute(mine.values(last_used_at=then)))

    assert used() is None
    ask()
    first = used()
    assert first is not None
    ask()
    assert used() == first
    set_back(6)
    ask()
    assert used() > first


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (-1, 401)])
def test_a_named_token_holds_until_its_end_and_no_longer(
    api: Api, seconds: int, status: int
) -> None:
    person = api.person()
    body = {"name": "export", "expires_in_days": 30}
    token = person.ask("POST", "/api/user/tokens", json=body).json["token"]
    end = utc_now() + dt.timedelta(seconds=seconds)
    mine = sa.update(API_TOKENS).where(API_TOKENS.c.user_id == person.user_id)
    api.service.database.write(lambda tx: tx.execute(mine.values(expires_at=end)))

    answer = api.ask("GET", "/api/uploads", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == status
