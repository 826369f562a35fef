"""Detached sockets: no event is torn or lost, and a stalled browser is cut at no cost for the others."""

from __future__ import annotations

import os
import random
import socket
from typing import Any

import gevent.socket
import gevent.ssl
import pytest

from ltp import metrics
from ltp.hub.sockets import detachable

pytestmark = pytest.mark.usefixtures("sending")

IDS = range(1, 120)  # events of this many instruments are larger than the small buffers below


def prices(rig: Any, ltp: int) -> None:
    rig.prices(**{f"k{id_}": ltp for id_ in IDS})


def test_a_stalled_browser_is_cut_with_a_log_line_and_the_others_lose_nothing(
    rig: Any, browse_socket: Any, fall_behind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    view = rig.view(*IDS)
    healthy, stalled = browse_socket(rig, view), browse_socket(rig, view, buffers=4096)
    fall_behind(rig, stalled, IDS)
    before = metrics.value("stream_ends.stalled")
    for ltp in range(300, 369):
        prices(rig, ltp)
        rig.round(0.2)
        healthy.read()
        assert healthy.cells == rig.truth(view)
    assert rig.hub.streams == 2
    rig.round(0.4)
    assert (rig.hub.streams, metrics.value("stream_ends.stalled")) == (1, before + 1)
    assert "1 browser cut: stalled" in caplog.messages


def test_a_browser_that_takes_a_byte_at_a_time_is_cut_as_well(
    rig: Any, browse_socket: Any, fall_behind: Any
) -> None:
    slow = browse_socket(rig, rig.view(*IDS), buffers=4096)
    fall_behind(rig, slow, IDS)
    for _ in range(16):
        rig.round(1)
        slow.read(1)
    assert rig.hub.streams == 0


def test_a_closed_peer_is_noticed_without_a_write(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    rig.round()
    browser.peer.shutdown(socket.SHUT_WR)
    rig.round()
    assert rig.hub.streams == 0


def test_bytes_that_a_browser_sends_after_its_request_are_dropped(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    browser.peer.send(b"GET / HTTP/1.1\r\n\r\n" * 500)
    rig.round()
    rig.prices(k1=100)
    rig.until(lambda: browser.cells["chg-NSE_EQ-1"] == "100!")


def test_a_descriptor_is_not_reused_within_the_round_that_ends_its_connection(
    rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.sockets.PAUSE_EVERY", 1)
    view = rig.view(1)
    gone, kept = browse_socket(rig, view), browse_socket(rig, view)
    opened: list[int] = []
    monkeypatch.setattr(rig.hub.sockets, "pause", lambda: opened.append(os.dup(0)))
    gone.leave()
    rig.prices(k1=100)
    rig.hub.writer.round()
    rig.prices(k1=101)
    rig.clock.s += 1
    rig.hub.writer.round()  # the first write after the peer's reset is the one that fails
    assert gone.fd not in opened
    assert opened
    for fd in opened:
        os.close(fd)
    rig.until(lambda: kept.cells["chg-NSE_EQ-1"] == "101!")
    assert rig.hub.streams == 1


def test_a_report_about_a_closed_descriptor_does_not_end_the_next_connection_with_its_number(
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
        rig.hub.sockets.collect_reports()
        rig.hub.sockets.end(gone.fd, "left")
        rig.hub.sockets.close_ended()
        with served:
            os.dup2(served.fileno(), gone.fd)
        rig.hub.attach(socket.socket(fileno=gone.fd), b"", view, last_event_id=None)
        rig.hub.sockets.act_on_reports()
        rig.hub.sockets.close_ended()
        assert rig.hub.streams == 1
        assert peer.recv(10) == b"retry: 100"


@pytest.mark.parametrize("seed", range(8))
def test_no_change_is_lost_during_the_pauses_of_a_round(
    rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Batches, new browsers and drained sockets between any two writes; then prices stop and pages agree."""
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
            rig.hub.sockets.collect_reports()

    monkeypatch.setattr(rig.hub.sockets, "pause", meanwhile)
    for _ in range(40):
        rig.apply(rig.tick(f"NSE_EQ:{chance.choice(ids)}", chance.randint(100, 199)))
        rig.clock.s += 0.2
        rig.round()
    monkeypatch.setattr(rig.hub.sockets, "pause", lambda: None)
    rig.until(lambda: all(browser.cells == rig.truth(view) for browser in rig.browsers))
    assert all(browser.ids == sorted(set(browser.ids)) for browser in rig.browsers)


def test_only_a_plain_gevent_socket_can_be_detached() -> None:
    with gevent.socket.socket() as plain, socket.socket() as other:
        assert detachable(plain)
        assert not detachable(other)
        context = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        with context.wrap_socket(plain, do_handshake_on_connect=False) as tls:
            assert not detachable(tls)
    assert not detachable(None)
