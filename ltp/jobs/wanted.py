"""Which instruments are wanted, and which of their prices the feed does not vouch for: their 30-second keys must go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from ltp.feed.status import FeedStatus
from ltp.jobs.doubts import Doubts
from ltp.store.encode import NOTHING, Coverage

_ANNOUNCE_S: Final = 30.0


class Wanted:
    """`keys`: what is wanted now. `reassigned`: see core.wire.Batch. Guarded by its owner's lock."""

    def __init__(self, clock_error: Callable[[], float | None]) -> None:
        """`clock_error`: see Doubts."""
        self.keys: frozenset[str] = frozenset()
        self._unwanted: frozenset[str] = frozenset()  # known, and not, or no longer, wanted
        self._dropped: dict[str, None] = {}
        self._doubts = Doubts(clock_error)
        self.reassigned: Mapping[str, int] = {}
        self._reassigned_until = float("-inf")

    @property
    def doubts(self) -> Mapping[str, str]:
        """See core.wire.Batch."""
        return self._doubts.reasons

    @property
    def dropping(self) -> bool:
        return bool(self._dropped)

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
        before = self._doubts.keys
        self._dropped.update(dict.fromkeys(self._doubts.update(status, self.keys)))
        return bool(before - self._doubts.keys)

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
        return Coverage(status.since_us, self._doubts.beside(self._unwanted))
