"""The columns of ranges on a page, in the event of the price and in files."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape
from typing import Any

from ltp.core.history.candle import Candle
from ltp.core.trading_day import date_of
from ltp.db import candles

COLUMNS = "columns=ltp,range_day,range_52w"


def store_year(site: Any) -> None:
    today = date_of(site.market.since / 1e6)
    of = [(100, 12_000_000, 15_000_000), (1, 16_300_000, 16_400_000)]
    history = [Candle(today - timedelta(days=back), low, high, low, high, 5) for back, low, high in of]
    candles.upsert(site.engine, "raw", {"NSE_EQ:1333": history})


def painted(page: str, column: str) -> str:
    found = re.search(rf'<span id="{column}-NSE_EQ-1333"[^>]*>(.*?)</span>', page)
    assert found
    return found[1]


def test_bars_are_painted_and_follow_in_the_event_of_the_price(site: Any) -> None:
    store_year(site)
    page = site.page(f"/screeners/swing?{COLUMNS}&q=hdfc")
    day = painted(page, "range_day")
    # The day's 1,635.00 to 1,660.00 is the newest part of the year; the entry of the plan is 1,650.00.
    assert 'aria-label="61%: of the day, 1,635.00 to 1,660.00, entry 1,650.00"' in day
    assert 'class="entry"' in day
    assert 'aria-label="97%: of 52 weeks, 1,200.00 to 1,660.00, entry 1,650.00"' in painted(page, "range_52w")
    address = re.search('hx-sse:connect="([^"]+)"', page)
    assert address
    response = site.client.get(unescape(address[1]), buffered=False)
    events = iter(response.response)
    first = next(events).decode()
    assert f'<hx-partial id="range_day-NSE_EQ-1333">{day}</hx-partial>' in first
    site.market.price("NSE_EQ:1333", 16_600_000, prev_close=16_400_000, high=16_600_000, low=16_350_000)
    site.market.publish(["NSE_EQ:1333"])
    event = next(each.decode() for each in events if "1,660.00</b>" in each.decode())
    response.close()
    assert 'aria-label="100%: of the day, 1,635.00 to 1,660.00, entry 1,650.00"' in event
    assert 'aria-label="100%: of 52 weeks' in event


def test_the_place_sorts_and_is_a_number_in_files(site: Any) -> None:
    store_year(site)
    for column in ("range_day", "range_52w"):
        for tab in ("", "tab=recommendations&"):
            page = site.page(f"/screeners/swing?{tab}{COLUMNS}&sort=-{column}")
            assert re.findall('id="i-([^"]+)">', page)[0] == "NSE_EQ-1333"
    text = site.client.get(f"/screeners/swing.csv?{COLUMNS}").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["range_day"], row["range_52w"]) for row in rows] == [("61.4", "97.9"), ("", ""), ("", "")]
    document = site.client.get(f"/screeners/swing.json?{COLUMNS}").json
    assert document["rows"][0]["range_52w"] == 97.9
