"""Silent segments, each measured against its own usual pace, and the need for a new connection.

Pure: instants are arguments. One object outlives many connections, because otherwise a segment that stays
silent on the next connection would have no pace to be measured against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

SEGMENT_SILENT_AFTER_S: Final = 10.0
# So many ticks must be missing by the usual pace. If ticks come at random, that happens once in 20,000 gaps.
MISSING: Final = 10
KNOWN_FROM: Final = 5  # ticks from which a pace is known
RECONNECT_AFTER: Final = 2.5  # multiple of the silence after which a segment is shown as silent
# While other segments still tick, each new connection costs them a gap, so the attempts become rare.
RECONNECT_EVERY_S: Final = 60.0
RECONNECT_AT_LEAST_EVERY_S: Final = 960.0
_PERIOD_S: Final = 60.0  # the pace is that of the last one to two periods
_LONGEST_PERIOD_S: Final = 600.0  # a period ends when its pace is known, at the latest after so long


class _Pace:
    """Ticks of one segment. `since`: its silence counts from here. `due_s`: after so long it is shown as
    silent.
    """

    def __init__(self, now: float) -> None:
        self.since = now
        self.due_s = 0.0
        self.silent = False
        # Of this period and of the one before, by key.
        self._ticks: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._observed_s = [0.0, 0.0]

    def spoke(self, keys: Iterable[str], now: float) -> None:
        self._observed_s[0] += now - self.since
        self.since, self.silent = now, False
        self._ticks[0].update(keys)
        least_s = _PERIOD_S if self._ticks[0].total() >= KNOWN_FROM else _LONGEST_PERIOD_S
        if self._observed_s[0] > least_s:
            self._ticks = Counter(), self._ticks[0]
            self._observed_s = [0.0, self._observed_s[0]]

    def judge(self, keys: Iterable[str], now: float) -> None:
        """Work out whether it is silent, by the pace of `keys` alone: unwanted ones do not tick."""
        quiet_s = now - self.since
        if quiet_s < SEGMENT_SILENT_AFTER_S:
            return
        ticks, observed_s = (
            sum(self._ticks[0][key] + self._ticks[1][key] for key in keys),
            sum(self._observed_s),
        )
        if ticks < KNOWN_FROM:
            self.silent = False
            return
        self.due_s = max(SEGMENT_SILENT_AFTER_S, MISSING * observed_s / ticks)
        self.silent = quiet_s >= self.due_s


class SegmentWatch:
    """For one thread. Every `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._paces: dict[str, _Pace] = {}
        self._opened = self._reconnected = float("-inf")
        self._every_s = RECONNECT_EVERY_S

    @property
    def silent(self) -> tuple[str, ...]:
        """The segments that are silent now, in the order of their names."""
        return tuple(sorted(segment for segment, pace in self._paces.items() if pace.silent))

    def connected(self, now: float) -> None:
        """Note a new connection: the silence of a segment that was not silent before counts from here."""
        self._opened = now
        for pace in self._paces.values():
            if not pace.silent:
                pace.since = now

    def look(
        self,
        now: float,
        spoke: Mapping[str, Collection[str]],
        wanted: Mapping[str, Collection[str]],
        judged: Collection[str],
    ) -> None:
        """Take in one look, about once a second.

        Args:
            now: every packet received up to this instant has been read.
            spoke: by segment, the keys that had a price since the last look; not their first on a connection.
            wanted: by segment, the keys that are subscribed.
            judged: the segments in which silence would be a fault: open, and not in a window in which silence
                is normal.
        """
        for segment in self._paces.keys() - (wanted.keys() & judged):
            del self._paces[segment]  # the pace of another part of the day does not apply
        for segment in wanted.keys() & judged:
            pace = self._paces.setdefault(segment, _Pace(now))
            if segment in spoke:
                pace.spoke(spoke[segment], now)
            else:
                pace.judge(wanted[segment], now)
        if not any(pace.silent for pace in self._paces.values()):
            self._every_s = RECONNECT_EVERY_S

    def all_silent(self) -> bool:
        """Return whether every judged segment is silent, so that the feed as a whole is."""
        return bool(self._paces) and all(pace.silent for pace in self._paces.values())

    def to_renew(self, now: float) -> tuple[str, ...]:
        """Return the silent segments that have had time to tick on this connection: their subscriptions may
        be lost.
        """
        return self.silent if now - self._opened >= SEGMENT_SILENT_AFTER_S else ()

    def overdue(self, now: float) -> str:
        """Return a segment that has been silent for so long that a new connection is due, "" if none has."""
        every_s = RECONNECT_EVERY_S if self.all_silent() else self._every_s
        if now - self._reconnected < every_s:
            return ""
        for segment in self.silent:
            pace = self._paces[segment]
            due_s = pace.due_s if pace.since > self._opened else SEGMENT_SILENT_AFTER_S
            if now - max(pace.since, self._opened) >= RECONNECT_AFTER * due_s:
                return segment
        return ""

    def reconnects(self, now: float) -> None:
        """Note that the connection is given up because a segment is silent."""
        self._reconnected = now
        self._every_s = min(self._every_s * 2, RECONNECT_AT_LEAST_EVERY_S)

    def silent_s(self, segment: str, now: float) -> float:
        """Return the seconds since the silence of a segment began."""
        return now - self._paces[segment].since
