"""The socket under one WebSocket of the simulator, and the frames written to it.

simple-websocket writes with `send`, which sends only a part when the peer is slow and then corrupts the
stream, and it writes from its reading thread while we write from ours: this socket's `send` is a locked
`sendall`. Server frames are built here: unmasked and never compressed, which is legal under any negotiated
extension, so that a fault can cut one in the middle.
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
    """A connected socket with locked, whole writes. `received_at`: monotonic instant of the last bytes read.

    Args:
        sock: the accepted connection.
        frozen: while it returns True nothing is written, not even the answer to a ping.
    """

    def __init__(
        self, sock: socket.socket, frozen: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sock, self._frozen, self._monotonic = sock, frozen, monotonic
        self._lock = threading.Lock()
        self._silenced = False
        self.received_at = monotonic()
        # A tick is one small frame; waiting to fill a segment would delay it by the peer's delayed
        # acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        return self._sock.fileno()

    def recv(self, size: int) -> bytes:
        received = self._sock.recv(size)
        self.received_at = self._monotonic()
        return received

    def send(self, octets: bytes) -> int:
        """Write all the bytes, or nothing while frozen. Raises OSError when the connection is gone."""
        with self._lock:
            if not self._silenced and not self._frozen():
                self._sock.sendall(octets)
        return len(octets)

    def send_half(self, message: bytes | str) -> None:
        """Write the first half of a frame, and nothing after it."""
        whole = frame(message)
        self.send(whole[: len(whole) // 2])
        self._silenced = True

    def finish(self) -> None:
        """End our direction of the connection; bytes already written still arrive."""
        self._shut(socket.SHUT_WR)

    def close(self) -> None:
        # Closing alone would leave a thread that is blocked in recv or sendall there for ever.
        self._shut(socket.SHUT_RDWR)
        self._sock.close()

    def reset(self) -> None:
        """End the connection with a TCP reset, losing the bytes that the peer has not read."""
        self._silenced = True
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Detached from our reader and from werkzeug: either, once awake, would close the connection in
            # the ordinary way before the reset, and werkzeug's buffered files would keep it open.
            with socket.socket(fileno=self._sock.detach()) as taken:
                taken.shutdown(socket.SHUT_RD)  # wakes the reader and sends the peer nothing
        except OSError:
            pass  # it has ended already

    def _shut(self, how: int) -> None:
        try:
            self._sock.shutdown(how)
        except OSError:
            pass  # the peer was first
