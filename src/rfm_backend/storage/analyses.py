"""Queries on ``analyses``: what was computed of an upload, visible once its rows are all there."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from rfm_backend.storage import uploads
from rfm_backend.storage.rows import add_row, as_value, as_values, columns_of, utc_now
from rfm_backend.storage.tables import ANALYSES, RFM_RESULTS, UPLOAD_HISTORY


@dataclass(frozen=True, kw_only=True)
class AnalysisHead:
    """An analysis without its long texts."""

    id: int
    user_id: int
    upload_id: int
    options: str
    columns: str
    folder: str
    n_customers: int
    n_clusters: int
    seed: int
    version: str
    created_at: dt.datetime
    published_at: dt.datetime | None

    @property
    def option_values(self) -> Mapping[str, object]:
        """The options as plain values."""
        return dict(json.loads(self.options))

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the result, in their order."""
        return tuple(json.loads(self.columns))


# Made once: every page of a result begins with it.
_CURRENT: Final = (
    sa.select(*columns_of(AnalysisHead, ANALYSES))
    .select_from(
        UPLOAD_HISTORY.outerjoin(
            ANALYSES,
            sa.and_(
                ANALYSES.c.id == UPLOAD_HISTORY.c.current_analysis_id,
                ANALYSES.c.user_id == sa.bindparam("whose"),
                ANALYSES.c.published_at.is_not(None),
            ),
        )
    )
    .where(
        UPLOAD_HISTORY.c.id == sa.bindparam("upload"),
        UPLOAD_HISTORY.c.user_id == sa.bindparam("whose"),
        uploads.ALIVE,
    )
)


def add(tx: Connection, **values: object) -> int:
    """Note an analysis that nobody sees yet; return its number."""
    return add_row(tx, ANALYSES, created_at=utc_now(), **values)


def publish(tx: Connection, analysis_id: int, *, user_id: int) -> None:
    """Make an analysis visible: its rows are all there."""
    tx.execute(
        sa.update(ANALYSES)
        .where(ANALYSES.c.id == analysis_id, ANALYSES.c.user_id == user_id)
        .values(published_at=utc_now())
    )


def get(tx: Connection, analysis_id: int, *, user_id: int) -> AnalysisHead | None:
    """Return a user's published analysis."""
    chosen = _published(user_id).where(ANALYSES.c.id == analysis_id)
    return as_value(AnalysisHead, tx.execute(chosen).first())


def current(tx: Connection, upload_id: int, *, user_id: int) -> tuple[bool, AnalysisHead | None]:
    """Return (whether a user has this upload, the analysis that it shows), by one statement."""
    row = tx.execute(_CURRENT, {"whose": user_id, "upload": upload_id}).first()
    if row is None or row.id is None:
        return row is not None, None
    return True, as_value(AnalysisHead, row)


def find(tx: Connection, *, user_id: int, upload_id: int, fingerprint: str) -> AnalysisHead | None:
    """Return the newest published analysis of an upload with the same options and version."""
    chosen = (
        _published(user_id)
        .where(ANALYSES.c.upload_id == upload_id, ANALYSES.c.fingerprint == fingerprint)
        .order_by(ANALYSES.c.id.desc())
    )
    return as_value(AnalysisHead, tx.execute(chosen.limit(1)).first())


def page(
    tx: Connection, user_id: int, *, upload_id: int | None, before: int | None, limit: int
) -> list[AnalysisHead]:
    """Return a user's analyses, the newest first, those before a number."""
    chosen = _published(user_id).order_by(ANALYSES.c.id.desc()).limit(limit)
    if upload_id is not None:
        chosen = chosen.where(ANALYSES.c.upload_id == upload_id)
    if before is not None:
        chosen = chosen.where(ANALYSES.c.id < before)
    return as_values(AnalysisHead, tx.execute(chosen))


def count(tx: Connection, user_id: int) -> int:
    """Return how many published analyses a user has."""
    chosen = sa.select(sa.func.count()).where(
        ANALYSES.c.user_id == user_id, ANALYSES.c.published_at.is_not(None)
    )
    return int(tx.execute(chosen).scalar_one())


def summary_json(tx: Connection, analysis_id: int, *, user_id: int) -> str:
    """Return the summary of an analysis, as JSON text."""
    return _texts(tx, (ANALYSES.c.summary,), analysis_id, user_id)[0]


def model_json(tx: Connection, analysis_id: int, *, user_id: int) -> str:
    """Return the model of an analysis, as JSON text."""
    return _texts(tx, (ANALYSES.c.model,), analysis_id, user_id)[0]


def summary_and_model(tx: Connection, analysis_id: int, *, user_id: int) -> tuple[str, str]:
    """Return both, as JSON texts."""
    summary, model = _texts(tx, (ANALYSES.c.summary, ANALYSES.c.model), analysis_id, user_id)
    return summary, model


def newest_besides(
    tx: Connection, *, user_id: int, upload_id: int, besides: int
) -> AnalysisHead | None:
    """Return the newest published analysis of an upload other than one."""
    chosen = (
        _published(user_id)
        .where(ANALYSES.c.upload_id == upload_id, ANALYSES.c.id != besides)
        .order_by(ANALYSES.c.id.desc())
    )
    return as_value(AnalysisHead, tx.execute(chosen.limit(1)).first())


def remove(tx: Connection, analysis_id: int, *, user_id: int) -> None:
    """Remove an analysis; its rows are removed before, in parts (`remove_rows`)."""
    tx.execute(
        sa.delete(ANALYSES).where(ANALYSES.c.id == analysis_id, ANALYSES.c.user_id == user_id)
    )


def hide(tx: Connection, analysis_id: int, *, user_id: int) -> None:
    """Make an analysis invisible, before its rows go."""
    tx.execute(
        sa.update(ANALYSES)
        .where(ANALYSES.c.id == analysis_id, ANALYSES.c.user_id == user_id)
        .values(published_at=None)
    )


def remove_rows(tx: Connection, analysis_id: int, *, most: int) -> int:
    """Remove up to `most` rows of an analysis; return how many went."""
    last = tx.execute(
        sa.select(RFM_RESULTS.c.position)
        .where(RFM_RESULTS.c.analysis_id == analysis_id)
        .order_by(RFM_RESULTS.c.position)
        .offset(most - 1)
        .limit(1)
    ).scalar()
    gone = sa.delete(RFM_RESULTS).where(RFM_RESULTS.c.analysis_id == analysis_id)
    if last is not None:
        gone = gone.where(RFM_RESULTS.c.position <= last)
    return tx.execute(gone).rowcount


def older_than_newest(tx: Connection, n_kept: int) -> list[tuple[int, int]]:
    """Return (user, analysis) of the published ones of each upload but its newest and its current one."""
    age = sa.func.row_number().over(
        partition_by=ANALYSES.c.upload_id, order_by=ANALYSES.c.id.desc()
    )
    aged = (
        sa.select(ANALYSES.c.user_id, ANALYSES.c.id, age.label("age"))
        .where(ANALYSES.c.published_at.is_not(None))
        .subquery()
    )
    current = sa.select(UPLOAD_HISTORY.c.current_analysis_id).where(
        UPLOAD_HISTORY.c.current_analysis_id.is_not(None)
    )
    chosen = sa.select(aged.c.user_id, aged.c.id).where(
        aged.c.age > n_kept, aged.c.id.not_in(current)
    )
    return [(int(row[0]), int(row[1])) for row in tx.execute(chosen)]


def of_upload(tx: Connection, upload_id: int, *, user_id: int) -> list[tuple[int, str]]:
    """Return (analysis, folder) of an upload, published or not."""
    chosen = sa.select(ANALYSES.c.id, ANALYSES.c.folder).where(
        ANALYSES.c.upload_id == upload_id, ANALYSES.c.user_id == user_id
    )
    return [(int(row[0]), str(row[1])) for row in tx.execute(chosen)]


def unpublished(tx: Connection, before: dt.datetime) -> list[tuple[int, int, str]]:
    """Return (user, analysis, folder) of what was left half-written before a moment."""
    chosen = sa.select(ANALYSES.c.user_id, ANALYSES.c.id, ANALYSES.c.folder).where(
        ANALYSES.c.published_at.is_(None), ANALYSES.c.created_at < before
    )
    return [(int(row[0]), int(row[1]), str(row[2])) for row in tx.execute(chosen)]


def is_folder(tx: Connection, *, user_id: int, token: str) -> bool:
    """Tell whether a folder of files belongs to an analysis."""
    chosen = sa.select(ANALYSES.c.id).where(
        ANALYSES.c.folder == token, ANALYSES.c.user_id == user_id
    )
    return tx.execute(chosen).first() is not None


def _published(user_id: int) -> sa.Select[Any]:
    return sa.select(*columns_of(AnalysisHead, ANALYSES)).where(
        ANALYSES.c.user_id == user_id, ANALYSES.c.published_at.is_not(None)
    )


def _texts(
    tx: Connection, columns: Sequence[sa.Column[str]], analysis_id: int, user_id: int
) -> tuple[str, ...]:
    chosen = sa.select(*columns).where(ANALYSES.c.id == analysis_id, ANALYSES.c.user_id == user_id)
    return tuple(tx.execute(chosen).one())
