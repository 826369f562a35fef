"""The newest tick of every instrument, and those that changed since they were last taken.

The step between feed and cache: packets come many times a second, the cache needs only the newest values.
Knows neither clock, thread nor Redis: the caller holds a lock around each call.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ltp.core.money import Price, is_currency
from ltp.core.ticks import clock_step
from ltp.core.ticks.evidence import PUNCTUAL_S
from ltp.core.ticks.merge import LTT_AHEAD_US, Merge
from ltp.core.ticks.off_sessions import OffSessions
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices, Tick, TickFields
from ltp.core.trading_day import DAY_S, midnight_of

_PUNCTUAL_US: Final = int(PUNCTUAL_S * 1_000_000)
_SNAP_FROM: Final = 1_024 * 10_000  # below this float32 is fine enough for every segment's price grid
# Half of the lowest paise price that needs it: high or previous close may need it while ltp does not.
_PAISE_SNAP_FROM: Final = 65_536 * 10_000


class Conflator:
    """Table of the newest Tick by key, and the set of keys that changed since `take`.

    `counters`: duplicate, out_of_order, corrected, ltt_future, ltt_past, ltt_distrusted, unasked.
    `off_sessions`: refuses prices of days without a session.
    """

    def __init__(self, off_sessions: OffSessions | None = None) -> None:
        self._off_sessions = off_sessions or OffSessions()
        self.counters: Counter[str] = Counter()
        self._table: dict[str, TickFields] = {}
        self._changed: dict[str, TickFields] = {}
        self._admitted: set[str] = set()
        self._currency: set[str] = set()
        self._merge = Merge(self.counters, self._off_sessions)
        self._since = 0

    def configure(
        self,
        *,
        tick_size: Callable[[str], Price],
        prev_close_from: frozenset[str],
        sessions: Mapping[str, str],
        delay_s: Mapping[str, float],
    ) -> None:
        """Set the facts that packets lack.

        Args:
            tick_size: returns the price grid of a key, 0 if unknown; called only for prices for which float32
                is too coarse.
            prev_close_from: segments whose packets now carry the previous session's close; after hours the
                same field is
                the day's own close.
            sessions: ISO date of the current or last session by segment, for a price without a trade time.
            delay_s: by segment, how late the prices of most moving instruments come; a segment for which that
            is unknown is absent.
        """
        self._merge.configure(
            tick_size=tick_size, prev_close_from=prev_close_from, sessions=sessions, delay_s=delay_s
        )

    def connected(self, since: int) -> None:
        """Mark the ticks received since the present connection was subscribed, at `since` (microseconds), as
        changed.

        The packet of a share that has not traded repeats known values, but on this connection it is news:
        otherwise the share would be shown as stale until its next trade.
        """
        if since == self._since:
            return
        self._since = self._merge.evidence.since = since
        if since:
            self._changed.update(
                (key, tick) for key, tick in self._table.items() if Tick._make(tick).received_at >= since
            )

    def set_back(self, now: int, by: int) -> None:
        """Adapt instants to the host's clock, which was set back by `by` microseconds to `now`."""
        self._table.update(clock_step.set_back(self._table.values(), now, by))
        self._changed = {key: self._table[key] for key in self._changed}

    def admit(self, keys: Iterable[str]) -> None:
        """Accept ticks of these keys; damaged bytes that name another instrument never get a row."""
        keys = list(keys)
        self._admitted.update(keys)
        self._currency.update(key for key in keys if is_currency(key))

    def restore(self, ticks: Iterable[Tick]) -> None:
        """Take over cached ticks of keys that have no row yet; this is no change."""
        for tick in itertools.filterfalse(self._off_sessions.refuses, ticks):
            self._table.setdefault(tick.key, tick)

    def forget(self, reassigned: Mapping[str, int]) -> None:
        """Forget keys that were given to other instruments; by key, since when (microseconds). A tick
        received since then is the new instrument's: it stays and counts as changed.
        """
        for key, since in reassigned.items():
            known = self.get(key)
            if known is not None and known.received_at >= since:
                self._changed[key] = known
                continue
            self._table.pop(key, None)
            self._changed.pop(key, None)
            self._merge.forget(key)

    def changed(self) -> bool:
        return bool(self._changed)

    def take(self, *, everything: bool = False) -> list[TickFields]:
        """Return the newest tick of each changed key, oldest change first, or of every key, and forget the
        changes.
        """
        changed, self._changed = self._changed, {}
        return list((self._table if everything else changed).values())

    def all(self) -> list[Tick]:
        return list(map(Tick._make, self._table.values()))

    def get(self, key: str) -> Tick | None:
        known = self._table.get(key)
        return None if known is None else Tick._make(known)

    def received_at(self, keys: Iterable[str]) -> dict[str, int]:
        """Return by key when its newest tick came, in microseconds since the epoch; without keys that had none."""
        table = self._table
        return {key: tick[3] for key in keys if (tick := table.get(key)) is not None}

    def mistimed(self) -> list[str]:
        """Return the keys with trade times that contradict their volumes."""
        return self._merge.evidence.mistimed

    def apply(self, ticks: Sequence[TickFields]) -> None:
        """Merge ticks in their order. Half a microsecond a tick: this is the reader's thread."""
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
            if volume is None:
                volume = o_volume
            elif volume != o_volume and (
                o_volume is None or volume < o_volume or traded_at < o_received_at - _PUNCTUAL_US
            ):
                self._apply_rare(Tick._make(tick), old)
                continue
            if ltp >= _SNAP_FROM and (ltp >= _PAISE_SNAP_FROM or key in currency):
                ltp, *prices = self._merge.snapped(key, ltp, day.open, day.high, day.low, day.prev_close)
                day = DayPrices(*prices)
            if day is not o_day:
                day = self._day(key, day, o_day, ltt, received_at)
            if oi is None:
                oi = o_oi
            new = table[key] = key, ltp, ltt, received_at, volume, day, oi, session, traded_at, False
            same = (
                ltp == o_ltp
                and volume == o_volume
                and ltt == o_ltt
                and oi == o_oi
                and (day is o_day or day == o_day)
            )
            if same and not o_rest and o_received_at >= since:
                self.counters["duplicate"] += 1
                if key in changed:
                    changed[key] = new
            else:
                changed[key] = new

    def _day(self, key: str, day: DayPrices, old: DayPrices, ltt: int, received_at: int) -> DayPrices:
        """Return `day`, with missing and inadmissible prices taken from `old`.

        If nothing was taken from `old`, it is `day` itself, so that the next tick, which most likely brings
        the same object, is compared by identity. Else it is `old` where that is equal.
        """
        if day is UNKNOWN_DAY:
            return old
        admitted = day
        if day.prev_close != old.prev_close and not self._merge.takes_prev_close(
            key, old.prev_close, ltt, received_at
        ):
            admitted = replace(day, prev_close=None)
        merged = admitted.filled(old)
        return old if merged is not day and merged == old else merged

    def _apply_rare(self, tick: Tick, known: TickFields | None) -> None:
        """Merge a tick that the loop above does not: a first, partial or REST tick, a new day, odd times and
        volumes.
        """
        old = None if known is None else Tick._make(known)
        if old is None and tick.key not in self._admitted:
            self.counters["unasked"] += 1
            return
        merged = self._merge.merged(tick, old)
        if merged is None:
            return
        self._table[tick.key] = merged
        confirms = old is not None and old.received_at < self._since <= merged.received_at
        if old is None or confirms or merged._replace(received_at=0) != old._replace(received_at=0):
            self._changed[tick.key] = merged
        else:
            self.counters["duplicate"] += 1
            if tick.key in self._changed:
                self._changed[tick.key] = merged


def _day_of(epoch_s: int) -> tuple[int, int]:
    """Return the first second of the day in India, and the first of the next."""
    began = midnight_of(epoch_s)
    return began, began + DAY_S
