"""A connection waits for a slow client until its seconds are used up, however steadily bytes drip."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import gevent
import pytest
from gevent import event
from gevent import socket as gevent_socket

from ltp import metrics
from ltp.core.clients.unfinished import UnfinishedRequests
from ltp.server.connection import SLOWEST, ClientConnection


@pytest.fixture
def pair() -> Iterator[tuple[ClientConnection, gevent_socket.socket]]:
    ours, theirs = gevent_socket.socketpair()
    connection = ClientConnection(ours.family, ours.type, ours.proto, fileno=ours.detach())
    yield connection, theirs
    connection.close()
    theirs.close()


def drip(client: gevent_socket.socket, ended: event.Event) -> None:
    while not ended.wait(0.01):
        try:
            client.send(b"x")
        except OSError:
            return


def read_until_cut(connection: ClientConnection) -> int:
    got = 0
    while True:
        try:
            got += len(connection.recv(100))
        except ConnectionResetError:
            return got


def test_a_body_that_drips_is_answered_408_and_cut(
    pair: tuple[ClientConnection, gevent_socket.socket],
) -> None:
    connection, client = pair
    connection.begin_request()
    connection.reading_s = 0.2
    ended, before = event.Event(), metrics.value("requests_cut.body")
    dripping = gevent.spawn(drip, client, ended)
    assert read_until_cut(connection) > 1
    ended.set()
    dripping.join()
    assert client.recv(100).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert metrics.value("requests_cut.body") == before + 1


def test_a_head_that_drips_is_cut_without_an_answer(
    pair: tuple[ClientConnection, gevent_socket.socket],
) -> None:
    connection, client = pair
    connection.reading_s = 0.2
    ended = event.Event()
    dripping = gevent.spawn(drip, client, ended)
    assert read_until_cut(connection) > 1
    ended.set()
    dripping.join()
    assert client.recv(100) == b""


def test_an_answer_that_is_never_read_is_cut(pair: tuple[ClientConnection, gevent_socket.socket]) -> None:
    connection, _ = pair
    connection.begin_request()
    before = metrics.value("requests_cut.unread")
    connection.writing_s = 0.1 - 4_000_000 / SLOWEST
    with pytest.raises(ConnectionResetError):
        connection.sendall(b"x" * 4_000_000)
    assert metrics.value("requests_cut.unread") == before + 1


def test_a_large_answer_may_take_longer(pair: tuple[ClientConnection, gevent_socket.socket]) -> None:
    connection, client = pair
    connection.begin_request()
    reader = gevent.spawn(lambda: client.recv(10 * SLOWEST, socket.MSG_WAITALL))
    connection.sendall(b"x" * (10 * SLOWEST))
    reader.get()
    assert 15.0 < connection.writing_s <= 20.0


def test_a_stream_sets_its_own_deadline_and_is_no_longer_counted(
    pair: tuple[ClientConnection, gevent_socket.socket],
) -> None:
    connection, _ = pair
    unfinished = UnfinishedRequests(1)
    connection.slot = unfinished.enter("198.51.100.1")
    connection.settimeout(0.1)
    assert len(unfinished) == 0
    with pytest.raises(TimeoutError):
        connection.sendall(b"x" * 4_000_000)
