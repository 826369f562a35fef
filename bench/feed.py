"""The exchange as the cases need it: `python -m bench.feed PORT TICKS_PER_S STATE_FILE` sends quotes at a
steady rate.

The simulated exchange of the product invents each price and would be slower than the measured client. Here
the packets of all instruments asked for lie ready in one buffer, a WebSocket frame each; only price, times
and volume are written anew. The volume is the milliseconds since the start of the run, so that a browser can
find how old a price is.

STATE_FILE is replaced five times a second: {"at": monotonic, "sent": ticks, "behind_s": how late the sender
is, "subscribed": instruments, "since_ms": epoch milliseconds the volume counts from}.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

from ltp.dhan import packets, requests
from ltp.dhan.clock import utc_to_ltt
from ltp.dhan.codes import SEGMENT_NUMBERS

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_SETTLED_S: Final = 0.5  # after the last subscription, packets begin
_STEP_S: Final = 0.005
_HEAD: Final = 2  # bytes of a frame's head before a packet of this size
_MOVING: Final = struct.Struct(
    "<f2xI4xI"
)  # price, time of trade, volume: the changing fields after a quote's header


class Requests:
    """Messages of the client: masked frames, of which only subscriptions and pings matter."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._buffer = connection, bytearray()
        self.keys: dict[str, None] = {}

    def read(self) -> bool:
        """Read the received bytes; return whether they hold a subscription."""
        asked = False
        try:
            self._buffer += self._connection.recv(65_536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        while (frame := self._frame()) is not None:
            opcode, payload = frame
            if opcode == _PING:
                self._connection.sendall(bytes([0x80 | _PONG, len(payload)]) + payload)
            elif opcode == _CLOSE:
                raise ConnectionResetError
            elif opcode == _TEXT:
                request = requests.parse(payload.decode())
                self.keys.update(dict.fromkeys(request.keys))
                asked = True
        return asked

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < 6:
            return None
        length, at = self._buffer[1] & 0x7F, 2
        if length == 126:
            length, at = int.from_bytes(self._buffer[2:4], "big"), 4
        end = at + 4 + length
        if len(self._buffer) < end:
            return None
        mask, payload = self._buffer[at : at + 4], self._buffer[at + 4 : end]
        opcode = self._buffer[0] & 0xF
        del self._buffer[:end]
        return opcode, bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


class Quotes:
    """The frames of all instruments one after another; `some` gives the next so many with new prices."""

    def __init__(self, keys: list[str], since_ms: int) -> None:
        # In an order of its own: the instruments of one page do not tick one after another.
        frames = [_frame_of(key) for key in random.Random(1).sample(keys, len(keys))]
        self._size, self._count, self._since_ms = len(frames[0]), len(frames), since_ms
        self._buffer = bytearray(b"".join(frames))
        self._prices = [1_000.0 + number % 5_000 for number in range(len(keys))]
        self._next = self._round = 0

    def some(self, count: int) -> memoryview:
        """Return up to `count` frames; fewer where the buffer ends."""
        first, last = self._next, min(self._next + count, self._count)
        now = time.time()
        ltt, volume, step = utc_to_ltt(int(now)), int(now * 1_000) - self._since_ms, 0.05 * (self._round % 40)
        write, buffer, size, at = (
            _MOVING.pack_into,
            self._buffer,
            self._size,
            first * self._size + _HEAD + packets.HEADER_SIZE,
        )
        for price in self._prices[first:last]:
            write(buffer, at, price + step, ltt, volume)
            at += size
        self._next = last % self._count
        self._round += self._next == 0
        return memoryview(buffer)[first * size : last * size]


def _frame_of(key: str) -> bytes:
    segment, _, security_id = key.partition(":")
    quote = packets.QuotePacket(
        SEGMENT_NUMBERS[segment],
        int(security_id),
        1.0,
        10,
        0,
        1_000.0,
        0,
        500,
        400,
        990.0,
        995.0,
        6_100.0,
        900.0,
    )
    packet = packets.encode(quote)
    return bytes([0x80 | _BINARY, len(packet)]) + packet


def serve(port: int, ticks_per_s: float, state_file: Path) -> None:
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            with connection:
                # As practically every WebSocket server does: packets of a price are small, and each would
                # wait for the last one.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    _shake_hands(connection)
                    _send(connection, ticks_per_s, state_file)
                except OSError:
                    continue  # the next client is welcome


def _shake_hands(connection: socket.socket) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        received = connection.recv(4096)
        if not received:
            raise ConnectionResetError  # a probe of the port, no client
        head += received
    lines = [line.partition(b":") for line in head.split(b"\r\n")]
    key = next(value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\n\r\n"
    )


def _send(connection: socket.socket, ticks_per_s: float, state_file: Path) -> None:
    asked = Requests(connection)
    last_asked = time.monotonic()
    while not asked.keys or time.monotonic() - last_asked < _SETTLED_S:
        last_asked = time.monotonic() if asked.read() else last_asked
        time.sleep(0.01)
    since_ms = int(time.time() * 1_000)
    quotes, sent, began, told = Quotes(list(asked.keys), since_ms), 0, time.monotonic(), 0.0
    while True:
        now = time.monotonic()
        due = int((now - began) * ticks_per_s) - sent
        if now - told > 0.2:
            told = now
            asked.read()
            state = {
                "at": now,
                "sent": sent,
                "behind_s": due / ticks_per_s,
                "subscribed": len(asked.keys),
                "since_ms": since_ms,
            }
            _replace(state_file, state)
        if due > 0:
            frames = quotes.some(due)
            connection.sendall(frames)
            sent += len(frames) // (packets.SIZES[4] + _HEAD)
        else:
            time.sleep(_STEP_S)


def _replace(path: Path, state: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(state))
    new.replace(path)


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
