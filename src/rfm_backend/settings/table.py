"""The one table of settings: what each is called, what it may hold, what it does.

In:  nothing.
Out: `SETTINGS`, from which settings are read, and docs/reference/settings.md and .env.example are written.
"""

from dataclasses import dataclass
from typing import Final, Literal

Door = Literal["analysis", "service"]
Kind = Literal[
    "path", "text", "secret", "size", "bytes", "count", "number", "seconds", "language", "flag",
    "presence", "environment", "port", "registration", "list", "engine", "file",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row of the table.

    ``door`` says who reads it: the command and every analysis, or the service alone.  A "presence"
    flag is on as soon as the variable holds anything, which is how NO_COLOR is defined.
    """

    name: str
    field: str
    kind: Kind
    help: str
    default: str = ""
    door: Door = "analysis"


def _service(name: str, field: str, kind: Kind, default: str, help: str) -> Setting:  # noqa: A002
    return Setting(name=name, field=field, kind=kind, default=default, help=help, door="service")


SETTINGS: Final = (
    Setting(
        name="MODEL_PATH",
        field="model_path",
        kind="path",
        default="model/rfm_kmeans.model",
        help="Where `rfm train` saves the model; its JSON stands beside it.",
    ),
    Setting(
        name="RFM_MEMORY_LIMIT",
        field="memory_limit",
        kind="size",
        help="Memory an analysis may use before it spills to disk, as 1.5GB. Empty: 600MB.",
    ),
    Setting(
        name="RFM_THREADS",
        field="threads",
        kind="count",
        help="Cores an analysis may use. Empty: all. The numbers are the same for any.",
    ),
    Setting(
        name="RFM_ENGINE",
        field="engine",
        kind="engine",
        default="duckdb",
        help="What runs the analysis: `duckdb` in the process, `spark` on a cluster. The numbers are the same.",
    ),
    Setting(
        name="SPARK_MASTER",
        field="spark_master",
        kind="text",
        help="Address of Spark's master, as spark://host:7077. Empty: Spark within the process.",
    ),
    Setting(
        name="SPARK_FOLDER",
        field="spark_folder",
        kind="text",
        help="Folder or address (s3a://, hdfs://) that driver and executors share, for tables in between. Empty: a temporary folder of this machine.",
    ),
    Setting(
        name="RFM_LOCAL_CUSTOMERS",
        field="local_customers",
        kind="number",
        default="2000000",
        help="Customers that one process takes as arrays. Of more, the engine places each, and the clusters are fitted on a seeded sample.",
    ),
    Setting(
        name="RFM_LANG",
        field="language",
        kind="language",
        default="en",
        help="Language of summary and report where --lang is not given: en or id.",
    ),
    Setting(
        name="RFM_DEBUG",
        field="debug",
        kind="flag",
        help="Show the trace of an unexpected fault: 1 or 0.",
    ),
    Setting(
        name="NO_COLOR",
        field="no_color",
        kind="presence",
        help="Any value turns colours off (no-color.org).",
    ),
    _service(
        "FLASK_ENV",
        "environment",
        "environment",
        "production",
        "`development` for trying things on one machine, `production` otherwise.",
    ),
    _service(
        "SECRET_KEY",
        "secret_key",
        "secret",
        "",
        "At least 32 characters that nobody can guess; signs the tokens. In development one is made and kept.",
    ),
    _service(
        "SECRET_KEY_OLD",
        "secret_key_old",
        "secret",
        "",
        "The SECRET_KEY of before, as strong as that: its tokens and passwords are still taken, and new ones are made with SECRET_KEY.",
    ),
    _service("HOST", "host", "text", "127.0.0.1", "Address that the service listens on."),
    _service("PORT", "port", "port", "5000", "Port that the service listens on."),
    _service(
        "RFM_DATA_DIR",
        "data_dir",
        "path",
        "data",
        "Folder of the SQLite file and of work in progress.",
    ),
    _service(
        "UPLOAD_DIR",
        "upload_dir",
        "path",
        "uploads",
        "Folder of uploaded files and results. Workers on other machines must share it.",
    ),
    _service(
        "DB_HOST",
        "db_host",
        "text",
        "",
        "Host of MySQL 8 or MariaDB 10.6+, with :port if it is not 3306. Empty: a SQLite file in RFM_DATA_DIR.",
    ),
    _service("DB_USER", "db_user", "text", "root", "User of the database server."),
    _service("DB_PASS", "db_pass", "secret", "", "Password of that user."),
    _service("DB_NAME", "db_name", "text", "rfm_app_db", "Name of the database."),
    _service(
        "DB_SSL_CA",
        "db_ssl_ca",
        "file",
        "",
        "Certificates (PEM) of who may vouch for the database server: the connection is encrypted, and a server that shows no certificate of theirs for DB_HOST is refused. Empty: encrypted where the server offers it, unchecked.",
    ),
    _service(
        "RFM_LOCAL_INFILE",
        "local_infile",
        "flag",
        "",
        "1 saves results by LOAD DATA LOCAL, about twice as fast, where the server allows it; only with a server you trust.",
    ),
    _service(
        "RFM_SYNC_WAIT",
        "sync_wait",
        "seconds",
        "300",
        "Seconds that a process call waits before it answers 202 with a job; the 57th at a time waits not at all.",
    ),
    _service(
        "RFM_MAX_UPLOAD_BYTES", "max_upload_bytes", "bytes", "512MiB", "Largest upload."
    ),
    _service("RFM_QUOTA_BYTES", "quota_bytes", "bytes", "5GiB", "All uploads of one user."),
    _service("RFM_QUOTA_FILES", "quota_files", "number", "200", "Number of uploads of one user."),
    _service(
        "RFM_LOGIN_ATTEMPTS",
        "login_attempts",
        "number",
        "10",
        "Wrong passwords within 5 minutes for one account from one address; 5 times as many from one address, 10 times for one account from addresses that never logged in to it, 100 times in all.",
    ),
    _service(
        "RFM_TRUSTED_PROXY",
        "trusted_proxy",
        "text",
        "",
        "Address of the proxy in front, whose X-Forwarded-For is believed. Empty: nobody's is.",
    ),
    _service(
        "RFM_JOB_MEMORY",
        "job_memory",
        "bytes",
        "2GiB",
        "Memory that the process of one analysis may use; above it the analysis fails with a reason.",
    ),
    _service(
        "RFM_JOB_SECONDS", "job_seconds", "seconds", "3600", "Time that one analysis may take."
    ),
    _service(
        "RFM_REGISTRATION",
        "registration",
        "registration",
        "open",
        "`open`: anybody can register. `closed`: only `rfm admin add` makes accounts.",
    ),
    _service(
        "RFM_KEEP_DAYS",
        "keep_days",
        "count",
        "",
        "Uploads and their results are deleted this many days after the upload. Empty: never.",
    ),
    _service(
        "RFM_KEEP_ANALYSES",
        "keep_analyses",
        "count",
        "",
        "Of each upload this many analyses stay, the newest and the one that is shown; older ones are deleted within the hour. Empty: all stay.",
    ),
    _service(
        "CORS_ORIGINS",
        "cors_origins",
        "list",
        "",
        "Web pages of these origins may call the API, separated by commas. Empty: localhost in development, none otherwise.",
    ),
    _service(
        "RFM_METRICS_TOKEN",
        "metrics_token",
        "secret",
        "",
        "A bearer token that may read /metrics from elsewhere; loopback always may.",
    ),
)  # fmt: skip
