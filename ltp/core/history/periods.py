"""Timeframes of daily candles: their names, and candles of sessions rolled up into weeks and months."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Final

from ltp.core.history.candle import Candle

DAY: Final = "1d"
WEEK: Final = "1w"
MONTH: Final = "1M"
NAMES: Final = (DAY, WEEK, MONTH)
MOST_SESSIONS: Final = {DAY: 1, WEEK: 7, MONTH: 31}  # that one candle may be made of


def first_day(day: date, timeframe: str) -> date:
    """Return the day that the candle of `day` starts with: the Monday of its week, the first of its month."""
    if timeframe == WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if timeframe == MONTH else day


def last_day(day: date, timeframe: str) -> date:
    """Return the last day of the week or month of `day`, whether or not it has a session."""
    first = first_day(day, timeframe)
    if timeframe == WEEK:
        return first + timedelta(days=6)
    if timeframe == MONTH:
        return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first


def rolled_up(candles: Iterable[Candle], timeframe: str) -> Iterator[Candle]:
    """Yield candles of a timeframe made of the candles of sessions; the day of each is its first day.

    Args:
        candles: by day, none twice.
    """
    for first, group in groupby(candles, key=lambda each: first_day(each.day, timeframe)):
        parts = list(group)
        high, low = max(each.high for each in parts), min(each.low for each in parts)
        yield Candle(first, parts[0].open, high, low, parts[-1].close, sum(each.volume for each in parts))
