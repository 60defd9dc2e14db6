"""How often passwords are tried, and from where an account's logins came.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "attempts",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("window_number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("n_tries", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("subject", "window_number", name="pk_attempts"),
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_row_format="DYNAMIC",
    )
    with op.batch_alter_table("logins") as table:
        table.add_column(sa.Column("address_mark", sa.String(64), nullable=True))


def downgrade() -> None:
    """Drop both: who was throttled is not any more."""
    with op.batch_alter_table("logins") as table:
        table.drop_column("address_mark")
    op.drop_table("attempts")
