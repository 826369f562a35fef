"""The days of one instrument: a daily bar for every date, from the seed alone.

A pure function of (seed, key, date), so that history, the previous close and a restart tomorrow agree without
anything being stored. Knows no calendar and no trading: `book` takes from it the price at which a session
starts and the one that it tends to.
"""

from __future__ import annotations

import hashlib
import math
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price, snap
from ltp.feed.simulator.universe import Listing

# Seconds of the Indian day: charts begin and end here, even where the exchange trades at other hours.
OPENS_S: Final = 9 * 3600 + 15 * 60
CLOSES_S: Final = 15 * 3600 + 30 * 60
_OCTAVES: Final = 7  # the slowest swing takes 2**6 days
# Of a share's price within a day or two; slower swings grow with the square root of their length.
_SWING: Final = 0.007
INDEX_CALM: Final = 0.5  # an index moves about half as much as its members
_RUPEES_PER_TRADE: Final = 150_000


class Bar(NamedTuple):
    """One day or minute. Prices in 1/10,000 rupee; `volume` is the bar's own."""

    open: Price
    high: Price
    low: Price
    close: Price
    volume: int


class Path:
    """The daily bars of one listing."""

    def __init__(self, listing: Listing, seed: int) -> None:
        self._listing = listing
        self._name = f"{seed}:{listing.key}"
        self._swing = _SWING * (INDEX_CALM if listing.instrument.segment == "IDX_I" else 1.0)
        self.close = lru_cache(maxsize=512)(self._close)
        self.bar = lru_cache(maxsize=512)(self._bar)

    @property
    def mean_ltq(self) -> float:
        """Shares in an average trade, so that the day's turnover is of a believable size."""
        return max(1.0, _RUPEES_PER_TRADE * SCALE / self._listing.base_price)

    def unit(self, *parts: object) -> float:
        """Return the number in [0, 1) that belongs to these parts."""
        digest = hashlib.blake2b(repr((self._name, *parts)).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") / 2**64

    def _close(self, day: date) -> Price:
        return self._on_grid(self._listing.base_price * math.exp(self._drift(day.toordinal())))

    def _bar(self, day: date) -> Bar:
        open_ = self._on_grid(
            self._close(date.fromordinal(day.toordinal() - 1))
            * (1 + (self.unit("gap", day) - 0.5) * self._swing)
        )
        close = self._close(day)
        high = self._on_grid(max(open_, close) * (1 + self.unit("high", day) * self._swing))
        low = self._on_grid(min(open_, close) * (1 - self.unit("low", day) * self._swing))
        return Bar(open_, max(high, open_, close), min(low, open_, close), close, self._volume(day))

    def _volume(self, day: date) -> int:
        if self._listing.instrument.segment == "IDX_I":
            return 0
        trades = self._listing.trades_per_s * (CLOSES_S - OPENS_S)
        return int(trades * self.mean_ltq * (0.6 + 0.8 * self.unit("volume", day)))

    def _drift(self, day: int) -> float:
        """Sum value noise of doubling length.

        It looks like a random walk from day to day and yet always returns to the base.
        """
        total = 0.0
        for octave in range(_OCTAVES):
            left, part = divmod(day, 2**octave)
            a, b = self.unit(octave, left), self.unit(octave, left + 1)
            total += self._swing * math.sqrt(2**octave) * (2 * (a + (b - a) * part / 2**octave) - 1)
        return total

    def _on_grid(self, price: float) -> Price:
        tick = self._listing.instrument.tick_size or 1
        return max(tick, snap(round(price), tick))
