"""The status hash in Redis: the state of the worker and of the feed, each field as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from ltp import metrics
from ltp.core.market.outlook import Notice, toml_text
from ltp.core.rates import Rates
from ltp.core.ticks.lag import Lag, clock_error, delay_s
from ltp.feed.status import FeedStatus

_LISTED: Final = 20  # keys of a long list; a field beside it has their number
_RATE_OVER_S: Final = 0.9  # a beat on a change may come sooner than a second after the last one


class StatusReport:
    """For one thread at a time.

    Args:
        source: `dhanhq` or `simulator`.
        idle_reason: why there is no feed at all, "" when there should be one.
        waiting: keys that are wanted past the limit.
        taken: places by kind of wish.
        calendar: the sentence about trading hours of today that are provisional, "" for none.
        clock_error: seconds by which this host's clock is ahead of the broker's, None while unknown.
        outlook: the uncertain trading hours of the month ahead.
        off_sessions: see core.ticks.off_sessions.
        expected: whether the feed should be up and its silence would be a fault.
        parts: counts by name of other parts of the worker: `bars`, see worker.bars.minute_bars, and `alerts`.
        counts: counters of this process, see ltp.metrics.
    """

    def __init__(
        self,
        *,
        source: str,
        idle_reason: str,
        waiting: Callable[[], Sequence[str]],
        taken: Callable[[], Mapping[str, int]] = dict,
        calendar: Callable[[], str] = str,
        clock_error: Callable[[], float | None] = lambda: None,
        outlook: Callable[[], Sequence[Notice]] = list,
        off_sessions: Callable[[], Mapping[str, Sequence[str]]] = dict,
        expected: Callable[[], bool] = bool,
        parts: Callable[[], Mapping[str, Mapping[str, int]]] = dict,
        counts: Callable[[], Mapping[str, int]] = metrics.snapshot,
    ) -> None:
        self._source, self._idle_reason = source, idle_reason
        self._waiting, self._taken, self._calendar, self._expected = waiting, taken, calendar, expected
        self._outlook, self._parts = outlook, parts
        self._clock_error, self._off_sessions, self._counts = clock_error, off_sessions, counts
        self._began_at = ""
        self._began_s: float | None = None
        self._measure_anew()

    def _measure_anew(self) -> None:
        self._rates = Rates(_RATE_OVER_S)
        self._took_s: list[float] = []  # of each write since the last measurement
        self._write_ms = ("", "")

    def begin(self, epoch_s: float) -> None:
        """Note the instant (seconds since the epoch) at which this worker began to write."""
        self._began_at, self._began_s = _iso(epoch_s), None
        self._measure_anew()  # the time in which another worker wrote is not part of any rate

    def wrote(self, took_s: float) -> None:
        """Note the duration of a write that was waited for."""
        self._took_s.append(took_s)

    def status(
        self,
        feed: FeedStatus,
        phases: Mapping[str, str],
        received: int,
        wanted: int,
        now: float,
        mistimed: Sequence[str] = (),
        odd: Mapping[str, int] = {},
    ) -> dict[str, str]:
        """Return the fields of `market_stream:status`.

        Args:
            received: ticks since the start.
            now: monotonic seconds.
            mistimed: keys whose trade times contradict their volumes.
            odd: by kind, how many packets were not merged as they came; a duplicate is not odd.
        """
        self._began_s = now if self._began_s is None else self._began_s
        self._measure(received, now)
        return {
            "feed": feed.feed,
            "phases": json.dumps(phases),
            "connections": "1" if feed.since_us else "0",
            "subscribed": str(feed.sent),
            "wanted": str(wanted),
            **_listed("never_ticked", feed.never_ticked),
            **_listed("waiting", self._waiting()),
            **_listed("mistimed", mistimed),
            "places": json.dumps(dict(self._taken())),
            "odd_ticks": json.dumps({kind: n for kind, n in odd.items() if kind != "duplicate"}),
            **self._figures(),
            **{name: json.dumps(dict(counts)) for name, counts in self._parts().items()},
            "silent": json.dumps(feed.silent),
            **_lags(feed.lags, self._clock_error()),
            "clock_error_s": ""
            if (error_s := clock_error(self._clock_error(), feed.lags)) is None
            else f"{error_s:.1f}",
            "last_tick_at": "" if feed.last_packet_at is None else _iso(feed.last_packet_at),
            "silent_s": f"{now - max(self._began_s, feed.last_packet_s or self._began_s):.1f}",
            "reconnects": str(feed.reconnects),
            "connect_failures": str(feed.failures),
            "last_error": feed.last_error or self._idle_reason,
            **self._hours(),
            "began_at": self._began_at,
            "source": self._source,
            "stopped": "1" if feed.stopped_for_good else "0",
        }

    def _figures(self) -> dict[str, str]:
        mean_ms, worst_ms = self._write_ms
        return {
            "ticks_per_s": self._per_s("received"),
            "ticks_written_per_s": self._per_s("ticks_written"),
            "batches_per_s": self._per_s("batches_written"),
            "write_ms": mean_ms,
            "write_worst_ms": worst_ms,
        }

    def _hours(self) -> dict[str, str]:
        ahead = self._outlook()
        return {
            "calendar": self._calendar(),
            "calendar_ahead": json.dumps([notice.sentence for notice in ahead]),
            "calendar_lines": toml_text(ahead),
            "off_sessions": json.dumps(self._off_sessions()),
            "expected": "1" if self._expected() else "0",
        }

    def _measure(self, received: int, now: float) -> None:
        if self._rates.take({**self._counts(), "received": received}, now) and self._took_s:
            took_ms, self._took_s = [took_s * 1000 for took_s in self._took_s], []
            self._write_ms = f"{sum(took_ms) / len(took_ms):.2f}", f"{max(took_ms):.2f}"

    def _per_s(self, name: str) -> str:
        return f"{self._rates.per_s(name):.1f}"


def _listed(name: str, keys: Sequence[str]) -> dict[str, str]:
    """Return how many keys there are, and the first of them."""
    return {name: str(len(keys)), f"{name}_keys": json.dumps(list(keys[:_LISTED]))}


def _lags(lags: Mapping[str, Lag], clock_error_s: float | None) -> dict[str, str]:
    """Return the lag of each segment (median and p99 in seconds), and the longest delay as it is shown."""
    figures = {name: [round(lag.median_s, 1), round(lag.p99_s, 1)] for name, lag in lags.items()}
    return {"lags": json.dumps(figures), "delay_s": str(delay_s(lags, clock_error_s))}


def _iso(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
