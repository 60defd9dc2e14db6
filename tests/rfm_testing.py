"""Settings of services that tests make and throw away."""

import os
import secrets
from dataclasses import replace
from pathlib import Path

from rfm_backend.settings import ServiceSettings


def service_settings(kind: str, folder: Path, **values: object) -> ServiceSettings:
    """Return settings over a database of its own: "sqlite", or "mysql" on the server for tests."""
    made = ServiceSettings(
        environment="development",
        secret_key="k3y-" + secrets.token_urlsafe(40),
        data_dir=folder / "data",
        upload_dir=folder / "uploads",
        max_upload_bytes=64 * 1024**2,
        sync_wait=60.0,
        # Tests log in and register often; the throttle has tests of its own.
        login_attempts=100_000,
    )
    if kind == "mysql":
        made = replace(
            made,
            db_host=os.environ.get("RFM_TEST_DB_HOST") or "127.0.0.1",
            db_user=os.environ.get("RFM_TEST_DB_USER") or "root",
            db_pass=os.environ.get("RFM_TEST_DB_PASS") or "",
            db_name=f"rfm_test_{secrets.token_hex(6)}",
        )
    return replace(made, **values)  # type: ignore[arg-type]  # fields of the settings
