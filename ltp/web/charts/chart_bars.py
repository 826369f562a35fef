"""The bars that a chart draws, with the values of its overlays: from SQL, in bounded time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.bars.vwap import vwap
from ltp.core.history.candle import Candle, day_number, day_of
from ltp.core.history.price_history import ema
from ltp.db import chart_closes
from ltp.web import bars
from ltp.web.charts.query import DAYS, SESSIONS, ChartQuery
from ltp.web.services import services

MOST: Final = (
    800  # bars on one chart: three years of days; more would be thinner than two pixels on most screens
)
_WARM_UP: Final = 2  # lengths of an average: after these the plain average it started with counts for 2%
_DAY_S: Final = 86_400
IST_S: Final = 19_800  # India's clock minus UTC


class Overlay(NamedTuple):
    """A line over the candles.

    `kind`: its CSS class. `values`: one a bar, None where it has none yet. `by_session`: each session has a line
    of its own.
    """

    kind: str
    name: str
    values: list[float | None]
    by_session: bool = False


class ChartBars(NamedTuple):
    """Bars, oldest first, prices in 1/10,000 rupee. `found`: how many the range has, more than MOST perhaps.

    A daily bar starts at midnight in India. `days`: the session of each bar.
    """

    bars: list[Bar]
    days: list[date]
    overlays: list[Overlay]
    found: int


def read(key: str, query: ChartQuery) -> ChartBars:
    """Return the newest bars of an instrument.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
        ValueError: the daily candles are damaged.
    """
    warm_up = _WARM_UP * max(query.averages, default=0)
    if query.daily:
        found, earlier = _daily(chart_closes.fetch_candles(services().engine, key), DAYS[query.span])
    else:
        found, earlier = bars.newest_sessions(key, query.minutes, SESSIONS[query.span], warm_up)
    first = max(earlier, len(found) - MOST)
    shown = [each._replace(values=each.values[first:]) for each in _overlays(found, query)]
    return ChartBars(found[first:], _days(found[first:]), shown, len(found) - earlier)


def _daily(candles: list[Candle], days: int) -> bars.Stretch:
    """Return candles as bars; those more than `days` before the newest one are earlier."""
    first = candles[-1].day - timedelta(days=days) if candles else date.max
    found = [Bar(_midnight(day), *rest) for day, *rest in candles]
    return bars.Stretch(found, sum(candle.day < first for candle in candles))


def _overlays(found: list[Bar], query: ChartQuery) -> list[Overlay]:
    closes = [bar.close for bar in found]
    lines = [Overlay(f"ema{count}", f"EMA {count}", list(ema(closes, count))) for count in query.averages]
    if query.vwap:
        lines.append(
            Overlay("vwap", "VWAP", vwap(found, lambda bar: _day_number(bar.start)), by_session=True)
        )
    return lines


def _days(found: list[Bar]) -> list[date]:
    numbers = [_day_number(bar.start) for bar in found]
    by_number = {number: day_of(number) for number in set(numbers)}
    return [by_number[number] for number in numbers]


def _day_number(start: int) -> int:
    """Return the day in India of an instant, counted from 1 Jan 1970."""
    return (start + IST_S) // _DAY_S


def _midnight(day: date) -> int:
    return day_number(day) * _DAY_S - IST_S
