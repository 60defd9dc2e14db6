"""Accounts that end: ``users.ends_at``, set for those made to try the sample.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")


def upgrade() -> None:
    """Add the column."""
    with op.batch_alter_table("users") as table:
        table.add_column(sa.Column("ends_at", _TIME, nullable=True))


def downgrade() -> None:
    """Drop it: accounts that would have ended stay."""
    with op.batch_alter_table("users") as table:
        table.drop_column("ends_at")
