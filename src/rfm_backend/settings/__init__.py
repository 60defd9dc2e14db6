"""What the surroundings decide: one table of settings, read once at the door.

In:  the environment and, beneath it, a ``.env`` file in the working folder.
Out: `Settings`, and `ServiceSettings` for the service; frozen.

What always holds
    * the environment beats ``.env``, and both beat the default;
    * an empty variable counts as one that is not set;
    * a value that cannot be used is refused with its name, never replaced in silence.

What it does not do: nothing below the doors reads it; a number of an analysis never depends on it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rfm_backend.settings.env_file import parse_env_lines, read_env_file
from rfm_backend.settings.table import SETTINGS, Door, Setting
from rfm_backend.settings.values import TRUE, is_memory_size, parse_value

__all__ = [
    "SETTINGS",
    "ServiceSettings",
    "Setting",
    "Settings",
    "is_memory_size",
    "java_home",
    "parse_env_lines",
    "read_service_settings",
    "read_settings",
    "wants_no_colour",
    "wants_traces",
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values that the command and every analysis read; None where nothing is set."""

    model_path: Path = Path("model/rfm_kmeans.model")
    memory_limit: str | None = None
    threads: int | None = None
    engine: str = "duckdb"
    spark_master: str = ""
    spark_folder: str = ""
    local_customers: int = 2_000_000
    language: str = "en"
    debug: bool = False
    no_color: bool = False


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """The values that the service and its workers read.  Secrets are not shown."""

    environment: str = "production"
    secret_key: str = field(default="", repr=False)
    secret_key_old: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 5000
    data_dir: Path = Path("data")
    upload_dir: Path = Path("uploads")
    db_host: str = ""
    db_user: str = "root"
    db_pass: str = field(default="", repr=False)
    db_name: str = "rfm_app_db"
    db_ssl_ca: Path | None = None
    local_infile: bool = False
    sync_wait: float = 300.0
    max_upload_bytes: int = 512 * 1024**2
    quota_bytes: int = 5 * 1024**3
    quota_files: int = 200
    login_attempts: int = 10
    trusted_proxy: str = ""
    job_memory: int = 2 * 1024**3
    job_seconds: float = 3600.0
    registration: str = "open"
    keep_days: int | None = None
    keep_analyses: int | None = None
    cors_origins: tuple[str, ...] = ()
    metrics_token: str = field(default="", repr=False)
    analysis: Settings = field(default_factory=Settings)

    @property
    def is_development(self) -> bool:
        """Whether this is somebody's own machine, to try things on."""
        return self.environment == "development"


def read_settings(
    environment: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")
) -> Settings:
    """Return the settings of this process.

    Parameters
    ----------
    environment : mapping, optional
        Default: the environment of the process.  Not modified.
    env_file : Path or None
        Lines ``NAME=value``; a missing file is no error.

    Raises
    ------
    InvalidOption
        A variable holds a value that cannot be used.
    """
    return Settings(**_values("analysis", environment, env_file))  # type: ignore[arg-type]  # kinds


def read_service_settings(
    environment: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")
) -> ServiceSettings:
    """Return the settings of the service: parameters and errors are those of `read_settings`."""
    return ServiceSettings(
        **_values("service", environment, env_file),  # type: ignore[arg-type]  # kinds
        analysis=read_settings(environment, env_file),
    )


def wants_no_colour() -> bool:
    """Return whether NO_COLOR is set: asked before anything else is, as help needs it."""
    return bool(os.environ.get("NO_COLOR"))


def wants_traces() -> bool:
    """Return whether RFM_DEBUG is on, whatever else is wrong with the settings."""
    return os.environ.get("RFM_DEBUG", "").lower() in TRUE


def java_home() -> str | None:
    """Return where the machine says its Java is, if it does."""
    return os.environ.get("JAVA_HOME") or None


def _values(
    door: Door, environment: Mapping[str, str] | None, env_file: Path | None
) -> dict[str, object]:
    given = os.environ if environment is None else environment
    # A variable that is set but empty says no more than one that is missing.
    texts = {**read_env_file(env_file), **{name: text for name, text in given.items() if text}}
    return {
        row.field: parse_value(row.name, texts.get(row.name, "").strip() or row.default, row.kind)
        for row in SETTINGS
        if row.door == door
    }
