"""What the commands of the service share: their settings, once what they need is installed."""

import importlib.util
from typing import TYPE_CHECKING, Final

from rfm_backend.errors import MissingExtra

if TYPE_CHECKING:
    from rfm_backend.settings import ServiceSettings

_NEEDED: Final = ("flask", "flask_cors", "sqlalchemy", "alembic", "jwt", "bcrypt", "waitress")


def ready_settings() -> "ServiceSettings":
    """Return the settings of the service, logs set up.

    Raises
    ------
    MissingExtra
        The packages of the extra ``server`` are not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtra(
            "The service needs more packages: pip install 'rfm-backend[server,mysql]'."
        )
    from rfm_backend.logs import set_up_logs
    from rfm_backend.settings import read_service_settings

    settings = read_service_settings()
    set_up_logs(as_json=not settings.is_development)
    return settings
