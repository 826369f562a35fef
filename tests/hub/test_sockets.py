"""Detached sockets: nothing torn, nothing lost, a stalled browser costs nobody else anything and is cut by
name.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from typing import Any

import pytest

from ltp import metrics

pytestmark = pytest.mark.usefixtures("sending")

IDS = range(1, 120)  # events of this many instruments are larger than the small buffers below


def prices(rig: Any, ltp: int) -> None:
    rig.prices(**{f"k{id_}": ltp for id_ in IDS})


def fall_behind(rig: Any, slow: Any) -> None:
    """Send more than the buffers hold while `slow` reads nothing."""
    for ltp in range(100, 160):
        prices(rig, ltp)
        rig.round(1.0)
        if slow.fd in rig.hub._sockets._late:
            return
    pytest.fail("the buffers never filled")


def test_a_cut_event_is_finished_before_anything_else_is_written(rig: Any, browse_socket: Any) -> None:
    view = rig.view(*IDS)
    slow = browse_socket(rig, view, buffers=4096)
    fall_behind(rig, slow)
    for ltp in range(200, 230):
        prices(rig, ltp)
        rig.round(0.3)
        slow.read(700)  # a few hundred bytes a round: every event is torn many times over
    rig.round(6)  # heartbeats for those who keep up
    rig.until(lambda: slow.cells == rig.truth(view))
    assert slow.ids == sorted(set(slow.ids))


def test_a_browser_that_was_behind_gets_one_event_with_everything_missed(
    rig: Any, browse_socket: Any
) -> None:
    view = rig.view(*IDS)
    slow, healthy = browse_socket(rig, view, buffers=4096), browse_socket(rig, view)
    fall_behind(rig, slow)
    for ltp in range(200, 210):
        prices(rig, ltp)
        rig.round(1)
        healthy.read()
    events = len(healthy.frames)
    rig.until(lambda: slow.cells == rig.truth(view), passed_s=0)
    assert len(slow.frames) < events - 5
    assert rig.hub._sockets.late == 0


def test_a_stalled_browser_is_cut_by_name_and_nobody_else_notices(
    rig: Any, browse_socket: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    view = rig.view(*IDS)
    healthy, stalled = browse_socket(rig, view), browse_socket(rig, view, buffers=4096)
    fall_behind(rig, stalled)
    before = metrics.value("stream_ends.stalled")
    for ltp in range(300, 369):
        prices(rig, ltp)
        rig.round(0.2)
        healthy.read()
        assert healthy.cells == rig.truth(view)
    assert rig.hub.streams == 2
    rig.round(0.4)
    assert (rig.hub.streams, metrics.value("stream_ends.stalled")) == (1, before + 1)
    assert "1 browsers cut: stalled" in caplog.text


def test_a_browser_that_takes_a_byte_at_a_time_is_cut_as_well(rig: Any, browse_socket: Any) -> None:
    slow = browse_socket(rig, rig.view(*IDS), buffers=4096)
    fall_behind(rig, slow)
    for _ in range(16):
        rig.round(1)
        slow.read(1)
    assert rig.hub.streams == 0


def test_a_stalled_browser_holds_the_shared_bytes_and_no_queue(rig: Any, browse_socket: Any) -> None:
    view = rig.view(*IDS)
    slow = [browse_socket(rig, view, buffers=4096) for _ in range(2)]
    for each in slow:
        fall_behind(rig, each)
    late = [rig.hub._sockets._late[each.fd] for each in slow]
    torn = [each.torn for each in late if each.torn]
    prices(rig, 999)
    rig.round(1)
    assert [each.torn for each in late if each.torn] == torn
    assert all(len(each) < 40_000 for each in torn)


def test_a_closed_peer_is_noticed_without_a_write(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    rig.round()
    browser.peer.shutdown(socket.SHUT_WR)
    rig.round()
    assert rig.hub.streams == 0


def test_what_a_browser_sends_after_its_request_is_dropped(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    browser.peer.send(b"GET / HTTP/1.1\r\n\r\n" * 500)
    rig.round()
    rig.prices(k1=100)
    rig.until(lambda: browser.cells["chg-NSE_EQ-1"] == "100!")


def test_a_number_is_not_given_to_a_stranger_within_the_round_that_ends_it(
    rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.sockets.PAUSE_EVERY", 1)
    view = rig.view(1)
    gone, kept = browse_socket(rig, view), browse_socket(rig, view)
    strangers = []
    monkeypatch.setattr(rig.hub._sockets, "_pause", lambda: strangers.append(os.dup(0)))
    gone.leave()
    rig.prices(k1=100)
    rig.hub._writer.round()
    rig.prices(k1=101)
    rig.clock.s += 1
    rig.hub._writer.round()  # the first write after the peer's reset is the one that fails
    assert gone.fd not in strangers
    assert strangers
    for fd in strangers:
        os.close(fd)
    rig.until(lambda: kept.cells["chg-NSE_EQ-1"] == "101!")
    assert rig.hub.streams == 1


def test_a_report_about_a_closed_browser_does_not_end_the_one_that_got_its_number(
    rig: Any, browse_socket: Any
) -> None:
    view = rig.view(1)
    gone = browse_socket(rig, view)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as peer,
    ):
        served, _ = listener.accept()
        gone.leave()
        rig.hub._sockets.collect()
        rig.hub._sockets.end(gone.fd, "left")
        rig.hub._sockets.close_ended()
        with served:
            os.dup2(served.fileno(), gone.fd)
        rig.hub.attach(socket.socket(fileno=gone.fd), b"", view, last_event_id=None, tail="")
        rig.hub._sockets.settle()
        rig.hub._sockets.close_ended()
        assert rig.hub.streams == 1
        assert peer.recv(10) == b"retry: 100"


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_to_whatever_happens_while_a_round_pauses(
    rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Batches, new browsers and drained sockets between any two writes; then the source freezes and all must
    agree.
    """
    chance = random.Random(seed)
    monkeypatch.setattr("ltp.hub.sockets.PAUSE_EVERY", 1)
    ids = [*range(1, 9)] if seed % 2 else list(IDS)
    view = rig.view(*ids)
    for _ in range(6):
        browse_socket(rig, view, buffers=None if chance.random() < 0.5 else 4096)

    def meanwhile() -> None:
        if chance.random() < 0.3:
            rig.apply(
                *(
                    rig.tick(f"NSE_EQ:{id_}", chance.randint(1, 99))
                    for id_ in chance.sample(ids, len(ids) // 2)
                )
            )
        if chance.random() < 0.03:
            browse_socket(rig, view, buffers=None if chance.random() < 0.5 else 4096)
        if chance.random() < 0.3:
            chance.choice(rig.browsers).read(chance.randint(1, 9000))
            rig.hub._sockets.collect()

    monkeypatch.setattr(rig.hub._sockets, "_pause", meanwhile)
    for _ in range(40):
        rig.apply(rig.tick(f"NSE_EQ:{chance.choice(ids)}", chance.randint(100, 199)))
        rig.clock.s += 0.2
        rig.round()
    monkeypatch.setattr(rig.hub._sockets, "_pause", lambda: None)
    rig.until(lambda: all(browser.cells == rig.truth(view) for browser in rig.browsers))
    assert all(browser.ids == sorted(set(browser.ids)) for browser in rig.browsers)


def test_a_farewell_is_never_put_into_a_torn_event(rig: Any, browse_socket: Any) -> None:
    slow = browse_socket(rig, rig.view(*IDS), buffers=4096)
    fall_behind(rig, slow)
    rig.hub.drain(1.0)
    rig.round(0.1)
    assert rig.hub.streams == 1
    rig.until(lambda: slow.closed, passed_s=0.001)
    assert slow.frames[-1].startswith(b"retry: ")
    assert slow.raw == b""


def test_a_drain_cuts_by_name_who_does_not_even_take_the_rest_of_an_event(
    rig: Any, browse_socket: Any
) -> None:
    slow = browse_socket(rig, rig.view(*IDS), buffers=4096)
    fall_behind(rig, slow)
    before = metrics.value("stream_ends.drain_cut")
    rig.hub.drain(1.0)
    rig.round(0.1)
    rig.round(2.1)
    assert rig.hub.streams == 0
    assert metrics.value("stream_ends.drain_cut") == before + 1


def test_a_drain_goes_in_batches_and_prices_go_on_for_who_waits(make_rig: Any, browse_socket: Any) -> None:
    rig = make_rig(max_streams=2000)
    view = rig.view(1)
    browsers = [browse_socket(rig, view) for _ in range(100)]
    rig.hub._writer.drain(4.0)
    left = []
    for step in range(45):
        rig.prices(k1=step)
        rig.round(0.1)
        left.append(rig.hub.streams)
    rig.read_all()
    assert all(before - after <= 5 for before, after in zip([100, *left], left, strict=False))
    assert left[-1] == 0
    assert len({browser.retry for browser in browsers}) > 50
    assert max(len(browser.ids) for browser in browsers) > 15


def test_each_socket_gets_the_options_that_bound_what_the_kernel_hides(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    with socket.socket(fileno=os.dup(browser.fd)) as served:
        tcp = {name: served.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in
               ("TCP_NODELAY", "TCP_NOTSENT_LOWAT", "TCP_USER_TIMEOUT")}  # fmt: skip
        assert tcp == {"TCP_NODELAY": 1, "TCP_NOTSENT_LOWAT": 16_384, "TCP_USER_TIMEOUT": 20_000}
        assert served.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1


def test_the_writer_outlives_a_round_that_fails(
    rig: Any, monkeypatch: pytest.MonkeyPatch, wait_for: Any
) -> None:
    rounds: list[str] = []

    def failing() -> float:
        rounds.append(threading.current_thread().name)
        rig.hub._wake.set()
        raise RuntimeError("a fault")

    monkeypatch.setattr(rig.hub._writer, "round", failing)
    rig.hub._writer.start()
    wait_for(lambda: len(rounds) > 2)
    rig.hub.stop()


def test_the_writer_ends_when_every_round_fails_for_half_a_minute(
    rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its browsers would wait for ever; another process serves them."""
    rounds: list[float] = []

    def failing() -> float:
        rounds.append(rig.clock.monotonic())
        rig.clock.s += 10.0
        raise RuntimeError("a fault")

    monkeypatch.setattr(rig.hub._writer, "round", failing)
    with pytest.raises(RuntimeError):
        rig.hub._writer.run()
    assert len(rounds) == 4
