"""One instrument on the board, and the change that a tick makes to its quote.

The step between a batch or cache read and the board: fields carried over, state, direction, whether it looks
different. The ticks of an instrument that no page shows are deferred: the newest is kept as received, with
the last one at another price, until a page or a program reads the instrument. They are then taken in as if
they came just now.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ltp.core.ticks.quote import Quote
from ltp.core.ticks.state import FeedState
from ltp.core.ticks.tick import State, Tick
from ltp.core.ticks.wire_tick import WireTick, tick_of

_CARRIED: Final = ("ltp", "volume", "open", "high", "low", "prev_close", "oi")
# NamedTuple's own constructor takes three times as long.
_new_quote: Final[Callable[[type[Quote], tuple[Any, ...]], Quote]] = tuple.__new__


class Entry:
    """One instrument.

    `connection`: the broker connection that the newest price came by. `covered`: see core.ticks.state.state.
    `cached`: the quote's tick came from the cache, and no batch has carried the instrument since. `vouched`:
    the `ltp:` key existed in the last cache read. `confirmed_s`: monotonic instant of the last batch or cache
    read with this instrument. `deferred`: the newest tick, if it is newer than the quote. `earlier`: the last
    deferred tick at another price. `oi_known`: the quote has an open interest, and so has each deferred tick.
    `at_once`: the next tick must not be deferred.
    """

    __slots__ = (
        "at_once",
        "cached",
        "confirmed_s",
        "connection",
        "covered",
        "deferred",
        "earlier",
        "oi_known",
        "quote",
        "segment",
        "vouched",
    )

    def __init__(self, key: str, connection: str) -> None:
        self.quote, self.segment = Quote(key, None, "unknown"), key.partition(":")[0]
        self.connection = connection
        self.cached, self.covered, self.vouched, self.confirmed_s = True, False, False, 0.0
        self.at_once, self.oi_known = True, False
        self.deferred: Tick | WireTick | None = None
        self.earlier: Tick | WireTick | None = None

    def collect(self) -> list[Tick]:
        """Return the deferred ticks, oldest first, and forget them."""
        newest, earlier = self.deferred, self.earlier
        self.deferred = self.earlier = None
        # Both, because the direction shown is that of the move from one price to the other.
        return [tick_of(tick) for tick in (earlier, newest) if tick is not None]

    def cover(self, feed: FeedState) -> None:
        """Work out whether the present connection covers the price."""
        self.covered = (self.vouched or not self.cached) and feed.covers(self.quote.tick)


class VouchedQuotes(NamedTuple):
    """Quotes equal to those that the cache would give.

    `covered`: number of them that the feed vouches for. `outdated`: keys whose state has to be worked out again.
    """

    quotes: list[Quote]
    covered: int
    outdated: list[str]


def order(tick: Tick) -> tuple[int, int]:
    return tick.received_at, tick.traded_at


def defer(
    entries: dict[str, Entry],
    ticks: Iterable[Tick | WireTick],
    shown: Container[str],
    received_s: float,
    connection: str,
) -> tuple[list[Tick], int]:
    """Defer each tick of a batch whose instrument is not shown, unless taking it in later gives another
    quote.

    Args:
        connection: of the batch; entries that are new here are made for it.
    Returns:
        The other ticks, each behind the deferred ones of its instrument, to be taken in this order; and
            `received_at` of the newest tick of the feed, 0 if all came by REST.

    Most ticks of most processes end here, so an additional line costs more here than anywhere else.
    """
    taken: list[Tick] = []
    newest_at = 0
    for tick in ticks:
        key, received_at = tick.key, tick.received_at
        if received_at > newest_at and not tick.rest:
            newest_at = received_at
        entry = entries.get(key)
        if entry is None:
            entry = entries[key] = Entry(key, connection)
        entry.confirmed_s = received_s
        deferred = entry.deferred
        if (
            key in shown
            or entry.at_once
            # A missing field is carried over from the tick before, so that tick must not be replaced before
            # it was taken in.
            or tick.ltp is None or tick.volume is None or tick.open is None or tick.high is None or tick.low is None
            or tick.prev_close is None or tick.ltt is None or (tick.oi is None) is entry.oi_known
        ):  # fmt: skip
            if deferred is not None:
                taken += entry.collect()
            # A second tick of this batch must not be deferred while the first is not taken in.
            entry.at_once = True
            taken.append(tick_of(tick))
            continue
        if deferred is not None and deferred.ltp != tick.ltp:
            entry.earlier = deferred
        entry.deferred = tick
    return taken, newest_at


# One long loop with local names, and without a call in the usual case, a newer price of a live instrument: it
# runs for every tick in every process, and a call costs as much as three comparisons.
def take(
    entries: dict[str, Entry], ticks: Iterable[Tick], feed: FeedState, at: int, version: int
) -> list[str]:
    """Turn each tick into the quote of its instrument, which must be in `entries`.

    Args:
        feed: of the connection that the ticks came by.
        at: see Quote.
    Returns:
        The keys that look different now, by rising version from `version` + 1, as the strings of `entries`.
    """
    live_from, since, not_live = feed.live_from, feed.since, feed.closed.union(feed.doubts)
    changed = []
    for tick in ticks:
        key, ltp, ltt, received_at, volume, day, oi, _, traded_at, rest = tick
        entry = entries[key]
        quote = entry.quote
        key, known, state_before, direction, _, _, _, doubt_before = quote
        if known is not None:
            if entry.cached and order(tick) < order(known):
                continue  # batches queued during a cache read are older than its result
            if (
                (oi is None and known.oi is not None)
                or ltp is None or volume is None or ltt is None
                or (day is not known.day and None in (day.open, day.high, day.low, day.prev_close))
            ):  # fmt: skip
                tick = _completed(tick, known)
                ltp, oi = tick.ltp, tick.oi
        entry.cached = entry.at_once = False
        entry.oi_known = oi is not None
        covered = entry.covered = 0 < since <= received_at
        if (
            covered and traded_at >= live_from and not rest and ltp is not None and entry.segment not in not_live
        ):  # fmt: skip
            state: State = "live"
            doubt = ""
        else:
            state = feed.state(entry.segment, tick, covered)
            doubt = feed.doubt(entry.segment, state)
        before = None if known is None else known.ltp
        if ltp == before and state == state_before and doubt == doubt_before and _look_alike(tick, known):
            entry.quote = _new_quote(Quote, (key, tick, *quote[2:]))
            continue
        version += 1
        moved = False
        if ltp != before and before is not None and ltp is not None:
            moved, direction = True, 1 if ltp > before else -1
        entry.quote = _new_quote(Quote, (key, tick, state, direction, moved, version, at, doubt))
        changed.append(key)
    return changed


def outdated(entries: Iterable[Entry], feed: FeedState) -> list[Entry]:
    """Return the entries of one connection whose state or doubt is another by now."""
    state_of, doubt_of = feed.state, feed.doubt
    return [
        entry
        for entry in entries
        if (state := state_of(entry.segment, entry.quote.tick, entry.covered)) != entry.quote.state
        or doubt_of(entry.segment, state) != entry.quote.doubt
    ]


def vouch(entries: Mapping[str, Entry], keys: Iterable[str], feed: FeedState) -> VouchedQuotes | None:
    """Return the quotes of `keys`, None if one has no price or a price by REST: only the cache shows whether
    the feed has confirmed that.

    Args:
        keys: instruments of one connection.
        feed: of that connection, which must be live.
    """
    closed, doubts, live_from = feed.closed, feed.doubts, feed.live_from
    quotes, outdated, covered = [], [], 0
    for key in keys:
        entry = entries.get(key)
        tick = entry.quote.tick if entry else None
        if entry is None or tick is None or tick.ltp is None or tick.rest:
            return None
        # The rule of core.ticks.state for a live feed, without a call for each of a thousand keys.
        state = "closed" if entry.segment in closed else "live" if tick.traded_at >= live_from else "quiet"
        vouched = entry.covered and entry.segment not in doubts
        if entry.quote.state != (state if vouched or state == "closed" else "stale"):
            outdated.append(key)
        covered += vouched
        quotes.append(entry.quote)
    return VouchedQuotes(quotes, covered, outdated)


def vouch_by_connection(
    entries: Mapping[str, Entry], keys: Collection[str], feeds: Mapping[str, FeedState]
) -> VouchedQuotes | None:
    """Return the same for `keys` of several connections; None also if one of these is not in `feeds`."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        entry = entries.get(key)
        if entry is None or entry.connection not in feeds:
            return None
        groups.setdefault(entry.connection, []).append(key)
    outdated, covered = [], 0
    for connection, own in groups.items():
        vouched = vouch(entries, own, feeds[connection])
        if vouched is None:
            return None
        outdated += vouched.outdated
        covered += vouched.covered
    return VouchedQuotes([entries[key].quote for key in keys], covered, outdated)


def show(entry: Entry, tick: Tick | None, feed: FeedState, at: int, version: int) -> bool:
    """Make `tick` the quote's, as of `version` if it looks different; return whether it does."""
    quote = entry.quote
    state = feed.state(entry.segment, tick, entry.covered)
    doubt = feed.doubt(entry.segment, state)
    if state == quote.state and doubt == quote.doubt and _look_alike(tick, quote.tick):
        if tick is not quote.tick:
            entry.quote = quote._replace(tick=tick)
        return False
    before = quote.tick.ltp if quote.tick else None
    after = tick.ltp if tick else None
    moved = before is not None and after is not None and before != after
    direction = (1 if after > before else -1) if moved and after and before else quote.direction
    entry.quote = Quote(quote.key, tick, state, direction, moved, version, at, doubt)
    return True


def _completed(tick: Tick, known: Tick) -> Tick:
    """Return `tick` with missing fields carried over from `known`: all of them within a trading day, else
    only the price.

    A trade time is carried over only together with its price: a new price would get the time of an older
    trade.
    """
    names: tuple[str, ...] = _CARRIED if tick.session in ("", known.session) else ("ltp",)
    if tick.ltp is None and names is _CARRIED:
        names = (*_CARRIED, "ltt")
    missing = {name: getattr(known, name) for name in names if getattr(tick, name) is None}
    return tick._replace(**missing) if missing else tick


def _look_alike(tick: Tick | None, other: Tick | None) -> bool:
    """Return whether two ticks look the same on a page, which shows no time of arrival."""
    if tick is None or other is None:
        return tick is other
    return tick.ltp == other.ltp and tick[4:8] == other[4:8]  # volume, day, open interest, session
