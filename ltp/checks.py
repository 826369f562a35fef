"""Checks of the settings before anything is started with them, made by the layers that use each.

`check` connects to nothing, because a service that is away now may be there later.
"""

from __future__ import annotations

import os
from typing import Final

from ltp.core.market.session import Calendar
from ltp.db import engine
from ltp.delivery import mail_server
from ltp.errors import ConfigError, StoreError
from ltp.settings import Settings
from ltp.settings_broker import CREDENTIALS
from ltp.store import rights
from ltp.store.client import connect

_REDIS_TIMEOUT_S: Final = 2.0


def check(settings: Settings) -> None:
    """Check the values that the settings cannot judge alone.

    Raises:
        ConfigError, DatabaseError: one sentence that names the setting and its accepted values.
    """
    connect(settings.secret("redis_url"), timeout_s=1).close()
    engine.check(settings.database)
    mail_server.parse(settings.secret("smtp_url"), settings.smtp_from)
    _check_state_dir(settings)
    if settings.market_calendar_overrides is not None:
        Calendar.load(settings.market_calendar_overrides)
    if settings.feed_enabled or credentials_named(settings):
        credentials(settings)  # one of the two alone is a fault too: it means the broker and not a simulator


def check_redis(settings: Settings, commands: rights.Commands) -> str:
    """Try Redis; return "", or why it is away now.

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
    """Return whether any of the four variables of credentials is set: then no simulated exchange is meant."""
    return any(getattr(settings, f"{name}_file") or settings.secret(name) for name in CREDENTIALS)


def credentials(settings: Settings) -> tuple[str, str]:
    """Return the present client id and access token; never empty ones, with which no call can succeed.

    Raises:
        ConfigError: names the one that is missing, or whose file cannot be read.
    """
    require_credentials(settings)
    for name in CREDENTIALS:
        if not settings.secret(name):
            raise ConfigError(
                f"{name.upper()}_FILE", str(getattr(settings, f"{name}_file")), "the file is empty"
            )
    client_id, token = (settings.secret(name) for name in CREDENTIALS)
    return client_id, token


def require_credentials(settings: Settings) -> None:
    """Refuse a feed that can never connect: a file may still be written, a variable stays unset.

    Raises:
        ConfigError: names the credentials that have neither a value nor a file.
    """
    missing = [
        name.upper()
        for name in CREDENTIALS
        if getattr(settings, f"{name}_file") is None and not settings.secret(name)
    ]
    if missing:
        needed = (
            f"{' and '.join(missing)} must be set (or {' and '.join(f'{name}_FILE' for name in missing)})"
        )
        raise ConfigError(missing[0], "", f"to connect to the broker {needed}")


def _check_state_dir(settings: Settings) -> None:
    """The folder need not exist yet, and need not be writable when the database lies elsewhere."""
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
