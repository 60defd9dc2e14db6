"""`rfm admin` over a real database: each command, and that what it says is so."""

import datetime as dt
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from api.shop import PASSWORD, Api, Person, open_api, wipe
from click.testing import CliRunner, Result
from rfm_testing import service_settings

from rfm_backend.cli import rfm
from rfm_backend.jobs.sweep import sweep
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import REQUESTS
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import USERS

NEW = "a few other words"


def run(settings: ServiceSettings, *words: str, typed: str | None = None) -> Result:
    """Run a command on the service's database."""
    return CliRunner().invoke(
        rfm,
        ["admin", *words],
        input=typed,
        env={
            "FLASK_ENV": "development",
            "SECRET_KEY": settings.secret_key,
            "RFM_DATA_DIR": str(settings.data_dir),
            "UPLOAD_DIR": str(settings.upload_dir),
            "DB_HOST": settings.db_host,
            "DB_USER": settings.db_user,
            "DB_PASS": settings.db_pass,
            "DB_NAME": settings.db_name,
        },
    )


def log_in(api: Api, name: str, password: str) -> int:
    answer = api.ask("POST", "/api/auth/login", json={"identifier": name, "password": password})
    return int(answer.status_code)


def test_an_operator_looks_after_accounts(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        made = run(settings, "add", "budi", "budi@test.com", typed=f"{NEW} 1\n{NEW} 1\n")
        assert (made.exit_code, "Account 1 is made." in made.output) == (0, True)
        assert log_in(api, "budi", f"{NEW} 1") == 200
        listed = run(settings, "users").output.split("\t")
        assert listed[:4] == ["1", "budi", "budi@test.com", "active"]

        run(settings, "disable", "BUDI@test.com")
        assert log_in(api, "budi", f"{NEW} 1") == 401
        assert "disabled" in run(settings, "users").output
        run(settings, "disable", "budi", "--undo")
        assert log_in(api, "budi", f"{NEW} 1") == 200

        run(settings, "reset-password", "budi", typed=f"{NEW} 2\n{NEW} 2\n")
        assert (log_in(api, "budi", f"{NEW} 1"), log_in(api, "budi", f"{NEW} 2")) == (401, 200)


def test_a_password_reset_ends_the_logins_of_the_account(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person("siti")

        run(settings, "reset-password", "siti", typed=f"{NEW}\n{NEW}\n")

        assert person.ask("GET", "/api/user/profile").status_code == 401


def test_a_deleted_account_leaves_nothing_and_is_asked_about_first(tmp_path: Path) -> None:
    settings = service_settings("sqlite", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person("siti")
        person.upload()

        assert run(settings, "delete", "siti", typed="n\n").exit_code == 130
        assert person.ask("GET", "/api/user/profile").status_code == 200
        assert run(settings, "delete", "siti", typed="y\n").exit_code == 0

        assert not (settings.upload_dir / str(person.user_id)).exists()
        again = run(settings, "delete", "siti", "--yes")
        assert (again.exit_code, "There is no account 'siti'" in again.output) == (2, True)


@pytest.mark.parametrize(("age", "is_kept"), [(29, True), (31, False)])
def test_uploads_go_once_they_have_been_kept_long_enough(
    tmp_path: Path, age: int, *, is_kept: bool
) -> None:
    settings = service_settings("sqlite", tmp_path, keep_days=30)
    with open_api(settings, with_worker=False) as api:
        person = api.person("siti")
        upload_id = person.upload()
        _make_older(api, person, days=age)

        sweep(api.service, now=utc_now())

        told = person.ask("GET", f"/api/uploads/{upload_id}")
        assert told.status_code == (200 if is_kept else 404)
        folder = settings.upload_dir / str(person.user_id) / "files"
        assert len(list(folder.iterdir())) == int(is_kept)


def _make_older(api: Api, person: Person, *, days: int) -> None:
    moment = dt.datetime.now(dt.UTC).replace(tzinfo=None) - dt.timedelta(days=days)
    api.service.database.write(
        lambda tx: tx.execute(
            sa.text("UPDATE upload_history SET created_at = :moment WHERE user_id = :owner"),
            {"moment": moment.isoformat(sep=" "), "owner": person.user_id},
        )
    )


@pytest.mark.slow
def test_a_command_waits_for_a_busy_row_longer_than_a_request_may(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path)
    with open_api(settings, with_worker=False) as api:
        person = api.person()
        busy = api.service.database.engine.connect()
        busy.begin()
        busy.execute(sa.select(USERS.c.id).where(USERS.c.id == person.user_id).with_for_update())
        # A request gives up at the first lock that it waits 3 seconds for in vain.
        ends = threading.Timer(REQUESTS.lock_seconds + 1.5, busy.close)
        ends.start()

        done = run(settings, "disable", person.name)
        ends.join()

        assert (done.exit_code, log_in(api, person.name, PASSWORD)) == (0, 401)
    wipe(settings)
