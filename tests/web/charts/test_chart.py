"""The chart on the page of an instrument, from bars and candles in SQL."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ltp.core.bars.bar import BROKER, PARTIAL, Bar
from ltp.core.bars.columns import BarColumns
from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.market.session import Calendar
from ltp.core.trading_day import IST
from ltp.db import candles, chart_closes, corporate_actions, minute_bars
from ltp.db.engine import writing
from ltp.errors import DatabaseError
from ltp.web.services import EXTENSION

PAGE = "/instruments/NSE_EQ/1333"
HDFC = "NSE_EQ:1333"
TODAY = datetime.now(IST).replace(hour=0, minute=0, second=0, microsecond=0)


def opened(back: int) -> int:
    """Return 10:00 of a day before today."""
    return int((TODAY + timedelta(hours=10) - timedelta(days=back)).timestamp())


def words(day: datetime) -> str:
    return f"{day.day} {day:%b %Y}"


def minutes(start: int, count: int, price: int = 1_650_0000) -> list[Bar]:
    return [
        Bar(start + n * 60, price + n * 1000, price + n * 1000 + 500, price, price + n * 1000, 100 + n)
        for n in range(count)
    ]


@pytest.fixture
def every_day(site: Any) -> Any:
    """A site whose market trades round the clock: each day is a session."""
    site.app.extensions[EXTENSION] = replace(site.app.extensions[EXTENSION], calendar=Calendar.always_open)
    return site


@pytest.fixture
def stored(every_day: Any) -> Any:
    """Twelve minutes of yesterday and five of the day before."""
    bars = minutes(opened(2), 5) + minutes(opened(1), 12, 1_700_0000)
    bars[-1] = bars[-1]._replace(marks=PARTIAL, sources=BROKER)
    minute_bars.upsert(every_day.engine, {HDFC: bars})
    return every_day


def table(page: str) -> list[list[str]]:
    body = page.partition("bars of the chart")[2].partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in body.splitlines() if row]


def test_the_newest_session_is_drawn_in_five_minutes_and_listed(stored: Any) -> None:
    page = stored.page(PAGE)
    day = TODAY - timedelta(days=1)
    summary = f"3 bars of 5 minutes from {words(day)}, 10:00, to 10:10 IST: lowest 1,700.00, highest 1,701.15, last 1,701.10"
    assert f'role="img" aria-label="{summary}"' in page
    assert f'<p class="meta">{summary}.' in page
    assert table(page) == [
        [
            f"{day.day} {day:%b} 10:10",
            "1,701.00",
            "1,701.15",
            "1,700.00",
            "1,701.10",
            "221",
            "partial",
            "mixed",
        ],
        [f"{day.day} {day:%b} 10:05", "1,700.50", "1,700.95", "1,700.00", "1,700.90", "535", "", "live"],
        [f"{day.day} {day:%b} 10:00", "1,700.00", "1,700.45", "1,700.00", "1,700.40", "510", "", "live"],
    ]
    assert page.count("<title>") == 1 + 3
    assert (
        f"<title>{day.day} {day:%b} 10:10\nopen 1,701.00\nhigh 1,701.15\nlow 1,700.00\nclose 1,701.10\nvolume 221\npartial</title>"
        in page
    )
    assert f"No bars of the session of {words(TODAY)} are stored; these are older." in page


def test_timeframe_and_range_are_in_the_address(stored: Any) -> None:
    assert len(table(stored.page(f"{PAGE}?timeframe=1m"))) == 12
    both = stored.page(f"{PAGE}?timeframe=1m&range=5d")
    assert len(table(both)) == 17
    assert both.count('<line class="break"') == 1
    assert "17 bars of 1 minute from" in both


def test_a_session_of_today_has_no_sentence_about_older_bars(every_day: Any) -> None:
    minute_bars.upsert(every_day.engine, {HDFC: minutes(int(TODAY.timestamp()), 2)})
    page = every_day.page(PAGE)
    assert 'class="figure candles"' in page
    assert "these are older" not in page


def test_averages_start_before_the_range(every_day: Any) -> None:
    minute_bars.upsert(every_day.engine, {HDFC: minutes(opened(2), 60) + minutes(opened(1), 30, 1_700_0000)})
    page = every_day.page(f"{PAGE}?timeframe=1m&ema=20,200&vwap=1")
    legends = re.findall(r"</svg> ([^<]+)</li>", page)
    assert [each.rpartition(" ")[0] for each in legends] == ["EMA 20", "EMA 200", "VWAP"]
    assert legends[1] == "EMA 200 –"
    assert len(table(page)) == 30
    [line] = re.findall(r'<path class="ema20" d="(M5 [^"]+)"', page)
    assert line.count("L") == 29


def test_links_keep_the_other_parameters(stored: Any) -> None:
    page = stored.page(f"{PAGE}?timeframe=15m&ema=20&live=0")
    assert f'<a href="{PAGE}?timeframe=15m&amp;ema=20&amp;live=0&amp;range=5d" id="c-range-5d">5d</a>' in page
    assert 'id="c-timeframe-15m" aria-current="true">15m</a>' in page
    assert f'<a href="{PAGE}?timeframe=15m&amp;ema=20" id="pause">Resume</a>' in page
    assert f'<a href="{PAGE}?timeframe=1m&amp;live=0" id="pause">Pause</a>' in stored.page(
        f"{PAGE}?timeframe=1m"
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("timeframe=2m", "timeframe"),
        ("range=1y", "with 5m bars it is one of day, 5d, 10d, 20d"),
        ("ema=7", "it is one or more of 20, 50, 200"),
        ("timeframe=1m&timeframe=5m", "it may be given once"),
    ],
)
def test_a_refused_parameter_is_named_and_the_page_leads_on(site: Any, query: str, sentence: str) -> None:
    page = site.page(f"{PAGE}?{query}", 400)
    assert sentence in page
    assert f'href="{PAGE}' in page


def test_without_bars_a_sentence_has_the_reason(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for is_open, sentence in (
        (True, "No bars of HDFCBANK are stored yet: the first one follows a full minute of its prices."),
        (False, "stored yet, and none is being made: the market is closed (NSE shares)."),
    ):
        monkeypatch.setattr(Calendar, "is_open", lambda *_, answer=is_open: answer)
        page = site.page(PAGE)
        assert sentence in page
        assert "<figure" not in page
        assert '<div class="plot">' not in page
    assert "No daily candles of HDFCBANK are stored" in site.page(f"{PAGE}?timeframe=1d")


def test_a_database_that_is_busy_leaves_the_prices(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **options: Any) -> None:
        assert options["busy_timeout_ms"] == 50
        raise DatabaseError("busy")

    monkeypatch.setattr(minute_bars, "last_start", busy)
    page = stored.page(PAGE)
    assert "The bars cannot be read at the moment; prices are not affected." in page
    assert "<b>₹1,650.35</b>" in page


def daily(count: int, last: date) -> list[Candle]:
    return [
        Candle(last - timedelta(days=count - 1 - at), 100_0000, 110_0000, 95_0000, 105_0000, 12_34_567)
        for at in range(count)
    ]


def test_daily_candles_end_with_the_place_of_the_missing_one(every_day: Any) -> None:
    yesterday = TODAY.date() - timedelta(days=1)
    candles.upsert(every_day.engine, "raw", {HDFC: daily(400, yesterday)})
    page = every_day.page(f"{PAGE}?timeframe=1d&range=3mo&ema=200")
    assert "93 daily candles (adjusted for splits) from" in page
    assert f"<title>{words(TODAY)}: no daily candle yet</title>" in page
    assert f"The candle of {words(TODAY)} is missing: it is imported after the session." in page
    assert "EMA 200 105.00" in page
    assert table(page)[0] == [
        f"{yesterday.day} {yesterday:%b %Y}", "100.00", "110.00", "95.00", "105.00", "12,34,567", "", "",
    ]  # fmt: skip


def test_with_the_candle_of_today_none_is_missing(every_day: Any) -> None:
    candles.upsert(every_day.engine, "raw", {HDFC: daily(5, TODAY.date())})
    page = every_day.page(f"{PAGE}?timeframe=1d")
    assert "5 daily candles" in page
    assert "missing" not in page


def of_november(*days: int) -> list[Candle]:
    return [
        Candle(date(2026, 11, day), 100_0000 + day, 110_0000 + day, 95_0000 - day, 105_0000, day)
        for day in days
    ]


@pytest.mark.parametrize(
    ("timeframe", "first_column", "words", "rows"),
    [
        (
            "1w",
            "Week from",
            "3 weekly candles (adjusted for splits) from 19 Oct 2026 to 26 Nov 2026",
            [
                ["23 Nov 2026", "100.00", "110.00", "95.00", "105.00", "49", "partial", ""],
                ["16 Nov 2026", "100.00", "110.00", "95.00", "105.00", "39", "", ""],
                ["19 Oct 2026", "90.00", "99.00", "80.00", "85.00", "1,00,000", "", ""],
            ],
        ),
        (
            "1M",
            "Month from",
            "2 monthly candles (adjusted for splits) from 1 Oct 2026 to 26 Nov 2026",
            [
                ["1 Nov 2026", "100.00", "110.00", "95.00", "105.00", "88", "partial", ""],
                ["1 Oct 2026", "90.00", "99.00", "80.00", "85.00", "1,00,000", "", ""],
            ],
        ),
    ],
)
def test_weeks_and_months_are_made_of_daily_candles(
    site: Any, timeframe: str, first_column: str, words: str, rows: list[list[str]]
) -> None:
    october = Candle(date(2026, 10, 23), 90_0000, 99_0000, 80_0000, 85_0000, 100_000)
    candles.upsert(site.engine, "raw", {HDFC: [october, *of_november(19, 20, 23, 26)]})
    page = site.page(f"{PAGE}?timeframe={timeframe}&range=max")
    assert words in page
    assert f'<th scope="col">{first_column}</th>' in page
    assert table(page) == rows
    assert "no daily candle yet" not in page
    assert "is missing: it is imported after the session." in page


def test_a_range_of_weeks_ends_its_averages_not_its_bars(site: Any) -> None:
    candles.upsert(site.engine, "raw", {HDFC: daily(4_000, date(2026, 11, 27))})
    page = site.page(f"{PAGE}?timeframe=1w&range=1y&ema=50")
    assert "52 weekly candles (adjusted for splits) from 1 Dec 2025 to 27 Nov 2026" in page
    assert "EMA 50 105.00" in page
    assert "572 weekly candles" in site.page(f"{PAGE}?timeframe=1w&range=max")


def test_a_suspected_split_after_all_candles_leaves_a_sentence(site: Any) -> None:
    candles.upsert(site.engine, "raw", {HDFC: of_november(25, 26)})
    split = Action(HDFC, date(2026, 11, 27), 2, 1, "detected")
    corporate_actions.replace_detected(site.engine, [HDFC], [split])
    for timeframe in ("1d", "1w"):
        assert "No daily candles of HDFCBANK are stored" in site.page(f"{PAGE}?timeframe={timeframe}")


def test_damaged_weeks_have_a_sentence(site: Any) -> None:
    candles.upsert(site.engine, "raw", {HDFC: of_november(25, 26)})
    with writing(site.engine) as connection:
        connection.execute(text("UPDATE daily_candles SET packed = substr(packed, 3)"))
    assert "The stored daily candles of this instrument are damaged" in site.page(f"{PAGE}?timeframe=1w")


def test_damaged_candles_have_a_sentence(every_day: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object) -> None:
        raise ValueError("a torn record")

    monkeypatch.setattr(chart_closes, "fetch_candles", damaged)
    assert "The stored daily candles of this instrument are damaged" in every_day.page(f"{PAGE}?timeframe=1d")


def test_a_chart_draws_a_bounded_number_of_bars(every_day: Any) -> None:
    minute_bars.upsert(every_day.engine, {HDFC: minutes(opened(1), 830, 500_0000)})
    page = every_day.page(f"{PAGE}?timeframe=1m")
    assert len(table(page)) == 800
    assert (
        "Only the newest 800 of 830 bars are drawn; a longer timeframe, or a shorter range, shows all."
        in page
    )


def test_an_index_has_no_vwap(every_day: Any) -> None:
    bars = [bar._replace(volume=0) for bar in minutes(opened(1), 5)]
    minute_bars.upsert(every_day.engine, {"IDX_I:13": bars})
    page = every_day.page("/instruments/IDX_I/13?vwap=1")
    assert "There is no VWAP, because these bars have no volume." in page
    assert "VWAP –" in page


def test_reading_takes_two_queries_however_many_sessions(
    stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, int]] = []
    fetch = minute_bars.fetch_columns

    def counted(engine: Any, key: str, first: int, until: int, **options: Any) -> BarColumns:
        read.append((first, until))
        return fetch(engine, key, first, until, **options)

    monkeypatch.setattr(minute_bars, "fetch_columns", counted)
    stored.page(f"{PAGE}?timeframe=15m&range=20d&ema=200")
    [(first, until)] = read
    # 12 days round the clock: 18,000 minutes and no more.
    assert until - first == 12 * 86_400


def test_sessions_are_those_of_the_calendar_whatever_lies_between_them(site: Any) -> None:
    monday = int(datetime(2026, 11, 30, 9, 15, tzinfo=IST).timestamp())
    friday, night = monday - 3 * 86_400, monday - 5 * 3_600
    minute_bars.upsert(site.engine, {HDFC: minutes(friday, 375) + minutes(night, 5) + minutes(monday, 15)})
    page = site.page(f"{PAGE}?timeframe=60m&range=5d")
    assert "8 bars of 60 minutes from 27 Nov 2026, 09:15, to 30 Nov 2026, 09:15 IST" in page
    assert [row[0] for row in table(page)][:2] == ["30 Nov 09:15", "27 Nov 15:15"]
    assert "1 bar of 60 minutes from 30 Nov 2026, 09:15, to 09:15 IST" in site.page(f"{PAGE}?timeframe=60m")
