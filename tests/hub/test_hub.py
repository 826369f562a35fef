"""The hub as a whole: views and quotas, streams on sockets and generators, repairs, the status line."""

from __future__ import annotations

import ast
import random
import re
from pathlib import Path
from typing import Any

import pytest

import ltp.hub
from ltp import metrics
from ltp.core.ticks.quote import CachedTick
from ltp.errors import StoreError

both_ways = pytest.mark.usefixtures("sending")


def test_the_drawing_of_a_stream_names_existing_functions() -> None:
    folder = Path(ltp.hub.__file__).parent
    drawing = (ltp.hub.__doc__ or "").partition("The life of a stream")[2]
    named = re.findall(r"(\w+\.py) {2,}([\w.]+)", drawing)
    assert len(named) == 22
    for file, name in named:
        tree, (outer, _, inner) = ast.parse((folder / file).read_text()), name.partition(".")
        found = [node for node in tree.body if getattr(node, "name", "") == outer]
        assert found, (file, name)
        assert not inner or inner in [getattr(node, "name", "") for node in ast.walk(found[0])], (file, name)


def test_a_new_view_is_announced_once_and_at_once(rig: Any) -> None:
    announced: list[Any] = []
    rig.hub.on_shown = announced.append
    rig.view(1, 2)
    rig.view(2, 1)
    assert announced == [("NSE_EQ:1", "NSE_EQ:2")]


def test_an_announcement_that_fails_does_not_fail_the_page(
    rig: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(_keys: Any) -> None:
        raise StoreError("Redis is away")

    rig.hub.on_shown = fails
    assert rig.view(1).keys == ("NSE_EQ:1",)
    assert caplog.messages == ["The instruments of a new page could not be requested: Redis is away"]


def test_a_view_that_was_dropped_during_its_request_still_streams(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    rig.round(6)
    rig.round(6)
    rig.prices(k1=100)
    browser = browse(rig, view)
    rig.prices(k1=101)
    rig.until(lambda: browser.cells.get("chg-NSE_EQ-1") == "101!")


def test_polls_receive_the_same_cells_without_flash(rig: Any) -> None:
    rig.prices(k1=100)
    rig.prices(k1=101)
    quotes = rig.hub.quotes(["NSE_EQ:1"])
    assert rig.hub.partials(quotes, ["chg"]) == '<hx-partial id="chg-NSE_EQ-1">101!</hx-partial>'
    assert "class" not in rig.hub.partials(quotes, ["ltp"])


def test_pages_read_the_header_of_the_newest_batch(rig: Any) -> None:
    assert (rig.hub.link_age_s, rig.hub.feed, rig.hub.source) == (float("inf"), "down", "")
    rig.prices(k1=100)
    rig.clock.s += 2
    assert (rig.hub.link_age_s, rig.hub.feed, rig.hub.source) == (2.0, "live", "simulator")
    assert rig.hub.feed_states()["0"].since == 1
    assert rig.hub.phase == {"NSE_EQ": "continuous"}
    rig.clock.s += 7
    assert rig.hub.feed == "down"


def test_batches_reach_browsers_while_relay_and_writer_run(make_rig: Any, browse: Any, wait_for: Any) -> None:
    rig = make_rig(subscribe=lambda: iter([None, rig.batch(rig.tick("NSE_EQ:1", 100))]))
    browser = browse(rig, rig.view(1))
    rig.hub.start()

    def came() -> bool:
        rig.clock.s += 0.05
        browser.read()
        return browser.cells.get("chg-NSE_EQ-1") == "100!"

    wait_for(came)
    rig.hub.stop()


def test_a_repair_sends_the_lost_changes_to_every_open_view(rig: Any, browse: Any) -> None:
    rig.prices(k1=100, k2=200)
    browser = browse(rig, rig.view(1, 2))
    rig.until(lambda: browser.frames)
    rig.cache["NSE_EQ:1"] = CachedTick(
        "NSE_EQ:1", rig.tick("NSE_EQ:1", 111, received_at=rig.clock.us() + 1), True
    )
    rig.hub.prices.repair()
    rig.until(lambda: "<b>111</b>" in browser.cells["ltp-NSE_EQ-1"])


def test_instruments_are_shown_while_a_page_has_them_open(rig: Any, browse_socket: Any) -> None:
    browser = browse_socket(rig, rig.view(1))
    rig.hub.quotes(["NSE_EQ:2"])
    assert rig.hub.prices.shown() == {"NSE_EQ:1", "NSE_EQ:2"}
    rig.round(11)
    assert rig.hub.prices.shown() == {"NSE_EQ:1"}
    browser.leave()
    rig.round(1)
    rig.round(1)
    rig.round(6)
    assert rig.hub.prices.shown() == set()


def test_where_all_views_have_browsers_one_more_is_refused_and_an_open_one_is_not(
    rig: Any, monkeypatch: pytest.MonkeyPatch, browse_socket: Any
) -> None:
    monkeypatch.setattr("ltp.hub.views.MOST_CELLS", 4)
    for id_ in (1, 2):
        browse_socket(rig, rig.view(id_))
    assert rig.hub.refusal(["NSE_EQ:3"], ["ltp", "chg"], "") == "views"
    assert rig.hub.refusal(["NSE_EQ:1"], ["ltp", "chg"], "") == ""


def test_past_its_most_streams_and_while_it_drains_the_process_refuses_all(
    make_rig: Any, browse_socket: Any
) -> None:
    rig = make_rig(max_streams=1)
    assert rig.hub.refusal(["NSE_EQ:1"], ["ltp"], "") == ""
    browse_socket(rig, rig.view(1))
    assert rig.hub.refusal(["NSE_EQ:1"], ["ltp"], "") == "full"
    rig.hub.drain(1.0)
    assert rig.hub.refusal(["NSE_EQ:1"], ["ltp"], "") == "draining"


@both_ways
def test_every_browser_of_a_view_receives_the_same_bytes(rig: Any, browse: Any) -> None:
    view = rig.view(1, 2)
    browsers = [browse(rig, view) for _ in range(3)]
    rig.prices(k1=100, k2=200)
    rig.until(lambda: all(len(browser.frames) == 2 for browser in browsers))
    assert len({browser.frames[1] for browser in browsers}) == 1


@both_ways
def test_the_first_event_names_the_time_to_reconnect(rig: Any, browse: Any) -> None:
    browser = browse(rig, rig.view(1))
    rig.prices(k1=100)
    rig.until(lambda: len(browser.frames) == 2)
    assert [b"retry: 1000" in frame for frame in browser.frames] == [True, False]
    assert browser.retry == 1000


@both_ways
def test_a_browser_that_left_is_counted_out(rig: Any, browse: Any) -> None:
    view = rig.view(1)
    browser = browse(rig, view)
    before = metrics.value("stream_ends.left")
    assert rig.hub.streams == 1
    browser.leave()
    rig.prices(k1=100)
    rig.until(lambda: rig.hub.streams == 0)
    assert metrics.value("stream_ends.left") == before + 1


@both_ways
@pytest.mark.parametrize("seed", range(4))
def test_a_browser_that_reconnects_at_random_always_ends_with_the_prices_of_the_board(
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
                rig.hub.prices.repair()
            again = browse(rig, view, browser.ids[-1] if browser.ids else None)
            again.cells = dict(browser.cells)
            browser = again
    rig.clock.s += 1
    rig.apply()
    rig.until(lambda: browser.cells == rig.truth(view))
    assert browser.ids == sorted(set(browser.ids))


def set_status(rig: Any, words: str) -> None:
    rig.hub.status = lambda: f'<hx-partial id="status">{words}</hx-partial>'


def test_a_change_of_the_status_reaches_open_pages_and_new_ones_at_once(rig: Any, browse: Any) -> None:
    rig.prices(k1=100)
    set_status(rig, "open")
    early = browse(rig, rig.view(1))
    rig.until(lambda: early.cells.get("status") == "open")
    set_status(rig, "closed")
    rig.until(lambda: early.cells["status"] == "closed")
    late = browse(rig, rig.view(1))
    rig.until(lambda: late.frames)
    assert late.cells["status"] == "closed"


def test_the_status_is_sent_once_and_without_an_id_while_no_price_changes(rig: Any, browse: Any) -> None:
    rig.prices(k1=100)
    set_status(rig, "open")
    browser = browse(rig, rig.view(1))
    rig.until(lambda: browser.cells.get("status") == "open")
    ids = list(browser.ids)
    set_status(rig, "closed")
    rig.until(lambda: browser.cells["status"] == "closed", passed_s=0.5)
    assert browser.ids == ids
    rig.prices(k1=101)
    rig.until(lambda: len(browser.ids) > len(ids))
    assert sum(b'id="status">closed' in frame for frame in browser.frames) == 1


def test_a_slow_browser_receives_the_status_with_the_changes_it_missed(rig: Any, browse_socket: Any) -> None:
    rig.prices(k1=100)
    set_status(rig, "open")
    view = rig.view(*range(1, 200))
    browser = browse_socket(rig, view, buffers=4_096)
    for n in range(30):
        rig.prices(**{f"k{key}": 100 + n for key in range(1, 200)})
        rig.round(1.1 if n == 20 else 0.3)
        if n == 19:
            set_status(rig, "closed")
    assert view.slow == 1
    rig.until(
        lambda: (
            browser.cells.get("status") == "closed"
            and browser.cells == rig.truth(view) | {"status": "closed"}
        )
    )
