"""What every use case stands on: settings, database, files, keys and children, opened once per process.

In:  `ServiceSettings`.
Out: `Service`.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rfm_backend.child import Child, Limits
from rfm_backend.errors import InvalidOption
from rfm_backend.fork_server import ForkServer, has_forks
from rfm_backend.settings import ServiceSettings
from rfm_backend.storage.database import REQUESTS, Database, Patience, open_database
from rfm_backend.storage.files import FileStore

BCRYPT_COST: Final = 12
_MIN_KEY_LENGTH: Final = 32
# Where the functions are that requests have children run.
_LOADED: Final = ("rfm_backend.services.previews", "rfm_backend.services.exports")
KEY_FILE: Final = "secret_key"
# Keys that stand in examples and templates: whoever knows one can be anybody.
_KNOWN: Final = ("change", "secret_key", "your-", "your_", "example", "password", "default", "xxxx")
_WEAK: Final = {
    "SECRET_KEY": (
        f"SECRET_KEY is shorter than {_MIN_KEY_LENGTH} characters",
        "SECRET_KEY is one that others could guess",
    ),
    "SECRET_KEY_OLD": (
        f"SECRET_KEY_OLD is shorter than {_MIN_KEY_LENGTH} characters",
        "SECRET_KEY_OLD is one that others could guess",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Keys:
    """One key for each purpose, so that what signs tokens does not also hide passwords."""

    tokens: bytes
    passwords: bytes
    throttle: bytes
    devices: bytes
    # Those of SECRET_KEY_OLD: what they signed or hid is still taken, and nothing new is.
    before: "Keys | None" = None


@dataclass(frozen=True, kw_only=True)
class Service:
    """Settings, database, files, keys, children; ``stopping`` is set once the process is told to end."""

    settings: ServiceSettings
    database: Database
    files: FileStore
    keys: Keys
    bcrypt_cost: int = BCRYPT_COST
    stopping: threading.Event = field(default_factory=threading.Event)
    forks: ForkServer = field(default_factory=lambda: ForkServer(_LOADED), repr=False)

    @property
    def all_keys(self) -> tuple[Keys, ...]:
        """The keys of now, and those of before where there are any."""
        return (self.keys,) if self.keys.before is None else (self.keys, self.keys.before)

    def warm(self) -> None:
        """Load what the first child needs before it is asked for."""
        if has_forks:
            self.forks.warm()

    def run_child(
        self, function: str, arguments: Mapping[str, object], *, name: str, seconds: float
    ) -> object:
        """Return what ``package.module:function`` returns in a child process, limited as a job is.

        Parameters
        ----------
        name : what an error says could not be read.

        Raises
        ------
        RfmError
            As of `child.Child.result`.
        """
        limits = Limits(memory_bytes=self.settings.job_memory, seconds=seconds)
        start = self.forks.start if has_forks else None
        with Child(function, arguments, limits, start=start) as child:
            while child.is_running():
                child.wait_a_little()
            return child.result(name)

    def close(self) -> None:
        """Give connections back, and end the children."""
        self.forks.close()
        self.database.close()


def open_service(
    settings: ServiceSettings, *, bcrypt_cost: int = BCRYPT_COST, patience: Patience = REQUESTS
) -> Service:
    """Return the service that the settings describe; workers and commands give the database more time.

    Raises
    ------
    InvalidOption
        SECRET_KEY is missing, it or SECRET_KEY_OLD is too short, or one that everybody knows.
    """
    return Service(
        settings=settings,
        database=open_database(settings, patience=patience),
        files=FileStore(settings.upload_dir),
        keys=_keys(_secret(settings), before=_old_secret(settings)),
        bcrypt_cost=bcrypt_cost,
    )


def key_mark(settings: ServiceSettings) -> str:
    """Return what tells whether two services have one SECRET_KEY, and nothing about the key.

    Raises
    ------
    InvalidOption
        As of `open_service`.
    """
    return _derive(_secret(settings), "mark").hex()


def key_marks(settings: ServiceSettings) -> tuple[str, ...]:
    """Return the marks of SECRET_KEY and, where it is set, of SECRET_KEY_OLD.

    Raises
    ------
    InvalidOption
        As of `open_service`.
    """
    old = _old_secret(settings)
    return (key_mark(settings), *([_derive(old, "mark").hex()] if old else []))


def _keys(secret: str, *, before: str | None) -> Keys:
    return Keys(
        tokens=_derive(secret, "tokens"),
        passwords=_derive(secret, "passwords"),
        throttle=_derive(secret, "throttle"),
        devices=_derive(secret, "devices"),
        before=_keys(before, before=None) if before else None,
    )


def _secret(settings: ServiceSettings) -> str:
    key = settings.secret_key
    if settings.is_development and not key:
        return _kept_secret(settings.data_dir / KEY_FILE)
    if why := _weakness("SECRET_KEY", key) if key else "SECRET_KEY is not set":
        raise InvalidOption(
            f"{why}. Write these two lines into the file .env, or set both variables:\n"
            f"FLASK_ENV=production\nSECRET_KEY={secrets.token_urlsafe(48)}\n"
            "For trying things on your own machine FLASK_ENV=development is enough.",
            setting="SECRET_KEY",
        )
    return key


def _old_secret(settings: ServiceSettings) -> str | None:
    old = settings.secret_key_old or None
    if old and (why := _weakness("SECRET_KEY_OLD", old)):
        raise InvalidOption(
            f"{why}. It is the SECRET_KEY of before, while some still come with what it signed: set it to "
            "that, or unset it.",
            setting="SECRET_KEY_OLD",
        )
    return old


def _weakness(name: str, key: str) -> str:
    """Return why a key cannot be used, "" where it can."""
    short, known = _WEAK[name]
    if len(key) < _MIN_KEY_LENGTH:
        return short
    return known if len(set(key)) < 8 or any(word in key.lower() for word in _KNOWN) else ""


def _kept_secret(path: Path) -> str:
    """Return the key of this machine's development, made the first time.

    It appears under its name whole: a process that ends in between, or starts at the same moment, must not
    leave or find an empty key, which everybody knows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as writing:
            writing.write(secrets.token_urlsafe(48) + "\n")
            writing.flush()
            os.fsync(writing.fileno())
        # Not a rename: who comes second takes the key of the first.
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
        part.unlink()
    return path.read_text("ascii").strip()


def _derive(secret: str, purpose: str) -> bytes:
    """Return a key for one purpose (HKDF's expand step, RFC 5869, for one block)."""
    return hmac.new(
        secret.encode(), f"rfm-backend {purpose}".encode() + b"\x01", hashlib.sha256
    ).digest()
