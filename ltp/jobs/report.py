"""The status hash: what the worker says of itself and of the feed, in text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp.feed.status import FeedStatus

_LISTED: Final = 20  # keys named of a long list; the count says how many there are


class Report:
    """One thread uses it.

    `idle_reason`: why there is no feed at all, empty when there should be one. `waiting`: wishes past the limit.
    `calendar`: what is provisional about the trading hours of today, empty when nothing is.
    """

    def __init__(
        self, *, source: str, idle_reason: str, waiting: Callable[[], Sequence[str]], calendar: Callable[[], str] = str
    ) -> None:
        self._source, self._idle_reason, self._waiting, self._calendar = source, idle_reason, waiting, calendar
        self._counted, self._counted_at, self._ticks_per_s = 0, 0.0, 0.0

    def status(self, feed: FeedStatus, phases: Mapping[str, str], received: int, wanted: int, now: float) -> dict[str, str]:
        """Return the fields of `market_stream:status`.

        Args:
            received: ticks since the start.
            now: monotonic seconds.
        """
        waiting = self._waiting()
        return {
            "feed": feed.feed,
            "phases": json.dumps(phases),
            "connections": "1" if feed.since_us else "0",
            "subscribed": str(feed.sent),
            "wanted": str(wanted),
            "never_ticked": str(len(feed.never_ticked)),
            "never_ticked_keys": json.dumps(feed.never_ticked[:_LISTED]),
            "waiting": str(len(waiting)),
            "waiting_keys": json.dumps(list(waiting[:_LISTED])),
            "ticks_per_s": f"{self._rate(received, now):.1f}",
            "last_tick_at": "" if feed.last_packet_at is None else _iso(feed.last_packet_at),
            "reconnects": str(feed.reconnects),
            "last_error": feed.last_error or self._idle_reason,
            "calendar": self._calendar(),
            "source": self._source,
            "stopped": "1" if feed.stopped_for_good else "0",
        }

    def _rate(self, received: int, now: float) -> float:
        elapsed_s = now - self._counted_at
        if elapsed_s >= 0.9:  # a beat on a change comes sooner and would measure noise
            self._ticks_per_s = (received - self._counted) / elapsed_s
            self._counted, self._counted_at = received, now
        return self._ticks_per_s


def _iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
