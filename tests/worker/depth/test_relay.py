"""Depth from the feed into Redis, for the instruments of open quote pages alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import pytest

from ltp.core.ticks.depth import Depth, Level, QuoteDetails
from ltp.errors import StoreError
from ltp.worker.depth.relay import READ_EVERY_S, DepthRelay, with_places

ONE, TWO, NIFTY = "NSE_EQ:1", "NSE_EQ:2", "IDX_I:13"


class Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.leads = True
        self.wanted: list[str] = [TWO, ONE]
        self.subscribed = [ONE, TWO, NIFTY]
        self.asked = 0
        self.deep: list[list[str]] = []
        self.coming: list[Depth] = []
        self.written: list[Depth] = []
        self.details: list[QuoteDetails] = []
        self.failure: StoreError | None = None
        self.relay = DepthRelay(
            demand=self.demand,
            subscribed=lambda: self.subscribed,
            set_deep=lambda keys: self.deep.append(list(keys)),
            take=self.take,
            write=self.write,
            write_details=self.write_details,
            tick_size=lambda key: 50_000 if key == ONE else 0,
            active=lambda: self.leads,
            monotonic=lambda: self.now,
        )

    def demand(self) -> Sequence[str]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return self.wanted

    def take(self) -> list[Depth]:
        taken, self.coming = self.coming, []
        return taken

    def write(self, depths: Iterable[Depth]) -> None:
        self.written += depths

    def write_details(self, details: Iterable[QuoteDetails]) -> None:
        if self.failure:
            raise self.failure
        self.details += details


def test_the_demand_is_followed_once_a_second() -> None:
    rig = Rig()
    rig.relay.step()
    assert (rig.asked, rig.deep, rig.relay.details.wanted) == (1, [[ONE, TWO]], [ONE, TWO])
    rig.now += READ_EVERY_S - 0.1
    rig.relay.step()
    assert rig.asked == 1
    rig.now, rig.wanted = rig.now + 0.1, []
    rig.relay.step()
    assert (rig.asked, rig.deep[-1], rig.relay.details.wanted) == (2, [], [])


def test_only_subscribed_instruments_with_orders_are_deep() -> None:
    rig = Rig()
    rig.wanted = [ONE, NIFTY, "NSE_EQ:3", "garbage"]
    rig.relay.step()
    assert rig.deep == [[ONE]]


def test_a_key_with_a_place_keeps_it_and_free_ones_go_to_the_first_that_wait() -> None:
    assert with_places(["a", "b", "c", "d"], ["d", "c", "gone"], 3) == ["c", "d", "a"]
    assert with_places(["a", "b"], [], 3) == ["a", "b"]
    assert with_places(["a", "b", "c"], ["a", "b", "c"], 2) == ["a", "b"]
    assert with_places([], ["a"], 2) == []


def test_the_books_of_one_process_do_not_push_out_those_of_another() -> None:
    rig = Rig()
    one = [f"NSE_EQ:{number}" for number in range(1, 31)]
    two = [f"NSE_EQ:{number}" for number in range(31, 61)]
    rig.subscribed = rig.wanted = one
    rig.relay.step()
    rig.subscribed = one + two
    for latest_first in (two + one, one + two, two + one):
        rig.now, rig.wanted = rig.now + READ_EVERY_S, latest_first
        rig.relay.step()
        assert rig.deep[-1] == sorted(one + two[:20])
        assert rig.relay.details.wanted == rig.deep[-1]
    rig.now, rig.wanted = rig.now + READ_EVERY_S, two
    rig.relay.step()
    assert rig.deep[-1] == sorted(two)


def test_what_came_is_written() -> None:
    rig = Rig()
    rig.coming = [Depth(TWO, 7, (Level(1_000_000, 5, 1),))]
    rig.relay.step()
    assert rig.written == [Depth(TWO, 7, (Level(1_000_000, 5, 1),))]
    rig.relay.step()
    assert len(rig.written) == 1


def test_prices_too_coarse_for_float32_are_put_on_the_grid() -> None:
    rig = Rig()
    coarse = Depth(ONE, 7, (Level(1_400_000_156, 5, 1),), (Level(1_400_049_844, 6, 2),))
    rig.coming = [coarse]
    rig.relay.step()
    [written] = rig.written
    assert (written.bids, written.asks) == ((Level(1_400_000_000, 5, 1),), (Level(1_400_050_000, 6, 2),))


def test_a_worker_that_does_not_lead_wants_no_depth() -> None:
    rig = Rig()
    rig.relay.step()
    rig.leads = False
    rig.coming = [Depth(TWO, 7)]
    rig.relay.step()
    assert (rig.deep[-1], rig.relay.details.wanted, rig.written, rig.asked) == ([], [], [], 1)


def test_while_redis_is_away_the_deep_instruments_stay() -> None:
    rig = Rig()
    rig.relay.step()
    rig.failure, rig.now = StoreError("away"), rig.now + READ_EVERY_S
    with pytest.raises(StoreError):
        rig.relay.step()
    assert rig.deep == [[ONE, TWO]]


def test_details_that_cannot_be_stored_are_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    rig.failure = StoreError("Redis is away")
    with caplog.at_level(logging.WARNING):
        rig.relay.details.take({ONE: QuoteDetails(ONE, 5)})
        rig.relay.details.take({ONE: QuoteDetails(ONE, 6)})
    assert [record.message for record in caplog.records] == [
        "Redis is away. Quote pages have no depth until then."
    ]
    rig.failure = None
    rig.relay.details.take({ONE: QuoteDetails(ONE, 7)})
    assert rig.details == [QuoteDetails(ONE, 7)]


def test_the_thread_writes_until_it_is_stopped(wait_for) -> None:  # type: ignore[no-untyped-def]
    rig = Rig()
    rig.coming = [Depth(TWO, 7)]
    rig.relay.start()
    wait_for(lambda: rig.written)
    rig.relay.stop()
    assert not rig.relay.is_alive()
