"""The newest tick of every instrument, and which of them changed since they were last taken.

The step between the feed and the cache: packets come many times a second, the cache wants the newest values only. Knows
neither clock, thread nor Redis: the caller holds a lock around each call and says which segments are open.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from ltp.core import clock_step
from ltp.core.money import Price, is_currency, needs_snap, snap
from ltp.core.off_sessions import OffSessions
from ltp.core.tick import UNTOLD, Day, Said, Tick

IST_OFFSET_S: Final = 19_800
NO_TRADE_BEFORE: Final = 946_684_800  # year 2000: an untraded instrument carries 0 or 1980-01-01 (dhanhq-v2 3.4)
LTT_AHEAD_US: Final = 5_000_000  # how far the exchange's clock may be ahead of ours
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_SNAP_FROM: Final = 1_024 * 10_000  # below this no price of any segment needs a snap
# Half of the first price that needs it: a day's high or previous close can lie above the limit while ltp is below it.
_PAISE_SNAP_FROM: Final = 65_536 * 10_000


class Conflator:
    """Table of the newest Tick by key, and the set of keys that changed since `take`.

    `counters`: duplicate, out_of_order, ltt_future, unasked. `off_sessions`: refuses prices of days that are no sessions.
    """

    def __init__(self, off_sessions: OffSessions | None = None) -> None:
        self._off_sessions = off_sessions or OffSessions()
        self.counters: Counter[str] = Counter()
        self._table: dict[str, Said] = {}
        self._changed: dict[str, Said] = {}
        self._admitted: set[str] = set()
        self._currency: set[str] = set()
        self._tick_size: Callable[[str], Price] = lambda _: 0
        self._prev_close_from: frozenset[str] = frozenset()
        self._sessions: Mapping[str, str] = {}
        self._early_prev_close: dict[str, tuple[str, Price]] = {}
        self._since = 0
        self._days: dict[int, str] = {}

    def configure(
        self, *, tick_size: Callable[[str], Price], prev_close_from: frozenset[str], sessions: Mapping[str, str]
    ) -> None:
        """Say what packets do not.

        Args:
            tick_size: the price grid of a key, 0 when unknown; asked only for prices float32 is too coarse for.
            prev_close_from: segments whose packets now carry the previous session's close; after hours the same field is
                the day's own close (dhanhq-v2 3.5).
            sessions: ISO date of the current or last session by segment, for a price that does not say when it was made.
        """
        self._tick_size, self._prev_close_from, self._sessions = tick_size, prev_close_from, sessions

    def connected(self, since: int) -> None:
        """Mark what was received since the present connection was subscribed at `since` (microseconds) as changed.

        A share that has not traded says the same as before, and that it said it on this connection is news: without it
        the share would be shown stale until its next trade.
        """
        if since == self._since:
            return
        self._since = since
        if since:
            self._changed.update((key, tick) for key, tick in self._table.items() if Tick._make(tick).received_at >= since)

    def set_back(self, now: int, by: int) -> None:
        """Take in that the host's clock was set back by `by` microseconds to `now`."""
        self._table.update(clock_step.set_back(self._table.values(), now, by))
        self._changed = {key: self._table[key] for key in self._changed}

    def admit(self, keys: Iterable[str]) -> None:
        """Let ticks of these keys in; damaged bytes that name another instrument never get a row."""
        keys = list(keys)
        self._admitted.update(keys)
        self._currency.update(key for key in keys if is_currency(key))

    def restore(self, ticks: Iterable[Tick]) -> None:
        """Take over what the cache knows of keys that have no row yet; not a change."""
        for tick in itertools.filterfalse(self._off_sessions.refuses, ticks):
            self._table.setdefault(tick.key, tick)

    def changed(self) -> bool:
        return bool(self._changed)

    def take(self) -> list[Said]:
        """Return the newest tick of each changed key, oldest change first, and forget the changes."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def all(self) -> list[Tick]:
        return list(map(Tick._make, self._table.values()))

    def get(self, key: str) -> Tick | None:
        known = self._table.get(key)
        return None if known is None else Tick._make(known)

    def apply(self, ticks: Sequence[Said]) -> None:
        """Merge what packets said, in their order. Half a microsecond a tick: this is the reader's thread."""
        table, changed, since, currency = self._table, self._changed, self._since, self._currency
        today, tomorrow = _day_of(Tick._make(ticks[0]).received_at // 1_000_000) if ticks else (0, 0)
        for tick in ticks:
            key, ltp, ltt, received_at, volume, day, oi, _, _, rest = tick
            old = table.get(key)
            if old is None or ltp is None or ltt is None or rest or old[1] is None:
                self._apply_rare(Tick._make(tick), old)
                continue
            _, o_ltp, o_ltt, o_received_at, o_volume, o_day, o_oi, session, traded_at, o_rest = old
            if ltt != o_ltt or o_rest:
                traded_at = ltt * 1_000_000
                if (
                    o_ltt is None
                    or not o_ltt < ltt
                    or traded_at - received_at > LTT_AHEAD_US
                    or not ((today <= o_ltt and ltt < tomorrow) or o_ltt >= _day_of(ltt)[0])
                ):
                    self._apply_rare(Tick._make(tick), old)
                    continue
            if ltp >= _SNAP_FROM and (ltp >= _PAISE_SNAP_FROM or key in currency):
                ltp, *prices = self._snapped(key, ltp, day.open, day.high, day.low, day.prev_close)
                day = Day(*prices)
            if day is not o_day:
                day = self._day(key, day, o_day, ltt, received_at)
            if volume is None:
                volume = o_volume
            if oi is None:
                oi = o_oi
            new = table[key] = key, ltp, ltt, received_at, volume, day, oi, session, traded_at, False
            same = ltp == o_ltp and volume == o_volume and ltt == o_ltt and oi == o_oi and (day is o_day or day == o_day)
            if same and not o_rest and o_received_at >= since:
                self.counters["duplicate"] += 1
                if key in changed:
                    changed[key] = new
            else:
                changed[key] = new

    def _day(self, key: str, day: Day, old: Day, ltt: int, received_at: int) -> Day:
        """Return `day` with what it lacks, or may not tell, taken from `old`.

        Itself where that is nothing, since the next tick will most likely bring it again; else `old` where it says the same.
        """
        if day is UNTOLD:
            return old
        told = day
        if day.prev_close != old.prev_close and not self._takes_prev_close(key, old.prev_close, ltt, received_at):
            told = replace(day, prev_close=None)
        merged = told.filled(old)
        return old if merged is not day and merged == old else merged

    def _apply_rare(self, tick: Tick, known: Said | None) -> None:
        """Everything the loop above does not decide at a glance: first sights, partial and REST ticks, a new day, odd times."""
        old = None if known is None else Tick._make(known)
        if old is None and tick.key not in self._admitted:
            self.counters["unasked"] += 1
            return
        if self._off_sessions.refuses(tick := self._clean(tick)):
            return
        if tick.ltp is None:
            merged = self._with_partial(tick, old)
        elif old is None or old.ltp is None:
            merged = self._first_price(tick, old)
        elif tick.rest:
            merged = self._with_rest(tick, old)
        else:
            merged = self._with_price(tick, old)
        if merged is None:
            return
        self._table[tick.key] = merged
        if old is None or merged._replace(received_at=0) != old._replace(received_at=0) or old.received_at < self._since:
            self._changed[tick.key] = merged
        else:
            self.counters["duplicate"] += 1
            if tick.key in self._changed:
                self._changed[tick.key] = merged

    def _clean(self, tick: Tick) -> Tick:
        """Snap the prices, and drop an `ltt` that is no time of a trade."""
        ltt = tick.ltt
        if ltt is not None and (ltt < NO_TRADE_BEFORE or ltt * 1_000_000 > tick.received_at + LTT_AHEAD_US):
            if ltt >= NO_TRADE_BEFORE:
                self.counters["ltt_future"] += 1
            ltt = None
        ltp, open_, high, low, prev_close = self._snapped(tick.key, tick.ltp, tick.open, tick.high, tick.low, tick.prev_close)
        return tick._replace(ltt=ltt, ltp=ltp, open=open_, high=high, low=low, prev_close=prev_close)

    def _with_partial(self, tick: Tick, old: Tick | None) -> Tick | None:
        """A packet without a price (open interest, previous close) adds its field and blanks none."""
        today = self._session(tick.received_at // 1_000_000)
        prev_close = tick.prev_close
        if prev_close is not None:
            # It is sent on subscribing, often before the day's first trade: kept for the session that trade begins.
            self._early_prev_close[tick.key] = (today, prev_close)
        if old is None:
            return tick._replace(session="", traded_at=0)
        if prev_close is None or (old.prev_close is not None and old.ltp is not None and old.session != today):
            prev_close = old.prev_close  # yesterday's price keeps yesterday's base, or its change would read zero
        return old._replace(
            received_at=tick.received_at,
            prev_close=prev_close,
            oi=old.oi if tick.oi is None else tick.oi,
        )

    def _first_price(self, tick: Tick, old: Tick | None) -> Tick:
        """No price is known: there is nothing to compare with, and what a partial packet said before stays."""
        session = self._session_of(tick)
        takes = tick.rest or self._takes_prev_close(tick.key, None, tick.ltt, tick.received_at)
        prev_close = tick.prev_close if takes else None
        if prev_close is None:
            prev_close = self._early(tick.key, session) if old is None else old.prev_close
        if tick.ltt is not None:
            traded_at = tick.ltt * 1_000_000
        else:
            traded_at = 0 if tick.rest or tick.volume == 0 else tick.received_at
        oi = tick.oi if tick.oi is not None or old is None else old.oi
        return tick._replace(prev_close=prev_close, oi=oi, session=session, traded_at=traded_at)

    def _with_price(self, tick: Tick, old: Tick) -> Tick | None:
        session = self._session_of(tick)
        if session < old.session or (session == old.session and tick.ltt is not None and (old.ltt or 0) > tick.ltt):
            self.counters["out_of_order"] += 1
            return None
        if session > old.session and (tick.ltt is not None or self._moved(tick, old)):
            return self._first_price(tick, None)
        merged = self._over(tick, old)
        if tick.ltt is not None:
            return merged._replace(traded_at=tick.ltt * 1_000_000)
        return merged._replace(ltt=old.ltt, traded_at=tick.received_at if self._moved(tick, old) else old.traded_at)

    def _with_rest(self, tick: Tick, old: Tick) -> Tick | None:
        """A REST price is older than it arrives: it counts only where it tells of a later trade, else it fills gaps.

        Its `received_at` counts only with its price, or a price from before a reconnect would pass for one after it.
        """
        session = self._session_of(tick)
        if tick.ltt is not None and session > old.session:
            return self._first_price(tick, None)
        if session < old.session:
            return None
        known_later = old.ltt is not None and (tick.ltt is None or tick.ltt <= old.ltt)
        if tick.received_at < old.received_at or (not old.rest and (known_later or tick.ltt is None)):
            filled = old.filled(tick)
            return filled if filled != old else None
        return self._over(tick, old)._replace(ltt=tick.ltt or old.ltt, traded_at=old.traded_at)

    def _over(self, tick: Tick, old: Tick) -> Tick:
        """Return `tick` with what it does not say taken from `old`, of the same session."""
        takes = tick.rest or self._takes_prev_close(tick.key, old.prev_close, tick.ltt, tick.received_at)
        return (tick if takes else tick._replace(prev_close=None)).filled(old)._replace(session=old.session)

    @staticmethod
    def _moved(tick: Tick, old: Tick) -> bool:
        return tick.ltp != old.ltp or (tick.volume is not None and tick.volume != old.volume)

    def _takes_prev_close(self, key: str, known: Price | None, ltt: int | None, received_at: int) -> bool:
        """Whether a price packet's close is the previous session's.

        A snapshot of an earlier day, shown before the day's first trade, carries that day's: taken only for want of a better.
        """
        if key.partition(":")[0] not in self._prev_close_from:
            return False
        today = (received_at // 1_000_000 + IST_OFFSET_S) // 86_400
        return known is None or ltt is None or (ltt + IST_OFFSET_S) // 86_400 == today

    def _early(self, key: str, session: str) -> Price | None:
        day, prev_close = self._early_prev_close.get(key, ("", 0))
        return prev_close if day == session else None

    def _session_of(self, tick: Tick) -> str:
        if tick.ltt is not None:
            return self._session(tick.ltt)
        known = self._sessions.get(tick.key.partition(":")[0])
        return known or self._session(tick.received_at // 1_000_000)

    def _session(self, epoch_s: int) -> str:
        day = (epoch_s + IST_OFFSET_S) // 86_400
        session = self._days.get(day)
        if session is None:
            session = self._days[day] = date.fromordinal(_EPOCH_ORDINAL + day).isoformat()
        return session

    def _snapped(self, key: str, *prices: Price | None) -> list[Price | None]:
        """float32 was too coarse for a price like this: restore it from the instrument's tick."""
        currency = is_currency(key)
        return [
            snap(price, self._tick_size(key)) if price and needs_snap(price, currency=currency) else price for price in prices
        ]


def _day_of(epoch_s: int) -> tuple[int, int]:
    """Return from and before which second it is the same day in India."""
    midnight = (epoch_s + IST_OFFSET_S) // 86_400 * 86_400 - IST_OFFSET_S
    return midnight, midnight + 86_400
