from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from ltp.core.clients.allotment import Demand
from ltp.core.subscriptions.table import Reason
from ltp.core.ticks.tick import Tick
from ltp.errors import StoreError
from ltp.store.demand import EVERY, PAGES, PROGRAMS
from ltp.worker.subscriptions.subscriptions import Subscriptions


class Fakes:
    """Stands for instruments, market and ingest at once, as lists that the test fills."""

    def __init__(self, limit: int = 100) -> None:
        self.probe_keys: tuple[str, ...] = ()
        self.result_keys: list[str] = []
        self.demanded: list[str] | StoreError = []
        self.unknown: set[str] = set()
        self.with_tick: set[str] = set()
        self.active, self.now, self.ahead_s = True, 1_000.0, 0.0
        self.instruments_at: int | None = 1
        self.reassigned: dict[str, int] = {}
        self.cached: dict[str, Tick] = {}
        self.failure: StoreError | None = None
        self.recalled: list[list[str]] = []
        self.calls: list[tuple[str, list[str]]] = []
        self.dropped: list[str] = []
        self.pages: list[str] = []
        self.pins: Any = SimpleNamespace(keys=[], modes={}, refresh=lambda _at: None)
        self.watchlists: Any = SimpleNamespace(members={}, refresh=lambda: None, title=str.title)
        self.alerts: list[str] = []
        self.modes: list[dict[str, str]] = []
        shape: Any = self
        self.subscriptions = Subscriptions(
            instruments=shape,
            pins=self.pins,
            watchlists=self.watchlists,
            market=shape,
            ingest=shape,
            demand=lambda _now: self.demand(),
            drop_demand=self.dropped.extend,
            recall=self.recall,
            stored=lambda: self.cached,
            forget=lambda keys: self.calls.append(("cache", list(keys))),
            set_wanted=lambda keys: self.calls.append(("feed", list(keys))),
            set_modes=lambda modes: self.modes.append(dict(modes)),
            active=lambda: self.active,
            alerts=lambda: self.alerts,
            limit=limit,
            clock=lambda: self.now + self.ahead_s,
            monotonic=lambda: self.now,
        )

    def refresh(self) -> None: ...

    def knows(self, key: str) -> bool:
        return key not in self.unknown

    def results(self) -> list[str]:
        return self.result_keys

    def results_by_screen(self) -> list[tuple[Reason, list[str]]]:
        return [(Reason("screen", "swing"), self.result_keys)]

    def probes(self) -> tuple[str, ...]:
        return self.probe_keys

    def has_tick(self, key: str) -> bool:
        return key in self.with_tick

    def follow(self, keys: Sequence[str], known: Sequence[Tick]) -> None:
        self.calls.append(("ingest", list(keys)))

    def demand(self) -> dict[str, dict[str, Demand]]:
        if isinstance(self.demanded, StoreError):
            raise self.demanded
        pages = {key: Demand(3, self.now + 60) for key in self.pages}
        return {
            PAGES: pages,
            PROGRAMS: {},
            EVERY: {key: Demand(99, self.now + 60) for key in (*self.demanded, *self.pages)},
        }

    def recall(self, keys: Sequence[str]) -> list[Tick]:
        self.recalled.append(list(keys))
        if self.failure is not None:
            raise self.failure
        return [self.cached[key] for key in keys if key in self.cached]

    def forget(self, since: dict[str, int]) -> None:
        self.calls.append(("forget", sorted(since)))

    def wanted(self, demanded: list[str] | StoreError, *, after_s: float = 61) -> list[str]:
        """Return the wanted keys when `demanded` is read `after_s` after the last time; a wish lasts 60 s."""
        self.now += after_s
        self.demanded = demanded
        self.subscriptions()
        return self.subscriptions.wanted


def test_results_come_first_then_wishes_in_the_order_they_were_made() -> None:
    fakes = Fakes()
    fakes.probe_keys, fakes.result_keys = ("P",), ["R2", "R1"]
    assert fakes.wanted(["b"]) == ["P", "R2", "R1", "b"]
    assert fakes.wanted(["a", "b"], after_s=1) == ["P", "R2", "R1", "b", "a"]
    assert fakes.wanted(["a"]) == ["P", "R2", "R1", "a"]
    assert fakes.wanted(["b", "a"], after_s=1) == ["P", "R2", "R1", "a", "b"]


def test_a_wish_holds_until_its_end_also_when_redis_was_emptied() -> None:
    fakes = Fakes()
    fakes.wanted(["a"])
    assert fakes.wanted([], after_s=59) == ["a"]
    assert fakes.wanted([], after_s=2) == []


def test_each_key_is_wanted_once() -> None:
    fakes = Fakes()
    fakes.probe_keys, fakes.result_keys = ("P",), ["R", "P"]
    assert fakes.wanted(["R", "a"]) == ["P", "R", "a"]


def test_keys_that_the_master_does_not_know_are_left_out() -> None:
    fakes = Fakes()
    fakes.unknown, fakes.result_keys = {"x", "R1"}, ["R1", "R2"]
    assert fakes.wanted(["x", "a"]) == ["R2", "a"]


def test_keys_that_a_new_master_knows_are_wanted_at_the_next_look() -> None:
    fakes = Fakes()
    fakes.unknown, fakes.result_keys = {"R1"}, ["R1", "R2"]
    assert fakes.wanted([]) == ["R2"]
    fakes.unknown, fakes.instruments_at = set(), 2
    assert fakes.wanted([], after_s=1) == ["R1", "R2"]


def test_a_failed_read_of_the_cache_is_tried_again_at_the_next_look() -> None:
    fakes = Fakes()
    fakes.failure = StoreError("no")
    assert fakes.wanted(["a"]) == []
    fakes.failure = None
    assert fakes.wanted(["a"], after_s=1) == ["a"]


def test_past_the_limit_the_newest_wish_waits_and_is_listed() -> None:
    fakes = Fakes(limit=3)
    fakes.result_keys = ["R1", "R2"]
    assert fakes.wanted(["a"]) == ["R1", "R2", "a"]
    assert fakes.wanted(["b", "a"], after_s=1) == ["R1", "R2", "a"]
    assert fakes.subscriptions.waiting == ["b"]
    assert fakes.wanted(["b"]) == ["R1", "R2", "b"]
    assert fakes.subscriptions.waiting == []


def test_the_cache_is_read_for_new_keys_before_the_feed_subscribes_them() -> None:
    fakes = Fakes()
    fakes.with_tick = {"a"}
    fakes.wanted(["a", "b"])
    assert fakes.recalled == [["b"]]
    assert fakes.calls == [("ingest", ["a", "b"]), ("feed", ["a", "b"])]


def test_an_unchanged_demand_changes_nothing() -> None:
    fakes = Fakes()
    fakes.wanted(["a"])
    fakes.calls.clear()
    fakes.wanted(["a"])
    assert fakes.calls == []


def test_while_redis_is_away_everything_stays() -> None:
    """If an unread demand counted as an empty one, every page would be unsubscribed at once."""
    fakes = Fakes()
    fakes.wanted(["a"])
    fakes.calls.clear()
    assert fakes.wanted(StoreError("away")) == ["a"]
    assert fakes.calls == []
    assert fakes.wanted(["a", "b"]) == ["a", "b"]


def test_a_worker_that_does_not_lead_wants_nothing_new() -> None:
    fakes = Fakes()
    fakes.active = False
    assert fakes.wanted(["a"]) == []


def test_keys_that_are_no_instruments_are_removed_from_the_demand() -> None:
    fakes = Fakes()
    fakes.unknown = {"x", "y"}
    fakes.wanted(["x", "a", "y"])
    assert fakes.dropped == ["x", "y"]


def test_until_the_master_is_read_no_key_is_removed_from_the_demand() -> None:
    fakes = Fakes()
    fakes.unknown, fakes.instruments_at = {"a"}, None
    fakes.wanted(["a"])
    assert fakes.dropped == []


def test_a_wish_without_end_holds_for_an_hour_after_it_was_last_read() -> None:
    fakes = Fakes()
    fakes.demanded = ["a"]
    fakes.subscriptions._demand = lambda _now: {EVERY: {"a": Demand(99, float("inf"))}}
    fakes.subscriptions()
    assert fakes.wanted([], after_s=1) == ["a"]
    fakes.subscriptions._demand = lambda _now: {EVERY: {}}
    assert fakes.wanted([], after_s=3_597) == ["a"]
    assert fakes.wanted([], after_s=3_601) == []


def test_a_page_that_is_opened_is_served_while_programs_take_every_place() -> None:
    fakes = Fakes(limit=20)
    fakes.result_keys = ["R1", "R2"]
    programs = [f"p{number}" for number in range(60)]
    assert len(fakes.wanted(programs)) == 18
    fakes.pages = ["a", "b", "c"]
    wanted = fakes.wanted(programs, after_s=1)
    assert wanted[:5] == ["a", "b", "c", "R1", "R2"]
    assert len(wanted) == 20
    taken = {"pinned": 0, "alerts": 0, "pages": 3, "screens": 2, "programs": 15}
    assert fakes.subscriptions.taken == taken


def test_waiting_keys_have_their_turn_after_half_a_minute() -> None:
    fakes = Fakes(limit=10)
    programs = [f"p{number}" for number in range(20)]
    first = list(fakes.wanted(programs))
    assert fakes.wanted(programs, after_s=29) == first
    second = fakes.wanted(programs, after_s=2)
    assert len(second) == len(first) == 9  # one place is kept for pages
    assert second[:4] == first[:4]
    assert not set(second[4:]) & set(first[4:])


def test_a_clock_that_is_set_back_or_ahead_ends_no_wish_early_and_keeps_none() -> None:
    fakes = Fakes()
    fakes.wanted(["a"])
    for step_s in (-19_800.0, 19_800.0):
        fakes.ahead_s = step_s
        assert fakes.wanted([], after_s=20) == ["a"]
    assert fakes.wanted([], after_s=21) == []


def test_a_key_that_means_another_instrument_loses_older_prices() -> None:
    fakes = Fakes()
    fakes.cached = {"old": Tick("old", 100, received_at=5), "new": Tick("new", 100, received_at=15)}
    fakes.wanted(["old", "new"])
    fakes.calls.clear()
    fakes.reassigned = {"old": 10, "new": 10, "elsewhere": 10}
    fakes.wanted(["old", "new"])
    assert fakes.calls == [("cache", ["old"]), ("forget", ["elsewhere", "new", "old"])]
    fakes.calls.clear()
    fakes.wanted(["old", "new"])
    assert fakes.calls == []


def test_an_instrument_that_ended_leaves_no_price_behind() -> None:
    fakes = Fakes()
    fakes.cached = {"ended": Tick("ended", 100, received_at=5), "listed": Tick("listed", 100, received_at=5)}
    fakes.unknown, fakes.reassigned = {"ended"}, {}
    fakes.wanted([])
    assert ("cache", ["ended"]) in fakes.calls


def test_nothing_is_forgotten_before_the_master_was_read() -> None:
    fakes = Fakes()
    fakes.cached, fakes.unknown, fakes.instruments_at = {"a": Tick("a", 1, received_at=5)}, {"a"}, None
    fakes.wanted([])
    assert ("cache", ["a"]) not in fakes.calls


def test_a_failed_removal_is_tried_again() -> None:
    fakes = Fakes()
    fakes.wanted([])
    fakes.cached, fakes.reassigned = {"old": Tick("old", 100, received_at=5)}, {"old": 10}
    fakes.failure = StoreError("away")
    fakes.wanted([])
    fakes.failure = None
    fakes.calls.clear()
    fakes.wanted([])
    assert ("cache", ["old"]) in fakes.calls


def test_a_price_from_the_future_was_confirmed_on_no_connection() -> None:
    fakes = Fakes()
    ages_s, followed = {"a": -60, "b": 60}, []
    fakes.follow = lambda _keys, known: followed.extend(known)  # type: ignore[method-assign]
    fakes.subscriptions._recall = lambda keys: [
        Tick(key, 1, received_at=int((fakes.now - ages_s[key]) * 1e6)) for key in keys
    ]
    fakes.wanted(["a", "b"], after_s=1)
    assert [tick.received_at for tick in followed] == [0, int((fakes.now - 60) * 1e6)]


def test_pins_alerts_and_the_members_of_watchlists_have_places_in_this_order() -> None:
    fakes = Fakes()
    fakes.result_keys, fakes.pages = ["R1", "R2"], ["a"]
    fakes.pins.keys, fakes.pins.modes = ["p", "gone"], {"p": "full"}
    fakes.unknown, fakes.alerts = {"gone"}, ["alert", "R2"]
    fakes.watchlists.members = {"list-one": ["w1", "w2", "w3"], "list-two": ["v1"]}
    assert fakes.wanted(["b"]) == ["p", "alert", "R2", "a", "R1", "w1", "v1", "w2", "w3", "b"]
    assert fakes.modes[-1] == {"p": "full"}
    fakes.pins.keys, fakes.pins.modes, fakes.alerts, fakes.watchlists.members = [], {}, [], {}
    assert fakes.wanted(["b"], after_s=1) == ["a", "R1", "R2", "b"]
    assert fakes.modes[-1] == {}


def test_each_reason_has_its_keys() -> None:
    fakes = Fakes()
    fakes.probe_keys, fakes.result_keys, fakes.pages = ("P",), ["R1"], ["a"]
    fakes.pins.keys, fakes.alerts, fakes.watchlists.members = ["p"], ["n"], {"list-one": ["w1", "R1"]}
    fakes.wanted(["b"])
    assert [(reason, list(keys)) for reason, keys in fakes.subscriptions.reasons()] == [
        (Reason("probe"), ["P"]),
        (Reason("pinned"), ["p"]),
        (Reason("alert"), ["n"]),
        (Reason("page"), ["a"]),
        (Reason("screen", "swing"), ["R1"]),
        (Reason("watchlist", "one", "List-One"), ["w1", "R1"]),
        (Reason("api"), ["b"]),
    ]


def test_of_endless_lists_the_first_members_can_have_a_turn() -> None:
    fakes = Fakes(limit=10)
    fakes.watchlists.members = {
        f"list-{name}": [f"{name}{number}" for number in range(6_000)] for name in ("a", "b")
    }
    assert fakes.wanted([])[:4] == ["a0", "b0", "a1", "b1"]
    assert len(fakes.subscriptions.wanted) + len(fakes.subscriptions.waiting) == 10_000
