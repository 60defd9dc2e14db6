"""SQLite gives no number twice; named tokens may be for reading alone; logins know their device.

Revision ID: 0005
Revises: 0004

On SQLite each table whose numbers leave the service is made anew with AUTOINCREMENT, rows and indexes
kept; MySQL and MariaDB have kept their counter from the beginning.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBERED = (
    "users", "logins", "api_tokens", "shops", "upload_history", "mappings", "segment_tables", "analyses", "jobs",
)  # fmt: skip


def upgrade() -> None:
    """Add the columns, and make the tables anew on SQLite."""
    op.add_column(
        "api_tokens",
        sa.Column("is_read_only", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.add_column("logins", sa.Column("device_mark", sa.String(64), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for name in _NUMBERED:
            with op.batch_alter_table(
                name, recreate="always", table_kwargs={"sqlite_autoincrement": True}
            ):
                pass


def downgrade() -> None:
    """Make the tables as before: a token for reading alone becomes one for everything, so it goes."""
    op.execute("DELETE FROM api_tokens WHERE is_read_only = 1")
    for name, column in (("api_tokens", "is_read_only"), ("logins", "device_mark")):
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
    if op.get_bind().dialect.name == "sqlite":
        for name in _NUMBERED:
            with op.batch_alter_table(name, recreate="always"):
                pass
