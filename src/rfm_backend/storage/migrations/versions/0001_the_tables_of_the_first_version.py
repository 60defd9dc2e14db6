"""The tables of the first version.

Revision ID: 0001
Revises: nothing
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
_LONG = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
_MONEY = sa.String(52).with_variant(mysql.DECIMAL(38, 12), "mysql")
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "mysql_row_format": "DYNAMIC",
}


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "users",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("username", sa.String(length=150), nullable=False),
        sa.Column("username_key", sa.String(length=150), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("token_version", sa.Integer(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("deleting_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        sa.UniqueConstraint("username_key", name=op.f("uq_users_username_key")),
        **_OPTIONS,
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=12), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_used_at", _TIME, nullable=True),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_tokens_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_tokens_token_hash")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_api_tokens_user_id_name")),
        **_OPTIONS,
    )
    op.create_table(
        "logins",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("token_id", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=200), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_used_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_logins_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("token_id", name=op.f("uq_logins_token_id")),
        **_OPTIONS,
    )
    op.create_index("ix_logins_user_id", "logins", ["user_id"])

    op.create_table(
        "mappings",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("header_hash", sa.String(length=64), nullable=True),
        sa.Column("columns", _LONG, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_mappings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mappings")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_mappings_user_id_name")),
        **_OPTIONS,
    )
    op.create_table(
        "segment_tables",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("toml", _LONG, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_segment_tables_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_tables")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_segment_tables_user_id_name")),
        **_OPTIONS,
    )
    op.create_table(
        "shops",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_shops_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shops")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_shops_user_id_name")),
        **_OPTIONS,
    )
    op.create_table(
        "stored_files",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_stored_files_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint("user_id", "sha256", name=op.f("uq_stored_files_user_id_sha256")),
        **_OPTIONS,
    )
    op.create_table(
        "upload_history",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("shop_id", _BIG, nullable=False),
        sa.Column("stored_file_id", _BIG, nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("format", sa.String(length=10), nullable=False),
        sa.Column("header_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("deleting_at", _TIME, nullable=True),
        sa.Column("current_analysis_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["shop_id"], ["shops.id"], name=op.f("fk_upload_history_shop_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["stored_file_id"],
            ["stored_files.id"],
            name=op.f("fk_upload_history_stored_file_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_upload_history_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload_history")),
        **_OPTIONS,
    )
    op.create_index("ix_upload_history_user_id", "upload_history", ["user_id"])

    op.create_table(
        "analyses",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("upload_id", _BIG, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("options", _LONG, nullable=False),
        sa.Column("summary", _LONG, nullable=False),
        sa.Column("model", _LONG, nullable=False),
        sa.Column("columns", _LONG, nullable=False),
        sa.Column("folder", sa.String(length=64), nullable=False),
        sa.Column("n_customers", sa.BigInteger(), nullable=False),
        sa.Column("n_clusters", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("published_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["upload_id"],
            ["upload_history.id"],
            name=op.f("fk_analyses_upload_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_analyses_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analyses")),
        **_OPTIONS,
    )
    op.create_index("ix_analyses_upload_id_fingerprint", "analyses", ["upload_id", "fingerprint"])
    op.create_index("ix_analyses_user_id", "analyses", ["user_id"])

    op.create_table(
        "jobs",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("upload_id", _BIG, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("active_key", sa.String(length=100), nullable=True),
        sa.Column("options", _LONG, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=True),
        sa.Column("done", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=True),
        sa.Column("error_message", _LONG, nullable=True),
        sa.Column("analysis_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("started_at", _TIME, nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload_history.id"], name=op.f("fk_jobs_upload_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_jobs_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("active_key", name=op.f("uq_jobs_active_key")),
        **_OPTIONS,
    )
    op.create_index("ix_jobs_state_lease_until", "jobs", ["state", "lease_until"])
    op.create_index("ix_jobs_upload_id", "jobs", ["upload_id"])
    op.create_index("ix_jobs_user_id", "jobs", ["user_id"])

    op.create_table(
        "rfm_results",
        sa.Column("analysis_id", _BIG, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.String(length=255), nullable=False),
        sa.Column("group_value", sa.String(length=255), nullable=True),
        sa.Column("recency", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.BigInteger(), nullable=False),
        sa.Column("monetary", _MONEY, nullable=False),
        sa.Column("monetary_rank", sa.Integer(), nullable=False),
        sa.Column("r_score", sa.SmallInteger(), nullable=False),
        sa.Column("f_score", sa.SmallInteger(), nullable=False),
        sa.Column("m_score", sa.SmallInteger(), nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=False),
        sa.Column("cluster", sa.SmallInteger(), nullable=False),
        sa.Column("first_purchase_date", sa.Date(), nullable=False),
        sa.Column("last_purchase_date", sa.Date(), nullable=False),
        sa.Column("more", _LONG, nullable=True),
        sa.Column("name_key", sa.String(length=64), nullable=True),
        sa.Column("email_key", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["analysis_id"],
            ["analyses.id"],
            name=op.f("fk_rfm_results_analysis_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("analysis_id", "position", name=op.f("pk_rfm_results")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rfm_results_cluster", "rfm_results", ["analysis_id", "cluster", "position"])
    op.create_index(
        "ix_rfm_results_cluster_frequency",
        "rfm_results",
        ["analysis_id", "cluster", "frequency", "position"],
    )
    op.create_index(
        "ix_rfm_results_cluster_monetary_rank",
        "rfm_results",
        ["analysis_id", "cluster", "monetary_rank", "position"],
    )
    op.create_index(
        "ix_rfm_results_cluster_recency",
        "rfm_results",
        ["analysis_id", "cluster", "recency", "position"],
    )
    op.create_index("ix_rfm_results_customer", "rfm_results", ["analysis_id", "customer_id"])
    op.create_index("ix_rfm_results_segment", "rfm_results", ["analysis_id", "segment", "position"])
    op.create_index(
        "ix_rfm_results_segment_frequency",
        "rfm_results",
        ["analysis_id", "segment", "frequency", "position"],
    )
    op.create_index(
        "ix_rfm_results_segment_monetary_rank",
        "rfm_results",
        ["analysis_id", "segment", "monetary_rank", "position"],
    )
    op.create_index(
        "ix_rfm_results_segment_recency",
        "rfm_results",
        ["analysis_id", "segment", "recency", "position"],
    )


def downgrade() -> None:
    """Take the tables away, those that others refer to last."""
    for table in (
        "rfm_results",
        "jobs",
        "analyses",
        "upload_history",
        "stored_files",
        "shops",
        "segment_tables",
        "mappings",
        "logins",
        "api_tokens",
        "users",
    ):
        op.drop_table(table)
