"""Which instruments are wanted, and which of their prices the feed does not vouch for: their 30-second keys
must go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from ltp.feed.status import FeedStatus
from ltp.store.encode import NOTHING, Coverage
from ltp.worker.doubts import Doubts

_ANNOUNCE_S: Final = 30.0


class Wanted:
    """`keys`: what is wanted now. `reassigned`: see core.ticks.wire.Batch. Guarded by its owner's lock."""

    def __init__(self, doubts: Doubts) -> None:
        self.keys: frozenset[str] = frozenset()
        self._unwanted: frozenset[str] = frozenset()  # known, and not, or no longer, wanted
        self._dropped: dict[str, None] = {}
        self.doubts = doubts
        self.reassigned: Mapping[str, int] = {}
        self._reassigned_until = float("-inf")

    @property
    def said(self) -> tuple[Mapping[str, str], str, Mapping[str, int]]:
        """What a batch says of it: doubts, notice and reassigned of core.ticks.wire.Batch."""
        return self.doubts.reasons, self.doubts.notice, self.reassigned

    @property
    def dropping(self) -> bool:
        return bool(self._dropped)

    def of(self, keys: Iterable[str]) -> list[str]:
        """Return those of `keys` that are wanted."""
        return [key for key in keys if key in self.keys]

    def follow(self, keys: Iterable[str]) -> None:
        """Replace what is wanted."""
        wanted = frozenset(keys)
        self._dropped.update(dict.fromkeys(self.keys - wanted))
        for key in wanted - self.keys:
            self._dropped.pop(key, None)
        self._unwanted = (self._unwanted | self.keys) - wanted
        self.keys = wanted

    def beside(self, keys: Iterable[str]) -> None:
        """Note that something becomes known of `keys` which may not be wanted."""
        self._unwanted |= frozenset(keys) - self.keys

    def judge(self, status: FeedStatus) -> bool:
        """Take in how the segments are; return whether any instrument may be vouched for again."""
        came, went = self.doubts.update(status, self.keys)
        self._dropped.update(dict.fromkeys(came))
        return bool(went)

    def reassign(self, since: Mapping[str, int], now: float) -> None:
        """Announce keys that mean other instruments in each batch for a while: a web process may miss one."""
        self.reassigned = {**self.reassigned, **since}
        self._reassigned_until = now + _ANNOUNCE_S

    def take_dropped(self, now: float) -> tuple[str, ...]:
        """Return the keys whose 30-second keys must go, and forget them."""
        if now >= self._reassigned_until:
            self.reassigned = {}
        dropped, self._dropped = tuple(self._dropped), {}
        return dropped

    def coverage(self, status: FeedStatus) -> Coverage:
        """Return what the feed vouches for: the 30-second keys of these prices may stand."""
        if status.feed != "live" or status.since_us <= 0:
            return NOTHING
        return Coverage(status.since_us, self.doubts.beside(self._unwanted))
