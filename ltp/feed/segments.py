"""Silence and lag of whole segments, from one look a second at the newest packet of each instrument.

Lives over all connections. Decides nothing: `connection` subscribes again and gives up, `status` hands the
rest to the publisher of the prices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from ltp.core.ticks.lag import Lag, Lags
from ltp.core.ticks.silence import SegmentWatch
from ltp.core.ticks.tick import TickFields

_LAG_SAMPLES: Final = 500  # instruments of a look; more would be no more exact and hold the reader up
_NOTHING: Final[Mapping[str, Lag]] = {}


class Segments:
    """For the feed's thread. Every `now` is monotonic seconds.

    `judged`: the segments in which silence would be a fault now.
    `lags`: the lag of each segment in which something trades.
    """

    def __init__(self, judged: Callable[[], frozenset[str]]) -> None:
        self._judged = judged
        self._watch, self._lags = SegmentWatch(), Lags()
        self._wanted: dict[str, list[str]] = {}
        self._segments: dict[str, str] = {}  # by key
        self._newest: dict[str, TickFields] = {}  # by key, at the last look at this connection
        self.lags: Mapping[str, Lag] = _NOTHING

    @property
    def silent(self) -> tuple[str, ...]:
        return self._watch.silent

    @property
    def all_silent(self) -> bool:
        return self._watch.all_silent()

    def connected(self, now: float) -> None:
        self._newest = {}
        self._watch.connected(now)

    def want(self, keys: Sequence[str]) -> None:
        self._wanted, self._segments = {}, {key: _segment(key) for key in keys}
        for key, segment in self._segments.items():
            self._wanted.setdefault(segment, []).append(key)

    def forget(self, keys: Iterable[str]) -> None:
        """Take the next tick of `keys` for the answer to a subscription: it proves no flow of prices."""
        for key in keys:
            self._newest.pop(key, None)

    def look(self, now: float, newest: Iterable[TickFields]) -> None:
        """Take in the newest tick of each instrument. `now`: an instant up to which all bytes are read."""
        known, moves = self._newest, []
        for tick in newest:
            key = tick[0]
            before = known.get(key)
            if before is tick:
                continue
            known[key] = tick
            # The first tick of a connection is the broker's answer to the subscription, and no trade.
            if before is not None:
                moves.append((tick, before))
        moved: dict[str, list[str]] = {}
        segments = self._segments
        for tick, _ in moves:
            key = tick[0]
            moved.setdefault(segments.get(key) or _segment(key), []).append(key)
        self.lags = self._lags.look(now, moves[:: max(1, len(moves) // _LAG_SAMPLES)])
        self._watch.look(now, moved, self._wanted, self._judged())

    def to_renew(self, now: float) -> dict[str, list[str]]:
        """Return the keys of each silent segment that has had time to tick on this connection."""
        return {segment: self._wanted.get(segment, []) for segment in self._watch.to_renew(now)}

    def overdue(self, now: float) -> str:
        """Return why the connection must be given up for a segment's silence, "" when it need not."""
        segment = self._watch.overdue(now)
        if not segment:
            return ""
        self._watch.reconnects(now)
        return f"{segment} is open and no price of it came for {self._watch.silent_s(segment, now):.0f} s"


def _segment(key: str) -> str:
    return key.partition(":")[0]
