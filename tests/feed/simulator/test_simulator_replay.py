from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from ltp.dhan.packets import QuotePacket, TickerPacket, encode
from ltp.errors import InputError
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.replay import Print, load

HEAD = "segment,security_id,time,open,high,low,close,volume\n"
BARS = (
    HEAD
    + "NSE_EQ,1333,2026-01-05T09:16:00+05:30,966,968,965,965.5,400\n"
    + "NSE_EQ,1333,2026-01-05T09:15:00+05:30,960,967,959.5,966,403\n"
    + "BSE_EQ,500325,2026-01-05T09:15:00+05:30,1400,1401,1399,1400.5,10\n"
)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(text: str, name: str = "bars.csv") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_a_bar_becomes_four_trades_in_order_of_time(file: Callable[..., Path]) -> None:
    replay = load(file(BARS), 60.0)
    replay.start(1_000.0)
    assert replay.next_due() == 1_000.0
    hdfcbank = [
        event for event in replay.due(2_000.0) if isinstance(event, Print) and event.key == "NSE_EQ:1333"
    ]
    assert [event.ltp / 10_000 for event in hdfcbank] == [960, 959.5, 967, 966, 966, 968, 965, 965.5]
    assert [event.ltq for event in hdfcbank[:4]] == [100, 100, 100, 103]
    assert replay.next_due() is None


def test_speed_divides_the_time(file: Callable[..., Path]) -> None:
    replay = load(file(BARS), 60.0)
    replay.start(1_000.0)
    replay.due(1_000.99)
    assert replay.next_due() == pytest.approx(1_001.0)


def test_symbols_of_the_universe_are_known(file: Callable[..., Path]) -> None:
    text = (
        "symbol,time,open,high,low,close,volume\nNIFTY,2026-01-05T09:15:00+05:30,25900,25910,25890,25905,0\n"
    )
    assert load(file(text), 1.0).keys == {"IDX_I:13"}


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("NSE_EQ,1333,2026-01-05T09:15:00,1,1,1,1,1", "line 2, time"),
        ("NSE_EQ,1333,2026-01-05T09:15:00+05:30,1,1,-1,1,1", "line 2, low"),
        ("NSE_EQ,1333,2026-01-05T09:15:00+05:30,1,1,1,x,1", "line 2, close"),
        ("NSE_EQ,1333,2026-01-05T09:15:00+05:30,1,1,1,1,many", "line 2, volume"),
        ("NSE,1333,2026-01-05T09:15:00+05:30,1,1,1,1,1", "line 2"),
        ("NSE_EQ,1333,2026-01-05T09:15:00+05:30,1,1,1,1,", "line 2, volume"),
    ],
)
def test_a_bad_bar_is_named_by_line_and_column(file: Callable[..., Path], row: str, where: str) -> None:
    with pytest.raises(InputError) as refused:
        load(file(HEAD + row + "\n"), 1.0)
    assert refused.value.where == where


@pytest.mark.parametrize("text", ["{}", '{"at": 1, "hex": "zz"}', "[1]"])
def test_a_bad_frame_is_named_by_line(file: Callable[..., Path], text: str) -> None:
    with pytest.raises(InputError, match="line 1"):
        load(file(text, "frames.jsonl"), 1.0)


def test_empty_missing_and_senseless(file: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one"):
        load(file(HEAD), 1.0)
    with pytest.raises(InputError, match="readable"):
        load(tmp_path / "none.csv", 1.0)
    with pytest.raises(InputError, match="speed"):
        load(file(BARS), 0.0)


def test_bars_are_the_only_prices_of_their_instruments(
    simulate: Callable[..., Simulator],
    connect: Callable[..., Any],
    file: Callable[..., Path],
    wait_for: Callable[..., Any],
) -> None:
    now = [1_795_408_200.0]
    simulator = simulate(replay=load(file(BARS), 60.0), rate=1.0, clock=lambda: now[0])
    client = connect(simulator)
    client.request(17, "NSE_EQ:1333", "BSE_EQ:500325")
    assert client.packet().ltp in (960.0, 959.5)
    assert client.packet().security_id == 500325
    now[0] += 10
    while (packet := client.packet()).ltp != 965.5:
        assert isinstance(packet, QuotePacket)
    assert (packet.open, packet.high, packet.low, packet.volume) == (960.0, 968.0, 959.5, 803)
    bars = requests.post(
        f"{simulator.rest_url}/marketfeed/ohlc",
        json={"NSE_EQ": [1333]},
        headers={"access-token": "t", "client-id": "1"},
        timeout=5,
    ).json()
    assert bars["data"]["NSE_EQ"]["1333"]["last_price"] == 965.5


def test_captured_frames_reach_the_subscribers_of_their_mode_unchanged(
    simulate: Callable[..., Simulator], connect: Callable[..., Any], file: Callable[..., Path]
) -> None:
    ticker, later = (
        encode(TickerPacket(1, 1333, 965.5, 1_795_428_000)),
        encode(TickerPacket(1, 1333, 966.5, 1_795_428_001)),
    )
    lines = [
        {"at": at, "hex": message.hex()} for at, message in ((5.0, ticker), (5.0, b"\x63"), (15.0, later))
    ]
    now = [1_795_408_200.0]
    simulator = simulate(
        replay=load(file("\n".join(map(json.dumps, lines)), "frames.jsonl"), 1.0),
        rate=1.0,
        clock=lambda: now[0],
    )
    tickers, quotes = connect(simulator), connect(simulator)
    tickers.request(15, "NSE_EQ:1333")
    quotes.request(17, "NSE_EQ:1333")
    for client in (tickers, quotes):  # a snapshot of another instrument shows that the subscription was read
        client.request(21, "NSE_EQ:2181")
        client.packet()
    assert simulator.exchange.snapshot("NSE_EQ:1333") is None
    now[0] += 60
    while (message := tickers.message())[:8] != later[:8]:
        pass
    assert message == later
