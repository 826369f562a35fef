"""Prices that may not be shown as live although the feed is: those of segments that are silent or late."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from ltp.core.ticks import lag
from ltp.feed.status import FeedStatus


class Doubts:
    """Guarded by its owner's lock.

    `reasons`, `notice`: see core.ticks.wire.Batch. `keys`: the wanted instruments of the segments in doubt.

    Args:
        clock_error: seconds by which this host's clock is ahead of the broker's, None while unknown.
        notice: the sentence of pages about the trading hours, "" for none.
    """

    def __init__(
        self, clock_error: Callable[[], float | None] = lambda: None, notice: Callable[[], str] = str
    ) -> None:
        self._clock_error, self._current_notice = clock_error, notice
        self.notice = ""
        self.reasons: Mapping[str, str] = {}
        self.keys: frozenset[str] = frozenset()
        self._uncovered = self._unwanted = self.keys

    def update(self, status: FeedStatus, wanted: Set[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Judge the segments anew; return the keys that came into doubt, and those that came out of it."""
        self.reasons, before = lag.doubts(status.silent, status.lags, self._clock_error()), self.keys
        self.notice, reasons = self._current_notice(), self.reasons
        self.keys = (
            frozenset(key for key in wanted if key.partition(":")[0] in reasons) if reasons else frozenset()
        )
        self._uncovered = self._unwanted | self.keys
        return self.keys - before, before - self.keys

    def uncovered(self, unwanted: frozenset[str]) -> frozenset[str]:
        """Return `unwanted` and the keys in doubt: the feed covers none of them.

        Called for each write, nearly always with the same set, so the union is kept.
        """
        if not self.keys:
            return unwanted
        if unwanted is not self._unwanted:
            self._unwanted, self._uncovered = unwanted, unwanted | self.keys
        return self._uncovered
