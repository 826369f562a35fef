"""A subscription to channels: the server's bytes become the bodies of messages, without a copy.

redis-py connects, logs in and subscribes. From then on the server sends messages of one shape only, and they
are read here: redis-py would copy each message five times, and after a cut reconnect without reporting it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ltp.errors import StoreError
from ltp.store.client import Client, connect, translated

POLL_S: Final = 1.0
_TIMEOUT_S: Final = 3.0
_BUFFER: Final = 1 << 18
_LINE: Final = b"\r\n"
_SIZE_MAX: Final = 20  # characters of a length and the end of its line


def bodies(url: str, channel: str, *, longest: int) -> Iterator[memoryview | None]:
    """As `messages` of one channel, of which only the bodies are yielded."""
    for message in messages(url, (channel,), longest=longest):
        yield None if message is None else message[1]


def messages(url: str, channels: Sequence[str], *, longest: int) -> Iterator[tuple[str, memoryview] | None]:
    """Subscribe when the first value is requested, then yield.

    Args:
        channels: that with most messages first.
        longest: see Subscription.
    Yields:
        None once the subscription is confirmed; then the channel and the body of each message, the body valid
            until the next one is requested, and None at least once a second while none comes.
    Raises:
        StoreError: the connection was cut, so messages may be missing.
    """
    client = connect(url, timeout_s=_TIMEOUT_S, retries=0)
    try:
        with translated("subscribing"):
            subscription = _subscribed(client, channels, longest)
        yield None
        while True:
            with translated("reading the channel"):
                body = subscription.read()
            yield None if body is None else (subscription.channel, body)
    finally:
        client.close()


def _subscribed(client: Client, channels: Sequence[str], longest: int) -> Subscription:
    subscription, until_s = Subscription(client, *channels, longest=longest), time.monotonic() + _TIMEOUT_S
    while not subscription.confirmed():
        if time.monotonic() >= until_s:
            raise StoreError(f"subscribing failed: no confirmation for {_TIMEOUT_S:.0f} s")
    return subscription


class Subscription:
    """Subscribes at once; one thread uses it. Raises the exceptions of redis-py, and OSError.

    `channel`: that of the body which `read` returned last.

    Args:
        longest: a body of more bytes is skipped and returned as an empty one.
    """

    def __init__(self, client: Client, *channels: str, longest: int) -> None:
        names = [channel.encode() for channel in channels]
        self._confirmation = b"".join(
            b"*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:%d\r\n" % (len(name), name, number)
            for number, name in enumerate(names, 1)
        )
        self._heads = [b"*3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$" % (len(name), name) for name in names]
        self._channels, self.channel = channels, channels[0]
        self._longest = longest
        self._bytes = bytearray(_BUFFER)
        self._view = memoryview(self._bytes)
        self._start = self._end = 0  # of the bytes received and not yet read
        self._to_skip = 0  # bytes still to be received of a body that is too long
        connection: Any = client.connection_pool.get_connection()
        connection.send_command("SUBSCRIBE", *channels)
        self._socket = connection._sock  # redis-py has no public name for it
        self._socket.settimeout(POLL_S)

    def confirmed(self) -> bool:
        """Wait up to a second for the confirmation; return whether it has come."""
        until_s = time.monotonic() + POLL_S
        while not self._has(self._confirmation):
            if not self._receive() or time.monotonic() >= until_s:
                return False
        self._start += len(self._confirmation)
        return True

    def read(self) -> memoryview | None:
        """Return the body of the next message, valid until the next call; None if none comes for a second."""
        until_s = time.monotonic() + POLL_S
        while (body := self._body()) is None:
            if not self._receive() or time.monotonic() >= until_s:
                break
        return body

    def _body(self) -> memoryview | None:
        """Return the next body, None while part of it is missing."""
        head = self._begun()
        if not head:
            return None
        size_at = self._start + len(head)
        size_text, line, _ = bytes(self._view[size_at : min(self._end, size_at + _SIZE_MAX)]).partition(_LINE)
        if not line and len(size_text) < _SIZE_MAX:
            return None
        if not (line and size_text.isdigit()):
            raise ConnectionError(f"the server announced a message of {size_text!r} bytes")
        size, first = int(size_text), size_at + len(size_text) + len(_LINE)
        after = first + size + len(_LINE)
        if size > self._longest:
            self._start, self._to_skip = min(after, self._end), max(0, after - self._end)
            return self._view[:0]
        if after > self._end:
            return None
        self._start = after
        return self._view[first : first + size]

    def _begun(self) -> bytes:
        """Return the head of the next message and note its channel; b"" while part of the head is missing."""
        for channel, head in zip(self._channels, self._heads, strict=True):
            received = bytes(self._view[self._start : min(self._end, self._start + len(head))])
            if received == head:
                self.channel = channel
                return head
            if head.startswith(received):
                return b""
        self._has(self._heads[0])  # raises, with the bytes that came
        return b""

    def _has(self, expected: bytes) -> bool:
        """Return whether all of `expected` was received; other bytes end the connection."""
        received = bytes(self._view[self._start : min(self._end, self._start + len(expected))])
        if not expected.startswith(received):
            raise ConnectionError(f"the server sent {received[:60]!r} in place of {expected[:60]!r}")
        return len(received) == len(expected)

    def _receive(self) -> bool:
        """Receive once; return False if nothing came for a second."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._bytes):
            self._make_room()
        try:
            count = self._socket.recv_into(self._view[self._end :])
        except TimeoutError:
            return False
        if not count:
            raise ConnectionError("the server closed the connection")
        skipped = min(self._to_skip, count)
        self._to_skip -= skipped
        self._start += skipped
        self._end += count
        return True

    def _make_room(self) -> None:
        """Move the unread bytes to the front, of a buffer twice as large if they fill this one."""
        rest = bytes(self._view[self._start : self._end])
        if self._start == 0:
            self._bytes = bytearray(2 * len(self._bytes))
            self._view = memoryview(self._bytes)
        self._view[: len(rest)] = rest
        self._start, self._end = 0, len(rest)
