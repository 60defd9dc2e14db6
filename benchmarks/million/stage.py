"""A shop of a million customers, analysed once; and services over fresh databases to save it in."""

import io
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import sqlalchemy as sa

from rfm_backend.jobs.compute import compute
from rfm_backend.jobs.leases import LEASE
from rfm_backend.jobs.publish import Computed
from rfm_backend.pipeline.options import Options
from rfm_backend.services import Service, open_service
from rfm_backend.services.accounts import LoggedIn, register
from rfm_backend.services.requests import AnalysisRequest
from rfm_backend.services.uploads import receive
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage import jobs
from rfm_backend.storage.database import mysql_url
from rfm_backend.storage.jobs import Job
from rfm_backend.storage.migrate import migrate

DATABASES = ("sqlite", "mysql")
PASSWORD = "correct horse battery"  # noqa: S105  # nobody's


@dataclass(frozen=True)
class Stage:
    """A service over a database of its own, somebody who is logged in, and an upload of his."""

    service: Service
    settings: ServiceSettings
    login: LoggedIn
    upload_id: int

    def job(self) -> Job:
        """Return a job that this process has claimed."""

        def unit(tx: sa.Connection) -> Job:
            jobs.join(
                tx,
                user_id=self.login.user.id,
                upload_id=self.upload_id,
                fingerprint=secrets.token_hex(32),
                options="{}",
            )
            claimed = jobs.claim(tx, worker="bench", lease=LEASE)
            assert claimed is not None
            return claimed

        return self.service.database.write(unit)

    def computed(self, source: Path) -> Computed:
        """Return the analysis of `source` in a folder of this service's."""
        token, folder = self.service.files.new_folder(self.login.user.id)
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return Computed(
            head=json.loads((folder / "head.json").read_text()), token=token, folder=folder
        )


def analyse_shop(folder: Path, *, n_customers: int) -> Path:
    """Make a shop's file and analyse it as a job's child does; return the folder of what came out."""
    sales, out = folder / "shop.csv", folder / "computed"
    out.mkdir(parents=True)
    duckdb.connect(config={"threads": 1}).execute(
        f"""COPY (
            SELECT 'c' || lpad(CAST(c AS VARCHAR), 7, '0') AS customer_id,
                'i' || c || '-' || k AS invoice_id,
                DATE '2024-01-01' + CAST(hash(c * 31 + k) % 700 AS INTEGER) AS invoice_date,
                round(5 + power(1 + (hash(c * 17 + k) % 10000) / 10000.0, 9), 2) AS amount,
                'Name ' || (hash(c) % 50000) AS customer_name, 'c' || c || '@example.com' AS email
            FROM range({n_customers}) a(c), range(8) b(k)
            WHERE k <= hash(c) % 8 AND k <= hash(c * 7) % 8
        ) TO '{sales}' (HEADER)"""
    )
    head = compute(
        source=str(sales),
        name="shop.csv",
        request=AnalysisRequest(options=Options(), table_toml=None, model_json=None).to_json(),
        folder=str(out),
        resources={"memory_limit": "2GB", "threads": 1},
    )
    (out / "head.json").write_text(json.dumps(head))
    return out


@contextmanager
def open_stage(kind: str, folder: Path, *, local_infile: bool = False) -> Iterator[Stage]:
    """Open a service over a fresh database, "sqlite" or "mysql", and remove it afterwards."""
    settings = ServiceSettings(
        environment="development",
        secret_key="k3y-" + secrets.token_urlsafe(40),
        data_dir=folder / "data",
        upload_dir=folder / "uploads",
        local_infile=local_infile,
        # A hundred people register here in a minute.
        login_attempts=100_000,
    )
    if kind == "mysql":
        settings = replace(
            settings,
            db_host=os.environ.get("RFM_TEST_DB_HOST") or "127.0.0.1",
            db_user=os.environ.get("RFM_TEST_DB_USER") or "root",
            db_pass=os.environ.get("RFM_TEST_DB_PASS") or "",
            db_name=f"rfm_bench_{secrets.token_hex(6)}",
        )
    migrate(settings)
    service = open_service(settings)
    try:
        name = f"u{secrets.token_hex(4)}"
        login = register(
            service,
            username=name,
            email=f"{name}@test.com",
            password=PASSWORD,
            device="bench",
            address="127.0.0.1",
        )
        sales = io.BytesIO(b"customer_id,invoice_date,amount\na,2024-01-01,1\n")
        upload = receive(service, login.user.id, sales, filename="shop.csv", shop_id=None).upload
        yield Stage(service, settings, login, upload.id)
    finally:
        service.close()
        _drop(settings)
        shutil.rmtree(folder, ignore_errors=True)


def _drop(settings: ServiceSettings) -> None:
    if settings.db_host:
        engine = sa.create_engine(mysql_url(settings, with_name=False))
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {settings.db_name}")
        engine.dispose()
