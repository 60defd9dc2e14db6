"""Queries on ``attempts``: how often something was tried within a window of time.

What always holds: counting and looking are one step, so that of many at once none goes uncounted.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from rfm_backend.storage.tables import ATTEMPTS


def count(tx: Connection, subject: str, *, window: int) -> int:
    """Count one more try, and return how many that makes."""
    values = {"subject": subject, "window_number": window, "n_tries": 1}
    more = ATTEMPTS.c.n_tries + 1
    if tx.dialect.name == "mysql":
        tx.execute(mysql.insert(ATTEMPTS).values(values).on_duplicate_key_update(n_tries=more))
    else:
        tx.execute(
            sqlite.insert(ATTEMPTS)
            .values(values)
            .on_conflict_do_update(
                index_elements=["subject", "window_number"], set_={"n_tries": more}
            )
        )
    return int(tx.execute(sa.select(ATTEMPTS.c.n_tries).where(*_is(subject, window))).scalar_one())


def give_back(tx: Connection, subject: str, *, window: int) -> None:
    """Take one try back: it was no wrong one."""
    tx.execute(
        sa.update(ATTEMPTS)
        .where(*_is(subject, window), ATTEMPTS.c.n_tries > 0)
        .values(n_tries=ATTEMPTS.c.n_tries - 1)
    )


def forget_old(tx: Connection, *, before: int) -> None:
    """Remove what was counted in earlier windows."""
    tx.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.window_number < before))


def _is(subject: str, window: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return ATTEMPTS.c.subject == subject, ATTEMPTS.c.window_number == window
