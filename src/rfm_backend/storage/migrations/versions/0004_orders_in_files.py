"""The orders of results stand in files: the indexes for them go.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = {
    f"ix_rfm_results_{by}{order and '_' + order}": [
        "analysis_id", by, *([order] if order else []), "position"
    ]
    for by in ("segment", "cluster")
    for order in ("", "recency", "frequency", "monetary_rank")
}  # fmt: skip


def upgrade() -> None:
    """Drop the indexes; the files are made when a page first asks for them."""
    for name in _INDEXES:
        op.drop_index(name, "rfm_results")


def downgrade() -> None:
    """Make the indexes again."""
    for name, columns in _INDEXES.items():
        op.create_index(name, "rfm_results", columns)
