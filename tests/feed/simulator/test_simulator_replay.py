from __future__ import annotations

from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

import pytest
import requests

from ltp.dhan.clock import utc_to_ltt
from ltp.dhan.packets import QuotePacket, TickerPacket, decode, encode
from ltp.errors import InputError
from ltp.feed.capture.file import CONNECTED, FRAMES, SUBSCRIBED, Record, event, joined, of_keys
from ltp.feed.capture.writer import CaptureWriter
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.replay import load
from ltp.feed.simulator.replay_bars import Print
from ltp.feed.simulator.replay_capture import Break, Frame
from tests.captured import OPEN, captured, quote

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


def test_empty_missing_and_senseless(file: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one"):
        load(file(HEAD), 1.0)
    with pytest.raises(InputError, match="readable"):
        load(tmp_path / "none.csv", 1.0)
    with pytest.raises(InputError, match="file of captured frames"):
        load(file(BARS, "bars.ltpcap"), 1.0)
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


def test_bars_play_from_a_time_on(file: Callable[..., Path]) -> None:
    replay = load(file(BARS), 1.0, time(9, 16))
    assert replay.keys == {"NSE_EQ:1333"}
    replay.start(1_000.0)
    assert [event.ltp for event in replay.due(1_000.0) if isinstance(event, Print)] == [966_0000]
    with pytest.raises(InputError, match="from that time on"):
        load(file(BARS), 1.0, time(9, 17))


def ltts(events: list[Print | Frame | Break]) -> list[int]:
    return [packet.ltt for event in events if isinstance(event, Frame) for packet in decode(event.message)[0]]


def test_captured_frames_play_with_trade_times_of_now(tmp_path: Path) -> None:
    replay = load(captured(tmp_path, 30), 1.0)
    assert replay.keys == {"NSE_EQ:1333", "NSE_EQ:11536"}
    began = OPEN + 86_400.0 * 7 + 0.5
    replay.start(began)
    assert replay.next_due() == began
    # The first packet was received 300 ms after its trade; trade times are whole seconds.
    assert ltts(replay.due(began)) == [utc_to_ltt(int(began))] * 2
    assert ltts(replay.due(began + 1.99)) == [utc_to_ltt(int(began) + 1)] * 2
    rest = ltts(replay.due(began + 1_000))
    assert rest == [utc_to_ltt(int(began) + second) for second in range(2, 30) for _ in range(2)]
    assert replay.next_due() is None


def test_a_replay_at_another_speed_keeps_the_age_of_trades(tmp_path: Path) -> None:
    replay = load(captured(tmp_path, 30), 10.0)
    replay.start(1_900_000_000.0)
    assert replay.next_due() == 1_900_000_000.0
    assert len(ltts(replay.due(1_900_000_001.0))) == 22
    [last, _] = ltts(replay.due(1_900_000_002.9))[-2:]
    assert utc_to_ltt(1_900_000_000 + 1) <= last <= utc_to_ltt(1_900_000_000 + 3)


def test_a_capture_plays_from_a_time_on(tmp_path: Path) -> None:
    path = captured(tmp_path, 5 + 130)
    replay = load(path, 1.0, time(9, 17))
    replay.start(OPEN + 120.5)
    events = replay.due(OPEN + 1_000.0)
    assert [event.message for event in events if isinstance(event, Frame)][::2] == [
        quote(1333, 120 + second, 1000 + 10 * (120 + second)) for second in range(10)
    ]
    assert replay.keys == {"NSE_EQ:1333", "NSE_EQ:11536"}, "subscribed before that time"
    with pytest.raises(InputError, match="from that time on"):
        load(path, 1.0, time(15, 0))


def test_the_end_of_a_captured_connection_ends_the_clients(
    simulate: Callable[..., Simulator], connect: Callable[..., Any], tmp_path: Path, ended: Any
) -> None:
    now = [float(OPEN)]
    simulator = simulate(replay=load(captured(tmp_path, 30, breaks_at=10), 1.0), clock=lambda: now[0])
    client = connect(simulator)
    client.request(17, "NSE_EQ:1333")
    assert client.packet().security_id == 1333
    now[0] += 16
    seen = [client.packet().security_id for _ in range(14)]
    assert seen == [1333] * 14
    with pytest.raises(ended):
        client.packet()


def test_captured_frames_reach_the_subscribers_of_their_mode(
    simulate: Callable[..., Simulator], connect: Callable[..., Any], tmp_path: Path
) -> None:
    ltt, now = 1_795_428_000, [1_795_408_200.0 + 3_600]
    first, later = (TickerPacket(1, 1333, rupees, ltt) for rupees in (965.5, 966.5))
    at = 1_795_408_200_000_000
    writer = CaptureWriter(tmp_path, source="dhanhq", mode="ticker")
    writer.write(
        [
            event(CONNECTED, at, since=at, instruments=1),
            of_keys(SUBSCRIBED, at, ["NSE_EQ:1333"]),
            Record(FRAMES, at, joined([encode(first), b"\x63"])),
            Record(FRAMES, at + 10_000_000, joined([encode(later)])),
        ]
    )
    writer.close()
    [path] = tmp_path.iterdir()
    simulator = simulate(replay=load(path, 1.0), rate=1.0, clock=lambda: now[0])
    tickers, quotes = connect(simulator), connect(simulator)
    tickers.request(15, "NSE_EQ:1333")
    assert tickers.packet() == first._replace(ltt=ltt + 3_600), "the newest message opens a subscription"
    quotes.request(17, "NSE_EQ:1333")
    for client in (tickers, quotes):  # a snapshot of another instrument shows that the subscription was read
        client.request(21, "NSE_EQ:2181")
        assert client.packet().security_id == 2181
    assert simulator.exchange.snapshot("NSE_EQ:1333") is None
    now[0] += 60
    while (message := tickers.message())[:8] != encode(later)[:8]:
        pass
    assert message == encode(later._replace(ltt=ltt + 3_600))
