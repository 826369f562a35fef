from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest

from ltp.errors import StoreError
from ltp.web.services import DemandRenewer


class Store:
    def __init__(self) -> None:
        self.wishes: list[tuple[list[str], float]] = []
        self.down = False
        self.hold: threading.Event | None = None

    def want(self, keys: Sequence[str], until: float) -> None:
        if self.hold:
            self.hold.wait(60)
        if self.down:
            raise StoreError("away")
        self.wishes.append((list(keys), until))


def test_what_is_asked_for_is_written_at_once(wait_for: Any) -> None:
    store, before = Store(), time.time()
    renewer = DemandRenewer(store.want, lambda: {"NSE_EQ:9"}, ttl_s=60)
    renewer.start()
    renewer.ask(["NSE_EQ:2", "NSE_EQ:1"])
    wait_for(lambda: store.wishes)
    keys, until = store.wishes[0]
    assert set(keys) >= {"NSE_EQ:1", "NSE_EQ:2"}
    assert before + 60 <= until <= time.time() + 60


def test_a_renewal_names_everything_that_is_shown() -> None:
    store = Store()
    renewer = DemandRenewer(store.want, lambda: {"NSE_EQ:2", "NSE_EQ:1"}, ttl_s=60)
    renewer.ask(["NSE_EQ:3"])
    renewer.flush(renew=True)
    assert store.wishes[0][0] == ["NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3"]
    renewer.flush(renew=False)
    assert len(store.wishes) == 1


def test_asking_never_waits_for_the_cache(wait_for: Any) -> None:
    store = Store()
    store.hold = threading.Event()
    renewer = DemandRenewer(store.want, set, ttl_s=60)
    renewer.start()
    renewer.ask(["NSE_EQ:1"])
    for n in range(100):
        renewer.ask([f"NSE_EQ:{n + 2}"])
    store.hold.set()
    wait_for(lambda: sum(len(keys) for keys, _ in store.wishes) == 101)


def test_without_the_cache_what_is_still_shown_is_asked_for_again() -> None:
    store = Store()
    renewer = DemandRenewer(store.want, lambda: {"NSE_EQ:1"}, ttl_s=60)
    store.down = True
    renewer.flush(renew=True)
    store.down = False
    renewer.flush(renew=True)
    assert [keys for keys, _ in store.wishes] == [["NSE_EQ:1"]]


def test_a_flood_of_wishes_is_bounded() -> None:
    store = Store()
    renewer = DemandRenewer(store.want, set, ttl_s=60)
    for start in range(0, 20_000, 1_000):
        renewer.ask([f"NSE_EQ:{n}" for n in range(start, start + 1_000)])
    renewer.flush(renew=False)
    assert len(store.wishes[0][0]) <= 6_000


@pytest.mark.parametrize(("ttl_s", "every_s"), [(60, 15), (3600, 15), (5, 1.25)])
def test_demand_is_renewed_well_within_its_life(ttl_s: float, every_s: float) -> None:
    assert DemandRenewer(Store().want, set, ttl_s=ttl_s).every_s == every_s
