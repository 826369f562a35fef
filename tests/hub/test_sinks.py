"""What holds for a browser on either sink: a detached socket or a generator."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ltp import metrics

pytestmark = pytest.mark.usefixtures("sending")


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


def test_every_browser_of_a_view_gets_the_same_bytes(rig: Any, browse: Any) -> None:
    view = rig.view(1, 2)
    browsers = [browse(rig, view) for _ in range(3)]
    rig.prices(k1=100, k2=200)
    rig.until(lambda: all(len(browser.frames) == 2 for browser in browsers))
    assert len({browser.frames[1] for browser in browsers}) == 1


def test_the_tail_comes_once_with_the_first_event(rig: Any, browse: Any) -> None:
    browser = browse(rig, rig.view(1), tail="<p>tail</p>")
    rig.prices(k1=100)
    rig.until(lambda: len(browser.frames) == 2)
    assert [b"<p>tail</p>" in frame for frame in browser.frames] == [True, False]
    assert browser.retry == 1000


def test_a_quiet_view_beats_every_five_seconds_without_an_id(
    rig: Any, browse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltp.hub.follow.HEARTBEAT_S", 0.05)  # a generator waits in real time
    browser = browse(rig, rig.view(1))
    rig.until(lambda: len(browser.frames) > 1, passed_s=1)
    assert browser.frames[1] == b'data: <hx-partial id="beat"><i>not live</i></hx-partial>\n'


def test_a_dead_link_turns_every_price_stale_within_ten_seconds_of_the_last_batch(
    rig: Any, browse: Any
) -> None:
    rig.prices(k1=100)
    browser = browse(rig, rig.view(1))
    rig.until(lambda: "live" in browser.cells.get("ltp-NSE_EQ-1", ""), passed_s=0)
    for _ in range(10):
        rig.round(1)
    rig.until(lambda: browser.cells["ltp-NSE_EQ-1"] == "<b>100</b><i>stale</i>", passed_s=0)


def test_a_browser_that_left_is_counted_out(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    browser = browse(rig, view)
    before = metrics.value("stream_ends.left")
    assert rig.hub.streams == 1
    browser.leave()
    rig.prices(k1=100)
    rig.until(lambda: rig.hub.streams == 0)
    assert metrics.value("stream_ends.left") == before + 1


def test_after_a_quarter_of_an_hour_a_browser_is_told_to_come_back(rig: Any, browse: Any) -> None:
    browser = browse(rig, rig.view(1))
    rig.round(14.9 * 60)
    browser.read()
    assert not browser.closed
    rig.clock.s += 5.2 * 60
    rig.prices(k1=100)
    rig.until(lambda: browser.closed)
    assert browser.frames[-1].startswith(b"retry: ")
    assert b"\nid" not in browser.frames[-1]


def test_a_drain_tells_every_browser_when_to_come_back_and_then_closes(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    browsers = [browse(rig, view) for _ in range(5)]
    rig.hub.drain(4.0)
    rig.until(lambda: all(browser.closed for browser in browsers))
    assert all(1000 <= browser.retry < 2000 for browser in browsers)
    assert all(b"data: " in browser.frames[-1] for browser in browsers)
    assert rig.hub.streams == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_browser_that_leaves_and_returns_at_random_always_ends_with_the_boards_prices(
    rig: Any, browse: Any, seed: int
) -> None:
    chance = random.Random(seed)
    ids = range(1, 7)
    view = rig.view(*ids)
    rig.apply()
    browser = browse(rig, view)
    for _ in range(40):
        for _ in range(chance.randint(0, 3)):
            rig.apply(
                *(
                    rig.tick(f"NSE_EQ:{id_}", chance.randint(1, 50))
                    for id_ in chance.sample(ids, chance.randint(0, 3))
                )
            )
            rig.clock.s += chance.random()
        rig.round(chance.random() * 2)
        browser.read()
        if chance.random() < 0.4:
            browser.read()
            browser.leave()
            if chance.random() < 0.2:
                rig.hub._repair()
            again = browse(rig, view, browser.ids[-1] if browser.ids else None)
            again.cells = dict(browser.cells)
            browser = again
    rig.clock.s += 1
    rig.apply()
    rig.until(lambda: browser.cells == rig.truth(view))
    assert browser.ids == sorted(set(browser.ids))
