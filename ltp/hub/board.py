"""The board: the newest quote of every instrument that this process knows, in one rising order of versions.

The step from batches and cache reads to quotes. Knows neither browsers nor markup. Not thread-safe: threads
that share a board hold one lock around every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import Feed, Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.changes import Changes
from ltp.hub.entry import Entry, VouchedQuotes, defer, order, outdated, show, take, vouch, vouch_by_connection
from ltp.hub.feed_states import FeedStates

# The feed carries 5,000 instruments. The others are those that a page wanted and the worker has dropped.
CAPACITY: Final = 6_000
RESUME_SLACK_US: Final = 1_000_000  # how far the batches applied by two web processes may be apart
_FORWARD_US: Final = 1_000_000  # ids are instants of batches: one further ahead was not given by this site


class Board:
    """`version` rises by one with each visible change. `at`: that of the newest Batch, 0 before the first.

    `continuous_from`: `Batch.at` since which no batch was missed, None while that is not known. `status`:
    markup on the market as a whole for open pages, as of `status_version`. `last_tick_at`: microseconds at
    which the newest tick of the feed was received, of any instrument; 0 before the first.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._entries: dict[str, Entry] = {}
        self._feeds = FeedStates(now, monotonic)
        self._learned = 1
        self._changes = Changes()
        self.version = 0
        self.at = 0
        self.source = ""
        self.notice = ""
        self.continuous_from: int | None = None
        self.last_tick_at = 0
        self.status, self.status_version = "", 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def link_age_s(self) -> float:
        """Seconds since the newest batch, infinite before the first."""
        return self._feeds.link_age_s

    @property
    def feed(self) -> Feed:
        """The worst state of any connection; "down" is also that of one without a recent batch."""
        return self._feeds.feed

    @property
    def phase(self) -> Mapping[str, str]:
        return self._feeds.phase

    @property
    def doubts(self) -> Mapping[str, str]:
        return self._feeds.doubts

    def feed_states(self) -> Mapping[str, FeedState]:
        """Return the states of all connections now; any other name gives that of a dead connection."""
        return self._feeds.all()

    def get(self, key: str) -> Quote:
        return self.quotes((key,))[0]

    def held(self, keys: Iterable[str]) -> list[Quote | None]:
        """Return the quotes of `keys`, which must be on open pages: others may have deferred ticks. None for
        unknown ones.
        """
        get = self._entries.get
        return [None if (entry := get(key)) is None else entry.quote for key in keys]

    def quotes(self, keys: Collection[str]) -> list[Quote]:
        self._settle(keys)
        entries = self._entries
        return [entry.quote if (entry := entries.get(key)) else Quote(key, None, "unknown") for key in keys]

    def newer(self, keys: Iterable[str], after: int) -> list[Quote]:
        """Return the quotes of `keys`, which must be shown, that look different since version `after`."""
        changed, get = self._changes.since(after), self._entries.get
        if changed is not None:
            keys = [key for key in keys if key in changed]
        return [
            quote
            for key in keys
            if (entry := get(key)) is not None and (quote := entry.quote).version > after
        ]

    def changed_since(self, version: int) -> set[str] | None:
        """Return the keys that changed after `version`, and perhaps others; None if the changes since then
        are no longer kept.
        """
        return self._changes.since(version)

    def unconfirmed(self, keys: Iterable[str], before_s: float, shown: Callable[[str], bool]) -> list[str]:
        """Return those of `keys`, each once, that the board does not know, or that are neither shown nor
        confirmed since the monotonic instant `before_s`.
        """
        entries = self._entries
        old = [key for key in keys if (entry := entries.get(key)) is None or entry.confirmed_s < before_s]
        return [key for key in dict.fromkeys(old) if key not in entries or not shown(key)]

    @property
    def stamp(self) -> int:
        """Rises with every batch and cache read. 0 while the cache may be newer than the board: after a gap,
        or without a recent batch of a live feed.
        """
        return self._learned if self.continuous_from is not None and self._feeds.vouch else 0

    def vouched(self, keys: Collection[str]) -> VouchedQuotes | None:
        """Return the quotes of `keys`, None if the cache may be newer. For a price by REST it always may:
        only the cache shows whether the feed has confirmed that.
        """
        if not self.stamp:
            return None
        self._settle(keys)
        feeds = self._feeds.vouching()
        if self._feeds.several:
            return vouch_by_connection(self._entries, keys, feeds)
        feed = next(iter(feeds.values()), None)  # None if the batch has become too old since `stamp`
        return feed and vouch(self._entries, keys, feed)

    def apply(self, batch: Batch, shown: Collection[str]) -> list[str]:
        """Take in one batch; return the keys of `shown` that look different now, and perhaps others.

        Ticks of instruments that are not shown may be deferred until their quotes are read.
        """
        received_s = self._monotonic()
        turned, reconnected = self._feeds.apply(batch, received_s)
        if reconnected:
            self._cover_anew(batch.connection)
        self.source, self.notice = batch.source, batch.notice
        self.at = max(self.at, batch.at)
        if self.continuous_from is None:
            self.continuous_from = self.at
        self._learned += 1
        forgotten = self._forget(batch.reassigned)
        ticks, newest_at = defer(self._entries, batch.ticks, shown, received_s, batch.connection)
        if self._feeds.several:
            for tick in batch.ticks:
                self._entries[tick.key].connection = batch.connection
        self.last_tick_at = max(self.last_tick_at, newest_at)
        changed = forgotten + self._take(ticks, self._feeds.of(batch.connection)) if ticks else forgotten
        self._changes.note(self.version, changed)
        if turned:
            changed = changed + self.refresh(shown)
        return changed

    def load(self, known: Iterable[CachedTick], *, newest: bool = False) -> list[str]:
        """Take in a cache read; return the keys that look different now.

        A batch may have overtaken the read, so an older tick never replaces a newer one.

        Args:
            newest: no batch can have come since the read. Then its ticks replace those of the board whatever
                their instants are: the clock that wrote these may have been set since.
        """
        known = list(known)
        self._settle([each.key for each in known])
        for connection in {each.connection for each in known}:
            self._feeds.note(connection)
        feeds, changed, confirmed_s = self._feeds.all(), [], self._monotonic()
        self._learned += 1
        for key, tick, covered, connection in known:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = Entry(key, connection)
            entry.confirmed_s, entry.at_once = confirmed_s, True
            before = entry.quote.tick
            if tick is None or (before is not None and not newest and order(tick) < order(before)):
                tick = before
            else:
                entry.connection = connection
                if before is None or order(tick) != order(before):
                    entry.cached = True
                    if not tick.rest:
                        self.last_tick_at = max(self.last_tick_at, tick.received_at)
            feed = feeds[entry.connection]
            entry.vouched, entry.covered = covered, covered and feed.covers(tick)
            if self._show(entry, tick, feed):
                changed.append(key)
        self._changes.note(self.version, changed)
        return changed

    def refresh(self, keys: Collection[str]) -> list[str]:
        """Work out the states of `keys` again as time passes; return the keys whose state changed."""
        self._settle(keys)
        entries = [entry for entry in map(self._entries.get, keys) if entry is not None]
        changed = [
            entry.quote.key
            for feed, own in self._by_connection(entries)
            for entry in outdated(own, feed)
            if self._show(entry, entry.quote.tick, feed)
        ]
        self._changes.note(self.version, changed)
        return changed

    def set_status(self, status: str) -> bool:
        """Replace the markup of the status line; return whether it is another than before."""
        if status == self.status:
            return False
        self.version += 1
        self.status, self.status_version = status, self.version
        return True

    def gap(self) -> None:
        """Note that batches may have been missed: changes since an earlier instant are no longer known."""
        self.continuous_from = None
        self.last_tick_at = 0

    def can_resume(self, id_: int) -> bool:
        """Return whether the board knows everything that changed since the event with this id."""
        start = self.continuous_from
        return start is not None and start <= id_ - RESUME_SLACK_US and id_ <= self.at + _FORWARD_US

    def drop_unconfirmed(self, before_s: float, keep: Collection[str]) -> None:
        """Forget instruments that neither a batch nor a read has confirmed since `before_s`: they may have
        changed in the gap.
        """
        for key in [k for k, e in self._entries.items() if e.confirmed_s < before_s and k not in keep]:
            del self._entries[key]

    def trim(self, keep: Collection[str]) -> None:
        """Forget the instruments confirmed longest ago, down to the capacity; never a key of `keep`."""
        excess = len(self._entries) - CAPACITY
        if excess > 0:
            loose = sorted((e.confirmed_s, k) for k, e in self._entries.items() if k not in keep)
            for _, key in loose[:excess]:
                del self._entries[key]

    def _forget(self, reassigned: Mapping[str, int]) -> list[str]:
        """Begin anew with keys that mean other instruments; return the keys that look different now."""
        changed = []
        for key, since in reassigned.items():
            self._settle((key,))
            entry = self._entries.get(key)
            if entry is not None and entry.quote.tick is not None and entry.quote.tick.received_at < since:
                self.version += 1
                self._entries[key] = fresh = Entry(key, entry.connection)
                fresh.quote = Quote(key, None, "unknown", version=self.version, at=self.at)
                changed.append(key)
        return changed

    def _cover_anew(self, connection: str) -> None:
        """A new connection covers only prices that were received on it."""
        feed = self._feeds.of(connection)
        for entry in self._entries.values():
            if entry.connection == connection:
                entry.cover(feed)

    def _settle(self, keys: Iterable[str]) -> None:
        """Take in the deferred ticks of `keys`.

        These changes are not noted. No view needs them: ticks of a shown instrument are not deferred, and a
        view that opens begins at the present version. Programs that poll the API would soon fill the kept
        changes.
        """
        entries = [
            entry
            for entry in map(self._entries.get, keys)
            if entry is not None and entry.deferred is not None
        ]
        for feed, own in self._by_connection(entries):
            self._take([tick for entry in own for tick in entry.collect()], feed)

    def _by_connection(self, entries: list[Entry]) -> list[tuple[FeedState, list[Entry]]]:
        if not entries:
            return []
        if not self._feeds.several:
            return [(self._feeds.of(entries[0].connection), entries)]
        groups: dict[str, list[Entry]] = {}
        for entry in entries:
            groups.setdefault(entry.connection, []).append(entry)
        feeds = self._feeds.all()
        return [(feeds[connection], own) for connection, own in groups.items()]

    def _take(self, ticks: Iterable[Tick], feed: FeedState) -> list[str]:
        changed = take(self._entries, ticks, feed, self.at, self.version)
        self.version += len(changed)
        return changed

    def _show(self, entry: Entry, tick: Tick | None, feed: FeedState) -> bool:
        changed = show(entry, tick, feed, self.at, self.version + 1)
        if changed:
            self._learned += 1
            self.version += 1
        return changed
