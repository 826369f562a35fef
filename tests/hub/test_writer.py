"""The writer: instants of events, heartbeats, rotation, drain, and rounds that fail."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ltp import metrics
from ltp.hub.writer import Drain, drain_s, retry_ms, rotation_retry_ms, stream_life_s

IDS = range(1, 120)  # events of this many instruments are larger than the small buffers below

both_ways = pytest.mark.usefixtures("sending")


@both_ways
def test_the_first_tick_after_a_quiet_time_goes_out_at_once_and_the_next_after_the_interval(
    rig: Any, browse: Any
) -> None:
    browser = browse(rig, rig.view(1))
    rig.until(lambda: browser.frames)
    rig.prices(k1=100)
    rig.until(lambda: browser.cells["chg-NSE_EQ-1"] == "100!", passed_s=0)
    rig.prices(k1=101)
    rig.prices(k1=102)
    rig.round(0.14)
    browser.read()
    assert browser.cells["chg-NSE_EQ-1"] == "100!"
    rig.until(lambda: browser.cells["chg-NSE_EQ-1"] == "102!", passed_s=0.01)
    assert len(browser.frames) == 3


def test_views_that_were_sent_events_in_one_round_are_due_together(rig: Any, browse_socket: Any) -> None:
    views = [rig.view(1, id_) for id_ in range(2, 6)]
    for view in views:
        browse_socket(rig, view)
    rig.prices(k1=100)
    rig.round()
    assert len({view.due_s for view in views}) == 1


def test_a_view_that_is_soon_due_goes_with_the_batch_and_not_just_after_it(
    rig: Any, browse_socket: Any
) -> None:
    browsers = [browse_socket(rig, rig.view(id_)) for id_ in (1, 2)]
    rig.prices(k1=100)
    rig.round()
    rig.clock.s += 0.03
    rig.prices(k2=200)
    rig.round()
    rig.prices(k1=101, k2=201)
    rig.round(0.10)
    rig.prices(k1=102, k2=202)
    assert not rig.hub.writer.woken  # the first of them is due in 0.07 s, and neither in less than 0.05
    rig.clock.s += 0.03
    rig.prices(k1=103, k2=203)
    assert rig.hub.writer.woken
    rig.clock.s += 0.025
    rig.round()
    rig.read_all()
    assert [browsers[0].cells["chg-NSE_EQ-1"], browsers[1].cells["chg-NSE_EQ-2"]] == ["103!", "203!"]


def test_a_round_returns_the_seconds_until_something_is_due(rig: Any, browse_socket: Any) -> None:
    browse_socket(rig, rig.view(1))
    rig.round(1.5)  # the next second begins in 1 s
    rig.prices(k1=100)
    assert rig.hub.writer.round() == pytest.approx(0.2)
    rig.clock.s += 0.2
    assert rig.hub.writer.round() == pytest.approx(0.8)


@pytest.mark.parametrize("first", [True, False])
@both_ways
def test_a_view_whose_event_failed_is_sent_the_next_change_and_the_others_lose_nothing(
    rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch, first: bool
) -> None:
    views = [rig.view(1), rig.view(1, 2)]
    failing, whole = [browse_socket(rig, view) for view in (views if first else reversed(views))]

    def fails() -> bytes:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr(views[0 if first else 1], "flush", fails)
        rig.prices(k1=100)
        with pytest.raises(RuntimeError):
            rig.round()
    rig.until(lambda: whole.cells["chg-NSE_EQ-1"] == "100!", passed_s=0.01)
    rig.prices(k1=101)
    rig.until(lambda: failing.cells["chg-NSE_EQ-1"] == whole.cells["chg-NSE_EQ-1"] == "101!")


@both_ways
def test_a_quiet_view_beats_every_five_seconds_without_an_id(
    rig: Any, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.follow.HEARTBEAT_S", 0.05)  # a generator waits in real time
    browser = browse(rig, rig.view(1))
    rig.until(lambda: len(browser.frames) > 1, passed_s=1)
    assert browser.frames[1] == b'data: <hx-partial id="beat"><i>not live</i></hx-partial>\n'


@both_ways
def test_a_dead_link_turns_every_price_stale_within_ten_seconds_of_the_last_batch(
    rig: Any, browse: Any
) -> None:
    rig.prices(k1=100)
    browser = browse(rig, rig.view(1))
    rig.until(lambda: "live" in browser.cells.get("ltp-NSE_EQ-1", ""), passed_s=0)
    for _ in range(10):
        rig.round(1)
    rig.until(lambda: browser.cells["ltp-NSE_EQ-1"] == "<b>100</b><i>stale</i>", passed_s=0)


@both_ways
def test_after_a_quarter_of_an_hour_a_stream_rotates(rig: Any, browse: Any) -> None:
    browser = browse(rig, rig.view(1))
    rig.round(14.9 * 60)
    browser.read()
    assert not browser.closed
    rig.clock.s += 5.2 * 60
    rig.prices(k1=100)
    rig.until(lambda: browser.closed)
    assert browser.frames[-1].startswith(b"retry: ")
    assert b"\nid" not in browser.frames[-1]


@both_ways
def test_a_drain_sends_every_browser_a_time_to_reconnect_and_then_closes(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    browsers = [browse(rig, view) for _ in range(5)]
    rig.hub.drain(4.0)
    rig.until(lambda: all(browser.closed for browser in browsers))
    assert all(1000 <= browser.retry < 2000 for browser in browsers)
    assert all(b"data: " in browser.frames[-1] for browser in browsers)
    assert rig.hub.streams == 0


@both_ways
def test_a_drain_goes_in_steps_and_prices_go_on_for_browsers_that_wait(
    make_rig: Any, browse_socket: Any
) -> None:
    rig = make_rig(max_streams=2000)
    view = rig.view(1)
    browsers = [browse_socket(rig, view) for _ in range(100)]
    rig.hub.writer.drain(4.0)
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


@both_ways
def test_a_farewell_is_never_put_into_a_torn_event(rig: Any, browse_socket: Any, fall_behind: Any) -> None:
    slow = browse_socket(rig, rig.view(*IDS), buffers=4096)
    fall_behind(rig, slow, IDS)
    rig.hub.drain(1.0)
    rig.round(0.1)
    assert rig.hub.streams == 1
    rig.until(lambda: slow.closed, passed_s=0.001)
    assert slow.frames[-1].startswith(b"retry: ")
    assert slow.raw == b""


@both_ways
def test_a_drain_cuts_a_browser_that_takes_no_more_of_its_torn_event(
    rig: Any, browse_socket: Any, fall_behind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    slow = browse_socket(rig, rig.view(*IDS), buffers=4096)
    fall_behind(rig, slow, IDS)
    before = metrics.value("stream_ends.drain_cut")
    rig.hub.drain(1.0)
    rig.round(0.1)
    rig.round(2.1)
    assert rig.hub.streams == 0
    assert metrics.value("stream_ends.drain_cut") == before + 1
    assert "1 browser cut: drain_cut" in caplog.messages


def test_the_steps_of_a_drain() -> None:
    drain = Drain(list(range(100)), 1.0, 50.0)
    assert drain.next_s == 50.0
    first = drain.batch(50.0)
    assert (len(first), drain.next_s) == (5, 50.05)
    drain.put_back(first[:2])
    assert [len(drain.batch(now_s)) for now_s in (50.05, 50.505, 50.945)] == [7, 46, 44]
    assert drain.batch(51.0) == []
    assert [drain.overdue(now_s) for now_s in (52.0, 52.1)] == [False, True]


@pytest.mark.parametrize(
    ("browsers", "at_most_s", "seconds"),
    [(0, 20.0, 0.05), (5, 20.0, 0.05), (1_000, 20.0, 2.0), (50_000, 20.0, 20.0)],
)
def test_many_browsers_are_spread_over_more_seconds(browsers: int, at_most_s: float, seconds: float) -> None:
    assert drain_s(browsers, at_most_s) == seconds


def test_times_to_reconnect_and_to_rotate_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    for chance, few, many in ((0.0, 1_000, 1_000), (0.5, 1_500, 6_000), (0.999, 1_999, 10_990)):
        monkeypatch.setattr("ltp.hub.writer.random.random", lambda chance=chance: chance)
        assert (retry_ms(7), retry_ms(10_000)) == (few, many)
    assert all(500 <= rotation_retry_ms() <= 1_500 for _ in range(100))
    assert all(900 <= stream_life_s() <= 1_200 for _ in range(100))


def test_a_round_that_fails_does_not_end_the_writer(
    rig: Any, monkeypatch: pytest.MonkeyPatch, wait_for: Any
) -> None:
    rounds: list[str] = []

    def failing() -> float:
        rounds.append(threading.current_thread().name)
        raise RuntimeError("a fault")

    monkeypatch.setattr(rig.hub.writer, "round", failing)
    rig.hub.writer.start()
    wait_for(lambda: len(rounds) > 2)
    rig.hub.stop()
    assert set(rounds) == {"writer"}


def test_the_writer_ends_when_every_round_fails_for_half_a_minute(
    rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its browsers would never receive another event; another process serves them."""
    rounds: list[float] = []

    def failing() -> float:
        rounds.append(rig.clock.monotonic())
        rig.clock.s += 10.0
        raise RuntimeError("a fault")

    monkeypatch.setattr(rig.hub.writer, "round", failing)
    with pytest.raises(RuntimeError):
        rig.hub.writer.run()
    assert len(rounds) == 4
