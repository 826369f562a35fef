"""Captured messages reach the subscribers of their mode, and of full mode where no full packets were captured."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.dhan.codes import MODES, Mode
from ltp.dhan.packets import Depth, FullPacket, QuotePacket, TickerPacket, encode
from ltp.feed.simulator.connections import Connections
from ltp.feed.simulator.exchange import Exchange

KEY = "NSE_EQ:1333"
TICKER = encode(TickerPacket(1, 1333, 100.0, 5))
QUOTE = encode(QuotePacket(1, 1333, 100.0, 1, 5, 100.0, 7, 0, 0, 100.0, 100.0, 100.0, 100.0))
LEVELS = (Depth(1, 1, 1, 1, 99.0, 100.0),) * 5
FULL = encode(FullPacket(1, 1333, 100.0, 1, 5, 100.0, 7, 0, 0, 0, 0, 0, 100.0, 100.0, 100.0, 100.0, LEVELS))


class Client:
    client_id = "1"

    def __init__(self) -> None:
        self.subscribed: dict[Mode, set[str]] = {mode: set() for mode in MODES}
        self.got: list[Any] = []

    def offer(self, messages: list[Any]) -> None:
        self.got += [message.content for message in messages]


@pytest.fixture
def connections() -> Connections:
    return Connections(Exchange([], seed=1, now=1_795_408_200.0), lambda: 1_795_408_200.0, "idx")


def joined(connections: Connections, mode: Mode) -> Client:
    client = Client()
    connections.add(client)  # type: ignore[arg-type]
    connections.subscribe(client, mode, [KEY])  # type: ignore[arg-type]
    return client


def test_a_message_goes_to_the_subscribers_of_its_mode(connections: Connections) -> None:
    ticker, quote, full = (joined(connections, mode) for mode in ("ticker", "quote", "full"))
    for message in (FULL, TICKER, QUOTE):
        connections.pass_on(message)
    assert (ticker.got, quote.got, full.got) == ([TICKER], [QUOTE], [FULL])


def test_without_full_packets_quotes_go_to_full_subscribers_too(connections: Connections) -> None:
    early = joined(connections, "full")
    connections.pass_on(QUOTE)
    connections.pass_on(TICKER)
    late = joined(connections, "full")
    assert (early.got, late.got) == ([QUOTE], [QUOTE])
    connections.pass_on(FULL)
    connections.pass_on(QUOTE)
    assert early.got == [QUOTE, FULL]
    assert joined(connections, "full").got == [FULL]
