"""Migrations: up and down on both databases, and the tables are those that the code describes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from api.shop import wipe
from rfm_testing import service_settings

from rfm_backend.errors import Unavailable
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import open_database
from rfm_backend.storage.migrate import check_is_current, migrate
from rfm_backend.storage.tables import METADATA


@pytest.fixture(params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ServiceSettings]:
    made = service_settings(request.param, tmp_path)
    yield made
    wipe(made)


def table_names(settings: ServiceSettings) -> set[str]:
    database = open_database(settings)
    names = set(sa.inspect(database.engine).get_table_names())
    database.close()
    return names


def test_up_down_and_up_again(settings: ServiceSettings) -> None:
    assert migrate(settings) is None
    assert {"users", "upload_history", "rfm_results"} <= table_names(settings)
    assert migrate(settings) == "0005"
    assert migrate(settings, to="0001") == "0005"
    assert migrate(settings, to="base") == "0001"
    assert table_names(settings) == {"alembic_version"}
    assert migrate(settings) is None


def test_migrations_and_tables_agree(settings: ServiceSettings) -> None:
    migrate(settings)
    database = open_database(settings)
    check_is_current(database)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    database.close()


def test_a_database_of_another_form_is_told(settings: ServiceSettings) -> None:
    migrate(settings)
    migrate(settings, to="base")
    database = open_database(settings)
    with pytest.raises(Unavailable, match=r"python migrate\.py"):
        check_is_current(database)
    database.close()


def test_a_server_that_is_away_is_told_with_what_to_check(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path, db_host="127.0.0.1:1")

    with pytest.raises(Unavailable, match="DB_HOST"):
        migrate(settings)


def test_a_wrong_password_is_told_with_what_to_check(tmp_path: Path) -> None:
    settings = service_settings("mysql", tmp_path, db_user="nobody", db_pass="wrong")

    with pytest.raises(Unavailable, match="DB_USER and DB_PASS"):
        migrate(settings)
