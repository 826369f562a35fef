"""The lag of prices: arrival minus trade time, over the instruments that trade now, by segment.

One packet proves nothing, because a share that has not traded for an hour has an old trade time. Only if
volume and trade time rose from one look to the next was there a trade in between, and its lag is that of the
line, or of this host's clock. Pure. The caller looks once a second at the newest packet of each instrument,
so a tick costs no additional work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median_low
from typing import Final, NamedTuple

from ltp.core.ticks.tick import TickFields
from ltp.core.trading_day import IST_OFFSET_S

LATE_S: Final = 10.0
AHEAD_S: Final = -5.0  # no trade lies in the future: beyond this, the clock is behind
_LOOKS: Final = 3  # a process that was stopped shortly reads late once, which is no delay
_KEPT_S: Final = 30.0  # an instrument without a trade for longer does not count
# Below so many seconds, a delay is shown in steps of so many.
_STEPS_S: Final = ((120, 5), (600, 10), (3_600, 30))
_KEYS: Final = 10_000
_LAST_STEP_S: Final = 60
_NO_LAG_S: Final = 43_200.0  # no line is half a day late: such trade times are of another clock
_INDIA_TOLERANCE_S: Final = 600.0  # a feed that is late by the offset counts it twice, or not at all
_CLOCK_TOLERANCE_S: Final = 10.0
_CLOCK_LEAST_S: Final = 5.0


class Lag(NamedTuple):
    """`told_s`: the delay as shown, in steps, 0 while prices are punctual; negative: trades in the future."""

    median_s: float
    p99_s: float
    instruments: int
    told_s: int = 0


class _Segment:
    def __init__(self) -> None:
        self.latest: dict[str, tuple[float, float]] = {}  # by key: instant of the look, seconds of lag
        self.newest_ltt: dict[str, int] = {}
        self.went_back: set[str] = set()  # keys with a trade time that is still behind an earlier one
        self.told_s = 0
        self._against = 0  # consecutive looks that contradict `told_s`
        self._news = False  # something traded since the look before

    def take(self, key: str, known: int, ltt: int) -> None:
        self._news = True
        if len(self.newest_ltt) > _KEYS:
            self.newest_ltt.clear()
            self.went_back.clear()
        newest = max(known, self.newest_ltt.get(key, 0))
        self.newest_ltt[key] = max(newest, ltt)
        (self.went_back.add if ltt < newest else self.went_back.discard)(key)

    def read(self, now: float) -> Lag | None:
        self.latest = {key: each for key, each in self.latest.items() if now - each[0] <= _KEPT_S}
        news, self._news = self._news, False
        if not self.latest:
            self.told_s = self._against = 0
            return None
        lags = sorted(lag_s for _, lag_s in self.latest.values())
        middle_s = median_low(lags)
        # If only one instrument trades, trade times that went back are wrong. A look without a trade repeats
        # the one before.
        if news and (len(lags) > 1 or self.went_back.isdisjoint(self.latest)):
            self._tell(middle_s)
        return Lag(middle_s, lags[min(len(lags) - 1, len(lags) * 99 // 100)], len(lags), self.told_s)

    def _tell(self, middle_s: float) -> None:
        out = middle_s > LATE_S or middle_s < AHEAD_S
        if out == bool(self.told_s):
            self._against = 0
            step_s = _step_s(self.told_s)
            # With a smaller tolerance, a lag between two steps would flicker.
            if out and abs(middle_s - self.told_s) > step_s * 0.75:
                self.told_s = _stepped(middle_s)
            return
        self._against += 1
        if self._against >= _LOOKS:
            self.told_s, self._against = _stepped(middle_s) if out else 0, 0


class Lags:
    """For one thread."""

    def __init__(self) -> None:
        self._segments: dict[str, _Segment] = {}

    def look(self, now: float, moves: Iterable[tuple[TickFields, TickFields]]) -> dict[str, Lag]:
        """Take in one look; return the lag of each segment in which an instrument trades.

        Args:
            now: monotonic seconds.
            moves: the newest packet of each instrument that had one since the last look, and the one of the
                look before.
        """
        for new, before in moves:
            key, ltt, known = new[0], new[2], before[2]
            if ltt is None or known is None or not _traded(new[4], before[4]):
                continue
            segment = self._segments.setdefault(key[: key.index(":")], _Segment())
            lag_s = new[3] / 1e6 - ltt
            if ltt > known and _is_lag(lag_s):
                segment.take(key, known, ltt)
                segment.latest[key] = now, lag_s
        read = {name: segment.read(now) for name, segment in self._segments.items()}
        return {name: lag for name, lag in read.items() if lag is not None}


def _is_lag(seconds: float) -> bool:
    """Return whether a line can be so late; otherwise the trade times are of another clock."""
    return abs(seconds) < _NO_LAG_S and abs(seconds - IST_OFFSET_S) > _INDIA_TOLERANCE_S


def _traded(volume: int | None, before: int | None) -> bool:
    """An index, like any instrument in ticker mode, has no volume: its trade time is the only evidence."""
    return not volume or before is None or volume > before


def duration(seconds: float) -> str:
    """Return "45 s", "2 min 30 s" or "1 h 5 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    parts = (
        (whole // 60, "min", whole % 60, "s")
        if whole < 3_600
        else (whole // 3_600, "h", whole % 3_600 // 60, "min")
    )
    return f"{parts[0]} {parts[1]}" + (f" {parts[2]} {parts[3]}" if parts[2] else "")


def explained_by_clock(lag_s: float, clock_error_s: float | None) -> bool:
    """Return whether this host's clock is the cause: it differs from the broker's by about as much.

    `clock_error_s`: seconds by which this host's clock is ahead of the broker's, None if not known.
    """
    return (
        clock_error_s is not None
        and clock_error_s > _CLOCK_LEAST_S
        and abs(lag_s - clock_error_s) <= _CLOCK_TOLERANCE_S
    )


def clock_error(by_broker_s: float | None, lags: Mapping[str, Lag]) -> float | None:
    """Return the seconds by which this host's clock is ahead, None if not known: trades in its future prove
    it slow.
    """
    ahead_s = min((lag.told_s for lag in lags.values()), default=0)
    return ahead_s if by_broker_s is None and ahead_s < 0 else by_broker_s


def delay_s(lags: Mapping[str, Lag], clock_error_s: float | None) -> int:
    """Return the longest delay shown, without delays that this host's clock explains."""
    delays = (lag.told_s for lag in lags.values() if not explained_by_clock(lag.told_s, clock_error_s))
    return max((0, *delays))


def settled(lags: Mapping[str, Lag]) -> dict[str, float]:
    """Return the delay of most moving instruments by segment, without segments in which one may just have
    begun: if they were taken for punctual, their late prices would pass for traded on arrival.
    """
    return {segment: lag.told_s for segment, lag in lags.items() if lag.told_s or lag.median_s <= LATE_S}


def doubts(silent: Iterable[str], lags: Mapping[str, Lag], clock_error_s: float | None) -> dict[str, str]:
    """Return the segments with prices that must not be shown as live, each with the reason in words, which is
    empty for mere silence.
    """
    found = dict.fromkeys(silent, "")
    for segment, lag in lags.items():
        if lag.told_s > 0 and segment not in found:
            by_clock = explained_by_clock(lag.told_s, clock_error_s)
            found[segment] = clock_words(lag.told_s) if by_clock else f"delayed by {duration(lag.told_s)}"
    return found


def clock_words(error_s: float) -> str:
    return f"this host's clock is {duration(abs(error_s))} {'fast' if error_s > 0 else 'slow'}"


def _step_s(seconds: float) -> int:
    return next((step for below, step in _STEPS_S if abs(seconds) < below), _LAST_STEP_S)


def _stepped(seconds: float) -> int:
    step_s = _step_s(seconds)
    return round(seconds / step_s) * step_s
