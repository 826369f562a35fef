"""The newest value of every instrument this process has heard of, in one rising order of versions.

Step of the path: batches and cache reads become quotes. Knows neither browsers nor markup nor where a batch comes from.
Not thread-safe: whoever shares a board holds one lock around every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ltp.core.quote import Known, Quote
from ltp.core.tick import LINK_DEAD_AFTER_S, LIVE_FOR_S, Feed, State, Tick, state
from ltp.core.wire import Batch
from ltp.hub.merge import completed, look_alike, order

CAPACITY: Final = 6_000  # the feed carries 5,000; the rest is what pages asked for and the worker dropped again
RESUME_SLACK_US: Final = 1_000_000  # how far two web processes may be apart in what they have applied
_VOUCHES_FOR_S: Final = 3.0  # the worker speaks once a second; after this long the cache may know better
_FORWARD_US: Final = 1_000_000  # an id further ahead than this of the newest batch was never one of ours
# NamedTuple's own constructor takes three times as long.
_new_quote: Final[Callable[[type[Quote], tuple[Any, ...]], Quote]] = tuple.__new__


class _Entry:
    """`covered`: see core.tick.state. `cached`: the tick came from the cache and no batch has spoken since.
    `confirmed_s`: monotonic instant of the last batch or cache read that carried this instrument.
    """

    __slots__ = ("cached", "confirmed_s", "covered", "quote", "segment")

    def __init__(self, key: str) -> None:
        self.quote, self.segment = Quote(key, None, "unknown"), key.partition(":")[0]
        self.cached, self.covered, self.confirmed_s = True, False, 0.0


class Vouched(NamedTuple):
    """Quotes that say what the cache would. `covered`: for how many the feed vouches. `late`: whose state may have turned."""

    quotes: list[Quote]
    covered: int
    late: list[str]


class Board:
    """`version` rises by one with each visible change; `at` is the instant of the newest batch, 0 before the first.

    `continuous_from`: the batch instant since which nothing was missed, None while that is not known.
    `status`: what open pages are told of the market as a whole, since `status_version`.
    `last_tick_at`: microseconds at which the broker last spoke of any instrument, 0 before that.
    """

    def __init__(self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now, self._monotonic = now, monotonic
        self._entries: dict[str, _Entry] = {}
        self._heard_s: float | None = None
        self._feed: Feed = "down"
        self._link_alive = False
        self._now_s = 0.0
        self._learned = 1
        self.version = 0
        self.at = 0
        self.since = 0
        self.source = ""
        self.phase: Mapping[str, str] = {}
        self._closed: set[str] = set()
        self.continuous_from: int | None = None
        self.last_tick_at = 0
        self.status, self.status_version = "", 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def link_age_s(self) -> float:
        """Seconds since the worker last spoke, infinite when it never did."""
        return float("inf") if self._heard_s is None else self._monotonic() - self._heard_s

    @property
    def feed(self) -> Feed:
        """What the worker last said, "down" once its word is too old to count."""
        return self._feed if self.link_age_s <= LINK_DEAD_AFTER_S else "down"

    def get(self, key: str) -> Quote:
        entry = self._entries.get(key)
        return entry.quote if entry else Quote(key, None, "unknown")

    def quotes(self, keys: Iterable[str]) -> list[Quote]:
        entries = self._entries
        return [entry.quote if (entry := entries.get(key)) else Quote(key, None, "unknown") for key in keys]

    def newer(self, keys: Iterable[str], after: int) -> list[Quote]:
        """Return those of `keys` that look different since version `after`."""
        get = self._entries.get
        return [quote for key in keys if (entry := get(key)) is not None and (quote := entry.quote).version > after]

    def doubtful(self, keys: Iterable[str], before_s: float, shown: Callable[[str], bool]) -> list[str]:
        """Return those of `keys`, each once, that the board does not hold, or that are not shown and not confirmed since."""
        entries = self._entries
        old = [key for key in keys if (entry := entries.get(key)) is None or entry.confirmed_s < before_s]
        return [key for key in dict.fromkeys(old) if key not in entries or not shown(key)]

    @property
    def stamp(self) -> int:
        """Rises with whatever the board learns. 0 while the cache may know more: after a gap, without worker or live feed."""
        whole = self.continuous_from is not None and self._feed == "live" and self.link_age_s <= _VOUCHES_FOR_S
        return self._learned if whole else 0

    def vouched(self, keys: Iterable[str]) -> Vouched | None:
        """Return what is known of `keys`, None where the cache may know more: whether the feed confirms a price by REST."""
        if not self.stamp:
            return None
        self._look_at_clocks()
        entries, closed, live_from = self._entries, self._closed, self._live_from()
        quotes, late, covered = [], [], 0
        for key in keys:
            entry = entries.get(key)
            tick = entry.quote.tick if entry else None
            if entry is None or tick is None or tick.ltp is None or tick.rest:
                return None
            turned = "closed" if entry.segment in closed else "live" if tick.traded_at >= live_from else "quiet"
            if entry.quote.state != (turned if entry.covered or turned == "closed" else "stale"):
                late.append(key)
            covered += entry.covered
            quotes.append(entry.quote)
        return Vouched(quotes, covered, late)

    def apply(self, batch: Batch, shown: Iterable[str]) -> list[str]:
        """Take one batch in; return the keys that look different now, among them those of `shown` whose state turned."""
        turned = (batch.feed, batch.since, batch.phase) != (self._feed, self.since, self.phase)
        turned = turned or not self._link_alive
        if batch.since != self.since:
            self._recover(batch.since)
        self._feed, self.since, self.phase, self.source = batch.feed, batch.since, dict(batch.phase), batch.source
        if turned:
            self._closed = {segment for segment, phase in batch.phase.items() if phase == "closed"}
        self.at = max(self.at, batch.at)
        self._heard_s = self._monotonic()
        self._look_at_clocks()
        if self.continuous_from is None:
            self.continuous_from = self.at
        self._learned += 1
        changed = self._put(batch.ticks)
        if turned:
            changed += self.refresh(shown)
        return changed

    def load(self, known: Iterable[Known]) -> list[str]:
        """Take a cache read in; return the keys that look different now.

        The read may have been overtaken by a batch, so an older tick never replaces a newer one.
        """
        self._look_at_clocks()
        self._learned += 1
        changed = []
        for key, tick, covered in known:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(key)
            entry.confirmed_s = self._monotonic()
            held = entry.quote.tick
            if tick is None or (held is not None and order(tick) < order(held)):
                tick = held
            elif held is None or order(tick) > order(held):
                entry.cached = True
                if not tick.rest:
                    self.last_tick_at = max(self.last_tick_at, tick.received_at)
            entry.covered = covered and tick is not None and tick.received_at >= self.since
            if self._show(entry, tick):
                changed.append(key)
        return changed

    def refresh(self, keys: Iterable[str]) -> list[str]:
        """Work the states of `keys` out again: time passes, links die. Return the keys whose state turned."""
        self._look_at_clocks()
        entries = [entry for entry in map(self._entries.get, keys) if entry is not None]
        return [entry.quote.key for entry in entries if self._show(entry, entry.quote.tick)]

    def say(self, status: str) -> bool:
        """Take in what pages are to be told of the market as a whole; true when it is something else than before."""
        if status == self.status:
            return False
        self.version += 1
        self.status, self.status_version = status, self.version
        return True

    def gap(self) -> None:
        """Note that batches may have been missed: nobody can be told what changed since an instant before this."""
        self.continuous_from = None

    def can_resume(self, id_: int) -> bool:
        """Tell whether the board knows everything that changed since the event with this id."""
        start = self.continuous_from
        return start is not None and start <= id_ - RESUME_SLACK_US and id_ <= self.at + _FORWARD_US

    def drop_unconfirmed(self, before_s: float, keep: Collection[str]) -> None:
        """Forget what neither a batch nor a read has spoken of since `before_s`: it may have changed in the gap."""
        for key in [k for k, e in self._entries.items() if e.confirmed_s < before_s and k not in keep]:
            del self._entries[key]

    def trim(self, keep: Collection[str]) -> None:
        """Forget what was not spoken of for longest, down to the capacity; never a key of `keep`."""
        excess = len(self._entries) - CAPACITY
        if excess > 0:
            loose = sorted((e.confirmed_s, k) for k, e in self._entries.items() if k not in keep)
            for _, key in loose[:excess]:
                del self._entries[key]

    def _recover(self, since: int) -> None:
        """A new connection covers only what the broker has spoken of on it."""
        for entry in self._entries.values():
            tick = entry.quote.tick
            entry.covered = since > 0 and tick is not None and tick.received_at >= since

    def _put(self, ticks: Iterable[Tick]) -> list[str]:
        """Make each tick of a batch what its instrument shows; return the keys that look different now.

        One long loop with names of its own and no call in the usual case, a newer price of a live instrument: it runs for
        every tick in every process, and a call costs as much as three comparisons.
        """
        entries, heard_s, at, since, version = self._entries, self._heard_s or 0.0, self.at, self.since, self.version
        live_from, last_at, closed, changed = self._live_from(), self.last_tick_at, self._closed, []
        for tick in ticks:
            key, ltp, ltt, received_at, volume, opened, high, low, close, oi, _, traded_at, rest = tick
            entry = entries.get(key)
            if entry is None:
                entry = entries[key] = _Entry(key)
            entry.confirmed_s = heard_s
            quote = entry.quote
            held, direction = quote.tick, quote.direction
            if held is not None:
                # Batches queued while the cache was read are older than what was read.
                if entry.cached and order(tick) < order(held):
                    continue
                if (
                    (oi is None and held.oi is not None)
                    or ltp is None or volume is None or opened is None or high is None or low is None
                    or close is None or ltt is None
                ):  # fmt: skip
                    tick = completed(tick, held)
                    ltp = tick.ltp
            entry.cached = False
            if received_at > last_at and not rest:
                last_at = received_at
            covered = entry.covered = 0 < since <= received_at
            if covered and traded_at >= live_from and not rest and ltp is not None and entry.segment not in closed:
                turned: State = "live"
            else:
                turned = self._state(entry.segment, tick, covered)
            before = None if held is None else held.ltp
            if ltp == before and turned == quote.state and look_alike(tick, held):
                entry.quote = _new_quote(Quote, (key, tick, *quote[2:]))
                continue
            version += 1
            moved = False
            if ltp != before and before is not None and ltp is not None:
                moved, direction = True, 1 if ltp > before else -1
            entry.quote = _new_quote(Quote, (key, tick, turned, direction, moved, version, at))
            changed.append(key)
        self.version, self.last_tick_at = version, last_at
        return changed

    def _show(self, entry: _Entry, tick: Tick | None) -> bool:
        """Make `tick` what the entry shows; tell whether anybody could see the difference."""
        quote = entry.quote
        turned = self._state(entry.segment, tick, entry.covered)
        if turned == quote.state and look_alike(tick, quote.tick):
            if tick is not quote.tick:
                entry.quote = quote._replace(tick=tick)
            return False
        self._learned += 1
        self.version += 1
        before = quote.tick.ltp if quote.tick else None
        after = tick.ltp if tick else None
        moved = before is not None and after is not None and before != after
        direction = (1 if after > before else -1) if moved and after and before else quote.direction
        entry.quote = Quote(quote.key, tick, turned, direction, moved, self.version, self.at)
        return True

    def _live_from(self) -> float:
        """Return the microsecond from which on a covered trade is live for certain; infinite when none is.

        One later than `state` would say, so that how a float is rounded remains its own business.
        """
        alive = self._link_alive and self._feed == "live"
        return (self._now_s - LIVE_FOR_S) * 1e6 + 1 if alive else float("inf")

    def _state(self, segment: str, tick: Tick | None, covered: bool) -> State:
        if not self._link_alive:
            # Without the worker nobody knows whether the market is open: its last word on the phase counts no more.
            return state(tick, now=self._now_s, feed="down", open_=True, covered=covered)
        return state(tick, now=self._now_s, feed=self._feed, open_=segment not in self._closed, covered=covered)

    def _look_at_clocks(self) -> None:
        self._now_s, self._link_alive = self._now(), self.link_age_s <= LINK_DEAD_AFTER_S
