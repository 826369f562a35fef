"""One-minute bars from the ticks of a feed, by the exchange's clock.

A packet is a trade where its trade time, price or cumulative volume differ from those of the packet before.
Volume is the difference of the cumulative volume, never a sum of quantities: a packet carries the last of
several trades alone. A day high (low) that rose (fell) since the packet before on the same connection proves
a trade that no packet carried. Pure: no clock; instants come with the ticks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, NamedTuple

from ltp.core.bars.bar import MINUTE_S, PARTIAL, Bar
from ltp.core.bars.exchange_clock import ExchangeClock
from ltp.core.bars.instrument_bars import InstrumentBars
from ltp.core.bars.trade_time import AHEAD_S, FROZEN_S, is_timely, traded_at
from ltp.core.money import Price, is_currency, snap, snap_from
from ltp.core.ticks.tick import TickFields

GRACE_S: Final = 3  # a trade that arrives later after its minute revises a closed bar
_US: Final = 1_000_000


class ClosedBar(NamedTuple):
    """A bar whose minute is over; one with a start that came before replaces the earlier one."""

    key: str
    bar: Bar


class BarBuilder:
    """Builds the bars of all instruments of one connection. One thread uses it.

    `counters`: bar_untimed, bar_outside, bar_absurd, bar_too_late.
    """

    def __init__(
        self,
        counters: Counter[str],
        *,
        is_open: Callable[[str, int], bool],
        tick_size: Callable[[str], Price] = lambda _: 0,
    ) -> None:
        """Args:
        is_open: whether a segment trades in the minute that starts at these seconds since the epoch.
        tick_size: of an instrument, 0 where unknown; snaps prices that float32 is too coarse for.
        """
        self.counters = counters
        self._is_open, self._tick_size = is_open, tick_size
        self._instruments: dict[str, InstrumentBars] = {}
        self._touched: set[str] = set()  # keys with minutes that are open or revised
        self._open: dict[tuple[str, int], bool] = {}
        self._since = 0
        self._followed: frozenset[str] | None = None  # None: all
        self._clock = ExchangeClock()
        self._over = 0  # exchange second up to which minutes are closed

    def connected(self, since_us: int) -> None:
        """Start a connection: the first packet of each instrument on it sets a baseline and is no trade.

        Minutes that were closed ahead of it are forgotten: our clock was set back.
        """
        self._since, self._clock = since_us, ExchangeClock()
        self._over = min(self._over, since_us // _US)
        for instrument in self._instruments.values():
            if instrument.closed_until > since_us // _US + 2 * MINUTE_S:
                instrument.clear()

    def follow(self, keys: Iterable[str]) -> None:
        """Set the subscribed instruments. Of one that was not, the next packet is a baseline again, and its
        open minute is partial.
        """
        self._followed = frozenset(keys)
        for key, instrument in self._instruments.items():
            if instrument.since and key not in self._followed:
                self._interrupt(instrument)
                instrument.since = 0

    def disconnected(self) -> None:
        """End the connection: every open minute is partial."""
        self._since = 0
        for key in self._touched:
            self._interrupt(self._instruments[key])

    def take(self, ticks: Iterable[TickFields]) -> None:
        """Take ticks in the order of their arrival."""
        instruments, since, clock = self._instruments, self._since, self._clock
        lead_us, newest_us = clock.lead_us, clock.newest_us
        for fields in ticks:
            key, ltp, ltt, received_at, volume, day, oi, _, _, rest = fields
            instrument = instruments.get(key)
            if instrument is None or instrument.since != since:
                # An instrument that has not traded yet has no price, and a volume of 0.
                if since and (ltp is not None or volume == 0) and not rest:
                    self._begin(fields)
                continue
            minute = instrument.newest
            # The usual packet, without a call: a later trade in the minute that is open, within the day's
            # range, and nothing else that the other branches look for.
            if (
                minute is not None and ltp is not None and volume is not None and ltt is not None
                and volume > (instrument.total or 0) and minute.start <= ltt < minute.end
                and ltt >= (instrument.ltt or ltt) and day is instrument.day
                and (instrument.low or ltp) <= ltp <= (instrument.high or 0)
                and ltp < instrument.exact_below and not rest and (place := (ltt, volume)) >= minute.last
                and -AHEAD_S <= (seen := (received_at + lead_us) // _US) - ltt <= FROZEN_S
            ):  # fmt: skip
                if ltp > minute.high:
                    minute.high = ltp
                elif ltp < minute.low:
                    minute.low = ltp
                minute.last, minute.close, minute.total = place, ltp, volume
                if oi is not None:
                    instrument.oi = oi
                minute.oi = instrument.oi
                if ltt != instrument.ltt:
                    instrument.ltt_since = seen
                    if ltt * _US - received_at > newest_us:
                        newest_us = ltt * _US - received_at
                instrument.ltp, instrument.ltt, instrument.total, instrument.seen = ltp, ltt, volume, seen
            elif ltp == instrument.ltp and volume == instrument.total and ltt == instrument.ltt:
                instrument.seen = (received_at + lead_us) // _US
                if oi is not None:
                    instrument.set_oi(oi, instrument.seen)
            elif ltp is not None and not rest:
                self._packet(instrument, fields)
            elif oi is not None:
                instrument.set_oi(oi, (received_at + lead_us) // _US)
        clock.newest_us = max(newest_us, clock.newest_us)

    def due(self, now_us: int) -> list[str]:
        """Return the instruments to `close`: all with trades at the end of a minute, else the revised ones.

        Args:
            now_us: our clock, microseconds since the epoch.
        """
        self._clock.look()
        over = (now_us + self._clock.lead_us) // _US - GRACE_S
        if over // MINUTE_S <= self._over // MINUTE_S:
            return [key for key in self._touched if self._instruments[key].revised]
        self._over = over
        self._open.clear()
        return sorted(self._touched)

    def close(self, keys: Iterable[str]) -> list[ClosedBar]:
        """Return the bars of these instruments that are over, and those that changed after they were closed."""
        closed = []
        for key in keys:
            instrument = self._instruments.get(key)
            if instrument is None:
                continue
            closed += [ClosedBar(key, bar) for bar in instrument.close_until(self._over)]
            if not instrument.open_minutes():
                self._touched.discard(key)
        return closed

    def recent(self, key: str) -> list[Bar]:
        """Return the bars of the last minutes of an instrument, oldest first; the last one may be open."""
        instrument = self._instruments.get(key)
        return [instrument.bar(start) for start in sorted(instrument.minutes)] if instrument else []

    def forget(self, key: str) -> None:
        """Forget an instrument: its key means another one now."""
        self._instruments.pop(key, None)
        self._touched.discard(key)

    def _begin(self, fields: TickFields) -> None:
        """Take the first packet of an instrument on this connection as the baseline."""
        key, ltp, ltt, received_at, volume, day, oi = fields[:7]
        if self._followed is not None and key not in self._followed:
            return
        instrument = self._instruments.get(key)
        if instrument is None:
            exact_below = snap_from(currency=is_currency(key))
            instrument = self._instruments[key] = InstrumentBars(exact_below)
        instrument.since, instrument.total = self._since, volume
        instrument.covered_from = instrument.seen = -(-(received_at + self._clock.lead_us) // _US)
        instrument.ltp, instrument.ltt, instrument.ltt_since = ltp, ltt, instrument.seen
        instrument.oi = oi if oi is not None else instrument.oi
        instrument.day, instrument.high, instrument.low = day, day.high, day.low
        instrument.rebase(volume or 0)

    def _packet(self, instrument: InstrumentBars, fields: TickFields) -> None:
        """Take a packet that differs from the one before."""
        key, ltp, ltt, received_at, volume, day, oi = fields[:7]
        assert ltp is not None  # noqa: S101 (the caller looked)
        arrived, received = (received_at + self._clock.lead_us) // _US, received_at // _US
        if oi is not None:
            instrument.set_oi(oi, arrived)
        if instrument.total is None and volume is not None:
            instrument.rebase(volume)
        known = instrument.total
        fell = volume is not None and known is not None and volume < known
        rose = volume is not None and known is not None and volume > known
        marks = 0
        if fell:
            restart = instrument.restart(volume or 0, ltt, arrived)
            if restart is None:
                if volume:
                    self._late(instrument, fields, arrived)
                return
            marks = restart
        if rose and ltt is not None and ltt > (instrument.ltt or 0):
            self._clock.note(key, ltt, received_at)
            arrived = (received_at + max(self._clock.lead_us, self._clock.newest_us)) // _US
        stood_s = arrived - instrument.ltt_since
        at = traded_at(ltt, arrived, received, before=instrument.ltt, stood_s=stood_s, rose=rose)
        if at is not None and at != ltt:
            self.counters["bar_untimed"] += 1
        if at is not None:
            self._trade(instrument, fields, at, arrived, marks)
        instrument.ltp, instrument.seen = ltp, arrived
        if volume is not None:
            instrument.total = volume
        if ltt is not None:
            if ltt != instrument.ltt:
                instrument.ltt_since = arrived
            instrument.ltt = ltt
        if day.high is not None:
            instrument.day, instrument.high, instrument.low = day, day.high, day.low

    def _trade(
        self, instrument: InstrumentBars, fields: TickFields, at: int, arrived: int, marks: int
    ) -> None:
        """Add the trade of a packet to its minute, with the extremes that the packet proves."""
        key, ltp, _, _, volume, day = fields[:6]
        assert ltp is not None  # noqa: S101 (the caller looked)
        start = at - at % MINUTE_S
        if not self._trades_in(key, start):
            self.counters["bar_outside"] += 1
            if volume is not None:
                instrument.rebase(volume)  # it is no volume of the next minute
        elif (day.high is not None and ltp > day.high) or (day.low is not None and ltp < day.low):
            self.counters["bar_absurd"] += 1
        elif instrument.trade(start, at, self._snapped(key, ltp), volume or 0, marks):
            self._touched.add(key)
            if start in instrument.minutes:
                instrument.extremes(ltp, day, arrived, start, partial(self._snapped, key))
        else:
            self.counters["bar_too_late"] += 1

    def _late(self, instrument: InstrumentBars, fields: TickFields, arrived: int) -> None:
        """Take a packet that a newer one overtook: a price of its minute, and part of its volume."""
        key, ltp, ltt, received_at, volume = fields[:5]
        if ltp is None or ltt is None or not is_timely(ltt, arrived, received_at // _US):
            return
        start = ltt - ltt % MINUTE_S
        if not self._trades_in(key, start):
            self.counters["bar_outside"] += 1
        elif instrument.trade(start, ltt, self._snapped(key, ltp), volume or 0):
            self._touched.add(key)
        else:
            self.counters["bar_too_late"] += 1

    def _interrupt(self, instrument: InstrumentBars) -> None:
        """Mark the open minutes: nothing is received of the instrument from now on."""
        for start in instrument.minutes:
            if start >= instrument.closed_until:
                instrument.mark(start, PARTIAL)

    def _trades_in(self, key: str, start: int) -> bool:
        segment = key.partition(":")[0]
        found = self._open.get((segment, start))
        if found is None:
            found = self._open[segment, start] = self._is_open(segment, start)
        return found

    def _snapped(self, key: str, price: Price) -> Price:
        if price < self._instruments[key].exact_below:
            return price
        return snap(price, self._tick_size(key))
