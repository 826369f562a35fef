"""A broker's feed in a few lines, written from the wire's description alone: it sends the packets that a
test dictates.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import socket
import struct
import threading
from typing import Final

_MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_IST_S: Final = 19_800


class ScriptedFeed:
    """`connections`: how many have carried a subscription. Packets sent before that reach no instrument."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def send(self, *packets: bytes) -> None:
        """Send each packet as a message on the newest connection."""
        self._open[-1].sendall(b"".join(_frame(packet) for packet in packets))

    def drop(self) -> None:
        """End the newest connection. `close` alone would not: the kernel waits for the thread that reads."""
        self._open[-1].shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for each in (self._listener, *self._open):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            head = list(itertools.takewhile(lambda line: line != b"\r\n", peer.makefile("rb")))
            (key,) = [
                line.partition(b":")[2].strip()
                for line in head
                if line.lower().startswith(b"sec-websocket-key:")
            ]
            accept = base64.b64encode(hashlib.sha1(key + _MAGIC).digest())
            peer.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self._open.append(peer)
            threading.Thread(target=self._read, args=(peer,), daemon=True).start()

    def _read(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if peer.recv(65_536):
                self.connections += 1
            while peer.recv(65_536):
                continue


def _frame(payload: bytes) -> bytes:
    assert len(payload) < 126, "a longer message needs another head"
    return struct.pack("!BB", 0x82, len(payload)) + payload


def quote(
    security_id: int,
    price: float,
    ltt: int,
    volume: int,
    *,
    close: float = 0.0,
    high: float = 0.0,
    low: float = 0.0,
    segment: int = 1,
) -> bytes:
    """Return a quote packet; `ltt`: seconds since the epoch, 0 where the exchange gives none. `high`, `low`: of the
    day, by default the price.
    """
    wire_ltt = ltt + _IST_S if ltt else 0
    values = (price, 1, wire_ltt, price, volume, 10, 10, price, close, high or price, low or price)
    return struct.pack("<BHBIfHIfIIIffff", 4, 50, segment, security_id, *values)


def open_interest(security_id: int, oi: int, segment: int = 1) -> bytes:
    return struct.pack("<BHBII", 5, 12, segment, security_id, oi)
