"""Fills a service's database with what many users would have left there: uploads, analyses, rows.

The first analysis is published as a job publishes it; the others are copies of it that the server makes,
each with a folder of its own whose files are links.  All are of one size.
"""

import io
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from million.saving import publish_once
from million.stage import Stage
from sqlalchemy.engine import Connection

from rfm_backend.services.accounts import register
from rfm_backend.services.uploads import receive
from rfm_backend.storage.results import COLUMNS

_SALES = b"customer_id,invoice_date,amount\na,2024-01-01,1\n"
_COPIED_ANALYSIS = (
    "fingerprint, options, summary, model, columns, n_customers, n_clusters, seed, version, "
    "created_at, published_at"
)


@dataclass(frozen=True)
class Filled:
    """Who is there: each user's token and the numbers of his uploads; the first has the most."""

    tokens: list[str]
    uploads: list[list[int]]


def fill(stage: Stage, source: Path, *, n_users: int, n_uploads: int) -> Filled:
    """Fill the stage's database; a tenth of all uploads is the first user's."""
    publish_once(stage, source)
    began = time.monotonic()
    tokens, uploads = [], []
    first = n_uploads // 10
    others = (n_uploads - first) // (n_users - 1)
    for place in range(n_users):
        user_id, token, pattern = _user(stage)
        tokens.append(token)
        uploads.append(list(_uploads(stage, user_id, pattern, first if place == 0 else others)))
        if place % 10 == 0:
            seconds = time.monotonic() - began
            print(f"filled {place + 1} of {n_users} users in {seconds:.0f} s", file=sys.stderr)
    return Filled(tokens, uploads)


def _user(stage: Stage) -> tuple[int, str, int]:
    """Register somebody who uploads once; return his number, his token and his upload's number."""
    name = f"u{secrets.token_hex(6)}"
    login = register(
        stage.service,
        username=name,
        email=f"{name}@test.com",
        password=secrets.token_hex(12),
        device="bench",
        address="127.0.0.1",
    )
    stored = receive(
        stage.service, login.user.id, io.BytesIO(_SALES), filename="shop.csv", shop_id=None
    )
    return login.user.id, login.token, stored.upload.id


def _uploads(stage: Stage, user_id: int, pattern: int, count: int) -> Iterator[int]:
    """Yield the numbers of uploads with an analysis each, copies of the stage's first."""
    names = ", ".join(COLUMNS)
    copied = ", ".join(_copied(name) for name in COLUMNS)
    found = stage.service.database.read(
        lambda tx: tx.exec_driver_sql(
            "SELECT id, folder, user_id FROM analyses ORDER BY id"
        ).first()
    )
    assert found is not None
    template, folder, owner = found

    def unit(tx: Connection) -> int:
        token = secrets.token_hex(16)
        upload_id = _inserted(
            tx,
            "INSERT INTO upload_history (user_id, shop_id, stored_file_id, filename, format, created_at) "
            "SELECT user_id, shop_id, stored_file_id, filename, format, created_at "
            f"FROM upload_history WHERE id = {pattern}",
        )
        analysis_id = _inserted(
            tx,
            f"INSERT INTO analyses (user_id, upload_id, folder, {_COPIED_ANALYSIS}) "
            f"SELECT {user_id}, {upload_id}, '{token}', {_COPIED_ANALYSIS} "
            f"FROM analyses WHERE id = {template}",
        )
        values = copied.format(analysis_id=analysis_id, upload_id=upload_id)
        tx.exec_driver_sql(
            f"INSERT INTO rfm_results ({names}) SELECT {values} FROM rfm_results "
            f"WHERE analysis_id = {template}"
        )
        tx.exec_driver_sql(
            f"UPDATE upload_history SET current_analysis_id = {analysis_id} WHERE id = {upload_id}"
        )
        files = stage.service.files
        shutil.copytree(
            files.analysis_folder(owner, folder),
            files.analysis_folder(user_id, token),
            copy_function=os.link,
        )
        return upload_id

    for _ in range(count):
        yield stage.service.database.write(unit)


def _copied(name: str) -> str:
    return f"{{{name}}}" if name in ("analysis_id", "upload_id") else name


def _inserted(tx: Connection, order: str) -> int:
    return int(tx.exec_driver_sql(order).lastrowid)
