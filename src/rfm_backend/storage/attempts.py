"""Queries on ``attempts``: how often something was tried in each short step of time.

What always holds: counting and looking are one step, so that of many at once none goes uncounted.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Connection

from rfm_backend.storage.tables import ATTEMPTS


def count(tx: Connection, subject: str, *, step: int, since: int) -> list[tuple[int, int]]:
    """Count one more try, and return the steps from `since` on with the tries in each, the oldest first."""
    values = {"subject": subject, "window_number": step, "n_tries": 1}
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
    chosen = (
        sa.select(ATTEMPTS.c.window_number, ATTEMPTS.c.n_tries)
        .where(ATTEMPTS.c.subject == subject, ATTEMPTS.c.window_number >= since)
        .order_by(ATTEMPTS.c.window_number)
        # Also sees, and waits for, what another has counted in the step before and not yet kept.
        .with_for_update()
    )
    return [(int(step), int(tries)) for step, tries in tx.execute(chosen)]


def give_back(tx: Connection, subject: str, *, step: int) -> None:
    """Take one try back: it was no wrong one."""
    tx.execute(
        sa.update(ATTEMPTS)
        .where(
            ATTEMPTS.c.subject == subject,
            ATTEMPTS.c.window_number == step,
            ATTEMPTS.c.n_tries > 0,
        )
        .values(n_tries=ATTEMPTS.c.n_tries - 1)
    )


def forget_old(tx: Connection, *, before: int) -> None:
    """Remove what was counted in earlier steps."""
    tx.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.window_number < before))
