"""The newest value of every instrument this process has heard of, in one rising order of versions.

Step of the path: batches and cache reads become quotes. Knows neither browsers nor markup nor where a batch
comes from. Not thread-safe: whoever shares a board holds one lock around every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import LINK_DEAD_AFTER_S, Feed, Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.changes import Changes
from ltp.hub.entry import Entry, FeedState, order, put_off, show, take

CAPACITY: Final = (
    6_000  # the feed carries 5,000; the rest is what pages asked for and the worker dropped again
)
RESUME_SLACK_US: Final = 1_000_000  # how far two web processes may be apart in what they have applied
_VOUCHES_FOR_S: Final = 3.0  # the worker speaks once a second; after this long the cache may know better
_FORWARD_US: Final = 1_000_000  # an id further ahead than this of the newest batch was never one of ours


class VouchedQuotes(NamedTuple):
    """Quotes that say what the cache would. `covered`: for how many the feed vouches. `late`: whose state may
    have turned.
    """

    quotes: list[Quote]
    covered: int
    late: list[str]


class Board:
    """`version` rises by one with each visible change; `at` is the instant of the newest batch, 0 before the
    first.

    `continuous_from`: the batch instant since which nothing was missed, None while that is not known.
    `status`: what open pages are told of the market as a whole, since `status_version`.
    `last_tick_at`: microseconds at which the broker last spoke of any instrument, 0 before that.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._monotonic = now, monotonic
        self._entries: dict[str, Entry] = {}
        self._heard_s: float | None = None
        self._feed: Feed = "down"
        self._linked = False  # when last looked
        self._learned = 1
        self._changes = Changes()
        self.version = 0
        self.at = 0
        self.since = 0
        self.source = ""
        self.phase: Mapping[str, str] = {}
        self.doubts: Mapping[str, str] = {}
        self.notice = ""
        self._closed: frozenset[str] = frozenset()
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
        return self.quotes((key,))[0]

    def held(self, keys: Iterable[str]) -> list[Quote | None]:
        """Return what is known of each of `keys`, which are shown, so that nothing of them is put off."""
        get = self._entries.get
        return [None if (entry := get(key)) is None else entry.quote for key in keys]

    def quotes(self, keys: Collection[str]) -> list[Quote]:
        self._settle(keys)
        entries = self._entries
        return [entry.quote if (entry := entries.get(key)) else Quote(key, None, "unknown") for key in keys]

    def newer(self, keys: Iterable[str], after: int) -> list[Quote]:
        """Return those of `keys`, which are shown, that look different since version `after`."""
        changed, get = self._changes.since(after), self._entries.get
        if changed is not None:
            keys = [key for key in keys if key in changed]
        return [
            quote
            for key in keys
            if (entry := get(key)) is not None and (quote := entry.quote).version > after
        ]

    def changed_since(self, version: int) -> set[str] | None:
        """Return the keys that changed after `version`, and maybe others; None when that is too long ago to
        tell.
        """
        return self._changes.since(version)

    def doubtful(self, keys: Iterable[str], before_s: float, shown: Callable[[str], bool]) -> list[str]:
        """Return those of `keys`, each once, that the board does not hold, or that are not shown and not
        confirmed since.
        """
        entries = self._entries
        old = [key for key in keys if (entry := entries.get(key)) is None or entry.confirmed_s < before_s]
        return [key for key in dict.fromkeys(old) if key not in entries or not shown(key)]

    @property
    def stamp(self) -> int:
        """Rises with whatever the board learns. 0 while the cache may know more: after a gap, without worker
        or live feed.
        """
        whole = (
            self.continuous_from is not None and self._feed == "live" and self.link_age_s <= _VOUCHES_FOR_S
        )
        return self._learned if whole else 0

    def vouched(self, keys: Collection[str]) -> VouchedQuotes | None:
        """Return what is known of `keys`, None where the cache may know more: whether the feed confirms a
        price by REST.
        """
        if not self.stamp:
            return None
        self._settle(keys)
        entries, closed, doubts, live_from = (
            self._entries,
            self._closed,
            self.doubts,
            self._moment().live_from,
        )
        quotes, late, covered = [], [], 0
        for key in keys:
            entry = entries.get(key)
            tick = entry.quote.tick if entry else None
            if entry is None or tick is None or tick.ltp is None or tick.rest:
                return None
            turned = (
                "closed" if entry.segment in closed else "live" if tick.traded_at >= live_from else "quiet"
            )
            vouched = entry.covered and entry.segment not in doubts
            if entry.quote.state != (turned if vouched or turned == "closed" else "stale"):
                late.append(key)
            covered += vouched
            quotes.append(entry.quote)
        return VouchedQuotes(quotes, covered, late)

    def apply(self, batch: Batch, shown: Collection[str]) -> list[str]:
        """Take one batch in; return the keys of `shown` that look different now, and maybe others.

        What is not shown may wait until somebody asks for it.
        """
        said = batch.feed, batch.since, batch.phase, batch.doubts
        turned = said != (self._feed, self.since, self.phase, self.doubts) or not self._linked
        if batch.since != self.since:
            self._recover(batch.since)
        self._feed, self.since, self.phase, self.source = (
            batch.feed,
            batch.since,
            dict(batch.phase),
            batch.source,
        )
        self.doubts, self.notice = batch.doubts, batch.notice
        if turned:
            self._closed = frozenset(segment for segment, phase in batch.phase.items() if phase == "closed")
        self.at = max(self.at, batch.at)
        self._heard_s = self._monotonic()
        if self.continuous_from is None:
            self.continuous_from = self.at
        self._learned += 1
        forgotten = self._forget(batch.reassigned)
        ticks, spoken_at = put_off(self._entries, batch.ticks, shown, self._heard_s)
        self.last_tick_at = max(self.last_tick_at, spoken_at)
        changed = forgotten + self._take(ticks)
        self._changes.note(self.version, changed)
        if turned:
            changed = changed + self.refresh(shown)
        return changed

    def load(self, known: Iterable[CachedTick], *, newest: bool = False) -> list[str]:
        """Take a cache read in; return the keys that look different now.

        The read may have been overtaken by a batch, so an older tick never replaces a newer one.

        Args:
            newest: no batch can have come since the read. Then it replaces what is held whatever the instants
                say: those were
                written by a clock that may have been set since.
        """
        known = list(known)
        self._settle([each.key for each in known])
        moment, changed = self._moment(), []
        self._learned += 1
        for key, tick, covered in known:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = Entry(key)
            entry.confirmed_s, entry.at_once = self._monotonic(), True
            held = entry.quote.tick
            if tick is None or (held is not None and not newest and order(tick) < order(held)):
                tick = held
            elif held is None or order(tick) != order(held):
                entry.cached = True
                if not tick.rest:
                    self.last_tick_at = max(self.last_tick_at, tick.received_at)
            entry.covered = covered and tick is not None and tick.received_at >= self.since
            if self._show(entry, tick, moment):
                changed.append(key)
        self._changes.note(self.version, changed)
        return changed

    def refresh(self, keys: Collection[str]) -> list[str]:
        """Work the states of `keys` out again: time passes, links die. Return the keys whose state turned."""
        self._settle(keys)
        moment = self._moment()
        entries = [entry for entry in map(self._entries.get, keys) if entry is not None]
        state, doubt = moment.state, moment.doubt
        late = [
            entry
            for entry in entries
            if (turned := state(entry.segment, entry.quote.tick, entry.covered)) != entry.quote.state
            or doubt(entry.segment, turned) != entry.quote.doubt
        ]
        changed = [entry.quote.key for entry in late if self._show(entry, entry.quote.tick, moment)]
        self._changes.note(self.version, changed)
        return changed

    def say(self, status: str) -> bool:
        """Take in what pages are to be told of the market as a whole; true when it is something else than
        before.
        """
        if status == self.status:
            return False
        self.version += 1
        self.status, self.status_version = status, self.version
        return True

    def gap(self) -> None:
        """Note that batches may have been missed: nobody can be told what changed since an instant before
        this.
        """
        self.continuous_from = None
        self.last_tick_at = 0

    def can_resume(self, id_: int) -> bool:
        """Tell whether the board knows everything that changed since the event with this id."""
        start = self.continuous_from
        return start is not None and start <= id_ - RESUME_SLACK_US and id_ <= self.at + _FORWARD_US

    def drop_unconfirmed(self, before_s: float, keep: Collection[str]) -> None:
        """Forget what neither a batch nor a read has spoken of since `before_s`: it may have changed in the
        gap.
        """
        for key in [k for k, e in self._entries.items() if e.confirmed_s < before_s and k not in keep]:
            del self._entries[key]

    def trim(self, keep: Collection[str]) -> None:
        """Forget what was not spoken of for longest, down to the capacity; never a key of `keep`."""
        excess = len(self._entries) - CAPACITY
        if excess > 0:
            loose = sorted((e.confirmed_s, k) for k, e in self._entries.items() if k not in keep)
            for _, key in loose[:excess]:
                del self._entries[key]

    def _forget(self, reassigned: Mapping[str, int]) -> list[str]:
        """Begin anew with keys that mean other instruments since an instant; return those that look different
        now.
        """
        changed = []
        for key, since in reassigned.items():
            self._settle((key,))
            entry = self._entries.get(key)
            if entry is not None and entry.quote.tick is not None and entry.quote.tick.received_at < since:
                self.version += 1
                self._entries[key] = fresh = Entry(key)
                fresh.quote = Quote(key, None, "unknown", version=self.version, at=self.at)
                changed.append(key)
        return changed

    def _recover(self, since: int) -> None:
        """A new connection covers only what the broker has spoken of on it."""
        for entry in self._entries.values():
            tick = entry.quote.tick
            entry.covered = since > 0 and tick is not None and tick.received_at >= since

    def _settle(self, keys: Iterable[str]) -> None:
        """Take in what was put off of `keys`.

        No view has to learn of it: what one shows is not put off, and one that opens begins at the version of
        now. Were it noted, programs that poll the API would soon have filled all that is kept of changes.
        """
        entries = [
            entry for entry in map(self._entries.get, keys) if entry is not None and entry.told is not None
        ]
        if entries:
            self._take([tick for entry in entries for tick in entry.collect()])

    def _take(self, ticks: Iterable[Tick]) -> list[str]:
        changed = take(self._entries, ticks, self._moment(), self.version)
        self.version += len(changed)
        return changed

    def _show(self, entry: Entry, tick: Tick | None, moment: FeedState) -> bool:
        changed = show(entry, tick, moment, self.version + 1)
        if changed:
            self._learned += 1
            self.version += 1
        return changed

    def _moment(self) -> FeedState:
        self._linked = self.link_age_s <= LINK_DEAD_AFTER_S
        return FeedState(
            self._now(), self._linked, self._feed, self.since, self._closed, self.at, self.doubts
        )
