"""What the commands of the service share: their settings, once what they need is installed."""

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rfm_backend.errors import MissingExtra, OutputFailed

if TYPE_CHECKING:
    from rfm_backend.settings import ServiceSettings

_NEEDED: Final = ("flask", "flask_cors", "sqlalchemy", "alembic", "jwt", "bcrypt", "waitress")


def ready_settings(*, keeps_files: bool = True) -> "ServiceSettings":
    """Return the settings of the service, logs set up, folders made.

    Raises
    ------
    MissingExtra
        The packages of the extra ``server`` are not installed.
    OutputFailed
        A folder that the service writes to cannot be made or written.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtra(
            "The service needs more packages: pip install 'rfm-backend[server,mysql]'."
        )
    from rfm_backend.logs import set_up_logs
    from rfm_backend.settings import read_service_settings

    settings = read_service_settings()
    _check_folder("RFM_DATA_DIR", settings.data_dir)
    if keeps_files:
        _check_folder("UPLOAD_DIR", settings.upload_dir)
    set_up_logs(as_json=not settings.is_development)
    return settings


def _check_folder(setting: str, folder: Path) -> None:
    """Refuse at the start what the first upload would stumble over."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror
    else:
        if os.access(folder, os.W_OK | os.X_OK):
            return
        why = "it may not be written"
    raise OutputFailed(
        f"The folder {folder} of {setting} cannot be used: {why}. "
        "Make it, or name another one in the environment or in .env.",
        setting=setting,
    )
