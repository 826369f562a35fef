"""The lease: the right of one worker at a time to hold the feed, for ten seconds unless renewed.

The broker counts connections per user, and two writers would mix two orders of prices.
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
    """Used by the leader loop alone; not safe for several threads."""

    def __init__(self, client: redis.Redis, holder: str, *, ttl_s: float = LEASE_TTL_S) -> None:
        """`holder`: host and pid of this worker, for operators."""
        self._client, self._holder, self._ttl_ms = client, holder, int(ttl_s * 1_000)
        self._value = ""

    def acquire(self) -> int:
        """Take the lease and return its fencing number, which rises with each new holder.

        Raises:
            LeaseLost: another worker holds it.
            StoreError: Redis cannot be read or written.
        """
        with translated("taking the lease"):
            present: Any = self._client.get(LEASE)
            if present is None:
                fence: Any = self._client.incr(FENCE)
                value = f"{self._holder} {fence}"
                if self._client.set(LEASE, value, nx=True, px=self._ttl_ms):
                    self._value = value
                    return int(fence)
                present = self._client.get(LEASE)
        raise LeaseLost((present or b"").decode("utf-8", "replace"))

    def renew(self) -> None:
        """Hold it for another term.

        Raises:
            LeaseLost: another worker has it, or none.
            StoreError: Redis cannot be read or written.
        """
        with translated("renewing the lease"):
            renewed = self._client.eval(_RENEW, 1, LEASE, self._value, self._ttl_ms)
        if not renewed:
            self._value = ""
            raise LeaseLost("another worker, or none since Redis restarted")

    def remove(self, value: str) -> bool:
        """Take the lease from a dead holder, whose `value` it is; return whether that still had it.

        Raises:
            StoreError: Redis cannot be written.
        """
        with translated("removing a dead worker's lease"):
            return bool(self._client.eval(_RELEASE, 1, LEASE, value))

    def release(self) -> None:
        """Give the lease up, so that another worker can take it at once; does nothing if it is not ours.

        Raises:
            StoreError: Redis cannot be written.
        """
        if not self._value:
            return
        with translated("releasing the lease"):
            self._client.eval(_RELEASE, 1, LEASE, self._value)
        self._value = ""
