"""The tables, as SQLAlchemy describes them: the migrations make these, and a test compares the two.

In:  nothing.
Out: `METADATA` and one `Table` each.

What always holds
    * every table of users' data names its owner, and rows go with him (ON DELETE CASCADE);
    * text is compared byte by byte: `a`, `A` and `a ` are three customers;
    * money is exact: DECIMAL(38,12) on MySQL, text on SQLite, which has no such type;
    * times are UTC with microseconds, without a zone;
    * a number that leaves the service is given once, also after its row is gone.
"""

import datetime as dt
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Index, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeDecorator

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_COLLATION: Final = "utf8mb4_bin"
_OPTIONS: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": _COLLATION,
    "mysql_row_format": "DYNAMIC",
}


class Money(TypeDecorator[Decimal]):
    """An exact amount."""

    impl = sa.String(52)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:  # noqa: ANN401  # SQLAlchemy's own type
        """Return DECIMAL where there is one that is exact."""
        exact = mysql.DECIMAL(38, 12) if dialect.name == "mysql" else sa.String(52)
        return dialect.type_descriptor(exact)

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> object:
        """Return what is stored."""
        return value if value is None or dialect.name == "mysql" else format(value, "f")

    def process_result_value(
        self, value: str | Decimal | None, dialect: sa.Dialect
    ) -> Decimal | None:
        """Return the amount, trailing zeros and all."""
        del dialect
        return None if value is None else Decimal(value)


def _id() -> Column[int]:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return Column("id", big, primary_key=True, autoincrement=True)


def _owner() -> Column[int]:
    return _reference("user_id", "users.id")


def _reference(name: str, target: str, *, ondelete: str = "CASCADE") -> Column[int]:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return Column(name, big, ForeignKey(target, ondelete=ondelete), nullable=False)


def _text(name: str, length: int, *, nullable: bool = False) -> Column[str]:
    return Column(name, sa.String(length), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> Column[dt.datetime]:
    micro = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")
    return Column(name, micro, nullable=nullable)


def _long_text(name: str, *, nullable: bool = False) -> Column[str]:
    long = sa.Text().with_variant(mysql.LONGTEXT(), "mysql")
    return Column(name, long, nullable=nullable)


def _table(name: str, *parts: sa.schema.SchemaItem, **more: Any) -> Table:  # noqa: ANN401  # SQLAlchemy's own options
    return Table(name, METADATA, *parts, **_OPTIONS, **more)


def _numbered(name: str, *parts: sa.schema.SchemaItem) -> Table:
    """Return a table whose numbers leave the service: a number that was deleted is not given again."""
    return _table(name, _id(), *parts, sqlite_autoincrement=True)


USERS: Final = _numbered(
    "users",
    _text("username", 150),
    _text("username_key", 150),
    _text("email", 254),
    _text("email_key", 254),
    _text("password_hash", 255),
    Column("token_version", sa.Integer, nullable=False),
    Column("is_disabled", sa.Boolean, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    # Set once deletion has begun: nothing of this user is served any more.
    _time("deleting_at", nullable=True),
    # Set for an account made to try the sample: it is deleted then, with everything in it.
    _time("ends_at", nullable=True),
    UniqueConstraint("username_key"),
    UniqueConstraint("email_key"),
)
LOGINS: Final = _numbered(
    "logins",
    _owner(),
    _text("token_id", 64),
    _text("device", 200),
    # A keyed hash of the address it came from: known ones are not locked out by others.
    _text("address_mark", 64, nullable=True),
    # A keyed hash of the browser's device cookie, for the same reason.
    _text("device_mark", 64, nullable=True),
    _time("created_at"),
    _time("last_used_at"),
    _time("expires_at"),
    _time("ended_at", nullable=True),
    UniqueConstraint("token_id"),
    Index(None, "user_id"),
)
# Whose tries is hidden in the subject, a keyed hash; rows go when their window is over.
ATTEMPTS: Final = _table(
    "attempts",
    _text("subject", 64),
    Column("window_number", sa.BigInteger, nullable=False, autoincrement=False),
    Column("n_tries", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("subject", "window_number"),
)
API_TOKENS: Final = _numbered(
    "api_tokens",
    _owner(),
    _text("name", 100),
    _text("token_hash", 64),
    _text("hint", 12),
    # Looks at data and changes none.
    Column("is_read_only", sa.Boolean, nullable=False, server_default=sa.false()),
    _time("created_at"),
    _time("last_used_at", nullable=True),
    _time("expires_at", nullable=True),
    UniqueConstraint("token_hash"),
    UniqueConstraint("user_id", "name"),
)
SHOPS: Final = _numbered(
    "shops",
    _owner(),
    _text("name", 100),
    _time("created_at"),
    UniqueConstraint("user_id", "name"),
)
STORED_FILES: Final = _table(
    "stored_files",
    _id(),
    _owner(),
    _text("sha256", 64),
    _text("token", 64),
    Column("size_bytes", sa.BigInteger, nullable=False),
    _time("created_at"),
    UniqueConstraint("user_id", "sha256"),
)
UPLOAD_HISTORY: Final = _numbered(
    "upload_history",
    _owner(),
    _reference("shop_id", "shops.id"),
    # What an upload needs cannot go, whoever removes and adds at the same moment.
    _reference("stored_file_id", "stored_files.id", ondelete="RESTRICT"),
    _text("filename", 255),
    _text("format", 10),
    _text("header_hash", 64, nullable=True),
    _time("created_at"),
    _time("deleting_at", nullable=True),
    # No foreign key: the two tables would need each other to exist.
    Column("current_analysis_id", sa.BigInteger, nullable=True),
    Index(None, "user_id"),
)
MAPPINGS: Final = _numbered(
    "mappings",
    _owner(),
    _text("name", 100),
    _text("header_hash", 64, nullable=True),
    _long_text("columns"),
    _time("created_at"),
    UniqueConstraint("user_id", "name"),
)
SEGMENT_TABLES: Final = _numbered(
    "segment_tables",
    _owner(),
    _text("name", 100),
    _long_text("toml"),
    _time("created_at"),
    UniqueConstraint("user_id", "name"),
)
ANALYSES: Final = _numbered(
    "analyses",
    _owner(),
    _reference("upload_id", "upload_history.id"),
    _text("fingerprint", 64),
    _long_text("options"),
    _long_text("summary"),
    _long_text("model"),
    _long_text("columns"),
    _text("folder", 64),
    Column("n_customers", sa.BigInteger, nullable=False),
    Column("n_clusters", sa.Integer, nullable=False),
    Column("seed", sa.BigInteger, nullable=False),
    _text("version", 40),
    _time("created_at"),
    # NULL while its rows are being written: nobody sees it.
    _time("published_at", nullable=True),
    Index(None, "upload_id", "fingerprint"),
    Index(None, "user_id"),
)
JOBS: Final = _numbered(
    "jobs",
    _owner(),
    _reference("upload_id", "upload_history.id"),
    _text("fingerprint", 64),
    # "upload:fingerprint" while queued or running, NULL afterwards: one run however many ask.
    _text("active_key", 100, nullable=True),
    _long_text("options"),
    _text("state", 12),
    _text("stage", 20, nullable=True),
    Column("done", sa.BigInteger, nullable=True),
    Column("total", sa.BigInteger, nullable=True),
    Column("attempts", sa.Integer, nullable=False),
    _text("worker", 64, nullable=True),
    _time("lease_until", nullable=True),
    Column("cancel_asked", sa.Boolean, nullable=False),
    _text("error_code", 40, nullable=True),
    _long_text("error_message", nullable=True),
    Column("analysis_id", sa.BigInteger, nullable=True),
    _time("created_at"),
    _time("started_at", nullable=True),
    _time("finished_at", nullable=True),
    UniqueConstraint("active_key"),
    Index(None, "state", "lease_until"),
    Index(None, "upload_id"),
    Index(None, "user_id"),
)
RFM_RESULTS: Final = Table(
    "rfm_results",
    METADATA,
    _reference("analysis_id", "analyses.id"),
    # Place in the order of customer_id by code point; with groups, of customer and group.
    Column("position", sa.Integer, nullable=False, autoincrement=False),
    Column("upload_id", sa.BigInteger, nullable=False),
    _text("customer_id", 255),
    _text("group_value", 255, nullable=True),
    Column("recency", sa.Integer, nullable=False),
    Column("frequency", sa.BigInteger, nullable=False),
    Column("monetary", Money, nullable=False),
    # Place in the order of monetary: exact and small, where the amount is neither.
    Column("monetary_rank", sa.Integer, nullable=False),
    Column("r_score", sa.SmallInteger, nullable=False),
    Column("f_score", sa.SmallInteger, nullable=False),
    Column("m_score", sa.SmallInteger, nullable=False),
    _text("segment", 100),
    Column("cluster", sa.SmallInteger, nullable=False),
    Column("first_purchase_date", sa.Date, nullable=False),
    Column("last_purchase_date", sa.Date, nullable=False),
    # Name, e-mail, phone and kept columns, as JSON; NULL where there are none.
    _long_text("more", nullable=True),
    # Beginnings of name and e-mail, folded, for looking customers up.
    _text("name_key", 64, nullable=True),
    _text("email_key", 64, nullable=True),
    sa.PrimaryKeyConstraint("analysis_id", "position"),
    # The orders of a page stand in files (orders.py): indexes for them would cost every upload.
    Index("ix_rfm_results_customer", "analysis_id", "customer_id"),
    sqlite_with_rowid=False,
    **_OPTIONS,
)
