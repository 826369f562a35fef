"""Proof: the unmodified official `dhanhq` client reads the simulator's feed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from dhanhq import DhanContext, MarketFeed, dhanhq
from dhanhq.dhan_http import DhanHTTP

from ltp.core.money import rupees
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.book import BookSnapshot
from ltp.feed.simulator.outgoing import depth, pending

NIFTY, HDFCBANK, RELIANCE = "IDX_I:13", "NSE_EQ:1333", "NSE_EQ:2885"


class Official:
    def __init__(self, instruments: list[tuple[int, Any, int]]) -> None:
        self.feed = MarketFeed(DhanContext("1000000001", "token"), instruments, "v2")
        self._run(self.feed.connect())

    def read(self, count: int) -> list[dict[str, Any]]:
        return [self._run(self.feed.get_instrument_data()) for _ in range(count)]

    def close(self) -> None:
        self._run(self.feed.disconnect())
        self.feed.loop.close()

    def _run(self, coroutine: Any) -> Any:
        return self.feed.loop.run_until_complete(asyncio.wait_for(coroutine, 5))


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> Iterator[Callable[..., Official]]:
    monkeypatch.setattr(MarketFeed, "market_feed_wss", simulator.url)
    opened: list[Official] = []

    def open_(*instruments: tuple[int, Any, int]) -> Official:
        opened.append(Official(list(instruments)))
        return opened[-1]

    yield open_
    for client in opened:
        client.close()


def two(value: float) -> str:
    return f"{value:.2f}"


def clock_of(snapshot: BookSnapshot) -> str:
    """Return the wall-clock time in India of the last trade."""
    return datetime.fromtimestamp(snapshot.ltt + 19_800, UTC).strftime("%H:%M:%S")


def test_ticker_mode(simulator: Simulator, official: Callable[..., Official]) -> None:
    client = official((MarketFeed.IDX, 13, MarketFeed.Ticker))
    first = simulator.exchange.snapshot(NIFTY)
    previous, ticker = client.read(2)
    assert previous["prev_close"] == two(rupees(first.prev_close))
    assert (ticker["type"], ticker["security_id"], ticker["exchange_segment"]) == ("Ticker Data", 13, 0)
    assert (ticker["LTP"], ticker["LTT"]) == (two(rupees(first.ltp)), clock_of(first))
    simulator.trade(NIFTY, 259_100_500)
    assert client.read(1)[0]["LTP"] == "25910.05"


def test_quote_mode(simulator: Simulator, official: Callable[..., Official]) -> None:
    client = official((MarketFeed.NSE, "1333", MarketFeed.Quote))
    client.read(1)
    trade = simulator.trade(HDFCBANK, 9_653_500, ltq=25)
    sell_qty, buy_qty = pending(trade)
    assert client.read(1) == [
        {
            "type": "Quote Data",
            "exchange_segment": 1,
            "security_id": 1333,
            "LTP": "965.35",
            "LTQ": 25,
            "LTT": clock_of(trade),
            "avg_price": two(trade.atp),
            "volume": trade.volume,
            "total_sell_quantity": sell_qty,
            "total_buy_quantity": buy_qty,
            "open": two(rupees(trade.open)),
            "close": two(rupees(trade.prev_close)),
            "high": two(rupees(trade.high)),
            "low": two(rupees(trade.low)),
        }
    ]


def test_full_mode(simulator: Simulator, official: Callable[..., Official]) -> None:
    client = official((MarketFeed.NSE, "2885", MarketFeed.Full))
    client.read(1)
    trade = simulator.trade(RELIANCE, 14_021_000, ltq=70_000)
    (full,) = client.read(1)
    assert full["type"] == "Full Data"
    assert (full["LTP"], full["LTQ"], full["volume"]) == ("1402.10", 65_535, trade.volume)
    assert [level["bid_price"] for level in full["depth"]] == [two(level.bid_price) for level in depth(trade)]
    assert [level["ask_quantity"] for level in full["depth"]] == [level.ask_qty for level in depth(trade)]
    assert (full["open"], full["close"]) == (two(rupees(trade.open)), two(rupees(trade.prev_close)))


def test_three_modes_of_one_instrument_on_one_connection(
    simulator: Simulator, official: Callable[..., Official]
) -> None:
    client = official(
        *((MarketFeed.NSE, "1333", mode) for mode in (MarketFeed.Ticker, MarketFeed.Quote, MarketFeed.Full))
    )
    client.read(3)
    simulator.trade(HDFCBANK, 9_700_000)
    packets = client.read(3)
    assert {packet["type"] for packet in packets} == {"Ticker Data", "Quote Data", "Full Data"}
    assert {packet["LTP"] for packet in packets} == {"970.00"}


def test_its_farewell_with_a_binary_header_ends_the_connection(
    simulator: Simulator, official: Callable[..., Official], wait_for: Callable[..., Any]
) -> None:
    client = official((MarketFeed.NSE, "1333", MarketFeed.Ticker))
    client.read(1)
    client._run(client.feed.disconnect())
    wait_for(lambda: not simulator.connections.all())


def test_rest(monkeypatch: pytest.MonkeyPatch, simulator: Simulator) -> None:
    monkeypatch.setattr(DhanHTTP, "API_BASE_URL", simulator.rest_url)
    client = dhanhq(DhanContext("1000000001", "token"))
    snapshot = simulator.exchange.snapshot(HDFCBANK)
    quote = client.quote_data({"NSE_EQ": [1333]})
    assert quote["status"] == "success"
    assert quote["data"]["data"]["NSE_EQ"]["1333"]["last_price"] == rupees(snapshot.ltp)
    assert client.ticker_data({"NSE_EQ": [1333]})["status"] == "failure"  # within the same second
    daily = client.historical_daily_data("1333", "NSE_EQ", "EQUITY", "2026-01-05", "2026-01-10")
    assert len(daily["data"]["close"]) == 5
    minutes = client.intraday_minute_data("1333", "NSE_EQ", "EQUITY", "2026-01-05", "2026-01-05", 25)
    assert len(minutes["data"]["close"]) == 15
