"""The socket under one WebSocket of the simulator, and the frames written to it.

simple-websocket writes with `send`, which may take only a part when the peer is slow and then corrupts the
stream, and it writes from its reading thread while we write from ours: this socket's `send` is a locked
`sendall`. Server frames are written here by hand: they are unmasked and never compressed, which is legal
whatever was negotiated, and a fault can cut one in the middle.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Final

PING: Final = b"\x89\x00"
_TEXT: Final = 0x81
_BINARY: Final = 0x82


def frame(message: bytes | str) -> bytes:
    opcode, payload = (_TEXT, message.encode()) if isinstance(message, str) else (_BINARY, message)
    size = len(payload)
    if size < 126:
        return bytes((opcode, size)) + payload
    if size < 65_536:
        return struct.pack(">BBH", opcode, 126, size) + payload
    return struct.pack(">BBQ", opcode, 127, size) + payload


def close_frame(code: int) -> bytes:
    return b"\x88\x02" + struct.pack(">H", code)


class FrameSocket:
    """Args:
    sock: the accepted connection.
    frozen: while it says so, nothing is written, not even the answer to a ping.
    """

    def __init__(
        self, sock: socket.socket, frozen: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sock, self._frozen, self._monotonic = sock, frozen, monotonic
        self._lock = threading.Lock()
        self._silenced = False
        self.heard_at = monotonic()
        # A tick is one small frame; waiting to fill a segment would delay it by the peer's delayed
        # acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        received = self._sock.recv(size)
        self.heard_at = self._monotonic()
        return received

    def send(self, octets: bytes) -> int:
        """Write all of it, or nothing while frozen. Raises OSError when the connection is gone."""
        with self._lock:
            if not self._silenced and not self._frozen():
                self._sock.sendall(octets)
        return len(octets)

    def send_half(self, message: bytes | str) -> None:
        """Write the first half of a frame and never anything again."""
        whole = frame(message)
        self.send(whole[: len(whole) // 2])
        self._silenced = True

    def finish(self) -> None:
        """Say that nothing more comes; what was written still arrives."""
        self._shut(socket.SHUT_WR)

    def close(self) -> None:
        # Closing alone would leave a thread that is blocked in recv or sendall there for ever.
        self._shut(socket.SHUT_RDWR)
        self._sock.close()

    def reset(self) -> None:
        """End the connection with a TCP reset, losing what the peer has not read."""
        self._silenced = True
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Taken from under our reader and werkzeug: either, once awake, would say a proper goodbye before
            # the reset, and werkzeug's buffered files would keep it open.
            with socket.socket(fileno=self._sock.detach()) as taken:
                taken.shutdown(socket.SHUT_RD)  # wakes the reader without a word to the peer
        except OSError:
            pass  # it is gone already, which is what was wanted

    def _shut(self, how: int) -> None:
        try:
            self._sock.shutdown(how)
        except OSError:
            pass  # the peer was first
