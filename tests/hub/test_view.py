"""A view: one event for all its browsers, ids that only rise, reconnects that miss nothing."""

from __future__ import annotations

from typing import Any

import pytest

from ltp.hub.view import HEARTBEAT, farewell, view_key


def frame(event: bytes) -> list[str]:
    return event.decode().splitlines()


def test_the_key_of_a_view_has_each_instrument_once_in_one_order() -> None:
    assert view_key(["NSE_EQ:2", "NSE_EQ:1", "NSE_EQ:2"], ["ltp", "chg"]) == (
        ("NSE_EQ:1", "NSE_EQ:2"),
        ("ltp", "chg"),
        (),
    )


def test_the_heartbeat_and_the_farewell_are_events_with_data_and_no_id() -> None:
    assert HEARTBEAT == b'data: <hx-partial id="beat"><i>not live</i></hx-partial>\n\n'
    assert farewell(700) == b"retry: 700\n" + HEARTBEAT


def test_pages_that_differ_only_in_order_share_a_view(rig: Any) -> None:
    assert rig.view(1, 2) is rig.view(2, 1, 2)
    assert rig.view(1, 2) is not rig.view(1)
    assert rig.view(1) is not rig.view(1, columns=("ltp",))


def test_an_event_is_id_data_and_a_blank_line(rig: Any) -> None:
    view = rig.view(1, columns=("chg",))
    rig.prices(k1=100)
    assert frame(view.flush()) == [
        f"id: {rig.clock.us()}",
        'data: <hx-partial id="chg-NSE_EQ-1">100!</hx-partial><hx-partial id="beat"><i>not live</i></hx-partial>',
        "",
    ]


def test_one_flush_a_second_carries_a_heartbeat_and_every_catch_up_does(rig: Any) -> None:
    """Renewing its dead-man's switch costs a page as much as ten cells, and the switch waits for 12 s."""
    view = rig.view(1)
    carried = []
    for price in range(100, 107):
        rig.prices(k1=price)
        carried.append(b'id="beat"' in view.flush())
        rig.clock.s += 0.25
    assert carried == [True, False, False, False, True, False, False]
    before = view.position
    for price in (200, 201):
        rig.prices(k1=price)
        view.flush()
    assert b'id="beat"' in view.catch_up(before)


def test_only_events_with_cells_carry_an_id(rig: Any) -> None:
    rig.prices(k1=100)
    rig.clock.s += 3
    rig.prices(k1=100)
    returned = rig.view(1).first_event(str(rig.clock.us()))
    assert [b"id: " in event for event in (HEARTBEAT, farewell(700), returned)] == [False] * 3


def test_nothing_changed_gives_no_event(rig: Any) -> None:
    view = rig.view(1)
    rig.prices(k2=100)
    assert view.flush() == b""


def test_ids_rise_by_one_where_no_batch_came_between(rig: Any) -> None:
    view = rig.view(1)
    rig.prices(k1=100)
    view.flush()
    first = view.last_id
    rig.clock.s += 9
    rig.hub.refresh()
    assert b"stale" in view.flush()
    assert view.last_id == first + 1


def test_the_first_event_shows_everything_without_flash_and_ends_with_the_beat(rig: Any) -> None:
    rig.prices(k1=100)
    rig.prices(k1=101)
    event = frame(rig.view(1, 2).first_event(None))
    assert event[:2] == [f"id: {rig.clock.us()}", "retry: 1000"]
    assert event[2] == (
        'data: <hx-partial id="ltp-NSE_EQ-1"><b>101</b><i>live</i></hx-partial><hx-partial id="chg-NSE_EQ-1">101!</hx-partial>'
        '<hx-partial id="ltp-NSE_EQ-2"><b>None</b><i>unknown</i></hx-partial><hx-partial id="chg-NSE_EQ-2">None!</hx-partial>'
        '<hx-partial id="beat"><i>not live</i></hx-partial>'
    )


def test_a_reconnect_receives_the_changes_since_its_id_and_the_states_of_the_rest(rig: Any) -> None:
    rig.prices(k1=100, k2=200)
    rig.clock.s += 5
    rig.prices(k2=201)
    id_ = rig.clock.us()
    rig.clock.s += 5
    rig.prices(k1=101)
    event = rig.view(1, 2).first_event(str(id_ + 1_000_001)).decode()
    assert 'id="ltp-NSE_EQ-1"><b>101</b>' in event
    assert '"#ltp-NSE_EQ-2>i" hx-swap="outerHTML"><i>live</i>' in event
    assert "201" not in event
    slack = rig.view(1, 2).first_event(str(id_ + 1_000_000)).decode()
    assert 'id="ltp-NSE_EQ-2"><b>201</b>' in slack


def test_an_id_that_is_none_of_ours_gives_the_whole_page(rig: Any) -> None:
    rig.prices(k1=100)
    rig.clock.s += 5
    rig.prices(k2=200)
    view = rig.view(1, 2)
    whole = view.first_event(None)
    for id_ in (
        "0",
        "",
        "7f3a-18422",
        "-1",
        "１２",
        "9" * 18,
        "9" * 4000,
        "1e9",
        str(rig.clock.us() - 60_000_000),
    ):
        assert view.first_event(id_) == whole, id_


def test_after_a_gap_an_earlier_id_gives_the_whole_page(rig: Any) -> None:
    rig.prices(k1=100)
    view = rig.view(1)
    rig.clock.s += 5
    rig.prices(k2=1)
    id_ = str(rig.clock.us())
    assert b"<b>100</b>" not in view.first_event(id_)
    rig.hub.prices.repair()
    rig.clock.s += 5
    rig.prices(k2=2)
    assert b"<b>100</b>" in view.first_event(id_)


def test_a_catch_up_goes_to_the_views_position_and_its_id_is_not_used_again(
    rig: Any, browse_socket: Any
) -> None:
    view = rig.view(1, 2, 3)
    browse_socket(rig, view)
    position = view.position
    rig.prices(k1=100)
    view.flush()
    rig.clock.s += 1
    rig.prices(k2=200)
    view.flush()
    rig.clock.s += 1
    rig.prices(k3=300)
    caught_up = view.catch_up(position).decode()
    assert ("100" in caught_up, "200" in caught_up, "300" in caught_up) == (True, True, False)
    assert caught_up.startswith(f"id: {view.last_id}\n")
    assert f"id: {view.last_id}\n" != view.flush().decode().splitlines()[0] + "\n"
    assert view.catch_up(view.position) == b""


def test_a_catch_up_includes_a_cell_whose_instrument_changed_again_since_the_last_flush(rig: Any) -> None:
    """The next flush sends only the columns that changed after the last one, here the volume alone."""
    view = rig.view(1, 2, columns=("chg", "volume"))
    position = view.position
    rig.apply(rig.tick("NSE_EQ:1", 100, volume=7))
    view.flush()
    rig.prices(k2=200)
    view.flush()
    rig.apply(rig.tick("NSE_EQ:1", 100, volume=8))
    assert b'<hx-partial id="chg-NSE_EQ-1">100!</hx-partial>' in view.catch_up(position)
    flushed = view.flush()
    assert b'<hx-partial id="volume-NSE_EQ-1">100 of 8</hx-partial>' in flushed
    assert b"chg-NSE_EQ-1" not in flushed


def test_a_first_event_between_a_change_and_its_flush_does_not_take_the_flushes_id(
    rig: Any, browse: Any
) -> None:
    view = rig.view(1)
    browse(rig, view)
    rig.until(lambda: rig.browsers[0].frames)
    rig.prices(k1=100)
    late = browse(rig, view)
    rig.until(lambda: len(late.frames) == 2)
    assert len(set(late.ids)) == len(late.ids)


def test_without_any_batch_there_are_no_ids(rig: Any) -> None:
    rig.cache["NSE_EQ:1"] = rig.snapshot(["NSE_EQ:1"])[0]._replace(tick=rig.tick("NSE_EQ:1", 100))
    view = rig.view(1)
    assert b"id: " not in view.first_event(None)
    assert b"<b>100</b><i>stale</i>" in view.first_event(None)


def test_browsers_that_join_or_leave_while_an_event_is_written_do_not_change_its_receivers(rig: Any) -> None:
    view = rig.view(1)
    view.join(7, 10.0)
    view.join(8, 20.0)
    rig.prices(k1=100)
    delivery = view.deliver()
    assert view.leave(7) == 10.0
    view.join(9, 30.0)
    assert list(delivery.fds) == [7, 8]
    assert list(view.heartbeat().fds) == [8, 9]
    assert view.streams == 2
    assert view.due_for_rotation(20.0) == [8]
    assert view.leave(7) == 0.0  # it had left already


def test_a_browser_that_joins_others_may_receive_their_last_page_and_misses_nothing(
    rig: Any, browse: Any
) -> None:
    view = rig.view(1, 2)
    rig.prices(k1=100, k2=200)
    there = browse(rig, view)
    rig.round(1.0)
    rig.prices(k1=101)
    newcomers = [browse(rig, view)]
    rig.prices(k1=102, k2=202)
    newcomers.append(browse(rig, view))
    rig.round(1.0)
    newcomers.append(browse(rig, view))
    rig.prices(k1=103)
    rig.round(1.0)
    rig.read_all()
    last_s = rig.clock.s + 5  # later all prices are stale, which sends them once more
    rig.until(
        lambda: (
            all(browser.cells == rig.truth(view) for browser in (there, *newcomers)) or rig.clock.s > last_s
        )
    )
    assert rig.clock.s <= last_s


def test_the_page_of_a_quiet_view_among_moving_prices_is_assembled_once(rig: Any, browse_socket: Any) -> None:
    view = rig.view(1)
    rig.prices(k1=100)
    browse_socket(rig, view)
    pages = []
    for price in range(5):
        rig.prices(k2=price + 1)
        view.first_event(None)
        pages.append(view.page(view.position))
    assert all(page is pages[0] for page in pages)


def test_a_browser_that_missed_more_batches_of_changes_than_are_kept_still_receives_all(
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
