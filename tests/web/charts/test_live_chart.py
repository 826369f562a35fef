"""A chart that pages show: the forming candle moves over it, and it is drawn anew when a bar is over."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.history.candle import Candle
from ltp.core.market.session import Calendar
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import Tick
from ltp.core.trading_day import IST
from ltp.db import candles, minute_bars
from ltp.errors import DatabaseError
from ltp.web.charts.chart_bars import Newest
from ltp.web.charts.live_chart import LiveChart
from ltp.web.charts.plan_lines import NO_PLAN
from ltp.web.charts.query import parse
from ltp.web.services import EXTENSION

HDFC = "NSE_EQ:1333"
# Ten o'clock in India, today: bars of earlier days may have been pruned.
OPEN = int(datetime.now(IST).replace(hour=10, minute=0, second=0, microsecond=0).timestamp())


def bar(minute: int, close: int = 1_700_0000, **more: Any) -> Bar:
    return Bar(OPEN + 60 * minute, 1_700_0000, 1_705_0000, 1_695_0000, close, 500)._replace(**more)


def quote(state: Any = "live", ltp: int = 1_702_0000, **more: Any) -> Quote:
    day = {
        "open": 1_690_0000,
        "high": 1_710_0000,
        "low": 1_680_0000,
        "volume": 9_000,
        "session": "2026-11-30",
    }
    return Quote(HDFC, Tick(HDFC, ltp, **(day | more)), state)


class Rig:
    def __init__(self, site: Any, **given: str) -> None:
        self.site, self.now_s = site, 100.0
        shown = site.catalog.instrument(HDFC)
        self.chart = LiveChart(shown, parse(given), NO_PLAN, "192.0.2.1", 0.0)

    def update(
        self,
        second: float,
        recent: Sequence[Bar] = (),
        state: Any = "live",
        passed_s: float = 2.0,
        **values: Any,
    ) -> dict[str, str]:
        """Return the parts that are to be set at a second after ten."""
        self.now_s += passed_s
        now = datetime.fromtimestamp(OPEN + second, UTC)
        with self.site.app.app_context():
            return self.chart.update(Newest(recent, quote(state, **values), now), self.now_s)


@pytest.fixture
def rig(site: Any) -> Callable[..., Rig]:
    services = replace(site.app.extensions[EXTENSION], calendar=Calendar.always_open)
    site.app.extensions[EXTENSION] = services
    minute_bars.upsert(site.engine, {HDFC: [bar(minute) for minute in range(10)]}, simulated=True)
    return lambda **given: Rig(site, **given)


def rig_without_bars(site: Any, **given: str) -> Rig:
    services = replace(site.app.extensions[EXTENSION], calendar=Calendar.always_open)
    site.app.extensions[EXTENSION] = services
    return Rig(site, **given)


def sentence(parts: dict[str, str]) -> str:
    found = re.search(r'id="chart-now">(.*?)</hx-partial>', parts["forming"])
    assert found
    return found[1].partition(", open")[0] + ", " + found[1].partition("close ")[2]


def rows(parts: dict[str, str]) -> list[str]:
    """Return the starts of the bars in the table, the newest first."""
    return re.findall(r'<th scope="row">[^<]*?([0-9:]+)</th>', parts["bars"])


def test_the_first_update_draws_the_bars_that_are_over_and_the_one_that_is_not(rig: Any) -> None:
    parts = rig(timeframe="5m").update(602, [bar(9), bar(10, 1_703_0000)])
    assert rows(parts) == ["10:05", "10:00"]
    assert sentence(parts) == f"Forming: {date.today().day} {date.today():%b} 10:10, 1,703.00, volume 500"
    assert parts["bars"].count("<hx-partial") == 5


def test_later_updates_move_the_forming_candle_alone_and_read_nothing(rig: Any, monkeypatch: Any) -> None:
    chart = rig(timeframe="5m")
    chart.update(602, [bar(10, 1_703_0000)])

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("SQL was read")

    monkeypatch.setattr(minute_bars, "fetch", refuse)
    parts = chart.update(662, [bar(10, 1_703_0000), bar(11, 1_702_5000)], passed_s=0.4)
    assert list(parts) == ["forming"]
    assert "1,702.50, volume 1,000" in sentence(parts)


def test_a_bar_that_is_over_joins_the_others(rig: Any) -> None:
    chart = rig(timeframe="5m")
    chart.update(602, [bar(10)])
    recent = [bar(minute) for minute in range(10, 15)]
    assert list(chart.update(902.5, recent)) == ["forming"]  # a late trade may still come
    parts = chart.update(904, recent)
    assert rows(parts) == ["10:10", "10:05", "10:00"]
    assert 'chart-now"></hx-partial>' in parts["forming"]
    parts = chart.update(910, [*recent, bar(15)])
    assert sentence(parts).endswith("10:15, 1,700.00, volume 500")


def test_a_trade_of_the_next_bar_ends_the_one_before(rig: Any) -> None:
    chart = rig(timeframe="1m")
    chart.update(602, [bar(10)])
    assert rows(chart.update(661, [bar(10), bar(11)]))[:2] == ["10:10", "10:09"]


def test_it_is_drawn_anew_at_most_every_two_seconds(rig: Any) -> None:
    chart = rig(timeframe="1m")
    chart.update(602, [bar(10)])
    beyond = bar(10, 1_990_0000, high=1_990_0000)
    assert chart.update(603, [beyond], passed_s=1.9) == {}
    assert set(chart.update(603, [beyond], passed_s=0.1)) == {"bars", "forming"}


@pytest.mark.parametrize("beyond", [{"high": 1_990_0000}, {"low": 1_200_0000}, {"volume": 50_000}])
def test_a_bar_beyond_the_scale_gets_another_scale(rig: Any, beyond: dict[str, int]) -> None:
    chart = rig(timeframe="1m")
    chart.update(602, [bar(10)])
    assert set(chart.update(604, [bar(10, **beyond)])) == {"bars", "forming"}
    assert set(chart.update(606, [bar(10, **beyond)])) == {"forming"}


def test_a_late_trade_changes_the_bar_that_was_drawn_as_over(rig: Any) -> None:
    chart = rig(timeframe="1m")
    chart.update(661, [bar(10), bar(11)])
    parts = chart.update(663, [bar(10, 1_699_0000), bar(11)])
    assert "1,699.00" in parts["bars"]


def test_the_brokers_bar_stays_where_it_has_replaced_one(rig: Any) -> None:
    minute_bars.upsert(rig().site.engine, {HDFC: [bar(9, 1_698_0000, sources=BROKER)]}, simulated=True)
    parts = rig(timeframe="1m").update(602, [bar(9, 1_699_0000), bar(10)])
    assert "1,698.00" in parts["bars"]
    assert "1,699.00" not in parts["bars"]


def test_without_the_worker_the_stored_bars_are_shown_and_nothing_is_said_to_be_live(rig: Any) -> None:
    chart = rig(timeframe="5m")
    chart.update(602, [bar(10)])
    minute_bars.upsert(chart.site.engine, {HDFC: [bar(10, 1_701_0000)]}, simulated=True)
    parts = chart.update(670, [])  # the price is live, its bars are not
    assert sentence(parts).startswith("Forming, not live: ")
    assert "1,701.00, volume 500" in sentence(parts)
    minute_bars.upsert(chart.site.engine, {HDFC: [bar(11, 1_702_5000)]}, simulated=True)
    assert list(chart.update(700, [])) == ["forming"]
    assert "1,702.50, volume 1,000" in sentence(chart.update(735, [], passed_s=60.0))


def test_a_price_that_is_not_live_has_no_live_bar(rig: Any) -> None:
    chart = rig(timeframe="5m")
    assert sentence(chart.update(602, [bar(10)], state="stale")).startswith("Forming, not live: ")
    assert sentence(chart.update(603, [bar(10)], state="quiet")).startswith("Forming: ")


LINES = {"ema": "20,50", "vwap": "1", "bollinger": "1", "supertrend": "1"}


@pytest.mark.parametrize("lines", [{}, LINES])
@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_the_first_bar_of_all_moves_like_any_other(site: Any, lines: dict[str, str], timeframe: str) -> None:
    chart = rig_without_bars(site, timeframe=timeframe, **lines)
    parts = chart.update(2, [bar(0)])
    assert rows(parts) == []
    assert "The first bar of this session is not over yet." in parts["bars"]
    assert f"No bar of {timeframe[0]} minute" in parts["bars"]
    assert sentence(parts).endswith("10:00, 1,700.00, volume 500")
    moved = chart.update(3, [bar(0, 1_700_5000)], passed_s=0.4)
    assert list(moved) == ["forming"]
    assert sentence(moved).endswith("10:00, 1,700.50, volume 500")
    parts = chart.update(305, [bar(minute) for minute in range(6)])
    assert rows(parts)[-1] == "10:00"
    assert sentence(parts).endswith("10:05, 1,700.00, volume 500")


def test_a_mark_is_named(rig: Any) -> None:
    assert "10:10 (partial)" in sentence(rig(timeframe="5m").update(602, [bar(10, marks=PARTIAL)]))


def test_a_chart_that_cannot_be_read_is_tried_again(rig: Any, monkeypatch: Any) -> None:
    chart = rig(timeframe="5m")
    with monkeypatch.context() as patch:
        patch.setattr(
            minute_bars, "last_start", lambda *_, **__: (_ for _ in ()).throw(DatabaseError("away"))
        )
        assert chart.update(602, [bar(10)]) == {}
    assert chart.update(604, [bar(10)]) == {}
    assert set(chart.update(608, [bar(10)], passed_s=5.0)) == {"bars", "forming"}


# Days: the exchange's own prices of the day.

FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 30)


@pytest.fixture
def daily(rig: Any) -> Callable[..., Rig]:
    site = rig().site
    week = [
        Candle(FRIDAY - timedelta(days=back), 1_600_0000, 1_650_0000, 1_550_0000, 1_620_0000, 700)
        for back in (1, 0)
    ]
    candles.upsert(site.engine, "raw", {HDFC: week}, simulated=True)
    return lambda **given: Rig(site, **given)


def test_the_day_that_is_on_takes_its_prices_from_the_packet(daily: Any) -> None:
    parts = daily(timeframe="1d").update(0)
    assert (
        "Forming: 30 Nov 2026, open 1,690.00, high 1,710.00, low 1,680.00, close 1,702.00, volume 9,000"
        in parts["forming"]
    )
    assert "The forming bar is not official yet" in parts["bars"]


def test_a_month_joins_its_stored_days_and_a_new_week_has_none(daily: Any) -> None:
    site = daily().site
    october = [
        Candle(date(2026, 10, day), 1_600_0000, 1_650_0000, 1_550_0000, 1_620_0000, 5) for day in (29, 30)
    ]
    candles.upsert(site.engine, "raw", {HDFC: october}, simulated=True)
    parts = daily(timeframe="1M").update(0)
    assert (
        "1 Nov 2026, open 1,600.00, high 1,710.00, low 1,550.00, close 1,702.00, volume 10,400"
        in parts["forming"]
    )
    earlier = [Candle(date(2026, 11, 20), 1_600_0000, 1_650_0000, 1_550_0000, 1_620_0000, 5)]
    candles.upsert(site.engine, "raw", {HDFC: earlier}, simulated=True)
    parts = daily(timeframe="1w").update(0)
    assert (
        "30 Nov 2026, open 1,690.00, high 1,710.00, low 1,680.00, close 1,702.00, volume 9,000"
        in parts["forming"]
    )


def test_a_session_that_is_stored_is_not_forming(daily: Any) -> None:
    parts = daily(timeframe="1d").update(0, session="2026-11-27")
    assert 'chart-now"></hx-partial>' in parts["forming"]


def test_prices_of_another_scale_do_not_continue_the_candles(daily: Any) -> None:
    """A split of today that is not imported yet."""
    assert 'chart-now"></hx-partial>' in daily(timeframe="1d").update(0, prev_close=810_0000)["forming"]
    assert "Forming: 30 Nov" in daily(timeframe="1d").update(0, prev_close=1_618_0000)["forming"]


def test_invented_prices_do_not_continue_real_candles(daily: Any) -> None:
    chart = daily(timeframe="1d")
    services = chart.site.app.extensions[EXTENSION]
    chart.site.app.extensions[EXTENSION] = replace(services, source=lambda: "dhanhq")
    assert 'chart-now"></hx-partial>' in chart.update(0)["forming"]
    assert list(chart.update(2)) == ["forming"]
