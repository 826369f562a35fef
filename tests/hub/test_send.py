"""Sending: io_uring and single writes return the same, and the second takes over where the first fails."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ltp.hub.send import Portion, Sender, portions
from ltp.hub.view import Delivery

EVENT = b"data: " + b"x" * 1500 + b"\n\n"


def delivery(event: bytes, *fds: int) -> Delivery:
    return Delivery(None, event, 0, 1, list(fds))  # type: ignore[arg-type]


def portion_of(*deliveries: Delivery) -> Portion:
    return [(each, each.fds) for each in deliveries]


def read(peer: socket.socket) -> bytes:
    got = b""
    try:
        while chunk := peer.recv(1 << 20):
            got += chunk
    except BlockingIOError:
        pass
    return got


def fill(served: socket.socket) -> None:
    """Write until the kernel takes no more."""
    with contextlib.suppress(OSError):
        while True:
            served.send(b"z" * 100_000)


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        for _ in range(40):
            peer = socket.create_connection(listener.getsockname())
            served, _ = listener.accept()
            served.setblocking(False)
            peer.setblocking(False)
            made.append((served, peer))
    yield made
    for pair in made:
        for each in pair:
            each.close()


@pytest.mark.usefixtures("sending")
def test_every_browser_receives_every_event_whole_and_in_order(pairs: Any) -> None:
    sender, wanted = Sender(), [b""] * len(pairs)
    got = [b""] * len(pairs)
    for number in range(80):  # three times round the ring
        events = [b"id: %d.%d\n" % (number, half) + b"y" * (number + half) + b"\n\n" for half in range(2)]
        halves = [pairs[:13], pairs[13:]]
        both = [
            delivery(event, *(served.fileno() for served, _ in half))
            for event, half in zip(events, halves, strict=True)
        ]
        assert sender.send(portion_of(*both)) == []
        for at, (_, peer) in enumerate(pairs):
            wanted[at] += events[at >= 13]
            got[at] += read(peer)
    assert got == wanted


@pytest.mark.usefixtures("sending")
def test_a_short_send_is_returned_with_the_bytes_taken_or_the_error(pairs: Any) -> None:
    full, left, short, healthy = pairs[:4]
    for served, peer in (full, short):
        served.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    left[1].close()
    fill(left[0])  # the first write after the peer's end brings its reset
    fill(full[0])
    large = b"w" * 4_000_000
    fds = [pair[0].fileno() for pair in (full, left, healthy)]
    shorts = Sender().send(portion_of(delivery(EVENT, *fds), delivery(large, short[0].fileno())))
    sent_to = {fd: sent for _, fd, sent in shorts}
    took = sent_to.pop(short[0].fileno())
    assert sent_to == {fds[0]: -errno.EAGAIN, fds[1]: -errno.EPIPE}
    assert 0 < took < len(large)
    assert read(healthy[1]) == EVENT
    assert {each.event for each, fd, _ in shorts if fd == short[0].fileno()} == {large}


@pytest.mark.usefixtures("sending")
def test_a_closed_descriptor_is_returned_and_stops_no_other_send(pairs: Any) -> None:
    sender = Sender()
    gone = pairs[0][0].detach()
    os.close(gone)
    others = [served.fileno() for served, _ in pairs[1:]]
    shorts = sender.send(portion_of(delivery(EVENT, *others[:20], gone, *others[20:])))
    assert [(fd, sent) for _, fd, sent in shorts] == [(gone, -errno.EBADF)]
    assert [read(peer) for _, peer in pairs[1:]] == [EVENT] * 39


def test_portions_contain_at_most_so_many_descriptors_and_each_once() -> None:
    first, second, third = delivery(b"1", 1, 2, 3, 4, 5), delivery(b"2"), delivery(b"3", 6, 7)
    assert list(portions([first, second, third], 3)) == [
        [(first, [1, 2, 3])],
        [(first, [4, 5]), (third, [6])],
        [(third, [7])],
    ]


def test_without_io_uring_events_are_written_one_by_one_and_the_log_gives_the_reason(
    pairs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")

    def refused() -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("ltp.hub.send.Ring", refused)
    sender = Sender()
    assert sender.fallback_reason == "Operation not permitted"
    assert caplog.messages == [
        "Streams are written one by one, which costs more: no io_uring here (Operation not permitted)"
    ]
    assert sender.send(portion_of(delivery(EVENT, pairs[0][0].fileno()))) == []
    assert read(pairs[0][1]) == EVENT


def test_a_ring_that_fails_is_not_used_again_and_sends_without_an_answer_are_returned(
    pairs: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        broken = ""

        def send(self, _fds: Any, _addresses: Any, _sizes: Any) -> list[tuple[int, int]]:
            self.broken = "1 of 2 sends taken, 1 answered"
            return [(1, -errno.ECANCELED)]

    monkeypatch.setattr("ltp.hub.send.Ring", Failing)
    sender = Sender()
    assert sender.fallback_reason == ""
    fds = [served.fileno() for served, _ in pairs[:2]]
    event = delivery(EVENT, *fds)
    assert sender.send(portion_of(event)) == [(event, fds[1], -errno.ECANCELED)]
    assert sender.fallback_reason == "1 of 2 sends taken, 1 answered"
    assert "io_uring failed (1 of 2 sends taken, 1 answered)" in caplog.text
    assert sender.send(portion_of(event)) == []
    assert [read(peer) for _, peer in pairs[:2]] == [EVENT, EVENT]
