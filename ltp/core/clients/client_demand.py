"""What each client of one web process has asked to see lately, within its quota."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ltp.core.clients.allotment import client_limit, rank_of

_KEPT: Final = 50_000  # wishes of all clients; those of who asked longest ago are forgotten first


class ClientDemand:
    """Of one kind. `quota`: instruments a client may want at a time. Every instant is in seconds, on one
    clock.
    """

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._of: dict[str, dict[str, float]] = {}  # by client: until when each key is wanted
        self._kept = 0

    def want(self, client: str, keys: Collection[str], now: float, until: float) -> dict[str, int]:
        """Note that a client wants `keys`; return those within its quota, with the rank of each. What it
        wanted first stays.
        """
        before = self._of.pop(client, {})
        held = {key: end for key, end in before.items() if end >= now}
        quota = client_limit(client, self._quota)
        for key in keys:
            if key in held or len(held) < quota:
                held[key] = until
        self._of[client] = held
        self._kept += len(held) - len(before)
        while self._kept > _KEPT:
            self._kept -= len(self._of.pop(next(iter(self._of))))
        places = {key: place for place, key in enumerate(held)}
        return {key: rank_of(places[key]) for key in keys if key in places}
