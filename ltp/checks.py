"""Every setting judged before anything is started with it, by asking the layers that know what it means.

`check` connects to nothing: what is only away now may be there later.
"""

from __future__ import annotations

import os
from typing import Final

from ltp.core.market.session import Calendar
from ltp.db import engine
from ltp.errors import ConfigError, StoreError
from ltp.settings import Settings
from ltp.store import rights
from ltp.store.client import connect

_REDIS_TIMEOUT_S: Final = 2.0
_CREDENTIALS: Final = ("dhanhq_client_id", "dhanhq_access_token")


def check(settings: Settings) -> None:
    """Judge what the settings alone cannot.

    Raises:
        ConfigError, DatabaseError: one sentence that names the setting and what is accepted.
    """
    connect(settings.secret("redis_url"), timeout_s=1).close()
    engine.check(settings.database)
    _check_state_dir(settings)
    if settings.market_calendar_overrides is not None:
        Calendar.load(settings.market_calendar_overrides)
    if settings.dhanhq_ws_enabled or credentials_named(settings):
        credentials(settings)  # one of them alone means DhanHQ too, and not a simulated exchange


def check_redis(settings: Settings, commands: rights.Commands) -> str:
    """Ask Redis whether it can be used; return "", or why it is away now.

    Raises:
        StoreError: waiting cannot help.
    """
    client = connect(settings.secret("redis_url"), timeout_s=_REDIS_TIMEOUT_S)
    try:
        rights.check(client, commands)
    except StoreError as error:
        if error.permanent:
            raise
        return str(error)
    finally:
        client.close()
    return ""


def credentials_named(settings: Settings) -> bool:
    """Tell whether any of the four variables of credentials is set: then DhanHQ is meant and no simulated
    exchange.
    """
    return any(getattr(settings, f"{name}_file") or settings.secret(name) for name in _CREDENTIALS)


def credentials(settings: Settings) -> tuple[str, str]:
    """Return client id and access token as they are kept now; the broker is not asked with empty ones.

    Raises:
        ConfigError: names the one that is missing, or whose file cannot be read.
    """
    require_credentials(settings)
    for name in _CREDENTIALS:
        if not settings.secret(name):
            raise ConfigError(
                f"{name.upper()}_FILE", str(getattr(settings, f"{name}_file")), "the file is empty"
            )
    return settings.secret("dhanhq_client_id"), settings.secret("dhanhq_access_token")


def require_credentials(settings: Settings) -> None:
    """Refuse a feed that can never connect: a file may still be written, a variable that is not set stays so.

    Raises:
        ConfigError: names all that is set in neither way.
    """
    missing = [
        name.upper()
        for name in _CREDENTIALS
        if getattr(settings, f"{name}_file") is None and not settings.secret(name)
    ]
    if missing:
        needed = (
            f"{' and '.join(missing)} must be set (or {' and '.join(f'{name}_FILE' for name in missing)})"
        )
        raise ConfigError(missing[0], "", f"to connect to DhanHQ {needed}")


def _check_state_dir(settings: Settings) -> None:
    """It need not be there yet, and need not be written where the database lies elsewhere."""
    place = settings.state_dir.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    used = not settings.secret("database_url")
    if not place.is_dir() or (used and not os.access(place, os.W_OK | os.X_OK)):
        raise ConfigError(
            "STATE_DIR",
            str(settings.state_dir),
            f"it must name a folder, and {place} is none that may be written",
        )
