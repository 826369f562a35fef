"""Depth of the instruments on open quote pages: demand, quotas, and insets drawn once for all readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from ltp.core.clients.client_address import EXEMPT
from ltp.core.ticks.depth import Depth, Level, QuoteDetails
from ltp.core.ticks.quote import Quote
from ltp.core.ticks.tick import State, Tick
from ltp.errors import StoreError
from ltp.hub.insets import Inset
from ltp.store.depth import NOTHING, Known
from ltp.web.quote.live_depth import (
    EACH,
    LATE_S,
    MOST,
    MOST_PAGES,
    OFFER_EVERY_S,
    PAGE_S,
    WANT_EVERY_S,
    WANTED_S,
    LiveDepth,
    is_refusal,
)
from ltp.web.services import EXTENSION

KEY, OTHER = "NSE_EQ:1333", "NSE_EQ:2031"
EPOCH = 1_795_408_200.0


class StubHub:
    """The hub's part: quotes, and the insets that are set."""

    def __init__(self) -> None:
        self.state: State = "live"
        self.parts: dict[tuple[str, str], list[str]] = {}
        self.streamed: dict[str, set[Inset]] = {}

    def insets_of(self, client: str) -> set[Inset]:
        return self.streamed.get(client, set())

    def last_known(self, keys: Sequence[str]) -> list[Quote]:
        return [Quote(key, Tick(key, 14_020_000), self.state) for key in keys]

    def set_inset(self, inset: Any, part: str, markup: str) -> None:
        self.parts.setdefault((inset.name, part), []).append(markup)


class Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.hub = StubHub()
        self.values: dict[str, Known] = {}
        self.reads: list[list[str]] = []
        self.wishes: list[tuple[list[str], float]] = []
        self.failure: StoreError | None = None
        self.depth = LiveDepth(
            self.hub,  # type: ignore[arg-type]
            self.read,
            self.want,
            lambda: EPOCH + self.now,
            lambda: self.now,
        )

    def read(self, keys: Sequence[str]) -> list[Known]:
        if self.failure:
            raise self.failure
        self.reads.append(list(keys))
        return [self.values.get(key, NOTHING) for key in keys]

    def want(self, keys: Iterable[str], until: float) -> None:
        if self.failure:
            raise self.failure
        self.wishes.append((list(keys), until - EPOCH))

    def book(self, key: str, quantity: int = 5) -> None:
        at = int((EPOCH + self.now) * 1e6)
        self.values[key] = Known(
            Depth(key, at, (Level(14_020_000, quantity, 1),)), QuoteDetails(key, at, upper=15_000_000)
        )

    def connect(self, key: str, client: str) -> Inset:
        """Open a page of a client with its stream."""
        inset: Any = self.depth.watch(key, client)
        inset.views.append(client)
        self.hub.streamed.setdefault(client, set()).add(inset)
        return cast(Inset, inset)

    def close(self, inset: Any, client: str) -> None:
        inset.views.remove(client)
        self.hub.streamed[client].remove(inset)

    def refuses(self, key: str, client: str) -> bool:
        inset = self.depth.watch(key, client)
        assert inset is not None
        return is_refusal(inset)

    def newest(self, part: str, key: str = KEY) -> str:
        return self.hub.parts[f"depth {key}", part][-1]


def test_without_an_open_page_redis_is_not_asked() -> None:
    rig = Rig()
    rig.depth.round()
    assert (rig.reads, rig.wishes) == ([], [])


def test_an_open_page_wants_and_gets_the_depth_of_its_instrument() -> None:
    rig = Rig()
    inset = rig.depth.watch(KEY, "10.0.0.1")
    assert inset is not None
    assert inset.name == "depth NSE_EQ:1333"
    assert rig.depth.watch(KEY, "10.0.0.2") is inset
    rig.book(KEY)
    rig.depth.round()
    assert rig.wishes == [([KEY], 100.0 + WANTED_S)]
    assert rig.newest("depth").startswith('<hx-partial id="depth-NSE_EQ-1333"><p class="meta"><i>live</i>')
    assert rig.newest("details").startswith('<hx-partial id="details-NSE_EQ-1333">')
    assert "1,500.00" in rig.newest("details")


def test_the_demand_is_renewed_every_few_seconds_and_at_once_for_a_new_instrument() -> None:
    rig = Rig()
    rig.depth.watch(KEY, "a")
    rig.depth.round()
    rig.now += WANT_EVERY_S - 0.5
    rig.depth.round()
    assert len(rig.wishes) == 1
    rig.depth.watch(OTHER, "a")
    rig.depth.round()
    assert rig.wishes[-1] == ([KEY, OTHER], rig.now + WANTED_S)
    rig.now += WANT_EVERY_S
    rig.depth.round()
    assert len(rig.wishes) == 3


def test_an_instrument_is_watched_while_a_page_shows_it_and_for_half_a_minute_more() -> None:
    rig = Rig()
    inset: Any = rig.depth.watch(KEY, "a")
    inset.views = ["an open page"]
    rig.depth.watch(OTHER, "a")
    rig.now += PAGE_S + 1
    rig.depth.round()
    assert rig.reads == [[KEY]]
    inset.views = []
    rig.now += PAGE_S - 1
    rig.depth.round()
    assert rig.reads == [[KEY], [KEY]]
    rig.now += 2
    rig.depth.round()
    assert len(rig.reads) == 2


def test_a_book_grows_old_without_a_new_one() -> None:
    rig = Rig()
    rig.depth.watch(KEY, "a")
    rig.book(KEY)
    rig.depth.round()
    assert "<i>live</i>" in rig.newest("depth")
    rig.now += 10.5
    rig.depth.round()
    assert '<p class="meta was"><i class="w">not live, of ' in rig.newest("depth")


def test_a_book_that_does_not_come_is_told_as_late_until_it_comes() -> None:
    rig = Rig()
    rig.depth.watch(KEY, "a")
    rig.now += LATE_S
    rig.depth.round()
    assert "it comes a moment after the page is opened" in rig.newest("depth")
    rig.now += 0.3
    rig.depth.round()
    assert "or the pages of other instruments have all 50 places" in rig.newest("depth")
    rig.book(KEY)
    rig.depth.round()
    assert "<i>live</i>" in rig.newest("depth")


def test_a_page_without_scripts_is_told_of_a_late_book_too(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, rig = site.app.extensions[EXTENSION], Rig()
    monkeypatch.setitem(site.app.extensions, EXTENSION, _with(shared, rig.depth))
    assert "it comes a moment after the page is opened" in site.page("/instruments/NSE_EQ/1333")
    rig.now += LATE_S + 1
    assert "have all 50 places" in site.page("/instruments/NSE_EQ/1333")
    assert "have all 50 places" not in site.page("/instruments/NSE_EQ/1333?live=0")


def test_a_feed_that_is_down_has_no_live_book() -> None:
    rig = Rig()
    rig.depth.watch(KEY, "a")
    rig.book(KEY)
    rig.hub.state = "stale"
    rig.depth.round()
    assert '<i class="w">stale, of ' in rig.newest("depth")


def test_while_redis_is_away_the_last_book_stays_and_grows_old(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.depth.watch(KEY, "a")
    rig.book(KEY)
    rig.depth.round()
    rig.failure = StoreError("Redis is away")
    for _ in range(3):
        rig.now += 5
        rig.depth.round()
    assert "not live" in rig.newest("depth")
    assert "1,402.00" in rig.newest("depth")
    assert [record.message for record in caplog.records] == [
        "Redis is away. Quote pages have no new depth until then."
    ]
    assert rig.depth.known(KEY) == NOTHING
    rig.failure = None
    rig.book(KEY)
    rig.depth.round()
    assert "<i>live</i>" in rig.newest("depth")


def test_an_index_has_no_depth() -> None:
    rig = Rig()
    assert rig.depth.watch("IDX_I:13", "a") is None
    rig.depth.round()
    assert rig.wishes == []


def test_a_client_has_a_quota_and_this_machine_none() -> None:
    rig = Rig()
    keys = [f"NSE_EQ:{number}" for number in range(1, EACH + 2)]
    assert not any(rig.refuses(key, "a") for key in keys[:EACH])
    assert rig.refuses(keys[EACH], "a")
    assert not rig.refuses(keys[0], "a")
    assert not rig.refuses(keys[EACH], "b")
    assert not any(rig.refuses(key, EXEMPT) for key in keys)
    rig.now += PAGE_S + 1
    assert not rig.refuses(keys[EACH], "a")


def test_a_page_that_was_closed_does_not_count_while_others_show_its_instrument() -> None:
    rig = Rig()
    keys = [f"NSE_EQ:{number}" for number in range(1, EACH + 2)]
    for key in keys[:EACH]:
        rig.connect(key, "b")
    insets = [rig.connect(key, "a") for key in keys[:EACH]]
    for _ in range(3):
        rig.now += PAGE_S + 1
        rig.depth.round()
        assert rig.refuses(keys[EACH], "a")
    for inset in insets:
        rig.close(inset, "a")
    rig.now += PAGE_S + 1
    rig.depth.round()
    assert not rig.refuses(keys[EACH], "a")
    assert rig.refuses(keys[EACH], "b")


def test_the_streams_of_the_hub_count_until_they_end(site: Any) -> None:
    """With the real hub in place of its stub."""
    rig = Rig()
    depth = LiveDepth(site.hub, rig.read, rig.want, rig.depth._clock, rig.depth._monotonic)
    keys = [f"NSE_EQ:{number}" for number in range(1, EACH + 2)]
    streams = {}
    for client in ("a", "b"):
        for key in keys[:EACH]:
            inset: Any = depth.watch(key, client)
            stream = site.hub.follow(site.hub.view([key], ["ltp"], inset), last_event_id=None, client=client)
            next(stream)
            streams[client, key] = stream

    def is_refused() -> bool:
        rig.now += PAGE_S + 1
        depth.round()
        return is_refusal(cast(Inset, depth.watch(keys[EACH], "a")))

    assert is_refused()
    streams["a", keys[0]].close()
    assert not is_refused()
    for stream in streams.values():
        stream.close()


def test_clients_that_left_are_forgotten_and_those_that_wait_are_bounded() -> None:
    rig = Rig()
    rig.connect(KEY, "reader")
    for number in range(MOST_PAGES + 5):
        rig.depth.watch(KEY, f"client {number}")
    watched = rig.depth._watched[KEY]
    assert len(watched.pages) == MOST_PAGES
    assert "client 4" not in watched.pages
    assert "client 1004" in watched.pages
    rig.now += PAGE_S + 1
    rig.depth.round()
    assert watched.pages == {}
    assert rig.reads[-1] == [KEY]


def test_a_page_without_a_place_gets_a_sentence_in_place_of_its_book() -> None:
    rig = Rig()
    for number in range(1, EACH + 1):
        rig.depth.watch(f"NSE_EQ:{number}", "a")
    assert rig.refuses(KEY, "a")
    [markup] = rig.hub.parts[f"no depth {KEY} a", "depth"]
    assert markup.startswith('<hx-partial id="depth-NSE_EQ-1333"><p class="meta">There is no order book here')


def test_a_refused_page_gets_its_book_when_a_place_is_free() -> None:
    rig = Rig()
    others = [rig.connect(f"NSE_EQ:{number}", "a") for number in range(1, EACH + 1)]
    refused = rig.connect(KEY, "a")
    assert is_refusal(refused)
    rig.now += PAGE_S + 1
    rig.depth.round()
    assert KEY not in rig.reads[-1]
    rig.close(others[0], "a")
    rig.book(KEY)
    rig.now += OFFER_EVERY_S
    rig.depth.round()
    assert KEY in rig.reads[-1]
    drawn = rig.hub.parts[refused.name, "depth"]
    assert "There is no order book here" in drawn[0]
    assert "<i>live</i>" in drawn[-1]
    assert "1,500.00" in rig.hub.parts[refused.name, "details"][-1]
    assert rig.refuses("NSE_EQ:1", "a")  # its place is taken now
    rig.close(refused, "a")
    rig.now += PAGE_S + 1
    rig.depth.round()
    rig.now += 1
    rig.depth.round()
    assert KEY not in rig.reads[-1]


def test_of_refused_pages_the_first_gets_the_place_and_a_closed_one_gets_none() -> None:
    rig = Rig()
    full = [rig.connect(f"NSE_EQ:{number}", EXEMPT) for number in range(1, MOST + 1)]
    refused = [rig.connect(f"NSE_EQ:{MOST + number}", client) for number, client in enumerate("abc", 1)]
    assert all(map(is_refusal, refused))
    rig.close(refused[0], "a")
    for inset in full[:2]:
        rig.close(inset, EXEMPT)
    rig.now += PAGE_S + 1
    rig.depth.round()  # drops the two
    rig.now += OFFER_EVERY_S
    rig.depth.round()
    assert [f"NSE_EQ:{MOST + number}" in rig.reads[-1] for number in (1, 2, 3)] == [False, True, True]


def test_refused_pages_have_a_bound() -> None:
    rig = Rig()
    for number in range(1, MOST + 1):
        rig.connect(f"NSE_EQ:{number}", EXEMPT)
    for number in range(MOST_PAGES + 5):
        assert rig.refuses(KEY, f"client {number}")
    assert len(rig.depth._refused) == MOST_PAGES
    rig.now += PAGE_S + 1
    rig.depth.round()
    assert rig.depth._refused == {}


def test_the_process_has_a_bound() -> None:
    rig = Rig()
    keys = [f"NSE_EQ:{number}" for number in range(1, MOST + 2)]
    assert [rig.refuses(key, EXEMPT) for key in keys] == [False] * MOST + [True]
    rig.depth.round()
    assert len(rig.wishes[0][0]) == MOST


def test_the_stream_of_a_page_carries_the_book(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way in one process: the page, its stream's view, a round, the event."""
    shared, rig = site.app.extensions[EXTENSION], Rig()
    depth = LiveDepth(site.hub, rig.read, rig.want)
    monkeypatch.setitem(site.app.extensions, EXTENSION, _with(shared, depth))
    site.page("/instruments/NSE_EQ/1333")
    inset = depth.watch(KEY, EXEMPT)
    assert inset is not None
    view = site.hub.view([KEY], ["ltp"], inset)
    rig.now = 0.0
    rig.values[KEY] = Known(Depth(KEY, 0, (Level(14_020_000, 77, 1),)))
    depth.round()
    event = view.first_event(None).decode()
    assert len(re.findall('<hx-partial id="depth-NSE_EQ-1333">', event)) == 1
    assert "77" in event.partition('id="depth-NSE_EQ-1333"')[2]
    assert site.page("/instruments/NSE_EQ/1333/poll?n=1").count('<hx-partial id="depth-NSE_EQ-1333">') == 1


def test_a_page_without_a_place_has_the_sentence_from_the_start(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, rig = site.app.extensions[EXTENSION], Rig()
    monkeypatch.setitem(site.app.extensions, EXTENSION, _with(shared, rig.depth, "a"))
    rig.book(KEY)
    for number in range(1, EACH + 1):
        rig.depth.watch(f"NSE_EQ:{number}", "a")
    page = site.page("/instruments/NSE_EQ/1333")
    assert "There is no order book here" in page
    assert 'class="lot"' not in page
    assert "1,500.00" in page  # the upper circuit
    paused = site.page("/instruments/NSE_EQ/1333?live=0")
    assert "There is no order book here" not in paused
    assert "<i>live</i>" not in paused.partition('id="depth-NSE_EQ-1333"')[2]


def _with(shared: Any, depth: LiveDepth, client: str = EXEMPT) -> Any:
    return replace(
        shared,
        watch_depth=lambda key: depth.watch(key, client),
        is_depth_late=depth.is_late,
        known_depth=depth.known,
    )
