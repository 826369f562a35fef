"""The subscription's reading: pieces of any size, what is too long, and whatever is no message."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ltp.store.subscription import Subscription

CONFIRMATION = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
HEAD = b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$"


def message(body: bytes) -> bytes:
    return HEAD + b"%d\r\n%s\r\n" % (len(body), body)


class Server:
    def __init__(self, *channels: str) -> None:
        self.peer, own = socket.socketpair()
        self.commands: list[tuple[Any, ...]] = []
        connection = SimpleNamespace(send_command=lambda *command: self.commands.append(command), _sock=own)
        pool: Any = SimpleNamespace(connection_pool=SimpleNamespace(get_connection=lambda: connection))
        self.subscription = Subscription(pool, *(channels or ("news",)), longest=1 << 20)

    def send(self, content: bytes, step: int = 1 << 30) -> None:
        """In pieces of so many bytes, by a thread: the socket may not hold all of it."""

        def run() -> None:
            for start in range(0, len(content), step):
                self.peer.sendall(content[start : start + step])

        threading.Thread(target=run, daemon=True).start()

    def close(self) -> None:
        self.peer.close()
        self.subscription._socket.close()

    def read(self, count: int) -> list[bytes]:
        """Copies, since each lasts only until the next."""
        bodies = []
        for _ in range(count):
            body = self.subscription.read()
            assert body is not None
            bodies.append(bytes(body))
        return bodies


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_it_subscribes_at_once_and_waits_for_the_confirmation(server: Server) -> None:
    assert server.commands == [("SUBSCRIBE", "news")]
    assert not server.subscription.confirmed()
    server.send(CONFIRMATION[:20])
    assert not server.subscription.confirmed()
    server.send(CONFIRMATION[20:] + message(b"first"))
    assert server.subscription.confirmed()
    assert server.read(1) == [b"first"]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 31, 1_000])
def test_messages_in_pieces_of_any_size(server: Server, step: int) -> None:
    bodies = [b"", b"x", b"\r\n", b"a" * 90, message(b"inner"), b"0123456789" * 30]
    server.send(b"".join(map(message, bodies)), step)
    assert server.read(len(bodies)) == bodies


def test_many_messages_through_one_buffer(server: Server) -> None:
    bodies = [b"%d" % number * (number % 4_001) for number in range(2_000)]
    server.send(b"".join(map(message, bodies)))
    assert server.read(len(bodies)) == bodies


def test_a_message_larger_than_the_buffer(server: Server) -> None:
    bodies = [b"a" * 300_000, b"b" * (1 << 20), b"c"]
    server.send(b"".join(map(message, bodies)), 70_001)
    assert server.read(3) == bodies


@pytest.mark.parametrize("size", [(1 << 20) + 1, 5 << 20])
def test_what_is_too_long_reads_as_empty_and_is_never_held(server: Server, size: int) -> None:
    held = len(server.subscription._bytes)
    server.send(message(b"before") + message(b"z" * size) + message(b"behind"))
    assert server.read(3) == [b"before", b"", b"behind"]
    assert len(server.subscription._bytes) == held


def test_silence_in_the_middle_of_a_message_loses_nothing(server: Server) -> None:
    whole = message(b"slow")
    server.send(whole[:-4])
    assert server.subscription.read() is None
    server.send(whole[-4:])
    assert server.read(1) == [b"slow"]


@pytest.mark.parametrize(
    "said",
    [
        b"-NOPERM no permissions to access a channel\r\n",
        CONFIRMATION,  # subscribed anew: messages may be missing
        b"*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:0\r\n",
        b"*3\r\n$7\r\nmessage\r\n$4\r\nolds\r\n$1\r\nx\r\n",
        HEAD + b"many\r\nx\r\n",
        HEAD + b"-1\r\n",
        HEAD + b"1" * 40,
        b"\x00",
    ],
)
def test_what_is_no_message_ends_the_connection(server: Server, said: bytes) -> None:
    server.send(message(b"before") + said)
    assert server.read(1) == [b"before"]
    with pytest.raises(ConnectionError, match=r"the server (sent|announced)"):
        server.subscription.read()


def test_a_refusal_to_subscribe_is_told(server: Server) -> None:
    server.send(b"-NOPERM not yours\r\n")
    with pytest.raises(ConnectionError, match="NOPERM not yours"):
        server.subscription.confirmed()


def test_a_closed_connection_is_an_error_once_all_is_read(server: Server) -> None:
    server.peer.sendall(message(b"last") + HEAD + b"5\r\nab")
    server.peer.close()
    assert server.read(1) == [b"last"]
    with pytest.raises(ConnectionError, match="closed"):
        server.subscription.read()


def test_messages_of_two_channels_come_in_order_with_their_channels() -> None:
    server = Server("news", "alerts")
    assert server.commands == [("SUBSCRIBE", "news", "alerts")]
    other = HEAD.replace(b"$4\r\nnews", b"$6\r\nalerts")
    content = CONFIRMATION + b"*3\r\n$9\r\nsubscribe\r\n$6\r\nalerts\r\n:2\r\n"
    content += message(b"one") + other + b"3\r\ntwo\r\n" + message(b"six")
    for step in (1, 7, len(content)):
        server = Server("news", "alerts")
        server.send(content, step)
        assert server.subscription.confirmed()
        got = [(server.read(1)[0], server.subscription.channel) for _ in range(3)]
        assert got == [(b"one", "news"), (b"two", "alerts"), (b"six", "news")]
        server.close()


def test_a_message_of_a_third_channel_ends_the_connection() -> None:
    server = Server("news", "alerts")
    server.send(HEAD.replace(b"$4\r\nnews", b"$4\r\nelse") + b"3\r\none\r\n")
    with pytest.raises(ConnectionError, match="in place of"):
        server.read(1)
    server.close()
