"""WebSocket frames (RFC 6455) in big chunks of bytes: the step between the socket and the decoder.

No I/O: chunks in, whole messages out. A library call per frame costs 10 us where walking the chunk in place
costs a fraction of one, and the feed sends one small frame per price: so frames of one size are not even cut
apart. Does not read the messages.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

PROTOCOL_ERROR: Final = 1002
TOO_BIG: Final = 1009
NO_STATUS: Final = 1005

# The feed's messages have tens of bytes; a length field of the peer must not make us allocate gigabytes.
MAX_MESSAGE: Final = 1 << 20
_MAX_CONTROL: Final = 125
_WHOLE_BINARY: Final = 0x80 | BINARY
_BLOCK: Final = 256  # frames compared at once; more would be compared in vain where one of another size comes


class MessageBlock(NamedTuple):
    """Binary messages of `size` bytes, not cut apart because that costs time.

    `block`: the messages one after another, each behind the `gap` bytes of its frame's head.
    """

    block: bytes
    gap: int
    size: int


class FrameWalker:
    """The receiving side of one connection.

    `control`: (opcode, payload) of the pings, pongs and the close that came; the caller empties it. `frames`:
    whole frames walked so far. `texts`: text messages left out. `fault`: close code and sentence once the
    peer broke the protocol; nothing after that point is read.
    """

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self._max_message = max_message
        self._partial = bytearray()  # the start of a frame whose end has not come
        self._needed = 2  # bytes of `_partial` before another walk can get further
        self._fragments = bytearray()
        self._opcode = 0  # of the fragmented message under way, 0 when there is none
        self.control: list[tuple[int, bytes]] = []
        self.frames = 0
        self.texts = 0
        self.fault: tuple[int, str] | None = None

    @property
    def half_read(self) -> bool:
        """A frame or a fragmented message has begun and not ended."""
        return bool(self._partial) or self._opcode != 0

    def feed(self, chunk: bytes) -> list[bytes | MessageBlock]:
        """Return the binary messages that end in `chunk`, oldest first; most in blocks of one size."""
        if self.fault is not None:
            return []
        if self._partial:
            # One growing buffer, walked again only when enough is there: a megabyte that drips in stays
            # linear.
            self._partial += chunk
            if len(self._partial) < self._needed:
                return []
            chunk = bytes(self._partial)
            self._partial.clear()
        messages: list[bytes | MessageBlock] = []
        position, end = 0, len(chunk)
        self._needed = 2
        while position + 2 <= end:
            found = self._walk_block(chunk, position, end)
            if found is not None:
                messages.append(found)
                position += len(found.block)
                continue
            stop = self._walk_other(chunk, position, end, messages)
            if not stop:
                break
            position = stop
        if self.fault is None:
            self._partial += chunk[position:]
        return messages

    def _walk_block(self, chunk: bytes, start: int, end: int) -> MessageBlock | None:
        """Walk the whole, unmasked binary messages of one size that begin at `start`; None for none.

        Nearly every frame of the feed is such a message, so it is worth a path of its own.
        """
        size = chunk[start + 1]
        if chunk[start] != _WHOLE_BINARY or size > 126 or self._opcode:
            return None
        gap = 2
        if size == 126:
            gap, size = 4, int.from_bytes(chunk[start + 2 : start + 4], "big")
        if start + gap + size > end or size > self._max_message:
            return None
        count = _alike(chunk, start, gap, gap + size)
        self.frames += count
        return MessageBlock(chunk[start : start + count * (gap + size)], gap, size)

    def _walk_other(self, chunk: bytes, start: int, end: int, messages: list[bytes | MessageBlock]) -> int:
        """Walk one frame of any kind; return where it ends, 0 when its end has not come."""
        first, length = chunk[start], chunk[start + 1] & 0x7F
        masked = chunk[start + 1] & 0x80
        head = start + 2 + (2 if length == 126 else 8 if length == 127 else 0) + (4 if masked else 0)
        if not self._allows(first, length):
            return 0
        if head > end:
            self._needed = head - start
            return 0
        if length >= 126:
            length = int.from_bytes(chunk[start + 2 : start + (4 if length == 126 else 10)], "big")
        if length + len(self._fragments) > self._max_message:
            self.fault = TOO_BIG, f"The feed sent a message of more than {self._max_message} bytes"
            return 0
        if head + length > end:
            self._needed = head + length - start
            return 0
        payload = chunk[head : head + length]
        if masked:
            payload = mask(payload, chunk[head - 4 : head])
        self.frames += 1
        self._take(first, payload, messages)
        return head + length

    def _allows(self, first: int, length: int) -> bool:
        opcode, final = first & 0x0F, first & 0x80
        if first & 0x70:
            sentence = "The feed sent a frame with an extension that was not agreed on"
        elif opcode >= CLOSE and (opcode > PONG or not final or length > _MAX_CONTROL):
            sentence = "The feed sent a control frame that is not allowed"
        elif opcode in (TEXT, BINARY) and self._opcode:
            sentence = "The feed sent a new message inside a fragmented one"
        elif opcode == 0 and not self._opcode:
            sentence = "The feed sent the continuation of no message"
        elif BINARY < opcode < CLOSE:
            sentence = f"The feed sent a frame of the unknown kind {opcode}"
        else:
            return True
        self.fault = PROTOCOL_ERROR, sentence
        return False

    def _take(self, first: int, payload: bytes, messages: list[bytes | MessageBlock]) -> None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode >= CLOSE:
            self.control.append((opcode, payload))
            return
        self._opcode = opcode or self._opcode
        if not final:
            self._fragments += payload
            return
        if self._opcode == BINARY:
            messages.append(bytes(self._fragments) + payload)
        else:
            self.texts += 1  # prices come in binary messages; a text is a remark of the server
        self._fragments.clear()
        self._opcode = 0


def _alike(chunk: bytes, start: int, gap: int, step: int) -> int:
    """Return how many whole frames of `step` bytes with equal heads of `gap` bytes follow one another.

    Prices come as many frames of one size in a row, and comparing all their heads by columns costs a fraction
    of one frame at a time.
    """
    head = chunk[start : start + gap]
    if chunk[start + step : start + step + gap] != head:
        return 1
    count = min((len(chunk) - start) // step, _BLOCK)
    columns = [chunk[start + at : start + count * step : step] for at in range(gap)]
    if all(column.count(byte) == count for column, byte in zip(columns, head, strict=True)):
        return count
    return next(at for at, other in enumerate(zip(*columns, strict=True)) if bytes(other) != head)


def mask(payload: bytes, key: bytes) -> bytes:
    """XOR `payload` with the 4 bytes of `key`; the same call unmasks."""
    if not payload:
        return b""
    stream = (key * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(payload), "big")


def encode(opcode: int, payload: bytes, key: bytes | None = None) -> bytes:
    """Return one whole frame.

    `key`: 4 random bytes, with which a client must mask; None leaves the payload bare, as servers do.
    """
    bit = 0x80 if key is not None else 0
    if len(payload) < 126:
        head = struct.pack("!BB", 0x80 | opcode, bit | len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, bit | 127, len(payload))
    return head + payload if key is None else head + key + mask(payload, key)


def close_code(payload: bytes) -> int:
    """Return the status code of a close frame, 1005 when it carries none."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else NO_STATUS
