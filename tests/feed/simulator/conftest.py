"""A simulator per test, and a client that sends the feed's JSON and decodes its packets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import requests
import websocket

from ltp.core.trading_day import IST
from ltp.dhan.packets import Packet, decode
from ltp.feed.simulator import Simulator

MORNING = datetime(2026, 11, 23, 10, 0, tzinfo=IST).timestamp()
CLOSED = (websocket.WebSocketConnectionClosedException, ConnectionError)


class Client:
    """A WebSocket client of a simulator; `frames` are (opcode, payload) as they came, control frames
    included.
    """

    def __init__(
        self, simulator: Simulator, client_id: str = "1000000001", token: str = "tok", **options: Any
    ) -> None:
        url = f"{simulator.url}?version=2&token={token}&clientId={client_id}&authType=2"
        self.socket = websocket.create_connection(url, timeout=20, **options)

    def request(self, code: int, *keys: str) -> None:
        self.send(
            {
                "RequestCode": code,
                "InstrumentCount": len(keys),
                "InstrumentList": [instrument(key) for key in keys],
            }
        )

    def send(self, message: object) -> None:
        self.socket.send(json.dumps(message))

    def frame(self) -> tuple[int, bytes]:
        """Return the next frame of any kind; a ping is answered, as every client does."""
        opcode, frame = self.socket.recv_data_frame(control_frame=True)
        return opcode, frame.data

    def message(self) -> bytes:
        while True:
            opcode, payload = self.frame()
            if opcode == websocket.ABNF.OPCODE_BINARY:
                return payload

    def packet(self) -> Packet:
        packets, faults = decode(self.message())
        assert not faults
        assert len(packets) == 1
        return packets[0]

    def packets(self, count: int) -> list[Packet]:
        return [self.packet() for _ in range(count)]

    def silent_for(self, seconds: float) -> bool:
        self.socket.settimeout(seconds)
        try:
            return self.frame()[0] == websocket.ABNF.OPCODE_PING
        except websocket.WebSocketTimeoutException:
            return True
        finally:
            self.socket.settimeout(20)


def instrument(key: str) -> dict[str, str]:
    segment, security_id = key.split(":")
    return {"ExchangeSegment": segment, "SecurityId": security_id}


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Return a function that starts a simulator; without a rate it trades only on command, and it is 10:00."""
    started: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        simulator = Simulator(**{"rate": 0.0, "clock": lambda: MORNING, **options})
        started.append(simulator.start())
        return simulator

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def simulator(simulate: Callable[..., Simulator]) -> Simulator:
    return simulate()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    opened: list[Client] = []

    def open_(simulator: Simulator, **options: Any) -> Client:
        opened.append(Client(simulator, **options))
        return opened[-1]

    yield open_
    for client in opened:
        client.socket.shutdown()


@pytest.fixture
def client(simulator: Simulator, connect: Callable[..., Client]) -> Client:
    return connect(simulator)


@pytest.fixture
def control(simulator: Simulator) -> Callable[..., requests.Response]:
    """Return a function that sends a command: control("POST", "faults", kind="mute")."""

    def send(method: str, noun: str, **body: Any) -> requests.Response:
        return requests.request(
            method,
            f"http://127.0.0.1:{simulator.port}/control/{noun}",
            json=None if method == "GET" else body,
            timeout=20,
        )

    return send


@pytest.fixture
def ended() -> tuple[type[BaseException], ...]:
    """The exceptions that a client gets on an ended connection."""
    return CLOSED
