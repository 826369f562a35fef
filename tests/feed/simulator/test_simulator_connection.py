"""Subscriptions, limits, pings and endings, over real sockets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest
import websocket

from ltp.core.money import rupees
from ltp.dhan.clock import utc_to_ltt
from ltp.dhan.packets import (
    DisconnectPacket,
    FullPacket,
    OpenInterestPacket,
    PrevClosePacket,
    QuotePacket,
    TickerPacket,
)
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.universe import FIRST_SYNTHETIC_ID, universe

NIFTY, ABB, HDFCBANK, FUTURE = "IDX_I:13", "NSE_EQ:13", "NSE_EQ:1333", f"NSE_FNO:{FIRST_SYNTHETIC_ID}"
Connect = Callable[..., Any]


def test_snapshot_comes_on_subscription_with_the_clock_of_the_wire(simulator: Simulator, client: Any) -> None:
    snapshot = simulator.exchange.snapshot(HDFCBANK)
    client.request(15, HDFCBANK)
    ticker = client.packet()
    assert isinstance(ticker, TickerPacket)
    assert ticker.ltp == pytest.approx(rupees(snapshot.ltp))
    assert ticker.ltt == snapshot.ltt + 19_800 == utc_to_ltt(snapshot.ltt)


def test_quote_carries_the_previous_close_in_session(simulator: Simulator, client: Any) -> None:
    client.request(17, HDFCBANK)
    quote = client.packet()
    assert isinstance(quote, QuotePacket)
    assert quote.close == pytest.approx(rupees(simulator.exchange.snapshot(HDFCBANK).prev_close), abs=0.001)


def test_quote_carries_the_close_of_the_day_after_it(
    simulate: Callable[..., Simulator], connect: Connect
) -> None:
    simulator = simulate(in_session=lambda _segment, _now: False)
    client = connect(simulator)
    client.request(17, HDFCBANK)
    assert client.packet().close == pytest.approx(
        rupees(simulator.exchange.snapshot(HDFCBANK).ltp), abs=0.001
    )


@pytest.mark.parametrize(
    ("policy", "index", "share"),
    [
        ("idx", [PrevClosePacket, QuotePacket], [QuotePacket]),
        ("all", [PrevClosePacket, QuotePacket], [PrevClosePacket, QuotePacket]),
        ("none", [QuotePacket], [QuotePacket]),
    ],
)
def test_code_6_by_policy(
    simulate: Callable[..., Simulator], connect: Connect, policy: str, index: list[type], share: list[type]
) -> None:
    client = connect(simulate(prev_close_for=policy))
    client.request(17, NIFTY, HDFCBANK)
    assert [type(packet) for packet in client.packets(len(index) + len(share))] == index + share


def test_open_interest_rides_beside_quotes_of_derivatives_only(
    simulate: Callable[..., Simulator], connect: Connect
) -> None:
    client = connect(simulate(extra_instruments=1))
    client.request(17, FUTURE, HDFCBANK)
    assert [type(packet) for packet in client.packets(3)] == [QuotePacket, OpenInterestPacket, QuotePacket]
    client.request(21, FUTURE)
    full = client.packet()
    assert isinstance(full, FullPacket)
    assert full.oi > 0


def test_the_same_id_in_two_segments_is_two_instruments(simulator: Simulator, client: Any) -> None:
    client.request(15, NIFTY, ABB)
    _, nifty, abb = client.packets(3)
    assert (nifty.segment, nifty.security_id, abb.segment, abb.security_id) == (0, 13, 1, 13)
    assert nifty.ltp > 2 * abb.ltp


def test_ids_may_be_integers_and_unknown_keys_are_ignored(client: Any) -> None:
    client.send(
        {
            "RequestCode": 15,
            "dhanClientId": "1",
            "InstrumentList": [{"ExchangeSegment": "NSE_EQ", "SecurityId": 1333}],
        }
    )
    assert client.packet().security_id == 1333


def test_an_unlisted_instrument_stays_silent(client: Any) -> None:
    client.request(15, "NSE_EQ:999999")
    assert client.silent_for(0.1)


def test_modes_are_independent_sets(simulator: Simulator, client: Any) -> None:
    client.request(15, HDFCBANK)
    client.request(17, HDFCBANK)
    client.packets(2)
    client.request(16, HDFCBANK)
    client.request(15, NIFTY)  # its answer shows that the unsubscription was read
    client.packets(2)
    simulator.trade(HDFCBANK, 9_650_000)
    assert isinstance(client.packet(), QuotePacket)
    assert client.silent_for(0.1)


def test_subscribing_again_changes_nothing(simulator: Simulator, client: Any) -> None:
    client.request(15, HDFCBANK)
    client.request(15, HDFCBANK)
    client.packet()
    simulator.trade(HDFCBANK, 9_650_000)
    assert client.packet().ltp == 965.0
    assert client.silent_for(0.1)


def test_more_than_100_in_a_message_are_refused_with_804(client: Any) -> None:
    client.request(15, *(f"NSE_EQ:{number}" for number in range(1, 102)))
    assert client.packet() == DisconnectPacket(0, 0, 804)
    client.request(15, HDFCBANK)
    assert client.packet().security_id == 1333


def test_more_than_5000_on_a_connection_are_refused_with_804(simulator: Simulator, client: Any) -> None:
    for start in range(1, 5001, 100):
        client.request(15, *(f"BSE_EQ:{number}" for number in range(start, start + 100)))
    client.request(15, HDFCBANK)
    assert client.packet() == DisconnectPacket(0, 0, 804)
    client.request(16, "BSE_EQ:1")
    client.request(15, HDFCBANK)
    assert client.packet().security_id == 1333


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"RequestCode": 19}', '{"RequestCode": 15, "InstrumentList": [{}]}']
)
def test_a_text_that_is_no_request_is_answered_with_814(client: Any, text: str) -> None:
    client.socket.send(text)
    assert client.packet() == DisconnectPacket(0, 0, 814)


def test_the_sixth_connection_costs_the_oldest_its_place(
    simulator: Simulator, connect: Connect, wait_for: Callable[..., Any]
) -> None:
    def joined(client_id: str, count: int) -> Any:
        client = connect(simulator, client_id=client_id)
        wait_for(
            lambda: len(simulator.connections.all()) == count
        )  # the upgrade is answered before the server counts it
        return client

    first, *others = [joined("1000000001", count) for count in range(1, 6)]
    joined("1000000002", 6)
    sixth = connect(simulator, client_id="1000000001")
    assert first.packet() == DisconnectPacket(0, 0, 805)
    assert first.frame()[0] == websocket.ABNF.OPCODE_CLOSE
    for client in (*others, sixth):
        client.request(15, HDFCBANK)
        assert client.packet().security_id == 1333


def test_code_12_closes(client: Any) -> None:
    client.send({"RequestCode": 12})
    assert client.frame()[0] == websocket.ABNF.OPCODE_CLOSE


def test_the_v1_header_is_ignored(client: Any) -> None:
    client.socket.send_binary(struct.pack("<bH30s50s", 12, 83, b"1000000001", b""))
    client.request(15, HDFCBANK)
    assert client.packet().security_id == 1333


def test_a_ping_of_the_client_is_answered(client: Any) -> None:
    client.socket.ping("are you there")
    assert client.frame() == (websocket.ABNF.OPCODE_PONG, b"are you there")


def test_the_server_pings_and_drops_a_silent_client(
    simulate: Callable[..., Simulator], connect: Connect, wait_for: Callable[..., Any]
) -> None:
    talking, silent = (connect(simulator) for simulator in [simulate(ping_s=0.1, silence_s=3.0)] * 2)
    silent.socket.sock.settimeout(0.01)
    octets = bytearray()

    def dropped() -> bool:
        """Answer as one of the two; as the other read, and answer nothing."""
        assert talking.frame()[0] == websocket.ABNF.OPCODE_PING
        try:
            part = silent.socket.sock.recv(100)
        except TimeoutError:
            return False
        octets.extend(part)
        return not part

    wait_for(dropped)
    assert octets.startswith(b"\x89\x00" * 3)
    assert talking.frame()[0] == websocket.ABNF.OPCODE_PING


def test_compression_may_be_offered(simulator: Simulator, connect: Connect) -> None:
    client = connect(simulator, header=["Sec-WebSocket-Extensions: permessage-deflate"])
    client.request(15, HDFCBANK)
    assert client.packet().security_id == 1333


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("version=2&token=t&clientId=1", 400),
        ("version=1&token=t&clientId=1&authType=2", 400),
        ("version=2&token=&clientId=1&authType=2", 401),
        ("version=2&token=t&authType=2", 401),
    ],
)
def test_handshake_checks_all_four_parameters(simulator: Simulator, query: str, status: int) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        websocket.create_connection(f"{simulator.url}?{query}", timeout=5)
    assert refused.value.status_code == status
    assert simulator.connections.accepted == 0


def test_a_client_that_reads_nothing_delays_no_other_and_gets_the_newest_price(
    simulator: Simulator, connect: Connect, wait_for: Callable[..., Any]
) -> None:
    slow = connect(simulator, sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)])  # soon full
    quick = connect(simulator)
    keys = [instrument.key for instrument in universe()][:100]
    for client in (slow, quick):
        client.request(21, *keys)
    seen: dict[tuple[int, int], float] = {}

    def read() -> None:
        while seen.get((1, 1333)) != 999.0:
            packet = quick.packet()
            if isinstance(packet, FullPacket):
                seen[packet[:2]] = packet.ltp

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    rounds = 0
    while not any(each.counts["conflated"] for each in simulator.connections.all()):
        rounds += 1
        for key in keys:
            simulator.trade(key, 10_000 * (100 + rounds % 100))
        assert rounds < 3_000, "never conflated"
    simulator.trade(HDFCBANK, 9_990_000)
    reader.join(60)
    assert seen[1, 1333] == 999.0
    while True:
        packet = slow.packet()
        if isinstance(packet, FullPacket) and packet.security_id == 1333 and packet.ltp == 999.0:
            break


def test_stopping_sends_close_frames(simulate: Callable[..., Simulator], connect: Connect) -> None:
    simulator = simulate()
    client = connect(simulator)
    client.request(15, HDFCBANK)
    client.packet()
    simulator.stop()
    assert client.frame() == (websocket.ABNF.OPCODE_CLOSE, struct.pack(">H", 1001))
