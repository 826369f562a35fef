"""One instrument on the simulated exchange: its day so far, and the effect of a trade on it.

Volumes only rise, high and low enclose every price, and with a new Indian date a new session starts, its
previous close the last price of the old one. Knows no schedule, no connection and no bytes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price, snap
from ltp.core.trading_day import IST
from ltp.feed.simulator.path import CLOSES_S, INDEX_CALM, OPENS_S, Bar, Path
from ltp.feed.simulator.universe import Listing

_SIGMA: Final = 9e-5  # of the price, per square root of a second: about 1.3 % over a session
_PULL_S: Final = 3600.0  # how long the price takes to come back to its path
_BAND: Final = 0.10  # the walk stays within so much of the previous close, as circuit limits would keep it
_LOOK_BACK_DAYS: Final = 30


class BookSnapshot(NamedTuple):
    """The state of an instrument after a trade. `ltt`: whole seconds since the epoch, true UTC."""

    listing: Listing
    session: date
    ltp: Price
    ltq: int
    ltt: int
    trades: int
    volume: int
    turnover: int
    open: Price
    high: Price
    low: Price
    prev_close: Price
    oi: int
    oi_high: int
    oi_low: int

    @property
    def atp(self) -> float:
        """The day's average price in rupees, 0 when nothing was traded."""
        return self.turnover / self.volume / SCALE if self.volume else 0.0

    @property
    def bar(self) -> Bar:
        return Bar(self.open, self.high, self.low, self.ltp, self.volume)


def midnight(day: date) -> float:
    """Return the instant, in seconds since the epoch, at which this date begins in India."""
    return datetime.combine(day, time.min, IST).timestamp()


def indian_date(epoch_s: float) -> date:
    return datetime.fromtimestamp(epoch_s, IST).date()


class Book:
    """`trading_day`: whether this segment trades on a date; `now`: when the exchange starts, in seconds."""

    def __init__(self, listing: Listing, seed: int, now: float, trading_day: Callable[[date], bool]) -> None:
        self.listing, self.trading_day = listing, trading_day
        self.path = Path(listing, seed)
        self.past: dict[date, Bar] = {}
        self.minutes: dict[int, Bar] = {}
        self._rng = random.Random(f"{seed}:{listing.key}")
        self._is_index = listing.instrument.segment == "IDX_I"
        # `before`: the state when the exchange started; history invents the minutes up to it.
        self.snapshot = self.before = self._first(now)

    def previous_trading_day(self, day: date) -> date:
        for back in range(1, _LOOK_BACK_DAYS):
            earlier = day - timedelta(days=back)
            if self.trading_day(earlier):
                return earlier
        return day - timedelta(days=1)

    def walk(self, now: float, gap_s: float) -> BookSnapshot:
        """Trade at the next price of the random walk; `gap_s` is the time since the last one."""
        ltp, tick = self.snapshot.ltp, self.listing.instrument.tick_size or 1
        target = self.path.close(indian_date(now))
        sigma = ltp * _SIGMA * (INDEX_CALM if self._is_index else 1.0) * math.sqrt(gap_s) / tick
        steps = round(self._rng.gauss((target - ltp) / tick * min(1.0, gap_s / _PULL_S), sigma))
        price = max(tick, snap(ltp + steps * tick, tick))
        prev_close = self.snapshot.prev_close
        # A trade on command may lie outside the band; from there the walk may only come back.
        if abs(price - prev_close) > max(prev_close * _BAND, abs(ltp - prev_close)):
            price = ltp
        return self.trade(price, 0 if self._is_index else self.draw_ltq(), now)

    def draw_ltq(self) -> int:
        lot = self.listing.instrument.lot_size
        return max(1, round(self._rng.expovariate(1 / self.path.mean_ltq) / lot)) * lot

    def trade(self, ltp: Price, ltq: int, now: float) -> BookSnapshot:
        """Apply one trade and return the state after it."""
        old = self.snapshot
        today = indian_date(now)
        if today > old.session:
            old = self._roll(today, ltp)
        oi = old.oi
        if self.listing.instrument.segment.endswith("FNO"):
            oi = max(0, oi + self._rng.randint(-2, 2) * self.listing.instrument.lot_size)
        self.snapshot = old._replace(
            ltp=ltp,
            ltq=ltq,
            ltt=int(now),
            trades=old.trades + 1,
            volume=old.volume + ltq,
            turnover=old.turnover + ltp * ltq,
            high=max(old.high, ltp),
            low=min(old.low, ltp),
            oi=oi,
            oi_high=max(old.oi_high, oi),
            oi_low=min(old.oi_low, oi),
        )
        if self.listing.charted:
            self._chart(int(now) // 60 * 60, ltp, ltq)
        return self.snapshot

    def reopen(self, first_price: Price, now: float) -> None:
        """Begin the day anew at this price: a replay's prices must not mix with invented ones."""
        fresh = self._roll(indian_date(now), first_price)
        self.past.clear()
        self.snapshot = self.before = fresh._replace(
            ltp=first_price, ltq=0, ltt=int(now), prev_close=first_price
        )

    def _chart(self, minute: int, ltp: Price, ltq: int) -> None:
        bar = self.minutes.get(minute)
        if bar is None:
            self.minutes[minute] = Bar(ltp, ltp, ltp, ltp, ltq)
        else:
            self.minutes[minute] = Bar(bar.open, max(bar.high, ltp), min(bar.low, ltp), ltp, bar.volume + ltq)

    def _roll(self, today: date, first_price: Price) -> BookSnapshot:
        old = self.snapshot
        self.past[old.session] = old.bar
        self.minutes.clear()
        return old._replace(
            session=today,
            trades=0,
            volume=0,
            turnover=0,
            open=first_price,
            high=first_price,
            low=first_price,
            prev_close=old.ltp,
            oi_high=old.oi,
            oi_low=old.oi,
        )

    def _first(self, now: float) -> BookSnapshot:
        """Invent the session that began last, as if it had been traded until now."""
        day = indian_date(now)
        if not self.trading_day(day) or now < midnight(day) + OPENS_S:
            day = self.previous_trading_day(day)
        bar = self.path.bar(day)
        done = min(1.0, (now - midnight(day) - OPENS_S) / (CLOSES_S - OPENS_S))
        ltp = snap(bar.open + round((bar.close - bar.open) * done), self.listing.instrument.tick_size)
        high = max(
            ltp,
            bar.open,
            snap(bar.open + int((bar.high - bar.open) * done), self.listing.instrument.tick_size),
        )
        low = min(
            ltp,
            bar.open,
            snap(bar.open - int((bar.open - bar.low) * done), self.listing.instrument.tick_size),
        )
        volume = int(bar.volume * done)
        gap_s = self._rng.random() / max(self.listing.trades_per_s, 1e-3)
        ltt = int(min(now - gap_s, midnight(day) + CLOSES_S))
        oi = int(self.path.mean_ltq) * 5_000 if self.listing.instrument.segment.endswith("FNO") else 0
        prev_close = self.path.close(self.previous_trading_day(day))
        average = (high + low + ltp) // 3
        ltq = 0 if self._is_index else self.draw_ltq()
        return BookSnapshot(
            self.listing,
            day,
            ltp,
            ltq,
            ltt,
            0,
            volume,
            average * volume,
            bar.open,
            high,
            low,
            prev_close,
            oi,
            oi,
            oi,
        )
