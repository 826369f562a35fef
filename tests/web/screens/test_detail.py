from __future__ import annotations

import re
import sqlite3
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest

from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.screener import Outcome, Row
from ltp.db import candles, corporate_actions

ROW = Row(
    "NSE_EQ:1333", 1, "HDFCBANK", "HDFC <Bank>", "Bank", 86.9, "WAIT_PULLBACK", 16_500_000, 15_900_000, 17_900_000,
    "The price is above the EMA 20.", 16_400_000, 16_550_000, 14, 84_000_0000, "A close below the EMA 50",
    base_score=86.0, mtf_score=88.1, facts={"rsi": 63.44, "trend": "up", "adx": None},
    criteria=(Outcome("ADX strong", False, 17.5, "> 20", -2.5), Outcome("Trend", True, 1.0), Outcome("RS", False, None, "> 0")),
    spark=(1600.0, 1650.0), flags=("Split <not> confirmed.",),
)  # fmt: skip
PATH = "/screeners/swing/NSE_EQ/1333"


@pytest.fixture
def run_id(site: Any) -> int:
    return int(site.run("swing", [ROW], as_of=date(2026, 11, 20)))


def address(page: str, attribute: str) -> str:
    found = re.search(rf'{attribute}="([^"]+)"', page)
    assert found
    return unescape(found[1])


def test_a_row_has_its_plan_live_with_the_price(site: Any, run_id: int) -> None:
    page = site.page(PATH)
    assert '<strong class="chip wait">WAIT PULLBACK</strong>' in page
    assert "The price is above the EMA 20." in page
    assert "A close below the EMA 50" in page
    assert "<dt>Entry zone</dt><dd>1,640.00–1,655.00</dd>" in page
    assert "<dt>Risk ₹</dt><dd>84,000</dd>" in page
    assert (
        '<dd id="state-NSE_EQ-1333" data-instrument-key="NSE_EQ:1333" hx-ignore><b class="z">in entry zone</b></dd>'
        in page
    )
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_criterion_shows_whether_it_is_met_and_its_margin(site: Any, run_id: int) -> None:
    page = site.page(PATH)
    assert "score 86.9, 1 of 3 criteria met" in page
    missed = '<td class="t"><b class="l">✗ missed</b></td>'
    assert f'<th scope="row">ADX strong</th>{missed}<td>17.5</td><td>&gt; 20</td><td>-2.5</td>' in page
    assert f'<th scope="row">RS</th>{missed}<td>unknown</td><td>&gt; 0</td><td>–</td>' in page
    assert (
        '<th scope="row">Trend</th><td class="t"><b class="g">✓ met</b></td><td>1</td><td>–</td><td>–</td>'
        in page
    )


def test_flags_and_names_are_escaped(site: Any, run_id: int) -> None:
    page = site.page(PATH)
    assert "Split &lt;not&gt; confirmed." in page
    assert "HDFC &lt;Bank&gt;" in page


def test_the_stream_follows_the_run_on_the_page(site: Any, run_id: int) -> None:
    page = site.page(PATH)
    assert address(page, "hx-sse:connect") == f"{PATH}/stream?run={run_id}"
    site.run("swing", [ROW._replace(entry=20_000_000)])
    response = site.client.get(address(page, "hx-sse:connect"), buffered=False)
    event = next(iter(response.response)).decode()
    response.close()
    assert '<hx-partial id="to_entry-NSE_EQ-1333">-0.02%</hx-partial>' in event
    assert "to_entry-NSE_EQ-1333" in site.page(f"{PATH}/poll?run={run_id}&n=3")


def test_an_older_run_is_shown_as_it_was(site: Any, run_id: int) -> None:
    site.run("swing", [ROW._replace(why="Later")])
    assert "Later" in site.page(PATH)
    page = site.page(f"{PATH}?run={run_id}")
    assert "Later" not in page
    assert f'href="/screeners/swing?run={run_id}#i-' in page
    assert f'href="{PATH}?run={run_id}&amp;live=0" id="pause"' in page


def test_an_imported_row_has_no_empty_sections(site: Any) -> None:
    page = site.page("/screeners/swing/NSE_EQ/11536")
    assert "<script>alert" not in page
    assert "<svg" not in page
    assert "criteria met" not in page
    assert "to_entry" not in page


def test_a_symbol_redirects_to_its_row_and_an_unknown_row_is_a_404(site: Any, run_id: int) -> None:
    assert site.client.get("/screeners/swing/NSE_EQ/hdfcbank").headers["Location"] == PATH
    sized = "tab=recommendations&capital=500000&risk=2500&run=1&live=0"
    assert (
        site.client.get(f"/screeners/swing/NSE_EQ/hdfcbank?{sized}").headers["Location"] == f"{PATH}?{sized}"
    )
    for path in ("NSE_EQ/2031", "NSE_EQ/x", "BSE_EQ/1333", "NSE_EQ/1333?run=999"):
        assert site.client.get(f"/screeners/swing/{path}").status_code == 404
    assert site.client.get("/screeners/longterm/NSE_EQ/1333").status_code == 404
    assert site.client.get(f"{PATH}?run=x").status_code == 400


def candles_of(
    site: Any, key: str = ROW.key, last: date = date(2026, 11, 23), price: int = 16_500_000
) -> None:
    """Store 300 candles, 20 rupees high."""
    days = [last - timedelta(days=back) for back in range(300)]
    bars = [Candle(day, price, price + 10_0000, price - 10_0000, price, 1) for day in days]
    candles.upsert(site.engine, "raw", {key: bars})


def test_the_chart_shows_daily_candles_with_the_plan(site: Any, run_id: int) -> None:
    candles_of(site)
    page = site.page(PATH)
    assert "300 daily candles" in page
    assert "last 1,650.00, Target 1,790.00, Entry 1,650.00, Stop 1,590.00" in page
    assert re.findall(r'<line class="level (\w+)"', page) == ["entry"]
    assert '<path class="zone"' in page
    assert "plan of 20 Nov" in page
    assert re.findall(r"</svg> ([^<]+)</li>", page) == [
        "EMA 50 1,650.00", "EMA 200 1,650.00", "Target 1,790.00", "Entry 1,650.00", "Stop 1,590.00",
    ]  # fmt: skip
    # The candles are 20 rupees high together: 40 rupees above or below them is far.
    assert "Target 1,790.00 is not drawn: it is far above these bars." in page
    assert "Stop 1,590.00 is not drawn: it is far below these bars." in page
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_timeframe_range_and_lines_are_in_the_address_and_keep_the_list(site: Any, run_id: int) -> None:
    candles_of(site)
    listed = "tab=recommendations&sort=-entry"
    page = unescape(site.page(f"{PATH}?{listed}&timeframe=1w&ema=none&supertrend=1"))
    assert "weekly candles" in page
    assert f'href="{PATH}?{listed}&ema=none&supertrend=1" id="c-timeframe-1d"' in page
    assert f'href="{PATH}?{listed}&timeframe=5m&ema=none&supertrend=1" id="c-timeframe-5m"' in page
    assert f'href="{PATH}?timeframe=1w&ema=none&supertrend=1&{listed}&live=0" id="pause"' in page
    assert f'href="/screeners/swing?{listed}#i-NSE_EQ-1333" id="b-rows"' in page
    assert "EMA 50" not in page.partition('<ul class="legend"')[2].partition("</ul>")[0]
    assert "No bars of HDFCBANK are stored yet" in site.page(f"{PATH}?timeframe=15m")
    assert "with 1w bars it is one of 1y, 3y, max" in site.page(f"{PATH}?timeframe=1w&range=day", 400)


def test_the_next_row_keeps_the_chart(site: Any) -> None:
    site.run("swing", [ROW, ROW._replace(key="NSE_EQ:2031", rank=2, symbol="M&M")])
    page = unescape(site.page(f"{PATH}?sort=symbol&timeframe=1w&scale=log"))
    assert 'rel="next" href="/screeners/swing/NSE_EQ/2031?sort=symbol&timeframe=1w&scale=log"' in page


def test_a_plan_of_another_scale_is_not_drawn(site: Any, run_id: int) -> None:
    candles_of(site)
    assert "not drawn: a split" not in site.page(PATH)
    split = Action(ROW.key, date(2026, 11, 22), 5, 1, "confirmed")
    corporate_actions.confirm(site.engine, [split])
    site.catalog.plans.renew()
    site.catalog.plans.renew()  # an import is over when nothing changed since the last look
    page = site.page(PATH)
    assert "Entry, stop and target are not drawn: a split or bonus since the session of the plan" in page
    assert 'class="level' not in page
    assert "plan of" not in page


def test_the_stop_has_the_name_that_the_screener_gives_it(site: Any) -> None:
    site.run("longterm", [ROW], as_of=date(2026, 11, 20))
    candles_of(site)
    assert "Invalidation 1,590.00" in site.page("/screeners/longterm/NSE_EQ/1333")


def test_without_candles_the_closes_of_the_run_are_shown(site: Any, run_id: int) -> None:
    page = site.page(PATH)
    assert "No daily candles of HDFCBANK are stored" in page
    assert re.search(r'Closes kept with the run: <svg class="spark g"[^>]+aria-label="2 days:', page)


def test_a_locked_database_costs_the_candles_and_not_the_page(site: Any, run_id: int) -> None:
    site.page(PATH)
    other = sqlite3.connect(str(site.engine.url.database), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    page = site.page(PATH)
    other.close()
    assert "The bars cannot be read at the moment" in page
    assert "Closes kept with the run" in page
