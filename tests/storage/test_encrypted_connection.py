"""With DB_SSL_CA: the connection to the database is encrypted, and to nobody who cannot show who he is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
import trustme
from api.shop import open_api
from click.testing import Result
from faults.network import own_server
from rfm_testing import service_settings
from storage.test_backups import run

from rfm_backend.errors import Unavailable
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import mysql_url
from rfm_backend.storage.migrate import migrate

pytestmark = pytest.mark.slow
# The server answers there too, and its certificate does not say so.
ELSEWHERE = "127.0.0.2"


@dataclass(frozen=True)
class Place:
    """A server whose certificate says 127.0.0.1, and who vouches for that."""

    settings: ServiceSettings
    port: str
    folder: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start the server."""
    folder = tmp_path_factory.mktemp("encrypted")
    authority = trustme.CA()
    shown = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    shown.private_key_pem.write_to_path(folder / "key.pem")
    for part in shown.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    options = [
        f"--ssl-cert={folder / 'cert.pem'}",
        f"--ssl-key={folder / 'key.pem'}",
        f"--bind-address=127.0.0.1,{ELSEWHERE}",
    ]
    with own_server(folder / "server", *options) as server:
        settings = service_settings(
            "mysql", folder / "service", db_host=server.host, db_ssl_ca=folder / "ca.pem"
        )
        settings = replace(settings, db_user="root", db_pass="")
        yield Place(settings, str(server.port), folder)


def back_up(settings: ServiceSettings, folder: Path) -> Result:
    """Back up as an operator does."""
    environment = {"DB_SSL_CA": str(settings.db_ssl_ca)}
    return run(settings, "backup", str(folder), environment=environment)


def refused_backup(settings: ServiceSettings, folder: Path) -> str:
    """Return what is told of a backup that is refused."""
    told = back_up(settings, folder / "refused")
    assert told.exit_code != 0
    return told.output


def test_the_service_speaks_encrypted_and_so_does_its_backup(place: Place) -> None:
    # From here on the server itself takes no other connection.
    migrate(place.settings)
    with sa.create_engine(mysql_url(place.settings)).connect() as connection:
        connection.exec_driver_sql("SET GLOBAL require_secure_transport = ON")
        cipher = connection.exec_driver_sql("SHOW STATUS LIKE 'Ssl_cipher'").one()
    with open_api(place.settings) as api:
        assert api.person().upload()

    told = back_up(place.settings, place.folder / "kept")

    assert cipher[1].startswith("TLS_")
    assert told.exit_code == 0, told.output


def test_a_server_of_another_authority_is_refused(place: Place) -> None:
    trustme.CA().cert_pem.write_to_path(place.folder / "other.pem")
    settings = replace(place.settings, db_ssl_ca=place.folder / "other.pem")

    with pytest.raises(Unavailable, match=r"other\.pem \(DB_SSL_CA\)"):
        migrate(settings)
    assert "certificate" in refused_backup(settings, place.folder)


def test_a_certificate_for_another_host_is_refused(place: Place) -> None:
    settings = replace(place.settings, db_host=f"{ELSEWHERE}:{place.port}")

    with pytest.raises(Unavailable, match="certificate for that host"):
        migrate(settings)
    assert "certificate" in refused_backup(settings, place.folder)


def test_a_server_that_speaks_unencrypted_alone_is_refused(place: Place, tmp_path: Path) -> None:
    with own_server(tmp_path / "plain", "--skip-ssl") as server:
        settings = replace(place.settings, db_host=server.host)

        with pytest.raises(Unavailable, match="DB_SSL_CA"):
            migrate(settings)
