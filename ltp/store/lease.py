"""The right to hold the feed: one worker at a time, for ten seconds unless renewed.

The broker counts connections per user, and two writers would mix two orders of prices. Knows nothing of the
feed.
"""

from __future__ import annotations

from typing import Any, Final

import redis

from ltp.errors import LeaseLost
from ltp.store.client import translated
from ltp.store.keys import FENCE, LEASE, LEASE_TTL_S

_RENEW: Final = (
    "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end return 0"
)
_RELEASE: Final = "if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0"


class Lease:
    """Not safe for several threads; the leader loop owns it."""

    def __init__(self, client: redis.Redis, holder: str, *, ttl_s: float = LEASE_TTL_S) -> None:
        """`holder` names this worker to people: host and pid."""
        self._client, self._holder, self._ttl_ms = client, holder, int(ttl_s * 1_000)
        self._value = ""

    def acquire(self) -> int:
        """Take the lease and return its fencing number, which rises with each new holder.

        Raises:
            LeaseLost: another worker holds it.
            StoreError: Redis cannot be read or written.
        """
        with translated("taking the lease"):
            held: Any = self._client.get(LEASE)
            if held is None:
                fence: Any = self._client.incr(FENCE)
                value = f"{self._holder} {fence}"
                if self._client.set(LEASE, value, nx=True, px=self._ttl_ms):
                    self._value = value
                    return int(fence)
                held = self._client.get(LEASE)
        raise LeaseLost((held or b"").decode("utf-8", "replace"))

    def renew(self) -> None:
        """Hold it for another term.

        Raises:
            LeaseLost: it is no longer ours.
            StoreError: Redis cannot be read or written.
        """
        with translated("renewing the lease"):
            renewed = self._client.eval(_RENEW, 1, LEASE, self._value, self._ttl_ms)
        if not renewed:
            self._value = ""
            raise LeaseLost("another worker, or nobody since Redis restarted")

    def remove(self, value: str) -> bool:
        """Take the lease away from a holder known to be dead; tells whether it still held it.

        Raises:
            StoreError: Redis cannot be written.
        """
        with translated("removing a dead worker's lease"):
            return bool(self._client.eval(_RELEASE, 1, LEASE, value))

    def release(self) -> None:
        """Let the next worker in at once; does nothing when the lease is not ours.

        Raises:
            StoreError: Redis cannot be written.
        """
        if not self._value:
            return
        with translated("releasing the lease"):
            self._client.eval(_RELEASE, 1, LEASE, self._value)
        self._value = ""
