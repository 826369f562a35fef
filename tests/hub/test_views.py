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


def test_with_every_view_resting_a_batch_marks_none_and_each_still_sends_what_is_new(
    rig: Any, browse_socket: Any
) -> None:
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
    assert (
        rig.hub._wake.is_set() is False
    )  # the first of them is due in 0.07 s, and neither in less than 0.05
    rig.clock.s += 0.03
    rig.prices(k1=103, k2=203)
    assert rig.hub._wake.is_set()
    rig.clock.s += 0.025
    rig.round()
    rig.read_all()
    assert [browsers[0].cells["chg-NSE_EQ-1"], browsers[1].cells["chg-NSE_EQ-2"]] == ["103!", "203!"]


def test_a_view_that_saw_everything_sleeps_when_its_rest_is_over(rig: Any, browse_socket: Any) -> None:
    browse_socket(rig, rig.view(1))
    rig.round(1.5)  # the next pulse is a second away
    rig.prices(k1=100)
    rig.round()
    rig.clock.s += 0.2
    assert rig.hub._writer.round() == pytest.approx(0.8)
    assert (rig.hub._views.waiting, rig.hub._views._resting) == ({}, [])


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


def test_views_that_nobody_watches_make_room_the_least_recently_used_first(
    rig: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.views.HOT_CELLS", 8)  # four views of one row in two columns
    views = []
    for id_ in range(1, 5):
        rig.clock.s += 1
        views.append(rig.view(id_))
    views[0].join(1_000, 1e9)
    assert rig.hub.refusal(["NSE_EQ:9"], ["ltp", "chg"], "") == ""
    assert set(rig.hub._views) == {views[0], views[2], views[3]}
    assert rig.hub._views.cells == 6
    views[0].leave(1_000)


def test_where_all_are_watched_one_more_is_refused_and_a_known_one_is_not(
    rig: Any, monkeypatch: pytest.MonkeyPatch, browse_socket: Any
) -> None:
    monkeypatch.setattr("ltp.hub.views.HOT_CELLS", 4)
    for id_ in (1, 2):
        browse_socket(rig, rig.view(id_))
    assert rig.hub.refusal(["NSE_EQ:3"], ["ltp", "chg"], "") == "views"
    assert rig.hub.refusal(["NSE_EQ:1"], list(rig.view(1).columns), "") == ""
