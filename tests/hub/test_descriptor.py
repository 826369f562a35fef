"""One browser's descriptor: the options it gets, and the reason why its connection ended."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

import pytest

from ltp.hub.descriptor import discard_input, end_reason, take_over


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A served connection and its peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        served, _ = listener.accept()
    with served, peer:
        yield served, peer


def test_the_descriptor_gets_the_options_that_bound_what_the_kernel_buffers(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    fd = take_over(pair[0], 20.0)
    with socket.socket(fileno=fd) as served:
        names = (
            "TCP_NODELAY",
            "TCP_NOTSENT_LOWAT",
            "TCP_USER_TIMEOUT",
            "TCP_KEEPIDLE",
            "TCP_KEEPINTVL",
            "TCP_KEEPCNT",
        )
        tcp = {name: served.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names}
        assert tcp == dict(zip(names, (1, 16_384, 20_000, 15, 5, 3), strict=True))
        assert served.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert os.get_blocking(fd) is False


def test_closing_the_socket_of_the_request_leaves_the_descriptor_open(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    served, peer = pair
    fd = take_over(served, 20.0)
    served.close()
    os.write(fd, b"still open")
    assert peer.recv(100) == b"still open"
    os.close(fd)


def test_a_unix_socket_has_no_such_options_and_is_taken_over_all_the_same() -> None:
    served, peer = socket.socketpair()
    with peer:
        fd = take_over(served, 20.0)
        os.write(fd, b"event")
        assert peer.recv(100) == b"event"
        os.close(fd)


@pytest.mark.parametrize("size", [0, 1, 4096, 9000])
def test_input_is_discarded_and_the_connection_goes_on(
    pair: tuple[socket.socket, socket.socket], size: int
) -> None:
    served, peer = pair
    served.setblocking(False)
    peer.sendall(b"x" * size)
    assert discard_input(served.fileno()) == ""
    with pytest.raises(BlockingIOError):
        served.recv(1)


def test_a_peer_that_closes_has_left(pair: tuple[socket.socket, socket.socket]) -> None:
    served, peer = pair
    served.setblocking(False)
    peer.sendall(b"x" * 4096)
    peer.close()
    assert discard_input(served.fileno()) == "left"


def test_a_peer_that_resets_the_connection_has_left(pair: tuple[socket.socket, socket.socket]) -> None:
    served, peer = pair
    served.setblocking(False)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert discard_input(served.fileno()) == "left"


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EPIPE, "left"),
        (errno.ECONNRESET, "left"),
        (errno.ETIMEDOUT, "vanished"),
        (errno.EHOSTUNREACH, "vanished"),
        (errno.ENETUNREACH, "vanished"),
        (errno.EBADF, "failed"),
    ],
)
def test_the_reason_for_an_error_number(number: int, reason: str) -> None:
    assert end_reason(number) == reason
