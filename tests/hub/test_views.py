"""Which views wait for an event: each at most once, those that rest not at all, and none is forgotten."""

from __future__ import annotations

from typing import Any

import pytest


def test_however_many_browsers_come_a_view_has_one_turn(rig: Any, browse_socket: Any) -> None:
    view = rig.view(1)
    for ltp in range(100, 105):
        browse_socket(rig, view)
        rig.prices(k1=ltp)
        rig.round(0.05)
    assert len(rig.hub._views._resting) == 1
    rig.prices(k1=200)
    assert rig.hub._views.due(rig.clock.s + 1) == [view]


def test_with_every_view_resting_a_batch_marks_none_and_each_still_sends_what_is_new(rig: Any, browse_socket: Any) -> None:
    views = [rig.view(1, id_) for id_ in range(2, 6)]
    browsers = [browse_socket(rig, view) for view in views]
    rig.prices(k1=100)
    rig.round()
    rig.prices(k1=101)
    assert not rig.hub._views.waiting
    rig.round(0.2)
    rig.read_all()
    assert [browser.cells["chg-NSE_EQ-1"] for browser in browsers] == ["101!"] * 4


def test_views_that_were_sent_events_in_one_round_are_due_together(rig: Any, browse_socket: Any) -> None:
    views = [rig.view(1, id_) for id_ in range(2, 6)]
    for view in views:
        browse_socket(rig, view)
    rig.prices(k1=100)
    rig.round()
    assert len({view.due_s for view in views}) == 1


def test_a_round_that_takes_long_parts_its_views(rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltp.hub.writer._TOGETHER", 1)
    monkeypatch.setattr("ltp.hub.sockets.PAUSE_EVERY", 1)
    views = [rig.view(1, id_) for id_ in range(2, 7)]
    for view in views:
        browse_socket(rig, view)

    def passes() -> None:
        rig.clock.s += 0.015

    monkeypatch.setattr(rig.hub._sockets, "_pause", passes)
    rig.prices(k1=100)
    began = rig.clock.s
    rig.round()
    late = [round(view.due_s - began - 0.2, 3) for view in views]
    assert late[0] == 0.0
    assert late == sorted(late)
    assert len(set(late)) > 1


def test_the_writer_does_not_wake_for_each_of_many_views(rig: Any, browse_socket: Any) -> None:
    for id_ in (1, 2):
        browse_socket(rig, rig.view(id_))
    rig.round(1.5)  # the next pulse is a second away
    rig.prices(k1=100)
    rig.round()
    rig.prices(k2=200)
    rig.clock.s += 0.01
    rig.hub._writer.round()
    rig.clock.s += 0.19
    assert rig.hub._writer.round() == pytest.approx(0.02)


@pytest.mark.parametrize("first", [True, False])
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


def test_a_view_nobody_watches_makes_no_events(rig: Any) -> None:
    view = rig.view(1)
    position = view.position
    rig.prices(k1=100)
    rig.round()
    assert (view.position, dict(rig.hub._views.waiting)) == (position, {})


def test_a_browser_that_was_away_for_longer_than_changes_are_logged_misses_nothing(
    rig: Any, browse_socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.changes._KEPT", 2)
    view = rig.view(1, 2, 3)
    browse_socket(rig, view)
    position = view.position
    rig.prices(k1=100)
    for ltp in range(200, 205):
        rig.prices(k2=ltp)
    view.flush()
    caught_up = view.catch_up(position)
    assert b"100!" in caught_up
    assert b"204!" in caught_up
