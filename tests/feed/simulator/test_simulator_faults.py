"""Each fault as a client sees it, and that each ends by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import requests
import websocket

from ltp.dhan.packets import DisconnectPacket, QuotePacket, TickerPacket, decode
from ltp.errors import InputError
from ltp.feed.simulator import Simulator
from ltp.feed.simulator.faults import KINDS, Faults

HDFCBANK, INFY = "NSE_EQ:1333", "NSE_EQ:1594"
Connect = Callable[..., Any]
Control = Callable[..., requests.Response]


@pytest.fixture
def subscribed(simulator: Simulator, connect: Connect) -> Any:
    client = connect(simulator)
    client.request(17, HDFCBANK)
    client.packet()
    return client


def test_refuse_with_retry_after_then_accept(
    simulator: Simulator, connect: Connect, control: Control
) -> None:
    assert control("POST", "faults", kind="refuse", status=429, retry_after_s=60, count=1).status_code == 200
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        connect(simulator)
    assert refused.value.status_code == 429
    assert refused.value.resp_headers["retry-after"] == "60"
    connect(simulator)
    assert simulator.connections.report()["attempts"] == 2


def test_refuse_with_503_twice(simulator: Simulator, connect: Connect) -> None:
    simulator.faults.add("refuse", status=503, count=2)
    for _ in range(2):
        with pytest.raises(websocket.WebSocketBadStatusException, match="503"):
            connect(simulator)
    connect(simulator)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_drop_after_accept(simulator: Simulator, connect: Connect, ended: Any, how: str) -> None:
    simulator.faults.add("drop_after_accept", how=how)
    client = connect(simulator)
    if how == "close":
        assert client.frame()[0] == websocket.ABNF.OPCODE_CLOSE
    else:
        with pytest.raises(ended):
            client.frame()


@pytest.mark.parametrize("reason", [805, 807, 808, 4242])
def test_reject_accepts_and_names_the_reason(simulator: Simulator, connect: Connect, reason: int) -> None:
    simulator.faults.add("reject", reason=reason)
    client = connect(simulator)
    assert client.packet() == DisconnectPacket(0, 0, reason)
    assert client.frame()[0] == websocket.ABNF.OPCODE_CLOSE


def test_slow_accept(simulator: Simulator, connect: Connect) -> None:
    simulator.faults.add("slow_accept", delay_s=30.0)
    with pytest.raises(websocket.WebSocketTimeoutException):
        websocket.create_connection(f"{simulator.url}?version=2&token=t&clientId=1&authType=2", timeout=0.2)


def test_disconnect_of_running_connections(subscribed: Any, control: Control) -> None:
    assert control("POST", "disconnect", reason=807).json() == {"ended": 1}
    assert subscribed.packet() == DisconnectPacket(0, 0, 807)
    assert subscribed.frame()[0] == websocket.ABNF.OPCODE_CLOSE


def test_drop_resets_running_connections(subscribed: Any, control: Control) -> None:
    assert control("POST", "drop").json() == {"ended": 1}
    with pytest.raises(ConnectionResetError):
        subscribed.frame()


def test_drop_with_a_close_code(subscribed: Any, control: Control) -> None:
    control("POST", "drop", how="close", code=1011)
    assert subscribed.frame() == (websocket.ABNF.OPCODE_CLOSE, (1011).to_bytes(2, "big"))


def test_drop_without_a_word(subscribed: Any, control: Control, ended: Any) -> None:
    control("POST", "drop", how="fin")
    with pytest.raises(ended):
        subscribed.frame()


def test_one_segment_falls_silent_while_another_goes_on(
    simulate: Callable[..., Simulator], connect: Connect
) -> None:
    simulator = simulate()
    client = connect(simulator)
    client.request(15, HDFCBANK, "IDX_I:13")
    simulator.faults.add("mute", duration_s=60, segments=["NSE_EQ"])
    simulator.trade(HDFCBANK, 9_650_000)
    simulator.trade("IDX_I:13", 259_000_000)
    prices = []
    while 25_900.0 not in prices:
        prices.append(getattr(client.packet(), "ltp", None))
    assert 965.0 not in prices


def test_mute_keeps_pings_alive(
    simulate: Callable[..., Simulator], connect: Connect, wait_for: Callable[..., Any]
) -> None:
    simulator = simulate(ping_s=0.05)
    client = connect(simulator)
    client.request(15, HDFCBANK)
    client.packet()
    simulator.faults.add("mute", duration_s=60)
    simulator.trade(HDFCBANK, 9_650_000)
    client.socket.ping()
    opcodes: set[int] = set()
    wait_for(
        lambda: opcodes.add(client.frame()[0]) or len(opcodes) == 2
    )  # any number of pings may come before the answer
    assert opcodes == {websocket.ABNF.OPCODE_PING, websocket.ABNF.OPCODE_PONG}
    simulator.faults.clear()
    simulator.trade(HDFCBANK, 9_660_000)
    assert client.packet().ltp == 966.0


def test_freeze_answers_nothing_until_it_ends(simulator: Simulator, subscribed: Any) -> None:
    simulator.faults.add("freeze", duration_s=60)
    subscribed.socket.ping()
    simulator.trade(HDFCBANK, 9_650_000)
    assert subscribed.silent_for(0.2)
    simulator.faults.clear()
    subscribed.socket.ping()
    assert subscribed.frame()[0] == websocket.ABNF.OPCODE_PONG


@pytest.mark.parametrize("then", ["silence", "reset"])
def test_half_frame(simulator: Simulator, subscribed: Any, then: str) -> None:
    simulator.faults.add("half_frame", then=then)
    simulator.trade(HDFCBANK, 9_650_000)
    octets = b""
    end: type[BaseException] | None = None
    while end is None:
        subscribed.socket.sock.settimeout(0.3 if len(octets) == 26 else 10)
        try:
            octets += subscribed.socket.sock.recv(1)
        except OSError as error:
            end = type(error)
    assert end is (TimeoutError if then == "silence" else ConnectionResetError)
    assert len(octets) <= 26
    if then == "silence":
        assert octets[:3] == bytes((0x82, 50, 4))
        assert len(octets) == 26


def test_garbage_then_the_packet(simulator: Simulator, subscribed: Any) -> None:
    simulator.faults.add("garbage", size=37, count=2)
    for _ in range(2):
        simulator.trade(HDFCBANK, 9_650_000)
        assert len(subscribed.message()) == 37
        assert isinstance(subscribed.packet(), QuotePacket)
    simulator.trade(HDFCBANK, 9_650_000)
    assert isinstance(subscribed.packet(), QuotePacket)


def test_a_text_frame(simulator: Simulator, subscribed: Any) -> None:
    simulator.faults.add("text", text="hello")
    simulator.trade(HDFCBANK, 9_650_000)
    assert subscribed.frame() == (websocket.ABNF.OPCODE_TEXT, b"hello")
    assert isinstance(subscribed.packet(), QuotePacket)


@pytest.mark.parametrize("code", [0, 1, 99])
def test_unknown_codes_have_a_length_one_can_skip_by(
    simulator: Simulator, subscribed: Any, code: int
) -> None:
    simulator.faults.add("unknown_code", code=code)
    simulator.trade(HDFCBANK, 9_650_000)
    message = subscribed.message()
    assert (message[0], int.from_bytes(message[1:3], "little")) == (code, len(message))
    packets, faults = decode(message)
    assert not packets
    assert len(faults) == 1


def test_wrong_length(simulator: Simulator, subscribed: Any) -> None:
    simulator.faults.add("wrong_length", length=9)
    simulator.trade(HDFCBANK, 9_650_000)
    (packet,), (fault,) = decode(subscribed.message())
    assert packet.ltp == 965.0
    assert fault.kind == "wrong_length"


def test_truncated_tail(simulator: Simulator, subscribed: Any) -> None:
    simulator.faults.add("truncated", keep=21)
    simulator.trade(HDFCBANK, 9_650_000)
    message = subscribed.message()
    assert len(message) == 21
    assert decode(message)[1][0].kind == "truncated"


def test_packed_packets(simulator: Simulator, subscribed: Any) -> None:
    simulator.faults.add("packed", n=3, count=2)
    for rupees in range(960, 967):
        simulator.trade(HDFCBANK, rupees * 10_000)
    messages = [decode(subscribed.message()) for _ in range(3)]
    assert [[packet.ltp for packet in packets] for packets, _ in messages] == [
        [960, 961, 962],
        [963, 964, 965],
        [966],
    ]


def test_stale_snapshot(simulator: Simulator, connect: Connect) -> None:
    simulator.faults.add("stale", age_s=86_400, count=1)
    client = connect(simulator)
    client.request(15, HDFCBANK, INFY)
    old, fresh = client.packets(2)
    assert old.ltt == simulator.exchange.snapshot(HDFCBANK).ltt + 19_800 - 86_400
    assert fresh.ltt == simulator.exchange.snapshot(INFY).ltt + 19_800


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", 0, -1.5, 1e30, 1e300])
def test_impossible_prices_for_one_key(
    simulator: Simulator, connect: Connect, control: Control, value: Any
) -> None:
    client = connect(simulator)
    client.request(15, HDFCBANK, INFY)
    client.packets(2)
    control("POST", "faults", kind="price", value=value, keys=[HDFCBANK], count=1)
    simulator.trade(INFY, 15_000_000)
    assert client.packet().ltp == 1500.0
    simulator.trade(HDFCBANK, 9_650_000)
    bad = client.packet()
    assert isinstance(bad, TickerPacket)
    if value == "nan":
        assert math.isnan(bad.ltp)
    elif float(value) < 1e38:
        assert bad.ltp == pytest.approx(float(value))
    else:
        assert bad.ltp > 3e38
    simulator.trade(HDFCBANK, 9_660_000)
    assert client.packet().ltp == 966.0


def test_rest_error(simulator: Simulator, control: Control) -> None:
    control("POST", "faults", kind="rest", status=401, code=806)
    answers = [
        requests.get(f"{simulator.rest_url}/profile", headers={"access-token": "t"}, timeout=5)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert answers[0].json()["data"].keys() == {"806"}


def test_a_fault_ends_after_its_time() -> None:
    now = [100.0]
    faults = Faults(lambda: now[0])
    faults.add("mute", duration_s=5)
    assert faults.lasts("mute")
    now[0] = 105.0
    assert not faults.lasts("mute")
    assert not faults.any


def test_every_fault_has_an_end() -> None:
    for kind in KINDS:
        fault = Faults().add(kind)
        assert fault.left == 1 or fault.until is not None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"kind": "explode"}, "kind: 'explode'"),
        ({"kind": "refuse", "status": "many"}, "refuse.status"),
        ({"kind": "mute", "count": 3}, "mute has no count"),
        ({"kind": "garbage", "colour": 1}, "colour"),
        ({"kind": "refuse", "count": 0}, "count"),
        ({"kind": "stale", "duration_s": -1}, "duration_s"),
        ({"kind": "packed", "n": 0}, "packed.n"),
        ({"kind": "half_frame", "then": "cry"}, "half_frame.then"),
    ],
)
def test_a_refused_fault_has_its_reason(control: Control, body: dict[str, Any], sentence: str) -> None:
    answer = control("POST", "faults", **body)
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]


def test_a_fault_is_shown_and_cleared(control: Control) -> None:
    control("POST", "faults", kind="mute", duration_s=60)
    control("POST", "faults", kind="garbage", count=3)
    assert [fault["kind"] for fault in control("GET", "faults").json()["active"]] == ["mute", "garbage"]
    control("DELETE", "faults")
    assert control("GET", "faults").json() == {"active": []}


def test_in_process_errors_are_input_errors() -> None:
    with pytest.raises(InputError, match=r"price\.value"):
        Faults().add("price", value="abc")
