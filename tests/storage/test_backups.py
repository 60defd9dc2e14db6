"""Backup and restore: the service again, elsewhere, from a folder; on SQLite and on MariaDB or MySQL."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from api.shop import PASSWORD, Api, Person, open_api, wipe
from click.testing import CliRunner, Result
from rfm_testing import service_settings

from rfm_backend.cli import rfm
from rfm_backend.progress import Step
from rfm_backend.services.backups import back_up, restore
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.copying import copy_out


def run(
    settings: ServiceSettings, *words: str, environment: Mapping[str, str] | None = None
) -> Result:
    """Run ``rfm admin`` on a service, with more in its environment."""
    values = {
        "FLASK_ENV": settings.environment,
        "SECRET_KEY": settings.secret_key,
        "RFM_DATA_DIR": str(settings.data_dir),
        "UPLOAD_DIR": str(settings.upload_dir),
        "DB_HOST": settings.db_host,
        "DB_USER": settings.db_user,
        "DB_PASS": settings.db_pass,
        "DB_NAME": settings.db_name,
        **(environment or {}),
    }
    return CliRunner().invoke(rfm, ["admin", *words], env=values)


def elsewhere(settings: ServiceSettings, folder: Path) -> ServiceSettings:
    """Return settings of another, empty service with the same key."""
    other = service_settings("mysql" if settings.db_host else "sqlite", folder)
    return replace(other, secret_key=settings.secret_key)


@pytest.fixture(params=["sqlite", "mysql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceSettings]:
    """A service's settings, and its database gone afterwards."""
    settings = service_settings(request.param, tmp_path / "first")
    yield settings
    wipe(settings)


@pytest.fixture
def other(service: ServiceSettings, tmp_path: Path) -> Iterator[ServiceSettings]:
    """An empty service over the same kind of database."""
    settings = elsewhere(service, tmp_path / "other")
    yield settings
    wipe(settings)


def log_in(api: Api, name: str) -> Person:
    answer = api.ask("POST", "/api/auth/login", json={"identifier": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Person(api.app, name, answer.json["user_id"], answer.json["token"])


@pytest.mark.slow
def test_a_restored_service_has_what_the_first_one_had(
    service: ServiceSettings, other: ServiceSettings, tmp_path: Path
) -> None:
    with open_api(service) as api:
        person = api.person("budi")
        upload_id = person.upload()
        person.process(upload_id)
        results = person.ask("GET", f"/api/rfm/results/{upload_id}").data
        workbook = person.ask("GET", f"/api/rfm/export/{upload_id}?format=parquet").data
        # The service goes on while it is copied.
        made = run(service, "backup", str(tmp_path / "copy"))
        person.upload(b"customer_id,invoice_date,amount\nz,2024-01-01,1\n", "later.csv")
    assert made.exit_code == 0, made.output

    restored = run(other, "restore", str(tmp_path / "copy"))

    assert restored.exit_code == 0, restored.output
    assert "1 uploads are checked" in restored.output
    with open_api(other, with_worker=False) as api:
        person = log_in(api, "budi")
        listed = person.ask("GET", "/api/uploads").json["items"]
        assert [one["filename"] for one in listed] == ["sales.csv"]
        assert person.ask("GET", f"/api/rfm/results/{upload_id}").data == results
        assert person.ask("GET", f"/api/rfm/export/{upload_id}?format=parquet").data == workbook


def test_the_password_of_the_database_stands_in_no_command_line(
    service: ServiceSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not service.db_host:
        pytest.skip("SQLite has no password")
    # A stand-in for the dump program that tells how it was called, and fails.
    said = tmp_path / "said"
    program = tmp_path / "bin" / "mariadb-dump"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {said}\ncat "${{1#*=}}" >> {said}\nexit 1\n')
    program.chmod(0o755)
    with open_api(service, with_worker=False) as api:
        api.person()
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")

    secret = 'pa"ss\\word'
    with pytest.raises(Exception, match="could not finish"):
        copy_out(replace(service, db_pass=secret), tmp_path / "out.sql")

    called, _, login = said.read_text().partition("\n")
    assert "word" not in called.replace(str(tmp_path), "")
    assert 'password="pa\\"ss\\\\word"' in login
    assert not Path(called.split()[0].partition("=")[2]).exists()


def test_a_restore_says_whose_bytes_are_damaged(tmp_path: Path) -> None:
    first = service_settings("sqlite", tmp_path / "first")
    with open_api(first, with_worker=False) as api:
        person = api.person()
        whole, cut, gone = (person.upload(b"a,b\n" + b"1,2\n" * n, f"{n}.csv") for n in (1, 2, 3))
    assert run(first, "backup", str(tmp_path / "copy")).exit_code == 0
    by_size = {one.stat().st_size: one for one in (tmp_path / "copy").rglob("files/*")}
    by_size[12].write_bytes(b"a,b\n1,2\n1,3\n")
    by_size[16].unlink()

    restored = run(elsewhere(first, tmp_path / "other"), "restore", str(tmp_path / "copy"))

    assert restored.exit_code == 1
    assert f"missing or damaged: {cut}, {gone}" in restored.output
    assert str(whole) not in restored.output.partition("damaged:")[2]


def test_what_cannot_be_restored_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    first = service_settings("sqlite", tmp_path / "first")
    copy = tmp_path / "copy"
    with open_api(first, with_worker=False) as api:
        api.person().upload()
    assert run(first, "backup", str(copy)).exit_code == 0
    other = elsewhere(first, tmp_path / "other")

    def refused(settings: ServiceSettings, folder: Path) -> str:
        answer = run(settings, "restore", str(folder))
        assert answer.exit_code != 0
        assert not list(other.data_dir.glob("rfm.*"))
        assert not other.upload_dir.exists() or not list(other.upload_dir.iterdir())
        return answer.output

    assert "not empty" in refused(first, copy)
    assert "SECRET_KEY is not the one" in refused(
        replace(other, secret_key="o" + first.secret_key), copy
    )
    (tmp_path / "nothing").mkdir()
    assert "is no backup" in refused(other, tmp_path / "nothing")

    def changed(name: str, **values: object) -> Path:
        folder = tmp_path / name
        shutil.copytree(copy, folder)
        head = folder / "backup.json"
        head.write_text(json.dumps({**json.loads(head.read_text()), **values}))
        return folder

    assert "is newer than this one" in refused(other, changed("newer", form="9999"))
    sql = {"name": "database.sqlite3", "sha256": "0" * 64}
    assert "database.sqlite3 in" in refused(other, changed("damaged", database=sql))
    assert "exists already" in run(first, "backup", str(copy)).output
    # After all that, the backup is still good for an empty service.
    assert run(other, "restore", str(copy)).exit_code == 0


def test_a_backup_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    first = service_settings("sqlite", tmp_path / "first")
    with open_api(first, with_worker=False) as api:
        api.person().upload()
    (first.data_dir / "rfm.sqlite3").write_bytes(b"no database at all" * 100)

    made = run(first, "backup", str(tmp_path / "copy"))

    assert made.exit_code != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first"]


def test_what_comes_and_goes_while_files_are_copied_is_whole_in_the_backup(tmp_path: Path) -> None:
    first = service_settings("sqlite", tmp_path / "first")
    with open_api(first, with_worker=False) as api:
        person = api.person()
        gone, kept = person.upload(b"a,b\n1,2\n"), person.upload(b"a,b\n3,4\n")
        written = first.upload_dir / str(person.user_id) / "analyses" / "0a" / "result.parquet"
        written.parent.mkdir(parents=True)
        written.write_bytes(b"half")
        told: list[Step] = []

        def in_between(step: Step) -> None:
            if not told:
                assert person.ask("DELETE", f"/api/uploads/{gone}").status_code == 200
                person.upload(b"a,b\n5,6\n", "new.csv")
                written.write_bytes(b"written to its end")
            told.append(step)

        back_up(first, tmp_path / "copy", in_between)

    other = elsewhere(first, tmp_path / "other")
    restored = restore(other, tmp_path / "copy", lambda _step: None)
    assert (restored.n_files, restored.damaged) == (2, ())
    assert (other.upload_dir / written.relative_to(first.upload_dir)).read_bytes()[-3:] == b"end"
    with open_api(other, with_worker=False) as api:
        listed = log_in(api, person.name).ask("GET", "/api/uploads").json["items"]
    assert [one["filename"] for one in listed] == ["new.csv", "sales.csv"]
    assert kept == listed[1]["upload_id"]
    assert told[-1].done == told[-1].total
