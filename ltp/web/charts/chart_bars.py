"""The bars that a chart draws, with the values of its overlays: from SQL, in bounded time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.bars.vwap import vwap
from ltp.core.history import periods
from ltp.core.history.candle import Candle, day_of
from ltp.core.history.price_history import ema
from ltp.core.trading_day import day_start, days_since_1970
from ltp.db import chart_closes
from ltp.web import bars, day_bars
from ltp.web.charts.query import DAYS, SESSIONS, ChartQuery
from ltp.web.charts.session_choice import over_continuous
from ltp.web.services import services

MOST: Final = (
    800  # bars on one chart: three years of days; more would be thinner than two pixels on most screens
)
_WARM_UP: Final = 2  # lengths of an average: after these the plain average it started with counts for 2%


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

    A bar of a day or longer starts at midnight in India. `days`: the session of each bar, of weeks and months
    the first day. `last`: the newest session in the bars, None without bars. `kinds`: the phase of the market of
    each bar of minutes, see `core.market.kinds`; [] for longer ones.
    """

    bars: list[Bar]
    days: list[date]
    overlays: list[Overlay]
    found: int
    last: date | None
    kinds: list[str]


def read(key: str, query: ChartQuery) -> ChartBars:
    """Return the newest bars of an instrument.

    Raises:
        DatabaseError: the database cannot be read, or not within a moment.
        ValueError: the daily candles are damaged.
    """
    warm_up = _WARM_UP * max(query.averages, default=0)
    last: date | None = None
    if query.timeframe == periods.DAY:
        found, earlier = _daily(chart_closes.fetch_candles(services().engine, key), DAYS[query.span])
    elif query.daily:
        (found, earlier), last = _longer(key, query, warm_up)
    else:
        sessions = SESSIONS[query.span]
        found, earlier = bars.newest_sessions(key, query.minutes, sessions, warm_up, query.sessions)
    first = max(earlier, len(found) - MOST)
    kinds = [] if query.daily else bars.kinds_of(key, found)
    lines = (
        over_continuous(found, kinds, partial(_overlays, query=query)) if kinds else _overlays(found, query)
    )
    shown = [each._replace(values=each.values[first:]) for each in lines]
    days = _days(found[first:])
    last = last or (days[-1] if days else None)
    return ChartBars(found[first:], days, shown, len(found) - earlier, last, kinds[first:])


def _daily(candles: list[Candle], days: int) -> bars.Stretch:
    """Return candles as bars; those more than `days` before the newest one are earlier."""
    first = candles[-1].day - timedelta(days=days) if candles else date.max
    found = [Bar(day_start(day), *rest) for day, *rest in candles]
    return bars.Stretch(found, sum(candle.day < first for candle in candles))


def _longer(key: str, query: ChartQuery, warm_up: int) -> tuple[bars.Stretch, date | None]:
    """Return weeks or months, and the newest session in them."""
    days = DAYS[query.span]
    limit = days // 7 + 2 + warm_up  # enough for weeks, and months are fewer
    found, _, last = day_bars.latest(key, query.timeframe, limit, datetime.now(UTC), adjusted=True)
    first = day_start(last - timedelta(days=days)) if last else 0
    # A suspected split after the newest session hides all bars.
    return bars.Stretch(found, sum(bar.start < first for bar in found)), last if found else None


def _overlays(found: list[Bar], query: ChartQuery) -> list[Overlay]:
    closes = [bar.close for bar in found]
    lines = [Overlay(f"ema{count}", f"EMA {count}", list(ema(closes, count))) for count in query.averages]
    if query.vwap:
        lines.append(
            Overlay("vwap", "VWAP", vwap(found, lambda bar: days_since_1970(bar.start)), by_session=True)
        )
    return lines


def _days(found: list[Bar]) -> list[date]:
    numbers = [days_since_1970(bar.start) for bar in found]
    by_number = {number: day_of(number) for number in set(numbers)}
    return [by_number[number] for number in numbers]
