"""The bars that a chart draws, with the values of its overlays: from SQL, in bounded time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.history import periods
from ltp.core.history.candle import Candle, day_of
from ltp.core.trading_day import day_start, days_since_1970
from ltp.db import chart_closes
from ltp.web import bars, day_bars
from ltp.web.charts.overlays import Overlay, overlays, warm_up
from ltp.web.charts.query import DAYS, SESSIONS, ChartQuery
from ltp.web.services import services

MOST: Final = (
    800  # bars on one chart: three years of days; more would be thinner than two pixels on most screens
)


class ChartBars(NamedTuple):
    """Bars, oldest first, prices in 1/10,000 rupee. `found`: how many the range has, more than MOST perhaps.

    A bar of a day or longer starts at midnight in India. `days`: the session of each bar, of weeks and months
    the first day. `last`: the newest session in the bars, None without bars.
    """

    bars: list[Bar]
    days: list[date]
    overlays: list[Overlay]
    found: int
    last: date | None


def read(key: str, query: ChartQuery) -> ChartBars:
    """Return the newest bars of an instrument.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
        ValueError: the daily candles are damaged.
    """
    before = warm_up(query)
    last: date | None = None
    if query.timeframe == periods.DAY:
        found, earlier = _daily(chart_closes.fetch_candles(services().engine, key), DAYS[query.span])
    elif query.daily:
        (found, earlier), last = _longer(key, query, before)
    else:
        found, earlier = bars.newest_sessions(key, query.minutes, SESSIONS[query.span], before)
    first = max(earlier, len(found) - MOST)
    shown = overlays(found, first, query)
    days = _days(found[first:])
    last = last or (days[-1] if days else None)
    return ChartBars(found[first:], days, shown, len(found) - earlier, last)


def _daily(candles: list[Candle], days: int) -> bars.Stretch:
    """Return candles as bars; those more than `days` before the newest one are earlier."""
    first = candles[-1].day - timedelta(days=days) if candles else date.max
    found = [Bar(day_start(day), *rest) for day, *rest in candles]
    return bars.Stretch(found, sum(candle.day < first for candle in candles))


def _longer(key: str, query: ChartQuery, before: int) -> tuple[bars.Stretch, date | None]:
    """Return weeks or months, and the newest session in them."""
    days = DAYS[query.span]
    limit = days // 7 + 2 + before  # enough for weeks, and months are fewer
    found, _, last = day_bars.latest(key, query.timeframe, limit, datetime.now(UTC), adjusted=True)
    first = day_start(last - timedelta(days=days)) if last else 0
    # A suspected split after the newest session hides all bars.
    return bars.Stretch(found, sum(bar.start < first for bar in found)), last if found else None


def _days(found: list[Bar]) -> list[date]:
    numbers = [days_since_1970(bar.start) for bar in found]
    by_number = {number: day_of(number) for number in set(numbers)}
    return [by_number[number] for number in numbers]
