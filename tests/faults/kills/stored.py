"""What must hold of rows and files once nothing is under way: nothing half, nothing twice, nothing of nobody."""

import datetime as dt
import hashlib

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rfm_backend.jobs.sweep import sweep
from rfm_backend.services import Service
from rfm_backend.storage.rows import utc_now
from rfm_backend.storage.tables import (
    ANALYSES,
    JOBS,
    RFM_RESULTS,
    STORED_FILES,
    UPLOAD_HISTORY,
    USERS,
)


def broken_rules(service: Service) -> list[str]:
    """Sweep as two hours later, and return what is then not as it must be."""
    sweep(service, now=utc_now() + dt.timedelta(hours=2))
    told = service.database.read(_rows)
    told += _files(service)
    if service.database.is_sqlite:
        checked = service.database.read(
            lambda tx: tx.execute(sa.text("PRAGMA integrity_check")).scalar_one()
        )
        told += [] if checked == "ok" else [f"integrity_check: {checked}"]
    return told


def _rows(tx: Connection) -> list[str]:
    counted = (
        sa.select(
            ANALYSES.c.id,
            ANALYSES.c.n_customers,
            sa.func.count(RFM_RESULTS.c.position),
            ANALYSES.c.published_at,
        )
        .outerjoin(RFM_RESULTS, RFM_RESULTS.c.analysis_id == ANALYSES.c.id)
        .group_by(ANALYSES.c.id)
    )
    told = [
        f"analysis {row[0]} has {row[2]} rows of {row[1]}, published {row[3]}"
        for row in tx.execute(counted)
        if row[1] != row[2] or row[3] is None
    ]
    several = (
        sa.select(ANALYSES.c.upload_id)
        .group_by(ANALYSES.c.upload_id, ANALYSES.c.fingerprint)
        .having(sa.func.count() > 1)
    )
    told += [f"upload {row[0]} has a result twice" for row in tx.execute(several)]
    missing = sa.select(JOBS.c.id).where(
        JOBS.c.state == "done", JOBS.c.analysis_id.not_in(sa.select(ANALYSES.c.id))
    )
    told += [f"job {row[0]} is done and has no analysis" for row in tx.execute(missing)]
    for table in (USERS, UPLOAD_HISTORY):
        begun = sa.select(table.c.id).where(table.c.deleting_at.is_not(None))
        told += [f"{table.name} {row[0]} is not deleted to the end" for row in tx.execute(begun)]
    return told


def _files(service: Service) -> list[str]:
    root = service.settings.upload_dir
    stored = service.database.read(
        lambda tx: tx.execute(
            sa.select(STORED_FILES.c.user_id, STORED_FILES.c.token, STORED_FILES.c.sha256)
        ).all()
    )
    analyses = service.database.read(
        lambda tx: tx.execute(sa.select(ANALYSES.c.user_id, ANALYSES.c.folder)).all()
    )
    users = service.database.read(lambda tx: {row[0] for row in tx.execute(sa.select(USERS.c.id))})
    wanted = {root / str(row[0]) / "files" / row[1] for row in stored}
    wanted |= {root / str(row[0]) / "analyses" / row[1] for row in analyses}
    there = {*root.glob("*/files/*"), *root.glob("*/analyses/*")}
    told = [f"{path} is of nobody" for path in there - wanted]
    told += [f"{path} is missing" for path in wanted - there]
    told += [f"{path} was left" for path in root.glob("tmp/*")]
    told += [
        f"{path} is of a user who is gone"
        for path in root.iterdir()
        if path.name.isdecimal() and int(path.name) not in users
    ]
    told += [
        f"upload bytes {row[1]} are others"
        for row in stored
        if hashlib.sha256((root / str(row[0]) / "files" / row[1]).read_bytes()).hexdigest()
        != row[2]
    ]
    return told
