"""The figures of the daily candles that a quote is compared with: highest and lowest price, average volume."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from ltp.core.history.candle import RECORD, Candle
from ltp.core.history.corporate_action import Action
from ltp.core.history.price_history import candles_of
from ltp.core.money import Price

WEEKS: Final = timedelta(weeks=52)
VOLUME_SESSIONS: Final = 20
_FULL_WITHIN: Final = timedelta(days=10)  # the first session of 52 weeks may follow a run of holidays


class Extremes(NamedTuple):
    """Of the sessions within 52 weeks of a day, all of them before it or on it.

    `low`, `high`, `close`: 1/10,000 rupee, `close` that of the newest session. `first`, `last`: the oldest and
    the newest session. `full`: they reach back 52 weeks. `average_volume`: of the newest sessions before the
    day, at most 20, rounded; None if none of them has a volume. `volume_sessions`: how many these are.
    """

    low: Price
    high: Price
    close: Price
    first: date
    last: date
    full: bool
    average_volume: int | None
    volume_sessions: int


class Ends(NamedTuple):
    """The lowest and highest price of some sessions, and the newest close, in 1/10,000 rupee."""

    low: Price
    high: Price
    close: Price


class Past(NamedTuple):
    """`extremes`: of the daily candles, None without any. `oi`: the last open interest of the session before,
    None if it is not known.
    """

    extremes: Extremes | None = None
    oi: int | None = None


def extremes(candles: Sequence[Candle], day: date) -> Extremes | None:
    """Return the figures for a day, None if no session lies within 52 weeks before it.

    Args:
        candles: of sessions, oldest first, in prices comparable with those of the day.
    """
    year = [each for each in candles if day - WEEKS <= each.day <= day]
    if not year:
        return None
    before = [each for each in year if each.day < day][-VOLUME_SESSIONS:]
    total = sum(each.volume for each in before)
    return Extremes(
        min(each.low for each in year),
        max(each.high for each in year),
        year[-1].close,
        year[0].day,
        year[-1].day,
        year[0].day <= day - WEEKS + _FULL_WITHIN or candles[0].day < day - WEEKS,
        (total * 2 + len(before)) // (2 * len(before)) if total else None,
        len(before),
    )


def ends_of(packed: bytes, actions: Sequence[Action] = ()) -> Ends | None:
    """Return the ends of records of `core.history.candle`, adjusted as by `candles_of`; None without any.

    Raises:
        ValueError: the records are damaged.
    """
    if actions or len(packed) % RECORD.size:
        candles = candles_of(packed, actions)
        if not candles:
            return None
        return Ends(min(each.low for each in candles), max(each.high for each in candles), candles[-1].close)
    if not packed:
        return None
    # Without a Candle for each: a list of 2,500 shares has 600,000 of them.
    _, _, highs, lows, closes, _ = zip(*RECORD.iter_unpack(packed), strict=True)
    if min(lows) <= 0:
        raise ValueError("prices not above 0")
    return Ends(min(lows), max(highs), closes[-1])
