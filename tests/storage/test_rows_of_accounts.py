"""Rows of accounts, tokens, logins, uploads and jobs: pages go on where they ended, another's row stays."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from api.shop import wipe
from rfm_testing import service_settings
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from rfm_backend.storage import api_tokens, attempts, jobs, logins, named, uploads, users
from rfm_backend.storage.database import REQUESTS, Database, open_database
from rfm_backend.storage.migrate import migrate
from rfm_backend.storage.named import Shop
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import LOGINS

HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    settings = service_settings(request.param, tmp_path_factory.mktemp("rows"))
    migrate(settings)
    opened = open_database(settings, patience=REQUESTS)
    yield opened
    opened.close()
    wipe(settings)


@pytest.fixture(scope="module")
def people(database: Database) -> tuple[int, int]:
    """Two accounts, each with three of everything."""
    ann, budi = (database.write(lambda tx, name=name: add(tx, name)) for name in ("ann", "budi"))  # type: ignore[misc]
    return ann, budi


def add(tx: Connection, name: str) -> int:
    user_id = users.add(
        tx, username=name, username_key=name, email=name, email_key=name, password_hash="x"
    )
    shop_id = named.add(tx, Shop, user_id=user_id, name="Shop")
    for n in range(3):
        add_login(tx, user_id, f"{name}{n}")
        api_tokens.add(
            tx,
            user_id=user_id,
            name=f"t{n}",
            token_hash=f"{name}{n}",
            hint="rfm_",
            is_read_only=False,
            expires_at=None,
        )
        stored = uploads.add_stored(
            tx, user_id=user_id, sha256=f"{name}{n}", token=f"{name}{n}", size_bytes=10
        )
        upload_id = uploads.add(
            tx,
            user_id=user_id,
            shop_id=shop_id,
            stored_file_id=stored,
            filename=f"{n}.csv",
            format="csv",
            header_hash=None,
        )
        jobs.join(tx, user_id=user_id, upload_id=upload_id, fingerprint="f", options="{}")
    return user_id


def add_login(tx: Connection, user_id: int, token_id: str) -> None:
    logins.add(
        tx,
        user_id=user_id,
        token_id=token_id,
        device="x",
        address_mark="m",
        device_mark=None,
        expires_at=utc_now() + HOUR,
    )


PAGES: dict[str, Callable[..., list[Any]]] = {
    "logins": logins.page,
    "tokens": api_tokens.page,
    "jobs": jobs.page,
    "uploads": lambda tx, user_id, **asked: uploads.page(tx, user_id, shop_id=None, **asked),
}


@pytest.mark.parametrize("kind", PAGES)
def test_pages_put_together_are_everything_of_one_user_the_newest_first(
    database: Database, people: tuple[int, int], kind: str
) -> None:
    def pages(tx: Connection) -> list[list[int]]:
        first = PAGES[kind](tx, people[0], before=None, limit=2)
        second = PAGES[kind](tx, people[0], before=first[-1].id, limit=2)
        every = PAGES[kind](tx, people[0], before=None, limit=100)
        return [[one.id for one in page] for page in (first, second, every)]

    first, second, every = database.read(pages)

    assert (len(first), len(second)) == (2, 1)
    assert first + second == every == sorted(every, reverse=True)


def test_a_change_for_another_reason_than_a_name_that_is_taken_is_told_as_it_is(
    database: Database, people: tuple[int, int]
) -> None:
    with pytest.raises(IntegrityError):
        database.write(lambda tx: users.change(tx, people[0], username=None))


def ways_to_reach(kind: str) -> Callable[[Connection, int, int], object]:
    """Return what changes a row of a number for a user: nothing where it is another's."""
    return {
        "login": lambda tx, number, user_id: logins.end(tx, user_id=user_id, login_id=number),
        "use": lambda tx, number, user_id: logins.note_use(
            tx, user_id=user_id, token_id="ann2" if number < 10**9 else "nobodys"
        ),
        "token use": lambda tx, number, user_id: api_tokens.note_use(tx, number, user_id=user_id),
        "token": lambda tx, number, user_id: api_tokens.remove(tx, number, user_id=user_id),
        "job": lambda tx, number, user_id: jobs.ask_to_cancel(tx, number, user_id=user_id),
        "change": lambda tx, number, user_id: uploads.change(
            tx, number, user_id=user_id, filename="z.csv"
        ),
        "deletion": lambda tx, number, user_id: uploads.begin_deletion(tx, number, user_id=user_id),
        "account": lambda tx, number, _: users.change(tx, number + 10**9, is_disabled=True),
        "upload": lambda tx, number, user_id: uploads.remove(tx, number, user_id=user_id),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "listed"),
    [
        ("login", "logins"),
        ("use", "logins"),
        ("token use", "tokens"),
        ("token", "tokens"),
        ("job", "jobs"),
        ("change", "uploads"),
        ("deletion", "uploads"),
        ("upload", "uploads"),
        ("account", "logins"),
    ],
)
def test_a_row_of_another_is_as_one_that_is_not_there(
    database: Database, people: tuple[int, int], kind: str, listed: str
) -> None:
    ann, budi = people

    def rows(tx: Connection) -> list[Any]:
        return PAGES[listed](tx, ann, before=None, limit=100)

    before = database.read(rows)

    assert not database.write(lambda tx: ways_to_reach(kind)(tx, before[0].id, budi))
    assert not database.write(lambda tx: ways_to_reach(kind)(tx, 10**9, ann))
    assert database.read(rows) == before


def test_what_concerns_all_of_one_user_leaves_the_others_alone(
    database: Database, people: tuple[int, int]
) -> None:
    ann, budi = people

    def of(tx: Connection, user_id: int) -> list[object]:
        found = users.by_id(tx, user_id)
        assert found is not None
        return [
            found.token_version,
            logins.open_ones(tx, user_id),
            api_tokens.of_user(tx, user_id),
            [job.state for job in jobs.page(tx, user_id, before=None, limit=9)],
        ]

    def end(tx: Connection) -> None:
        users.end_all_tokens(tx, budi)
        logins.end_all(tx, budi)
        api_tokens.remove_all(tx, budi)
        jobs.cancel_all_of_user(tx, budi)

    before = database.read(lambda tx: of(tx, ann))
    database.write(end)

    assert database.read(lambda tx: of(tx, ann)) == before
    assert database.read(lambda tx: of(tx, budi)) == [2, [], [], ["cancelled"] * 3]


def test_a_login_ends_once_and_its_moment_stays(database: Database) -> None:
    def unit(tx: Connection) -> None:
        user_id = users.add(
            tx, username="c", username_key="c", email="c", email_key="c", password_hash="x"
        )
        for n in range(3):
            add_login(tx, user_id, f"citra{n}")

        def ends() -> dict[str, object]:
            chosen = sa.select(LOGINS.c.token_id, LOGINS.c.ended_at)
            return {
                str(token): end
                for token, end in tx.execute(chosen.where(LOGINS.c.user_id == user_id))
            }

        assert logins.end(tx, user_id=user_id, token_id="citra0")
        assert not logins.end(tx, user_id=user_id, token_id="citra0")
        first = ends()
        assert logins.end_others(tx, user_id, token_id="citra2") == 1
        second = ends()
        assert second["citra0"] == first["citra0"]
        assert [end is None for end in second.values()] == [False, False, True]
        logins.end_all(tx, user_id)
        assert {**ends(), "citra2": None} == second

    database.write(unit)


def test_tries_are_counted_given_back_and_forgotten_by_subject_and_step(
    database: Database,
) -> None:
    def count(tx: Connection, subject: str, step: int, since: int = 0) -> list[tuple[int, int]]:
        return attempts.count(tx, subject, step=step, since=since)

    def unit(tx: Connection) -> None:
        assert count(tx, "a", 5) == [(5, 1)]
        assert count(tx, "a", 5) == [(5, 2)]
        assert [count(tx, "b", 5) for _ in range(2)] == [[(5, 1)], [(5, 2)]]
        assert count(tx, "a", 6, since=6) == [(6, 1)]
        attempts.give_back(tx, "a", step=5)
        assert count(tx, "b", 5) == [(5, 3)]
        assert count(tx, "a", 7, since=5) == [(5, 1), (6, 1), (7, 1)]
        for _ in range(4):
            attempts.give_back(tx, "b", step=5)
        assert count(tx, "b", 5) == [(5, 1)]
        attempts.forget_old(tx, before=6)
        assert count(tx, "b", 5) == [(5, 1)]
        assert count(tx, "a", 7) == [(6, 1), (7, 2)]

    database.write(unit)


def test_accounts_and_logins_end_at_their_moment_and_not_before(database: Database) -> None:
    now = utc_now().replace(microsecond=0)
    second = dt.timedelta(seconds=1)

    def unit(tx: Connection) -> None:
        user_id = users.add(
            tx,
            username="trial",
            username_key="trial",
            email="trial",
            email_key="trial",
            password_hash="x",
            ends_at=now,
        )
        assert users.count_ending(tx) == 1
        assert users.ended(tx, now - second) == []
        assert users.ended(tx, now) == [user_id]
        for token_id, end in (("past", now - second), ("now", now), ("future", now + HOUR)):
            logins.add(
                tx,
                user_id=user_id,
                token_id=token_id,
                device="d" * 300,
                address_mark="m",
                device_mark="k",
                expires_at=end,
            )
        assert [one.token_id for one in logins.open_ones(tx, user_id)] == ["future"]
        assert logins.is_known_device(tx, user_id=user_id, marks=["k"])
        assert not logins.is_known_device(tx, user_id=user_id, marks=["m"])
        assert logins.is_known_address(tx, user_id=user_id, marks=["x", "m"])
        assert not logins.is_known_address(tx, user_id=user_id + 1, marks=["m"])
        assert not logins.is_known_device(tx, user_id=user_id + 1, marks=["k"])
        assert logins.forget_old(tx, now) == 1
        left = logins.page(tx, user_id, before=None, limit=9)
        assert [one.token_id for one in left] == ["future", "now"]
        assert {one.device for one in left} == {"d" * 200}
        assert logins.holder(tx, user_id=user_id, token_id="future") is not None
        assert users.hold(tx, user_id)
        users.begin_deletion(tx, user_id)
        assert not users.hold(tx, user_id)
        assert logins.holder(tx, user_id=user_id, token_id="future") is None
        assert users.ended(tx, now) == []
        assert users.being_deleted(tx) == [user_id]
        assert (users.count_ending(tx), users.by_id(tx, user_id)) == (0, None)
        assert not users.change(tx, user_id, is_disabled=True)
        assert users.exists(tx, user_id)
        users.remove(tx, user_id)
        assert not users.exists(tx, user_id)

    database.write(unit)


def test_uploads_are_listed_with_their_owner_by_age_and_by_deletion(
    database: Database, people: tuple[int, int]
) -> None:
    ann, budi = people

    def unit(tx: Connection) -> None:
        every = [(user, one) for user in people for one in sorted(uploads.all_of_user(tx, user))]
        own = [one for user, one in every if user == budi]
        assert sorted(uploads.older_than(tx, utc_now() + HOUR)) == every
        assert uploads.older_than(tx, utc_now() - HOUR) == []
        assert uploads.space_used(tx, budi) == (3, 30)
        first = uploads.get(tx, own[0], user_id=budi)
        assert first is not None
        assert uploads.count_by_shop(tx, budi) == {first.shop_id: 3}
        assert uploads.is_token(tx, user_id=budi, token="budi1")
        assert not uploads.is_token(tx, user_id=ann, token="budi1")
        stored = uploads.find_stored(tx, user_id=budi, sha256="budi1")
        assert stored is not None
        assert uploads.find_stored(tx, user_id=ann, sha256="budi1") is None
        assert uploads.first_of_stored(tx, stored, user_id=budi) == own[1]
        assert uploads.first_of_stored(tx, stored, user_id=ann) is None
        assert uploads.begin_deletion(tx, own[1], user_id=budi)
        assert uploads.being_deleted(tx) == [(budi, own[1])]
        shown = uploads.page(tx, budi, before=None, limit=9, shop_id=None)
        assert [one.id for one in shown] == [own[2], own[0]]
        assert uploads.get(tx, own[1], user_id=budi) is None
        assert not uploads.change(tx, own[1], user_id=budi, filename="z.csv")
        assert (budi, own[1]) not in uploads.older_than(tx, utc_now() + HOUR)
        assert uploads.first_of_stored(tx, stored, user_id=budi) is None
        assert uploads.space_used(tx, budi) == (2, 30)
        assert not uploads.begin_deletion(tx, own[1], user_id=budi)
        assert uploads.remove(tx, own[1], user_id=budi) == stored
        assert uploads.remove_stored(tx, stored, user_id=ann) is None
        assert uploads.remove_stored(tx, stored, user_id=budi) == "budi1"
        assert uploads.remove_stored(tx, stored, user_id=budi) is None

    database.write(unit)
