"""A person at the API: registers, uploads, processes; and the service he talks to."""

import io
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from rfm_backend.app import create_app
from rfm_backend.jobs.worker import Worker
from rfm_backend.services import Service, open_service
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import mysql_url
from rfm_backend.storage.migrate import migrate

PASSWORD = "correct horse"  # nobody's
SALES = "\n".join(
    [
        "customer_id,invoice_id,invoice_date,amount,customer_name,email",
        *(
            f"c{n % 70:03},A{n},2024-{1 + n % 12:02}-{1 + n % 28:02},{10 + n * n % 977}.5,"
            f"Name {n % 70},c{n % 70:03}@example.com"
            for n in range(400)
        ),
    ]
).encode()


@dataclass
class Person:
    """Somebody with an account."""

    app: Flask
    name: str
    user_id: int
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, **values: Any) -> Any:
        """Send a request with the token."""
        headers = {"Authorization": f"Bearer {self.token}", **values.pop("headers", {})}
        answer = self.app.test_client().open(path, method=method, headers=headers, **values)
        # The test client leaves the temporary file of a large body open.
        answer.request.environ["wsgi.input"].close()
        return answer

    def upload(self, content: bytes | Path = SALES, name: str = "sales.csv", **form: Any) -> int:
        """Upload a file and return its number."""
        body = content.read_bytes() if isinstance(content, Path) else content
        answer = self.ask("POST", "/api/upload", data={"file": (io.BytesIO(body), name), **form})
        assert answer.status_code == 201, answer.text
        return int(answer.json["upload_id"])

    def process(self, upload_id: int, **options: Any) -> dict[str, Any]:
        """Process an upload and return the answer."""
        answer = self.ask("POST", f"/api/rfm/process/{upload_id}", json=options)
        assert answer.status_code == 200, answer.text
        return dict(answer.json)


@dataclass
class Api:
    """The application over a service."""

    app: Flask
    service: Service

    def person(self, name: str | None = None, password: str = PASSWORD) -> Person:
        """Register somebody."""
        name = name or f"u{secrets.token_hex(6)}"
        answer = self.ask(
            "POST",
            "/api/auth/register",
            json={"username": name, "email": f"{name}@test.com", "password": password},
        )
        assert answer.status_code == 201, answer.text
        return Person(self.app, name, answer.json["user_id"], answer.json["token"])

    def ask(self, method: str, path: str, **values: Any) -> Any:
        """Send a request of nobody."""
        return self.app.test_client().open(path, method=method, **values)


@contextmanager
def open_api(settings: ServiceSettings, *, with_worker: bool = True) -> Iterator[Api]:
    """Make the tables, open the service, and run a worker beside it."""
    migrate(settings)
    # Cost 4, the least there is: the tests log in often, and cost 12 has a test of its own.
    service = open_service(settings, bcrypt_cost=4)
    worker = Worker(service)
    thread = threading.Thread(target=worker.run, daemon=True)
    if with_worker:
        thread.start()
    try:
        yield Api(app=create_app(service), service=service)
    finally:
        worker.stop()
        if with_worker:
            thread.join()
        service.close()


def wipe(settings: ServiceSettings) -> None:
    """Drop the database that a test made on a server."""
    if settings.db_host:
        engine = sa.create_engine(mysql_url(settings, with_name=False))
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {settings.db_name}"))
        engine.dispose()
