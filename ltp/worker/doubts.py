"""Which prices may not be shown as live although the feed is: whole segments that are silent or come late,
and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from ltp.core.ticks import lag
from ltp.feed.status import FeedStatus


class Doubts:
    """`reasons`, `notice`: see core.ticks.wire.Batch. `keys`: the wanted instruments of those segments.
    Guarded by whoever owns it.
    """

    def __init__(
        self, clock_error: Callable[[], float | None] = lambda: None, notice: Callable[[], str] = str
    ) -> None:
        """Args:
        clock_error: by how many seconds this host's clock is ahead of the broker's, None when that is not
        known. notice: what pages say of the trading hours.
        """
        self._clock_error, self._notice_now = clock_error, notice
        self.notice = ""
        self.reasons: Mapping[str, str] = {}
        self.keys: frozenset[str] = frozenset()
        self._others = self._unwanted = self.keys

    def update(self, status: FeedStatus, wanted: Set[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Take in what the feed says of its segments; return the keys that came into doubt, and those that
        came out of it.
        """
        self.reasons, before = lag.doubts(status.silent, status.lags, self._clock_error()), self.keys
        self.notice, reasons = self._notice_now(), self.reasons
        self.keys = (
            frozenset(key for key in wanted if key.partition(":")[0] in reasons) if reasons else frozenset()
        )
        self._others = self._unwanted | self.keys
        return self.keys - before, before - self.keys

    def beside(self, unwanted: frozenset[str]) -> frozenset[str]:
        """Return `unwanted` and the keys in doubt: nobody vouches for any of them. Asked for each write, and
        seldom another.
        """
        if not self.keys:
            return unwanted
        if unwanted is not self._unwanted:
            self._unwanted, self._others = unwanted, unwanted | self.keys
        return self._others
