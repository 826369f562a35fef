"""A firing on every open page at once, by the event that carries prices too."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ltp.core.alerts.notice import Notice

AT = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)


def notice(id_: int) -> Notice:
    return Notice(id_, 3, "NSE_EQ:1", "ABB", "ltp > 1", "", AT, 10_000, "trade")


def shows(browser: Any, id_: int) -> bool:
    return browser.cells.get(f"notice-{id_ % 3}") == str(id_)


def test_every_page_is_sent_it_whatever_it_shows(rig: Any, browse: Any) -> None:
    first, second = browse(rig, rig.view(1)), browse(rig, rig.hub.view([], []))
    rig.until(lambda: first.frames and second.frames)
    rig.hub.notify(notice(4))
    rig.until(lambda: shows(first, 4) and shows(second, 4), 0)
    rig.hub.notify(notice(4))
    assert rig.hub.notices.newest == 4


def test_a_page_that_has_just_been_sent_prices_need_not_wait_for_its_next_event(
    rig: Any, browse_socket: Any
) -> None:
    browser = browse_socket(rig, rig.view(1))
    rig.until(lambda: browser.frames)
    rig.prices(k1=100)
    rig.until(lambda: browser.cells.get("chg-NSE_EQ-1") == "100!")
    rig.hub.notify(notice(4))
    rig.until(lambda: shows(browser, 4), 0)


def test_its_pace_is_kept_afterwards(rig: Any, browse_socket: Any) -> None:
    """Twice at rest, a view would be sent twice as many events as it may, for ever."""
    browser = browse_socket(rig, rig.view(1))
    rig.until(lambda: browser.frames)

    def move(price: int) -> None:
        rig.prices(k1=price)
        rig.round(0.05)
        rig.read_all()

    for price in range(30):
        move(price)
        if price % 6 == 5:  # while it rests
            rig.hub.notify(notice(price))
            rig.round()
    before = len(browser.frames)
    for price in range(100, 140):  # two seconds
        move(price)
    assert len(browser.frames) - before <= 2.0 / 0.2 + 1


def test_many_at_once_go_together(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    rig.until(lambda: browser.frames)
    before = len(browser.frames)
    for id_ in range(1, 11):
        rig.hub.notify(notice(id_))
        rig.round()
    rig.until(lambda: shows(browser, 10))
    assert len(browser.frames) - before <= 4
    assert browser.cells["fired-0"] == "10"


def test_a_stream_that_comes_back_brings_what_its_reader_has_not_seen(rig: Any) -> None:
    view = rig.view(1)
    rig.hub.notify(notice(4))
    rig.hub.notify(notice(5))
    events = rig.hub.follow(view, last_event_id=str(rig.clock.us()), seen=4)
    event = next(events).decode()
    events.close()
    assert '<hx-partial id="notice-2">5</hx-partial>' in event
    assert 'id="notice-1"' not in event
    assert '<hx-partial id="fired-4">1</hx-partial>' in event


def test_a_slow_browser_catches_up(rig: Any) -> None:
    view = rig.view(1)
    before = view.position
    rig.hub.notify(notice(4))
    view.flush()
    rig.hub.notify(notice(5))
    view.flush()
    event = view.catch_up(before)
    assert b'id="notice-1"' in event
    assert b'id="notice-2"' in event


def test_stored_firings_are_read_with_the_cache_after_a_gap(make_rig: Any) -> None:
    rig = make_rig(subscribe=lambda: iter([None]))
    rig.hub.stored_notices = lambda: [(notice(4), rig.clock.now()), (notice(5), rig.clock.now() - 3_600)]
    rig.hub._relay.follow_once()
    assert rig.hub.notices.newest == 5
    assert [each for each in rig.hub.notices.unseen(3, rig.clock.now()).slots if each] == ["4"]


def test_one_that_comes_by_the_subscription_is_shown(make_rig: Any) -> None:
    rig = make_rig(subscribe=lambda: iter([None, notice(9), None]))
    rig.hub._relay.follow_once()
    assert rig.hub.notices.newest == 9
