"""Which instruments are wanted, and whose 30-second keys must go because the feed no longer covers them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ltp.feed.status import FeedStatus
from ltp.store.encode import NOTHING, Coverage
from ltp.worker.doubts import Doubts

_ANNOUNCE_S: Final = 30.0


class Wanted:
    """Guarded by its owner's lock.

    `keys`: the wanted keys. `reassigned`: see core.ticks.wire.Batch.
    """

    def __init__(self, doubts: Doubts) -> None:
        self.keys: frozenset[str] = frozenset()
        self._unwanted: frozenset[str] = frozenset()  # with a price, and not, or no longer, wanted
        self._dropped: dict[str, None] = {}
        self.doubts = doubts
        self.reassigned: Mapping[str, int] = {}
        self._reassigned_until = float("-inf")

    @property
    def header_fields(self) -> tuple[Mapping[str, str], str, Mapping[str, int]]:
        """The last three fields of store.batch_publisher.BatchHeader: doubts, notice, reassigned."""
        return self.doubts.reasons, self.doubts.notice, self.reassigned

    @property
    def has_dropped(self) -> bool:
        return bool(self._dropped)

    def among(self, keys: Iterable[str]) -> list[str]:
        """Return the wanted ones of `keys`."""
        return [key for key in keys if key in self.keys]

    def follow(self, keys: Iterable[str]) -> None:
        """Replace the wanted keys."""
        wanted = frozenset(keys)
        self._dropped.update(dict.fromkeys(self.keys - wanted))
        for key in wanted - self.keys:
            self._dropped.pop(key, None)
        self._unwanted = (self._unwanted | self.keys) - wanted
        self.keys = wanted

    def note_known(self, keys: Iterable[str]) -> None:
        """Note that prices of `keys` become known, also of those that are not wanted."""
        self._unwanted |= frozenset(keys) - self.keys

    def judge(self, status: FeedStatus) -> bool:
        """Apply the state of the segments; return whether the feed covers any instrument again."""
        came, went = self.doubts.update(status, self.keys)
        self._dropped.update(dict.fromkeys(came))
        return bool(went)

    def reassign(self, since: Mapping[str, int], now: float) -> None:
        """Announce reassigned keys in each batch for 30 s: a web process may miss a batch."""
        self.reassigned = {**self.reassigned, **since}
        self._reassigned_until = now + _ANNOUNCE_S

    def take_dropped(self, now: float) -> tuple[str, ...]:
        """Return the keys whose 30-second keys must go, and forget them."""
        if now >= self._reassigned_until:
            self.reassigned = {}
        dropped, self._dropped = tuple(self._dropped), {}
        return dropped

    def coverage(self, status: FeedStatus) -> Coverage:
        """Return which prices the feed covers: only these have 30-second keys."""
        if status.feed != "live" or status.since_us <= 0:
            return NOTHING
        return Coverage(status.since_us, self.doubts.uncovered(self._unwanted))
