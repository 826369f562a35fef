"""The state a price is shown in: one rule, and all that it depends on besides the price.

Two loops repeat part of the rule for speed: `hub.entry.take` for each tick, `hub.entry.vouch` for each price
of an API call. tests/hub/test_price_state.py compares both with `state` for every combination of inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ltp.core.ticks.tick import LIVE_FOR_S, Feed, State, Tick

_NO_DOUBTS: Mapping[str, str] = {}


def state(
    tick: Tick | None,
    *,
    now: float,
    linked: bool,
    feed: Feed,
    open_: bool,
    covered: bool,
    doubted: bool,
) -> State:
    """Return the state of a price.

    Args:
        tick: the newest known values, None for an instrument that was never seen.
        now: seconds since the epoch.
        linked: the newest batch of the connection is at most LINK_DEAD_AFTER_S old.
        feed: the state of the connection in that batch.
        open_: the instrument's segment is in any phase but closed.
        covered: the instrument is subscribed, and a price of it was received on the present connection.
        doubted: the segment is silent or delayed, although the feed as a whole is live.
    """
    if tick is None or tick.ltp is None:
        return "unknown"
    if not linked:
        return "stale"  # even in a closed market: only the worker knows that it is closed
    if not open_:
        return "closed"
    if feed != "live" or not covered or doubted:
        return "stale"
    if tick.rest or now - tick.traded_at / 1e6 > LIVE_FOR_S:
        return "quiet"
    return "live"


class FeedState(NamedTuple):
    """One connection at one moment: all that the states of its prices depend on besides the prices.

    `now_s`: seconds since the epoch. `linked`: its newest batch is at most LINK_DEAD_AFTER_S old. `feed`,
    `since`, `doubts`: from that batch, see core.ticks.wire.Batch. `closed`: the segments that are closed.
    """

    now_s: float
    linked: bool = False
    feed: Feed = "down"
    since: int = 0
    closed: frozenset[str] = frozenset()
    doubts: Mapping[str, str] = _NO_DOUBTS

    def covers(self, tick: Tick | None) -> bool:
        """Return whether the price was received on the present connection."""
        return tick is not None and 0 < self.since <= tick.received_at

    def state(self, segment: str, tick: Tick | None, covered: bool) -> State:
        return state(
            tick,
            now=self.now_s,
            linked=self.linked,
            feed=self.feed,
            open_=segment not in self.closed,
            covered=covered,
            doubted=segment in self.doubts,
        )

    def doubt(self, segment: str, state: State) -> str:
        """Return why a price in `state` is stale although the feed is live, "" if there is no such reason."""
        if state != "stale" or not self.linked or self.feed != "live":
            return ""
        return self.doubts.get(segment, "")

    @property
    def live_from(self) -> float:
        """Microsecond from which on a covered trade is live for certain, infinite if none is.

        One microsecond later than by `state`, which divides floats: a trade in between is left to `state`.
        """
        return (self.now_s - LIVE_FOR_S) * 1e6 + 1 if self.linked and self.feed == "live" else float("inf")
