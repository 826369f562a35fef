"""The last known prices of instruments that are wanted again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import redis

from ltp.core.ticks.tick import Tick
from ltp.store import heartbeat, prices

_AT_ONCE: Final = 1_000  # keys


def recall(client: redis.Redis, source: str, keys: Sequence[str]) -> list[Tick]:
    """Return the cache's ticks of `keys`, none while it holds the prices of another source.

    Raises:
        StoreError: Redis cannot be read.
    """
    if heartbeat.read_source(client) != source:
        return []
    entries = (
        entry
        for start in range(0, len(keys), _AT_ONCE)
        for entry in prices.read(client, keys[start : start + _AT_ONCE])
    )
    return [entry.tick for entry in entries if entry.tick is not None]
