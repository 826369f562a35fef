"""One-minute bars from the ticks of a feed, by the exchange's clock.

A packet is a trade where its trade time, price or cumulative volume differ from those of the packet before.
Volume is the difference of the cumulative volume, never a sum of quantities: a packet carries the last of
several trades alone. A day high (low) that rose (fell) since the packet before on the same connection proves
a trade that no packet carried. Pure: no clock; instants come with the ticks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from ltp.core.bars.bar import CORRECTED, MINUTE_S, PARTIAL, UNSURE, Bar
from ltp.core.bars.instrument_bars import InstrumentBars
from ltp.core.bars.trade_time import AHEAD_S, FROZEN_S, is_timely, traded_at
from ltp.core.money import Price, is_currency, snap, snap_from
from ltp.core.ticks.tick import DayPrices, TickFields

GRACE_S: Final = 3  # a trade that arrives later after its minute revises a closed bar
_DAY_S: Final = 86_400
_IST_S: Final = 19_800
_US: Final = 1_000_000
_NO_LEAD: Final = -(10**18)


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
        self._lead_us = 0  # the exchange's clock minus ours, as far as packets prove it
        self._newest_lead_us = _NO_LEAD  # the largest since the last look
        self._over = 0  # exchange second up to which minutes are closed

    def connected(self, since_us: int) -> None:
        """Start a connection: the first packet of each instrument on it sets a baseline and is no trade."""
        self._since = since_us

    def disconnected(self) -> None:
        """End the connection: every open minute is partial."""
        self._since = 0
        for key in self._touched:
            instrument = self._instruments[key]
            for start in instrument.minutes:
                if start >= instrument.closed_until:
                    instrument.mark(start, PARTIAL)

    def take(self, ticks: Iterable[TickFields]) -> None:
        """Take ticks in the order of their arrival."""
        instruments, since, lead_us = self._instruments, self._since, self._lead_us
        newest_lead_us = self._newest_lead_us
        for fields in ticks:
            key, ltp, ltt, received_at, volume, day, oi, _, _, rest = fields
            instrument = instruments.get(key)
            if instrument is None or instrument.since != since:
                if since and ltp is not None and not rest:
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
                instrument.ltp, instrument.ltt, instrument.total, instrument.seen = ltp, ltt, volume, seen
                if ltt * _US - received_at > newest_lead_us:
                    newest_lead_us = ltt * _US - received_at
            elif ltp == instrument.ltp and volume == instrument.total and ltt == instrument.ltt:
                instrument.seen = (received_at + lead_us) // _US
                if oi is not None:
                    instrument.oi = oi
            elif ltp is not None and not rest:
                self._packet(instrument, fields)
            elif oi is not None:
                instrument.oi = oi
        self._newest_lead_us = max(newest_lead_us, self._newest_lead_us)

    def due(self, now_us: int) -> list[str]:
        """Return the instruments to `close`: all with trades at the end of a minute, else the revised ones.

        Args:
            now_us: our clock, microseconds since the epoch.
        """
        if self._newest_lead_us > _NO_LEAD:
            self._lead_us, self._newest_lead_us = self._newest_lead_us, _NO_LEAD
        over = (now_us + self._lead_us) // _US - GRACE_S
        if over // MINUTE_S == self._over // MINUTE_S:
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

    def forming(self, key: str) -> Bar | None:
        """Return the newest bar of an instrument that is not closed, None for none."""
        instrument = self._instruments.get(key)
        if instrument is None or not instrument.open_minutes():
            return None
        return instrument.bar(max(instrument.minutes))

    def forget(self, key: str) -> None:
        """Forget an instrument: its key means another one now."""
        self._instruments.pop(key, None)
        self._touched.discard(key)

    def _begin(self, fields: TickFields) -> None:
        """Take the first packet of an instrument on this connection as the baseline."""
        key, ltp, ltt, received_at, volume, day, oi = fields[:7]
        instrument = self._instruments.get(key)
        if instrument is None:
            exact_below = snap_from(currency=is_currency(key))
            instrument = self._instruments[key] = InstrumentBars(exact_below)
        instrument.since, instrument.total = self._since, volume
        instrument.covered_from = instrument.seen = -(-(received_at + self._lead_us) // _US)
        instrument.ltp, instrument.ltt, instrument.oi = ltp, ltt, oi if oi is not None else instrument.oi
        instrument.day, instrument.high, instrument.low = day, day.high, day.low
        instrument.rebase(volume or 0)

    def _packet(self, instrument: InstrumentBars, fields: TickFields) -> None:
        """Take a packet that differs from the one before."""
        key, ltp, ltt, received_at, volume, day, oi = fields[:7]
        assert ltp is not None  # noqa: S101 (the caller looked)
        arrived = (received_at + self._lead_us) // _US
        if oi is not None:
            instrument.oi = oi
        known = instrument.total
        fell = volume is not None and known is not None and volume < known
        rose = volume is not None and known is not None and volume > known
        marks = 0
        if fell:
            restart = self._restart(instrument, volume or 0, ltt)
            if restart is None:
                self._late(instrument, key, ltp, ltt, arrived, volume or 0)
                return
            marks = restart
        at = traded_at(instrument.ltt, ltt, arrived, rose=rose)
        if at is not None and at != ltt:
            self.counters["bar_untimed"] += 1
        if at is not None and self._takes(key, ltp, day, at):
            if rose and at == ltt:
                self._newest_lead_us = max(self._newest_lead_us, ltt * _US - received_at)
            price = self._snapped(key, ltp)
            instrument.trade(at - at % MINUTE_S, at, price, volume or 0, marks)
            self._touched.add(key)
            self._extremes(instrument, key, price, day, arrived, at - at % MINUTE_S)
        instrument.ltp, instrument.seen = ltp, arrived
        if volume is not None:
            instrument.total = volume
        if ltt is not None:
            instrument.ltt = ltt
        if day.high is not None:
            instrument.day, instrument.high, instrument.low = day, day.high, day.low

    def _restart(self, instrument: InstrumentBars, volume: int, ltt: int | None) -> int | None:
        """Start a new count of the volume where a smaller one is a new day, a cleared one or a correction.

        Returns:
            Marks of the bar; None for a packet that was overtaken: its trade time is older.
        """
        later = ltt is not None and (instrument.ltt is None or ltt > instrument.ltt)
        if volume and not later:
            return None
        if not volume or _day(ltt or 0) != _day(instrument.ltt or 0):
            instrument.rebase(0)
            instrument.high = instrument.low = None
            return 0
        instrument.rebase(volume)
        return CORRECTED

    def _late(
        self, instrument: InstrumentBars, key: str, ltp: Price, ltt: int | None, arrived: int, volume: int
    ) -> None:
        """Take a packet that a newer one overtook: a price of its minute, and part of its volume."""
        if not is_timely(ltt, arrived) or ltt is None:
            return
        start = ltt - ltt % MINUTE_S
        if not self._trades_in(key, start):
            self.counters["bar_outside"] += 1
        elif instrument.trade(start, ltt, self._snapped(key, ltp), volume):
            self._touched.add(key)
        else:
            self.counters["bar_too_late"] += 1

    def _takes(self, key: str, ltp: Price, day: DayPrices, at: int) -> bool:
        """Return whether a trade makes a bar: within the day's range, and while the segment trades."""
        if (day.high is not None and ltp > day.high) or (day.low is not None and ltp < day.low):
            self.counters["bar_absurd"] += 1
            return False
        if not self._trades_in(key, at - at % MINUTE_S):
            self.counters["bar_outside"] += 1
            return False
        return True

    def _trades_in(self, key: str, start: int) -> bool:
        segment = key.partition(":")[0]
        found = self._open.get((segment, start))
        if found is None:
            found = self._open[segment, start] = self._is_open(segment, start)
        return found

    def _extremes(
        self, instrument: InstrumentBars, key: str, price: Price, day: DayPrices, arrived: int, start: int
    ) -> None:
        """Use a day high or low that moved since the packet before: that trade lies between the two packets.

        Where both came in one minute, the minute has it. Otherwise either minute may have it, and both are
        marked.
        """
        high = day.high if _beyond(day.high, instrument.high) and day.high != price else None
        low = day.low if _beyond(instrument.low, day.low) and day.low != price else None
        if high is None and low is None:
            return
        before = instrument.seen - instrument.seen % MINUTE_S
        if before == start == arrived - arrived % MINUTE_S:
            minute = instrument.minutes[start]
            minute.high = max(minute.high, self._snapped(key, high or minute.high))
            minute.low = min(minute.low, self._snapped(key, low or minute.low))
        else:
            instrument.mark(before, UNSURE)
            instrument.mark(start, UNSURE)

    def _snapped(self, key: str, price: Price) -> Price:
        if price < self._instruments[key].exact_below:
            return price
        return snap(price, self._tick_size(key))


def _beyond(one: Price | None, other: Price | None) -> bool:
    return one is not None and other is not None and one > other


def _day(epoch_s: int) -> int:
    return (epoch_s + _IST_S) // _DAY_S
