"""The bars that a chart draws, with the values of its overlays: from SQL, in bounded time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from ltp.core.bars.bar import Bar
from ltp.core.bars.builder import GRACE_S
from ltp.core.bars.forming import day_bar, end_of, is_other_scale, with_day
from ltp.core.history import periods
from ltp.core.history.candle import Candle, day_of
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import date_of, day_start, days_since_1970
from ltp.db import candle_source, chart_closes
from ltp.web import bars, day_bars
from ltp.web.charts.overlays import Overlay, over_continuous, overlays, warm_up
from ltp.web.charts.query import DAYS, SESSIONS, ChartQuery
from ltp.web.services import services
from ltp.web.waits import BUSY_TIMEOUT_MS

MOST: Final = (
    800  # bars on one chart: three years of days; more would be thinner than two pixels on most screens
)


class Newest(NamedTuple):
    """What is known of an instrument beside SQL, as of `now`.

    `recent`: its newest one-minute bars from the worker, empty where they are not up to date. `quote`: from the hub.
    """

    recent: Sequence[Bar]
    quote: Quote
    now: datetime

    def state(self, *, daily: bool) -> str:
        """Return the state of the forming bar of an open page. That of minutes is live only with the worker's bars,
        whatever the price is.
        """
        live = self.quote.state in {"live", "quiet"} and (daily or bool(self.recent))
        return "Forming" if live else "Forming, not live"


class ChartBars(NamedTuple):
    """Bars, oldest first, prices in 1/10,000 rupee. `found`: how many the range has, more than MOST perhaps.

    A bar of a day or longer starts at midnight in India. `days`: the session of each bar, of weeks and months
    the first day. `last`: the newest session in the bars, None without bars. `forming`: the bar after them, which is
    not over; of minutes it may be the only one. Of days and longer: `stored`, the last
    stored one, of which `forming` may take the place, and `followed`, the newest session that another may follow, None
    where none may. `kinds`: the phase of the market of each bar of minutes, see `core.market.kinds`; [] for longer ones.
    """

    bars: list[Bar]
    days: list[date]
    overlays: list[Overlay]
    found: int
    last: date | None
    kinds: list[str]
    forming: Bar | None = None
    stored: Bar | None = None
    followed: date | None = None

    @property
    def every(self) -> list[Bar]:
        """The bars with the one that is not over, at least one where there is a chart."""
        return [*self.bars, self.forming] if self.forming else self.bars


def read(key: str, query: ChartQuery, newest: Newest) -> ChartBars:
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
        sessions = SESSIONS[query.span]
        found, earlier = bars.newest_sessions(
            key, query.minutes, sessions, before, query.sessions, newest.recent
        )
    days = _days(found)
    last = last or (days[-1] if days else None)
    stored = found[-1] if found and query.daily else None
    followed = last if stored and len(found) - earlier > 1 and _is_same_source() else None
    if query.daily:
        forming = forming_day(newest.quote.tick, query, stored, followed)
    else:
        forming = _last_if_not_over(key, query, found[earlier:], newest.now)
    if forming and found[-1].start == forming.start:
        found.pop()
    first = max(earlier, len(found) - MOST)
    kinds = [] if query.daily else bars.kinds_of(key, [bar.start for bar in found])
    shown = over_continuous(found, kinds, first, query) if kinds else overlays(found, first, query)
    days = days[first : len(found)]
    number = len(found) - earlier
    return ChartBars(found[first:], days, shown, number, last, kinds[first:], forming, stored, followed)


def forming_day(tick: Tick | None, query: ChartQuery, stored: Bar | None, last: date | None) -> Bar | None:
    """Return the bar of a day, week or month that is not official, None where the last session is stored, and where
    prices have another scale than the stored ones: a split that is not imported yet.

    Args:
        stored: the last stored bar. last: the newest stored session, None where nothing may follow it.
    """
    day = day_bar(tick)
    if tick is None or day is None or stored is None or last is None or date_of(day.start) <= last:
        return None
    if is_other_scale(tick, stored.close):
        return None
    start = day_start(periods.first_day(date_of(day.start), query.timeframe))
    return with_day(stored if stored and stored.start == start else None, day, start)


def windows_of(key: str, at: int, query: ChartQuery) -> list[tuple[int, int]]:
    """Return the trading windows of the day of an instant whose bars are shown: first second, and the second after
    the last.
    """
    return bars.windows_of(key, date_of(at), query.sessions)


def _last_if_not_over(key: str, query: ChartQuery, found: Sequence[Bar], now: datetime) -> Bar | None:
    if not found:
        return None
    end = end_of(found[-1], query.minutes, windows_of(key, found[-1].start, query))
    return found[-1] if now.timestamp() < end + GRACE_S else None


def _is_same_source() -> bool:
    """Return whether the stored candles are of the exchange, real or simulated, that prices come from now."""
    shared = services()
    return (candle_source.origin(shared.engine, busy_timeout_ms=BUSY_TIMEOUT_MS) == "simulated") == (
        shared.source() == "simulator"
    )


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
