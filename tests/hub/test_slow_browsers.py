"""Slow browsers: no event is torn for good, one event brings all changes missed, and a stall is found."""

from __future__ import annotations

import errno
import socket
from typing import Any, cast

import pytest

from ltp import metrics
from ltp.hub.slow_browsers import SlowBrowsers, write
from ltp.hub.view import View

EVENT = b"a" * 3000 + b"b" * 3000
FD = 5


class FakeView:
    """A view at version 7; its streams rotate at 99 s. `positions`: the argument of each catch-up."""

    def __init__(self) -> None:
        self.position, self.slow, self.missed = 7, 0, b"missed"
        self.positions: list[int] = []
        self.up_to_date: dict[int, float] = {}

    def leave(self, _fd: int) -> float:
        return 99.0

    def join(self, fd: int, until_s: float) -> None:
        self.up_to_date[fd] = until_s

    def catch_up(self, position: int) -> bytes:
        self.positions.append(position)
        return self.missed


class Street:
    """Slow browsers, and a kernel that takes `room` bytes more. `taken`: the bytes it took."""

    def __init__(self) -> None:
        self.s, self.room, self.taken, self.error = 10.0, 4096, b"", errno.EAGAIN
        self.ended: list[tuple[int, str]] = []
        self.slow = SlowBrowsers(lambda: self.s, lambda fd, reason: self.ended.append((fd, reason)))
        self.fake = FakeView()
        self.view = cast(View, self.fake)

    def write(self, fd: int, event: bytes | memoryview) -> int:
        assert fd == FD
        if not self.room:
            return -self.error
        part = bytes(event[: self.room])
        self.taken, self.room = self.taken + part, self.room - len(part)
        return len(part)

    def tear(self) -> None:
        """Write an event of which the kernel takes 4,096 bytes."""
        self.slow.note_short_send(FD, self.view, EVENT, self.write(FD, EVENT), 3, 5)


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    street = Street()
    monkeypatch.setattr("ltp.hub.slow_browsers.write", street.write)
    return street


def test_a_torn_event_is_kept_with_the_bytes_that_were_sent(street: Street) -> None:
    before = metrics.value("streams_fell_behind")
    street.tear()
    slow = street.slow[FD]
    assert (slow.torn, slow.offset, slow.position) == (EVENT, 4096, 5)
    assert (slow.since_s, slow.until_s, slow.leaving) == (10.0, 99.0, "")
    assert slow.torn is EVENT  # shared, not copied
    assert (street.fake.slow, metrics.value("streams_fell_behind")) == (1, before + 1)


def test_the_rest_is_sent_before_one_event_with_all_changes_missed(street: Street) -> None:
    street.tear()
    street.room = 9_999
    street.slow.resume(FD)
    assert street.taken == EVENT + b"missed"
    assert street.fake.positions == [5]
    assert (street.slow, street.fake.slow, street.fake.up_to_date) == ({}, 0, {FD: 99.0})


def test_a_browser_that_takes_some_of_the_rest_has_finished_no_event(street: Street) -> None:
    street.tear()
    street.s = 12.0
    street.slow.resume(FD)
    assert street.slow[FD].offset == 4096
    street.room = 596
    street.slow.resume(FD)
    slow = street.slow[FD]
    assert (slow.offset, slow.since_s, street.fake.positions) == (4692, 10.0, [])
    assert street.slow.stalled(10.0) == [FD]
    assert street.slow.stalled(9.9) == []


def test_an_event_that_was_refused_whole_leaves_the_browser_at_its_position(street: Street) -> None:
    street.slow.note_short_send(FD, street.view, EVENT, -errno.EAGAIN, 3, 5)
    slow = street.slow[FD]
    assert (slow.torn, slow.position) == (b"", 3)
    street.fake.missed = b""  # the cells look the same again
    street.slow.resume(FD)
    assert (street.fake.positions, street.taken, street.slow) == ([3], b"", {})


def test_a_catch_up_can_be_torn_in_turn_and_restarts_the_time_to_stall(street: Street) -> None:
    street.tear()
    street.fake.missed = b"c" * 5000
    street.s, street.room = 14.0, 6000 - 4096 + 1000
    street.slow.resume(FD)
    slow = street.slow[FD]
    assert (slow.torn, slow.offset, slow.position, slow.since_s) == (b"c" * 5000, 1000, 7, 14.0)
    assert street.fake.slow == 1


def test_a_browser_that_is_leaving_is_ended_after_its_event(street: Street) -> None:
    street.tear()
    street.slow[FD].leaving = "drained"
    street.room = 9_999
    street.slow.resume(FD)
    assert street.taken == EVENT
    assert street.ended == [(FD, "drained")]


@pytest.mark.parametrize(("number", "reason"), [(errno.EPIPE, "left"), (errno.ETIMEDOUT, "vanished")])
def test_an_error_ends_the_connection_with_its_reason(street: Street, number: int, reason: str) -> None:
    street.slow.note_short_send(FD, street.view, EVENT, -number, 3, 5)
    assert (street.ended, street.slow, street.fake.slow) == ([(FD, reason)], {}, 0)


def test_an_error_during_the_rest_of_an_event_ends_the_connection(street: Street) -> None:
    street.tear()
    street.error = errno.EPIPE
    street.slow.resume(FD)
    assert street.ended == [(FD, "left")]


def test_forgetting_a_browser_counts_it_out_once(street: Street) -> None:
    street.tear()
    for _ in range(2):
        street.slow.forget(FD)
    assert (street.slow, street.fake.slow) == ({}, 0)


def test_a_write_returns_the_bytes_taken_or_minus_the_error_number() -> None:
    served, peer = socket.socketpair()
    assert write(served.fileno(), b"12345") == 5
    peer.close()
    assert write(served.fileno(), b"12345") == -errno.EPIPE
    served.close()
    assert write(1_000_000, b"12345") == -errno.EBADF


IDS = range(1, 120)  # events of this many instruments are larger than the small buffers below


def prices(rig: Any, ltp: int) -> None:
    rig.prices(**{f"k{id_}": ltp for id_ in IDS})


@pytest.mark.usefixtures("sending")
def test_a_torn_event_is_finished_before_anything_else_is_written(
    rig: Any, browse_socket: Any, fall_behind: Any
) -> None:
    view = rig.view(*IDS)
    slow = browse_socket(rig, view, buffers=4096)
    fall_behind(rig, slow, IDS)
    for ltp in range(200, 230):
        prices(rig, ltp)
        rig.round(0.3)
        slow.read(700)  # a few hundred bytes a round: every event is torn many times over
    rig.round(6)  # heartbeats for browsers that keep up
    rig.until(lambda: slow.cells == rig.truth(view))
    assert slow.ids == sorted(set(slow.ids))


@pytest.mark.usefixtures("sending")
def test_a_browser_that_was_slow_receives_one_event_with_all_changes_missed(
    rig: Any, browse_socket: Any, fall_behind: Any
) -> None:
    view = rig.view(*IDS)
    slow, healthy = browse_socket(rig, view, buffers=4096), browse_socket(rig, view)
    fall_behind(rig, slow, IDS)
    for ltp in range(200, 210):
        prices(rig, ltp)
        rig.round(1)
        healthy.read()
    events = len(healthy.frames)
    rig.until(lambda: slow.cells == rig.truth(view), passed_s=0)
    assert len(slow.frames) < events - 5
    assert rig.hub.slow_browsers == 0


@pytest.mark.usefixtures("sending")
def test_a_stalled_browser_holds_the_shared_bytes_and_no_queue(
    rig: Any, browse_socket: Any, fall_behind: Any
) -> None:
    view = rig.view(*IDS)
    stalled = [browse_socket(rig, view, buffers=4096) for _ in range(2)]
    for each in stalled:
        fall_behind(rig, each, IDS)
    slow = [rig.hub.sockets.slow_browsers[each.fd] for each in stalled]
    torn = [each.torn for each in slow if each.torn]
    prices(rig, 999)
    rig.round(1)
    assert [each.torn for each in slow if each.torn] == torn
    assert all(len(each) < 40_000 for each in torn)
