"""Views: each waits for an event at most once, resting ones are not marked, and none is forgotten."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ltp.hub.view import View
from ltp.hub.views import Views


class FakeView:
    """A view of these instruments in two columns, with one browser."""

    def __init__(self, *ids: int) -> None:
        self.keys = tuple(f"NSE_EQ:{id_}" for id_ in ids)
        self.key, self.insets = (self.keys, ("ltp", "chg")), ()
        self.cells, self.streams = 2 * len(ids), 1
        self.nothing_new = self.registered = False
        self.due_s = self.touched_s = 0.0


def view(*ids: int) -> View:
    return cast(View, FakeView(*ids))


@pytest.fixture
def views() -> Views:
    return Views()


def test_one_view_is_registered_for_a_key(views: Views) -> None:
    first, second = view(1), view(1)
    assert views.add(first) is first
    assert views.add(second) is first
    assert (first.registered, second.registered) == (True, False)
    assert (views.get(first.key), list(views), views.cells) == (first, [first], 2)


def test_the_views_of_an_instrument_that_changed_wait_for_an_event(views: Views) -> None:
    one, both, other = (views.add(view(*ids)) for ids in ((1,), (1, 2), (3,)))
    views.mark(["NSE_EQ:2", "NSE_EQ:1", "NSE_EQ:9"])
    assert list(views.waiting) == [both, one]
    assert views.due(0.0) == [both, one]
    assert other not in views.waiting


def test_a_change_of_the_status_lets_all_sleeping_views_wait(views: Views) -> None:
    resting, first, second = (views.add(view(id_)) for id_ in (1, 2, 3))
    views.wait_until(resting, 5.0)
    views.mark_status()
    assert set(views.waiting) == {first, second}


def test_a_resting_view_is_not_marked_and_waits_when_its_rest_is_over(views: Views) -> None:
    resting = views.add(view(1))
    views.wait_until(resting, 5.0)
    views.mark(["NSE_EQ:1"])
    assert (resting.due_s, views.waiting, views.due(4.9), views.next_due_s()) == (5.0, {}, [], 5.0)
    assert (views.due(5.0), views.next_due_s()) == ([resting], 0.0)


def test_a_view_with_nothing_new_at_the_end_of_its_rest_sleeps(views: Views) -> None:
    resting = views.add(view(1))
    views.wait_until(resting, 5.0)
    cast(FakeView, resting).nothing_new = True
    assert (views.due(5.0), views.next_due_s()) == ([], float("inf"))
    views.mark(["NSE_EQ:1"])
    assert views.due(5.0) == [resting]


def test_a_view_without_a_browser_sleeps(views: Views) -> None:
    idle, shown = views.add(view(1)), views.add(view(1, 2))
    cast(FakeView, idle).streams = 0
    views.mark(["NSE_EQ:1"])
    assert (views.due(0.0), list(views.waiting)) == ([shown], [shown])
    cast(FakeView, idle).streams = 1
    views.mark(["NSE_EQ:1"])
    assert views.due(0.0) == [shown, idle]


def test_shown_are_the_instruments_of_all_views(views: Views) -> None:
    idle = views.add(view(1, 2))
    cast(FakeView, idle).streams = 0
    shown = views.shown()
    views.add(view(2, 3))
    assert shown == {"NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"}
    views.drop_idle(5.1)
    assert shown == {"NSE_EQ:2", "NSE_EQ:3"}


def test_a_view_is_dropped_five_seconds_after_its_last_browser(views: Views) -> None:
    dropped = views.add(view(1))
    views.mark(["NSE_EQ:1"])
    views.drop_idle(100.0)
    cast(FakeView, dropped).streams = 0
    views.drop_idle(105.0)
    assert views.get(dropped.key) is dropped
    views.drop_idle(105.1)
    assert (views.get(dropped.key), dropped.registered, views.cells, views.waiting) == (None, False, 0, {})
    views.sleep(dropped)
    views.mark(["NSE_EQ:1"])
    assert views.next_due_s() == float("inf")


def test_views_without_browsers_make_room_the_least_recently_used_first(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.views.MOST_CELLS", 8)
    watched, newest, oldest, middle = (views.add(view(id_)) for id_ in (1, 2, 3, 4))
    for each, touched_s in ((newest, 9.0), (oldest, 7.0), (middle, 8.0)):
        cast(FakeView, each).streams, each.touched_s = 0, touched_s
    assert views.has_room(0)
    assert views.has_room(2)
    assert (list(views), views.cells) == ([watched, newest, middle], 6)
    assert views.has_room(6)
    assert list(views) == [watched]
    assert not views.has_room(7)


def test_however_many_browsers_connect_a_view_rests_once(rig: Any, browse_socket: Any) -> None:
    shown = rig.view(1)
    for ltp in range(100, 105):
        browse_socket(rig, shown)
        rig.prices(k1=ltp)
        rig.round(0.05)
    rig.prices(k1=200)
    assert rig.hub.views.due(rig.clock.s + 1) == [shown]
    rig.hub.views.sleep(shown)
    assert rig.hub.views.next_due_s() == float("inf")


def test_while_every_view_rests_a_batch_marks_none_and_each_still_sends_the_change(
    rig: Any, browse_socket: Any
) -> None:
    shown = [rig.view(1, id_) for id_ in range(2, 6)]
    browsers = [browse_socket(rig, each) for each in shown]
    rig.prices(k1=100)
    rig.round()
    rig.prices(k1=101)
    assert not rig.hub.views.waiting
    rig.round(0.2)
    rig.read_all()
    assert [browser.cells["chg-NSE_EQ-1"] for browser in browsers] == ["101!"] * 4


def test_a_view_without_a_browser_makes_no_events(rig: Any) -> None:
    idle = rig.view(1)
    position = idle.position
    rig.prices(k1=100)
    rig.round()
    assert (idle.position, rig.hub.views.waiting) == (position, {})
