"""A share's daily candles as numpy arrays, and its weekly candles.

The first step of a screen: the bytes from SQL become arrays once.
"""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ltp.core.money import MAX_PRICE, SCALE

Floats = NDArray[np.float64]

# The layout of `core.history.candle.RECORD` ("<i5q") as numpy reads it: days since 1970-01-01, then 1/10,000
# rupees, then shares.
RECORD: Final = np.dtype(
    [("day", "<i4"), ("open", "<i8"), ("high", "<i8"), ("low", "<i8"), ("close", "<i8"), ("volume", "<i8")]
)
_LAST_DAY: Final = date.max.toordinal() - date(1970, 1, 1).toordinal()
_MONDAY: Final = 3  # 1970-01-01 was a Thursday: (day + 3) // 7 counts weeks from Monday


class History(NamedTuple):
    """Candles of sessions or of weeks, oldest first. All arrays have the same length, which may be zero.

    `days`: int32, days since 1970-01-01. Prices: rupees. `volume`: shares.
    """

    days: NDArray[np.int32]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def from_packed(packed: bytes) -> History:
    """Return the candles of packed records, see `core.history.candle.pack`.

    Raises:
        ValueError: they are damaged: the length is no multiple of a record's, or a day, a price or a volume
            is impossible.
    """
    if len(packed) % RECORD.itemsize:
        raise ValueError("a torn record")
    records = np.frombuffer(packed, RECORD)
    # A damaged day could become the newest session of all shares, and a damaged price a wrong fact.
    if (np.diff(records["day"]) <= 0).any() or (records["day"][-1:] > _LAST_DAY).any():
        raise ValueError("days out of order")
    if (
        min(records[name].min(initial=1) for name in ("open", "low", "close")) <= 0
        or records["high"].max(initial=0) > MAX_PRICE
    ):
        raise ValueError("prices not above 0, or above a crore")
    if (records["high"] < records["low"]).any() or records["volume"].min(initial=0) < 0:
        raise ValueError("a high below its low, or a negative volume")
    opened, high, low, close = (records[name] / SCALE for name in ("open", "high", "low", "close"))
    return History(
        records["day"].astype(np.int32), opened, high, low, close, records["volume"].astype(np.float64)
    )


def weekly(daily: History) -> History:
    """Return a candle for each ISO week (Monday to Sunday) with a session, dated by the week's last session.

    The last week may be incomplete: its candle has the sessions so far, as in a weekly chart.
    """
    if not daily.days.size:
        return daily
    week = (daily.days + _MONDAY) // 7
    first = np.flatnonzero(np.diff(week, prepend=week[0] - 1))
    last = np.append(first[1:], week.size) - 1
    return History(
        daily.days[last],
        daily.open[first],
        np.maximum.reduceat(daily.high, first),
        np.minimum.reduceat(daily.low, first),
        daily.close[last],
        np.add.reduceat(daily.volume, first),
    )
