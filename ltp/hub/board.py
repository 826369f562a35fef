"""The newest value of every instrument this process has heard of, in one rising order of versions.

Step of the path: batches and cache reads become quotes. Knows neither browsers nor markup nor where a batch comes from.
Not thread-safe: whoever shares a board holds one lock around every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from ltp.core.quote import Known, Quote
from ltp.core.tick import LINK_DEAD_AFTER_S, Feed, State, Tick, state
from ltp.core.wire import Batch

CAPACITY: Final = 6_000  # the feed carries 5,000; the rest is what pages asked for and the worker dropped again
RESUME_SLACK_US: Final = 1_000_000  # how far two web processes may be apart in what they have applied
_FORWARD_US: Final = 1_000_000  # an id further ahead than this of the newest batch was never one of ours
_CARRIED: Final = ("ltp", "ltt", "volume", "open", "high", "low", "prev_close", "oi")


class _Entry:
    """`covered`: see core.tick.state. `cached`: the tick came from the cache and no batch has spoken since.
    `confirmed_s`: monotonic instant of the last batch or cache read that carried this instrument.
    """

    __slots__ = ("cached", "confirmed_s", "covered", "quote")

    def __init__(self, key: str) -> None:
        self.quote = Quote(key, None, "unknown")
        self.cached, self.covered, self.confirmed_s = True, False, 0.0


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
        self.version = 0
        self.at = 0
        self.since = 0
        self.source = ""
        self.phase: Mapping[str, str] = {}
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

    def confirmed_s(self, key: str) -> float | None:
        """Monotonic instant at which a batch or the cache last spoke of `key`; None when the board does not hold it."""
        entry = self._entries.get(key)
        return entry.confirmed_s if entry else None

    def apply(self, batch: Batch, shown: Iterable[str]) -> list[str]:
        """Take one batch in; return the keys that look different now, among them those of `shown` whose state turned."""
        turned = (batch.feed, batch.since, batch.phase) != (self._feed, self.since, self.phase)
        turned = turned or not self._link_alive
        if batch.since != self.since:
            self._recover(batch.since)
        self._feed, self.since, self.phase, self.source = batch.feed, batch.since, dict(batch.phase), batch.source
        self.at = max(self.at, batch.at)
        self._heard_s = self._monotonic()
        self._look_at_clocks()
        if self.continuous_from is None:
            self.continuous_from = self.at
        changed = [tick.key for tick in batch.ticks if self._put(tick)]
        if turned:
            changed += self.refresh(shown)
        return changed

    def load(self, known: Iterable[Known]) -> list[str]:
        """Take a cache read in; return the keys that look different now.

        The read may have been overtaken by a batch, so an older tick never replaces a newer one.
        """
        self._look_at_clocks()
        changed = []
        for key, tick, covered in known:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(key)
            entry.confirmed_s = self._monotonic()
            held = entry.quote.tick
            if tick is None or (held is not None and _order(tick) < _order(held)):
                tick = held
            elif held is None or _order(tick) > _order(held):
                entry.cached = True
                self._note(tick)
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

    def _put(self, tick: Tick) -> bool:
        entry = self._entries.get(tick.key)
        if entry is None:
            entry = self._entries[tick.key] = _Entry(tick.key)
        held = entry.quote.tick
        entry.confirmed_s = self._heard_s or 0.0
        if held is not None:
            # Batches queued while the cache was read are older than what was read.
            if entry.cached and _order(tick) < _order(held):
                return False
            tick = _completed(tick, held)
        entry.cached = False
        self._note(tick)
        entry.covered = 0 < self.since <= tick.received_at
        return self._show(entry, tick)

    def _note(self, tick: Tick) -> None:
        if not tick.rest:
            self.last_tick_at = max(self.last_tick_at, tick.received_at)

    def _show(self, entry: _Entry, tick: Tick | None) -> bool:
        """Make `tick` what the entry shows; tell whether anybody could see the difference."""
        quote = entry.quote
        turned = self._state(quote.key, tick, entry.covered)
        if turned == quote.state and (tick is quote.tick or _looks(tick) == _looks(quote.tick)):
            if tick is not quote.tick:
                entry.quote = quote._replace(tick=tick)
            return False
        self.version += 1
        before = quote.tick.ltp if quote.tick else None
        after = tick.ltp if tick else None
        moved = before is not None and after is not None and before != after
        direction = (1 if after > before else -1) if moved and after and before else quote.direction
        entry.quote = Quote(quote.key, tick, turned, direction, moved, self.version, self.at)
        return True

    def _state(self, key: str, tick: Tick | None, covered: bool) -> State:
        if not self._link_alive:
            # Without the worker nobody knows whether the market is open: its last word on the phase counts no more.
            return state(tick, now=self._now_s, feed="down", open_=True, covered=covered)
        open_ = self.phase.get(key.partition(":")[0]) != "closed"
        return state(tick, now=self._now_s, feed=self._feed, open_=open_, covered=covered)

    def _look_at_clocks(self) -> None:
        self._now_s, self._link_alive = self._now(), self.link_age_s <= LINK_DEAD_AFTER_S


def _order(tick: Tick) -> tuple[int, int]:
    return tick.received_at, tick.traded_at


def _looks(tick: Tick | None) -> tuple[object, ...] | None:
    """What of a tick can be seen on a page; that the broker repeated itself cannot."""
    return None if tick is None else (tick.ltp, *tick[4:11])


def _completed(tick: Tick, held: Tick) -> Tick:
    """Carry over what this tick does not mention, within one trading day; the price in any case."""
    same_day = tick.session in ("", held.session)
    if tick.ltp is not None and not (same_day and _lacks(tick, held)):
        return tick
    names = _CARRIED if same_day else ("ltp",)
    return tick._replace(**{name: getattr(held, name) for name in names if getattr(tick, name) is None})


def _lacks(tick: Tick, held: Tick) -> bool:
    """Written out: it is asked of every tick."""
    return (
        (tick.volume is None and held.volume is not None)
        or (tick.prev_close is None and held.prev_close is not None)
        or (tick.open is None and held.open is not None)
        or (tick.high is None and held.high is not None)
        or (tick.low is None and held.low is not None)
        or (tick.oi is None and held.oi is not None)
        or (tick.ltt is None and held.ltt is not None)
    )
