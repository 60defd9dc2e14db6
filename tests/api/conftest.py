"""A running service over a real SQLite file and over a real MariaDB or MySQL server, with a worker.

The server is that of RFM_TEST_DB_HOST (default 127.0.0.1), user RFM_TEST_DB_USER (root), password
RFM_TEST_DB_PASS (none).  Where it is missing the tests fail: what users run on must be tested on.
"""

from collections.abc import Iterator

import pytest
from api.shop import Api, open_api, wipe
from rfm_testing import service_settings

from rfm_backend.settings import ServiceSettings


@pytest.fixture(scope="session", params=["sqlite", pytest.param("mysql", marks=pytest.mark.slow)])
def settings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceSettings]:
    """Settings of a service of its own, on each database in turn."""
    made = service_settings(request.param, tmp_path_factory.mktemp("service"))
    yield made
    wipe(made)


@pytest.fixture(scope="session")
def api(settings: ServiceSettings) -> Iterator[Api]:
    """The application and a worker beside it."""
    with open_api(settings) as opened:
        yield opened
