"""The demand of each client of one web process for instruments, within its quota."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from ltp.core.clients.allotment import client_limit, rank_of

_MAX_KEYS: Final = 50_000  # keys of all clients; past it the least recent clients are dropped


class ClientDemand:
    """The demand of one kind. `quota`: instruments of a client. Instants are seconds on one clock."""

    def __init__(self, quota: int) -> None:
        self._quota = quota
        self._by_client: dict[str, dict[str, float]] = {}  # by client and key: the end of the demand
        self._size = 0

    def want(self, client: str, keys: Collection[str], now: float, until: float) -> dict[str, int]:
        """Add keys to a client's demand and return the ranks of those within its quota; earlier keys stay."""
        before = self._by_client.pop(client, {})
        wanted = {key: end for key, end in before.items() if end >= now}
        quota = client_limit(client, self._quota)
        for key in keys:
            if key in wanted or len(wanted) < quota:
                wanted[key] = until
        self._by_client[client] = wanted
        self._size += len(wanted) - len(before)
        while self._size > _MAX_KEYS:
            self._size -= len(self._by_client.pop(next(iter(self._by_client))))
        positions = {key: position for position, key in enumerate(wanted)}
        return {key: rank_of(positions[key]) for key in keys if key in positions}

    def clients(self, now: float) -> dict[str, int]:
        """Return by key how many clients want it."""
        wishes = (key for wanted in self._by_client.values() for key, end in wanted.items() if end >= now)
        return dict(Counter(wishes))
