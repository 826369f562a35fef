from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from ltp.core.clients.allotment import LIMIT
from ltp.errors import StoreError
from ltp.store.demand import PAGES, PROGRAMS
from ltp.web.live.demand import DemandRenewer


class Store:
    def __init__(self) -> None:
        self.writes: list[tuple[list[str], float]] = []
        self.ranks: list[Mapping[str, Mapping[str, int]]] = []
        self.down = False
        self.hold: threading.Event | None = None

    def want(self, ranks: Mapping[str, Mapping[str, int]], now: float, until: float) -> None:
        if self.hold:
            self.hold.wait(60)
        if self.down:
            raise StoreError("away")
        self.ranks.append(ranks)
        self.writes.append((sorted({key for kind in ranks.values() for key in kind}), until))


def renewing(store: Store, *shown: str, ttl_s: float = 60) -> DemandRenewer:
    return DemandRenewer(
        store.want, lambda: dict.fromkeys(shown, 3), lambda key: key != "NSE_EQ:0", ttl_s=ttl_s
    )


def test_new_demand_is_written_at_once(wait_for: Any) -> None:
    store, before = Store(), time.time()
    renewer = renewing(store, "NSE_EQ:9")
    renewer.start()
    renewer.ask(PAGES, "", ["NSE_EQ:2", "NSE_EQ:1"])
    wait_for(lambda: store.writes)
    keys, until = store.writes[0]
    assert set(keys) >= {"NSE_EQ:1", "NSE_EQ:2"}
    assert before + 60 <= until <= time.time() + 60


def test_a_renewal_contains_all_instruments_on_open_pages() -> None:
    store = Store()
    renewer = renewing(store, "NSE_EQ:2", "NSE_EQ:1")
    renewer.ask(PAGES, "", ["NSE_EQ:3"])
    renewer.flush(renew=True)
    assert store.writes[0][0] == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]
    renewer.flush(renew=False)
    assert len(store.writes) == 1


def test_asking_never_waits_for_the_cache(wait_for: Any) -> None:
    store = Store()
    store.hold = threading.Event()
    renewer = renewing(store)
    renewer.start()
    renewer.ask(PAGES, "", ["NSE_EQ:1"])
    for n in range(100):
        renewer.ask(PAGES, "", [f"NSE_EQ:{n + 2}"])
    store.hold.set()
    wait_for(lambda: sum(len(keys) for keys, _ in store.writes) == 101)


def test_a_write_that_failed_is_made_up_by_the_next_renewal() -> None:
    store = Store()
    renewer = renewing(store, "NSE_EQ:1")
    store.down = True
    renewer.flush(renew=True)
    store.down = False
    renewer.flush(renew=True)
    assert [keys for keys, _ in store.writes] == [["NSE_EQ:1"]]


def test_demand_is_bounded() -> None:
    store = Store()
    renewer = renewing(store)
    for start in range(0, 20_000, 1_000):
        renewer.ask(PAGES, "", [f"NSE_EQ:{n}" for n in range(start, start + 1_000)])
    renewer.flush(renew=False)
    assert len(store.writes[0][0]) == LIMIT


@pytest.mark.parametrize(("ttl_s", "every_s"), [(60, 15), (3600, 15), (5, 1.25)])
def test_demand_is_renewed_well_within_its_life(ttl_s: float, every_s: float) -> None:
    assert renewing(Store(), ttl_s=ttl_s).every_s == every_s


def test_only_instruments_become_demand() -> None:
    store = Store()
    renewer = renewing(store, "NSE_EQ:0")
    renewer.ask(PROGRAMS, "203.0.113.9", ["NSE_EQ:0"])
    renewer.flush(renew=True)
    assert store.writes == []


def test_the_calls_of_a_client_have_a_quota_of_their_own() -> None:
    store = Store()
    renewer = renewing(store, "NSE_EQ:9")
    for start in range(1, 6_001, 1_000):
        renewer.ask(PROGRAMS, "203.0.113.9", [f"NSE_EQ:{n}" for n in range(start, start + 1_000)])
    renewer.ask(PAGES, "198.51.100.1", ["NSE_EQ:5999", "NSE_EQ:9"])
    renewer.flush(renew=True)
    (ranks,) = store.ranks
    assert len(ranks[PROGRAMS]) == 1_000
    assert ranks[PAGES] == {"NSE_EQ:5999": 0, "NSE_EQ:9": 1}


def test_the_numbers_of_viewers_are_told_beside_the_demand(wait_for: Any) -> None:
    told: list[dict[str, int]] = []
    renewer = DemandRenewer(
        Store().want, dict, lambda _key: True, ttl_s=60, tell=lambda: told.append(renewer.clients())
    )
    renewer.ask(PROGRAMS, "203.0.113.9", ["NSE_EQ:1"])
    renewer.ask(PROGRAMS, "203.0.113.8", ["NSE_EQ:1", "NSE_EQ:2"])
    renewer.ask(PAGES, "203.0.113.8", ["NSE_EQ:3"])
    renewer.start()
    wait_for(lambda: told)
    assert told[0] == {"NSE_EQ:1": 2, "NSE_EQ:2": 1}
