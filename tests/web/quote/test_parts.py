"""The quote page: ranges, averages, trading hours, with a stream of the same cells."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ltp.core.history.candle import Candle
from ltp.db import candles
from ltp.web.quote import parts
from ltp.web.quote.hours import DayHours, hours_markup
from ltp.web.services import EXTENSION

HDFC = "NSE_EQ:1333"
PAGE = "/instruments/NSE_EQ/1333"


def store(site: Any, days: int) -> None:
    """Store a candle for each of so many days up to yesterday, weekends included."""
    today = datetime.now(UTC).date()
    found = [
        Candle(today - timedelta(days=back), 16_400_000, 18_000_000, 15_000_000, 16_400_000, 1_000_000)
        for back in range(days, 0, -1)
    ]
    candles.upsert(site.engine, "raw", {HDFC: found})


def test_the_page_has_both_ranges_and_the_average_volume(site: Any) -> None:
    store(site, 400)
    page = site.page(PAGE)
    assert (
        '<dd id="dayrange-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore><span>1,635.00</span>'
        in page
    )
    year = page.partition('<dd id="yearrange-NSE_EQ-1333"')[2].partition("</dd>")[0]
    assert "<span>1,500.00</span>" in year
    assert "<span>1,800.00</span>" in year
    assert ">52 weeks</dt>" in page
    assert "10,00,000 <i>123% of it today</i></dd>" in page


def test_a_short_history_names_its_first_day_and_has_no_average(site: Any) -> None:
    store(site, 3)
    page = site.page(PAGE)
    first = datetime.now(UTC).date() - timedelta(days=3)
    assert f">Since {first.day} {first:%b %Y}</dt>" in page
    assert "-day volume" not in page


def test_without_candles_there_is_the_day_alone(site: Any) -> None:
    page = site.page(PAGE)
    assert 'id="dayrange-NSE_EQ-1333"' in page
    assert "yearrange" not in page


def test_the_polls_have_every_live_cell_of_the_page(site: Any) -> None:
    store(site, 400)
    page, answer = site.page(PAGE), site.page(f"{PAGE}/poll?n=1")
    cells = set(re.findall(r'id="(\w+-NSE_EQ-1333)"', page))
    polled = set(re.findall(r'id="(\w+-NSE_EQ-1333)"', answer))
    assert cells - polled <= {"depth-NSE_EQ-1333", "details-NSE_EQ-1333"}  # they follow within a second
    assert {"ltp-NSE_EQ-1333", "dayrange-NSE_EQ-1333", "yearrange-NSE_EQ-1333", "relvol-NSE_EQ-1333"} <= cells


def test_the_price_moves_in_its_range(site: Any, wait_for: Any) -> None:
    site.market.price(HDFC, 16_350_000, low=16_350_000, high=16_600_000, open=16_410_000)
    site.market.publish([HDFC])
    wait_for(lambda: '<path class="at" d="M0 0v12"/>' in site.page(PAGE))


def test_the_page_has_the_trading_hours(site: Any) -> None:
    hours = site.page(PAGE).partition('<p class="hours" id="hours" hx-ignore>')[2].partition("</p>")[0]
    assert "<time datetime=" in hours
    assert "09:1" in hours or "Next: " in hours
    polled = (
        site.page(f"{PAGE}/poll?n=1").partition('<hx-partial id="hours">')[2].partition("</hx-partial>")[0]
    )
    assert polled.startswith('<span><time datetime="')


def test_the_name_of_a_day_is_text() -> None:
    hours = DayHours(date(2026, 7, 1), "<img src=x onerror=alert(1)>", (), "")
    assert "<img" not in hours_markup(hours)
    assert "&lt;img" in hours_markup(hours)


def test_a_contract_has_its_open_interest(site: Any) -> None:
    future = site.catalog.instrument(HDFC)._replace(segment="NSE_FNO")
    with site.app.app_context():
        assert EXTENSION in site.app.extensions
        assert "oi" in parts.columns(future)
        assert "oi" not in parts.columns(site.catalog.instrument(HDFC))


def test_an_index_has_ranges_and_neither_volume_nor_order_book(site: Any) -> None:
    page = site.page("/instruments/IDX_I/13")
    assert 'id="dayrange-IDX_I-13"' in page
    assert 'id="volume-IDX_I-13"' not in page
    assert "Order book" not in page
    assert "circuit" not in page
    assert '<hx-partial id="ltp-IDX_I-13">' in site.page("/instruments/IDX_I/13/poll?n=1")


def test_a_share_without_a_known_book_has_a_sentence_and_dashes(site: Any) -> None:
    page = site.page(PAGE)
    assert "No order book is known yet" in page
    assert "<dt>Upper circuit</dt><dd>–</dd>" in page


def test_the_screeners_that_list_the_instrument_have_its_plan(site: Any) -> None:
    listed = site.page(PAGE).partition('id="h-results"')[2]
    assert "Swing screener" in listed
    assert "<td>1,650.00</td><td>1,590.00</td><td>1,790.00</td>" in listed
    assert "h-results" not in site.page("/instruments/BSE_EQ/500180")
