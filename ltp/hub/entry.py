"""One instrument on the board, and what a tick makes of it: fields carried over, state, direction, whether it
looks different.

Step of the path: between a batch or cache read and the board. Of what nobody looks at only the newest tick is
kept, as it was told, until somebody does: then it is taken in as if it came just now.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import LIVE_FOR_S, Feed, State, Tick, state
from ltp.core.ticks.wire import WireTick, tick_of

_CARRIED: Final = ("ltp", "volume", "open", "high", "low", "prev_close", "oi")
# NamedTuple's own constructor takes three times as long.
_new_quote: Final[Callable[[type[Quote], tuple[Any, ...]], Quote]] = tuple.__new__


class Entry:
    """`covered`: see core.ticks.tick.state. `cached`: the tick came from the cache and no batch has spoken
    since. `confirmed_s`: monotonic instant of the last batch or cache read that carried this instrument.
    `told`: newer than the quote, the newest that was put off. `before`: one put off earlier, the last at
    another price. `oi_known`: in the quote, and so in what was put off. `at_once`: the next tick cannot be
    put off.
    """

    __slots__ = (
        "at_once",
        "before",
        "cached",
        "confirmed_s",
        "covered",
        "oi_known",
        "quote",
        "segment",
        "told",
    )

    def __init__(self, key: str) -> None:
        self.quote, self.segment = Quote(key, None, "unknown"), key.partition(":")[0]
        self.cached, self.covered, self.confirmed_s = True, False, 0.0
        self.at_once, self.oi_known = True, False
        self.told: Tick | WireTick | None = None
        self.before: Tick | WireTick | None = None

    def collect(self) -> list[Tick]:
        """Return what was put off, oldest first, and forget it."""
        told, before = self.told, self.before
        self.told = self.before = None
        # Both, because the way from one price to the other is the direction shown.
        return [tick_of(tick) for tick in (before, told) if tick is not None]


class FeedState(NamedTuple):
    """What the state of every price hangs on: the time, the worker's last word and whether that still counts.

    `now_s`: seconds since the epoch. `linked`: the worker was heard of lately. `since`: see
    core.ticks.wire.Batch. `at`: the instant of the newest batch. `doubts`: see core.ticks.wire.Batch.
    """

    now_s: float
    linked: bool
    feed: Feed
    since: int
    closed: frozenset[str]
    at: int
    doubts: Mapping[str, str] = {}

    def state(self, segment: str, tick: Tick | None, covered: bool) -> State:
        if not self.linked:
            # Without the worker nobody knows whether the market is open: its last word on the phase counts no
            # more.
            return state(tick, now=self.now_s, feed="down", open_=True, covered=covered)
        vouched = covered and segment not in self.doubts
        return state(tick, now=self.now_s, feed=self.feed, open_=segment not in self.closed, covered=vouched)

    def doubt(self, segment: str, turned: State) -> str:
        """Return the reason why a price is `turned`, "" where it needs none."""
        return (
            self.doubts.get(segment, "") if turned == "stale" and self.linked and self.feed == "live" else ""
        )

    @property
    def live_from(self) -> float:
        """The microsecond from which on a covered trade is live for certain; infinite when none is.

        One later than `state` would say, so that how a float is rounded remains its own business.
        """
        return (self.now_s - LIVE_FOR_S) * 1e6 + 1 if self.linked and self.feed == "live" else float("inf")


def order(tick: Tick) -> tuple[int, int]:
    return tick.received_at, tick.traded_at


def put_off(
    entries: dict[str, Entry], told: Iterable[Tick | WireTick], shown: Container[str], heard_s: float
) -> tuple[list[Tick], int]:
    """Leave each tick of a batch with its instrument when nobody looks at that, and it is as good later as
    now.

    Returns:
        The others, and what was put off before them, to be taken in this order; and the microseconds at which
            the broker last spoke of any instrument here, which a price by REST does not tell.

    Most ticks of most processes end here, so a line more costs more than anywhere else.
    """
    taken: list[Tick] = []
    spoken_at = 0
    for tick in told:
        key, received_at = tick.key, tick.received_at
        if received_at > spoken_at and not tick.rest:
            spoken_at = received_at
        entry = entries.get(key)
        if entry is None:
            entry = entries[key] = Entry(key)
        entry.confirmed_s = heard_s
        held = entry.told
        if (
            key in shown
            or entry.at_once
            # What it does not mention is carried over from the one before, which must not have been dropped
            # then.
            or tick.ltp is None or tick.volume is None or tick.open is None or tick.high is None or tick.low is None
            or tick.prev_close is None or tick.ltt is None or (tick.oi is None) is entry.oi_known
        ):  # fmt: skip
            if held is not None:
                taken += entry.collect()
            entry.at_once = (
                True  # should it come twice: the second may not wait behind one that is not taken yet
            )
            taken.append(tick_of(tick))
            continue
        if held is not None and held.ltp != tick.ltp:
            entry.before = held
        entry.told = tick
    return taken, spoken_at


def take(entries: dict[str, Entry], ticks: Iterable[Tick], moment: FeedState, version: int) -> list[str]:
    """Make each tick what its instrument, which is in the table, shows.

    Returns:
        The keys that look different now, with versions from `version` + 1 on, in that order. They are the
            table's own texts, since changes are remembered for a while and each message brings new texts of
            the same keys.

    One long loop with names of its own and no call in the usual case, a newer price of a live instrument: it
    runs for every tick in every process, and a call costs as much as three comparisons.
    """
    live_from, since, at = moment.live_from, moment.since, moment.at
    not_live = moment.closed.union(moment.doubts)
    changed = []
    for tick in ticks:
        key, ltp, ltt, received_at, volume, day, oi, _, traded_at, rest = tick
        entry = entries[key]
        quote = entry.quote
        key, held, was, direction, _, _, _, why = quote
        if held is not None:
            # Batches queued while the cache was read are older than what was read.
            if entry.cached and order(tick) < order(held):
                continue
            if (
                (oi is None and held.oi is not None)
                or ltp is None or volume is None or ltt is None
                or (day is not held.day and None in (day.open, day.high, day.low, day.prev_close))
            ):  # fmt: skip
                tick = _completed(tick, held)
                ltp, oi = tick.ltp, tick.oi
        entry.cached = entry.at_once = False
        entry.oi_known = oi is not None
        covered = entry.covered = 0 < since <= received_at
        if (
            covered
            and traded_at >= live_from
            and not rest
            and ltp is not None
            and entry.segment not in not_live
        ):
            turned: State = "live"
            doubt = ""
        else:
            turned = moment.state(entry.segment, tick, covered)
            doubt = moment.doubt(entry.segment, turned)
        before = None if held is None else held.ltp
        if ltp == before and turned == was and doubt == why and _look_alike(tick, held):
            entry.quote = _new_quote(Quote, (key, tick, *quote[2:]))
            continue
        version += 1
        moved = False
        if ltp != before and before is not None and ltp is not None:
            moved, direction = True, 1 if ltp > before else -1
        entry.quote = _new_quote(Quote, (key, tick, turned, direction, moved, version, at, doubt))
        changed.append(key)
    return changed


def show(entry: Entry, tick: Tick | None, moment: FeedState, version: int) -> bool:
    """Make `tick` what the entry shows, as of `version` if anybody could see the difference; tell whether."""
    quote = entry.quote
    turned = moment.state(entry.segment, tick, entry.covered)
    doubt = moment.doubt(entry.segment, turned)
    if turned == quote.state and doubt == quote.doubt and _look_alike(tick, quote.tick):
        if tick is not quote.tick:
            entry.quote = quote._replace(tick=tick)
        return False
    before = quote.tick.ltp if quote.tick else None
    after = tick.ltp if tick else None
    moved = before is not None and after is not None and before != after
    direction = (1 if after > before else -1) if moved and after and before else quote.direction
    entry.quote = Quote(quote.key, tick, turned, direction, moved, version, moment.at, doubt)
    return True


def _completed(tick: Tick, held: Tick) -> Tick:
    """Carry over what `tick` does not mention, within one trading day; the price in any case.

    A trade time goes with its price: beside a new price it would date that one by an older trade.
    """
    names: tuple[str, ...] = _CARRIED if tick.session in ("", held.session) else ("ltp",)
    if tick.ltp is None and names is _CARRIED:
        names = (*_CARRIED, "ltt")
    missing = {name: getattr(held, name) for name in names if getattr(tick, name) is None}
    return tick._replace(**missing) if missing else tick


def _look_alike(tick: Tick | None, other: Tick | None) -> bool:
    """Tell whether two ticks show the same; that the broker repeated itself, or when, cannot be seen."""
    if tick is None or other is None:
        return tick is other
    return tick.ltp == other.ltp and tick[4:8] == other[4:8]  # volume, day, open interest, session
