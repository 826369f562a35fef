"""Insets: drawn once, sent with the events of the views that carry them, never lost for a slow browser."""

from __future__ import annotations

from typing import Any

from ltp.hub.insets import Inset
from ltp.hub.view import cells_of, view_key

CANDLE = '<hx-partial id="forming">1</hx-partial>'
MOVED = '<hx-partial id="forming">2</hx-partial>'
PLOT = '<hx-partial id="plot">A</hx-partial>'


def test_a_view_with_an_inset_is_another_view_and_costs_more() -> None:
    plain, charted = view_key(["NSE_EQ:1"], ["ltp"]), view_key(["NSE_EQ:1"], ["ltp"], [Inset("5m", 200)])
    assert charted == (("NSE_EQ:1",), ("ltp",), ("5m",))
    assert (cells_of(plain, []), cells_of(charted, [Inset("5m", 200)])) == (1, 201)


def test_a_part_that_changed_is_in_the_next_event_once(rig: Any) -> None:
    inset = Inset("5m", 200)
    view = rig.hub.view(["NSE_EQ:1"], ["ltp"], inset)
    rig.hub.set_inset(inset, "forming", CANDLE)
    assert CANDLE.encode() in view.flush()
    assert view.flush() == b""
    rig.hub.set_inset(inset, "forming", CANDLE)
    assert view.flush() == b""
    rig.hub.set_inset(inset, "forming", MOVED)
    assert MOVED.encode() in view.flush()


def test_only_the_part_that_changed_is_sent(rig: Any) -> None:
    inset = Inset("5m", 200)
    view = rig.hub.view(["NSE_EQ:1"], ["ltp"], inset)
    rig.hub.set_inset(inset, "plot", PLOT)
    rig.hub.set_inset(inset, "forming", CANDLE)
    view.flush()
    rig.hub.set_inset(inset, "forming", MOVED)
    event = view.flush()
    assert MOVED.encode() in event
    assert PLOT.encode() not in event


def test_the_first_event_has_all_parts_also_after_a_reconnect(rig: Any) -> None:
    inset = Inset("5m", 200)
    view = rig.hub.view(["NSE_EQ:1"], ["ltp"], inset)
    rig.prices(k1=100)
    rig.hub.set_inset(inset, "plot", PLOT)
    rig.hub.set_inset(inset, "forming", CANDLE)
    for last_event_id in (None, str(rig.clock.us())):
        event = view.first_event(last_event_id).decode()
        assert PLOT in event
        assert CANDLE in event


def test_a_slow_browser_catches_up_with_the_newest_drawing(rig: Any) -> None:
    inset = Inset("5m", 200)
    view = rig.hub.view(["NSE_EQ:1"], ["ltp"], inset)
    before = view.position
    for drawing in (CANDLE, MOVED):
        rig.hub.set_inset(inset, "forming", drawing)
        rig.prices(k1=len(drawing))
        view.flush()
    rig.hub.set_inset(inset, "plot", PLOT)
    view.flush()
    caught_up = view.catch_up(before).decode()
    assert MOVED in caught_up
    assert PLOT in caught_up
    assert CANDLE not in caught_up


def test_an_inset_wakes_the_views_that_carry_it_and_no_others(rig: Any, browse_socket: Any) -> None:
    inset = Inset("5m", 200)
    charted = browse_socket(rig, rig.hub.view(["NSE_EQ:1"], ["ltp"], inset))
    plain = browse_socket(rig, rig.hub.view(["NSE_EQ:1"], ["ltp"]))
    rig.until(lambda: charted.frames and plain.frames)
    rig.hub.set_inset(inset, "forming", CANDLE)
    rig.until(lambda: charted.cells.get("forming") == "1")
    assert not any(b"forming" in frame for frame in plain.frames)


def test_an_inset_is_shown_while_a_view_carries_it(rig: Any) -> None:
    inset, other = Inset("5m", 200), Inset("15m", 200)
    rig.hub.view(["NSE_EQ:1"], ["ltp"], inset)
    assert len(inset.views) == 1
    assert not other.views
    rig.clock.s += 60
    rig.hub.views.drop_idle(rig.clock.monotonic())
    assert not inset.views


def test_lines_are_joined_because_an_event_is_one_line(rig: Any) -> None:
    inset = Inset("5m", 200)
    rig.hub.set_inset(inset, "plot", "<p>a\nb</p>")
    assert inset.parts == ["<p>a b</p>"]


def test_markup_for_a_poll_and_a_part_that_is_removed(rig: Any) -> None:
    inset = Inset("5m", 200)
    rig.hub.set_inset(inset, "plot", PLOT)
    rig.hub.set_inset(inset, "forming", CANDLE)
    assert inset.parts == [PLOT, CANDLE]
    assert inset.size == len(PLOT + CANDLE)
    rig.hub.set_inset(inset, "forming", "")
    rig.hub.set_inset(inset, "forming", "")
    assert inset.parts == [PLOT]
