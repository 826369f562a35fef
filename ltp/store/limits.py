"""The instant before which no worker may connect to the broker (after 429 or 805), kept across restarts."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import redis

from ltp.store.client import translated
from ltp.store.keys import NOT_BEFORE


class NotBefore:
    """Reads the key each time and remembers nothing, so deleting the key by hand takes effect."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self) -> float:
        """Return the deadline in seconds since the epoch, 0 when there is none.

        Raises:
            StoreError: Redis cannot be read.
        """
        with translated("reading the connection deadline"):
            value: Any = self._client.get(NOT_BEFORE)
        return _instant(value)

    def write(self, epoch_s: float) -> None:
        """Forbid connections before `epoch_s` (seconds since the epoch), when the key expires.

        Raises:
            StoreError: Redis cannot be written.
        """
        text = datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
        with translated("writing the connection deadline"):
            self._client.set(NOT_BEFORE, text, exat=math.ceil(epoch_s))


def _instant(value: Any) -> float:
    """Return seconds since the epoch, from ISO 8601 or from plain seconds, as an operator may set them by
    hand; 0 for anything else.
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    try:
        seconds = float(text)
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
