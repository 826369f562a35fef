"""The status hash: what the worker says of itself and of the feed, in text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp import metrics
from ltp.core.rates import Rates
from ltp.feed.status import FeedStatus

_LISTED: Final = 20  # keys named of a long list; the count says how many there are
_OVER_S: Final = 0.9  # a beat on a change comes sooner than one by the clock


class Report:
    """One thread uses it.

    `idle_reason`: why there is no feed at all, empty when there should be one. `waiting`: wishes past the limit. `taken`: places
    by kind of wish.
    `calendar`: what is provisional about the trading hours of today, empty when nothing is. `expected`: the feed should be up
    and its silence would be a fault. `counts`: counters of this process, see ltp.metrics.
    """

    def __init__(
        self,
        *,
        source: str,
        idle_reason: str,
        waiting: Callable[[], Sequence[str]],
        taken: Callable[[], Mapping[str, int]] = dict,
        calendar: Callable[[], str] = str,
        expected: Callable[[], bool] = bool,
        counts: Callable[[], Mapping[str, int]] = metrics.snapshot,
    ) -> None:
        self._source, self._idle_reason = source, idle_reason
        self._waiting, self._taken, self._calendar, self._expected = waiting, taken, calendar, expected
        self._counts = counts
        self._began_at = ""
        self._measure_anew()

    def _measure_anew(self) -> None:
        self._rates = Rates(_OVER_S)
        self._took_s: list[float] = []  # of each write since the last measure
        self._write_ms = ("", "")

    def begin(self, epoch_s: float) -> None:
        """Note the instant from which on it is this worker that speaks."""
        self._began_at = _iso(epoch_s)
        self._measure_anew()  # while another spoke, nothing was written, and that time is none of a rate's

    def wrote(self, took_s: float) -> None:
        """Note how long Redis took for one write that was waited for."""
        self._took_s.append(took_s)

    def status(self, feed: FeedStatus, phases: Mapping[str, str], received: int, wanted: int, now: float) -> dict[str, str]:
        """Return the fields of `market_stream:status`.

        Args:
            received: ticks since the start.
            now: monotonic seconds.
        """
        waiting = self._waiting()
        self._measure(received, now)
        mean_ms, worst_ms = self._write_ms
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
            "places": json.dumps(dict(self._taken())),
            "ticks_per_s": self._per_s("received"),
            "ticks_written_per_s": self._per_s("ticks_written"),
            "batches_per_s": self._per_s("batches_written"),
            "write_ms": mean_ms,
            "write_worst_ms": worst_ms,
            "last_tick_at": "" if feed.last_packet_at is None else _iso(feed.last_packet_at),
            "reconnects": str(feed.reconnects),
            "last_error": feed.last_error or self._idle_reason,
            "calendar": self._calendar(),
            "expected": "1" if self._expected() else "0",
            "began_at": self._began_at,
            "source": self._source,
            "stopped": "1" if feed.stopped_for_good else "0",
        }

    def _measure(self, received: int, now: float) -> None:
        if self._rates.take({**self._counts(), "received": received}, now) and self._took_s:
            took_ms, self._took_s = [took_s * 1000 for took_s in self._took_s], []
            self._write_ms = f"{sum(took_ms) / len(took_ms):.2f}", f"{max(took_ms):.2f}"

    def _per_s(self, name: str) -> str:
        return f"{self._rates.per_s(name):.1f}"


def _iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
