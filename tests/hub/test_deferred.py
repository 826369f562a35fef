"""Ticks of instruments on no open page are deferred: a later page shows the same as one that was open."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from ltp.core.ticks.quote import CachedTick, Quote
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import Batch
from ltp.hub.board import Board

NOW_S = 2_000_000_000.0
NOW = int(NOW_S * 1e6)
KEYS = tuple(f"NSE_EQ:{id_}" for id_ in range(1, 5))
KEY = KEYS[0]


def full(ltp: int | None = 100, key: str = KEY, at: int = NOW, **more: Any) -> Tick:
    """A tick with every field of a share."""
    return Tick(key, ltp, 5, at, 1, 2, 3, 4, 5, None, "2033-05-18", at)._replace(**more)


class StructTick(msgspec.Struct):
    key: str
    ltp: float | None
    ltt: int | None
    received_at: int
    volume: int | None
    open: float | None
    high: float | None
    low: float | None
    prev_close: float | None
    oi: int | None
    session: str
    traded_at: int
    rest: bool


def struct_of(tick: Tick) -> StructTick:
    prices = {name: getattr(tick, name) for name in ("ltp", "open", "high", "low", "prev_close")}
    return StructTick(**tick._asdict() | {name: price and price / 10_000 for name, price in prices.items()})


class Clock:
    s = 50.0


class Desk:
    """Two boards with equal batches: every instrument of `watched` is on an open page, none of `unseen`."""

    def __init__(self) -> None:
        clock = self.clock = Clock()
        self.watched, self.unseen = (Board(lambda: NOW_S + clock.s - 50, lambda: clock.s) for _ in range(2))
        self.seq = 0

    def apply(self, *ticks: Tick, as_structs: bool = True, **more: Any) -> list[str]:
        self.seq += 1
        header = {
            "epoch": "e",
            "seq": self.seq,
            "at": NOW + self.seq,
            "feed": "live",
            "since": 1,
            "source": "simulator",
        }
        batch = Batch(**header | {"phase": {"NSE_EQ": "continuous"}} | more, ticks=list(ticks))
        self.watched.apply(batch, KEYS)
        return self.unseen.apply(
            batch._replace(ticks=list(map(struct_of, ticks))) if as_structs else batch, ()
        )

    def load(self, *known: CachedTick) -> None:
        self.watched.load(known)
        self.unseen.load(known)

    def agree(self, *keys: str) -> list[Quote]:
        """Assert that both boards have equal quotes of `keys` and the same last tick; return the quotes."""
        both = [(board.refresh(keys), board.quotes(keys))[1] for board in (self.watched, self.unseen)]
        shown, deferred = (
            [(quote.tick, quote.state, quote.direction) for quote in quotes] for quotes in both
        )
        assert deferred == shown
        vouched = [board.vouched(keys) for board in (self.watched, self.unseen)]
        assert [each and each.covered for each in vouched] == [vouched[0] and vouched[0].covered] * 2
        assert self.unseen.last_tick_at == self.watched.last_tick_at
        return both[1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_deferred_tick_changes_no_version_until_it_is_needed(desk: Desk) -> None:
    desk.apply(full(100))
    before = desk.unseen.version
    assert [desk.apply(full(price)) for price in (101, 102, 103)] == [[], [], []]
    assert desk.unseen.version == before
    assert desk.agree(KEY)[0].tick == full(103)
    assert desk.unseen.version > before


@pytest.mark.parametrize(
    ("prices", "direction"),
    [((100, 105), 1), ((100, 105, 103), -1), ((100, 90, 100, 100), 1), ((100, 100), 0)],
)
def test_the_direction_is_that_of_the_last_move_not_since_the_last_page(
    desk: Desk, prices: tuple[int, ...], direction: int
) -> None:
    for price in prices:
        desk.apply(full(price))
    assert desk.agree(KEY)[0].direction == direction


@pytest.mark.parametrize("name", ["ltp", "volume", "open", "high", "low", "prev_close", "oi"])
def test_a_field_is_carried_over_from_a_deferred_tick(desk: Desk, name: str) -> None:
    desk.apply(full(100, oi=6))
    desk.apply(full(110, oi=7, ltt=8, volume=9, open=10, high=11, low=12, prev_close=13))
    desk.apply(full(120, oi=14)._replace(**{name: None}))
    assert getattr(desk.agree(KEY)[0].tick, name) == {"ltp": 110, "volume": 9, "open": 10, "high": 11}.get(
        name, {"low": 12, "prev_close": 13, "oi": 7}.get(name)
    )


def test_a_batch_older_than_the_cache_read_does_not_take_the_price_back(desk: Desk) -> None:
    desk.apply(full(100))
    desk.apply(full(101, at=NOW + 1))
    desk.load(CachedTick(KEY, full(105, at=NOW + 5), True))
    desk.apply(full(102, at=NOW + 2))
    assert desk.agree(KEY)[0].tick == full(105, at=NOW + 5)


def test_a_cache_read_that_was_overtaken_changes_nothing(desk: Desk) -> None:
    desk.apply(full(100))
    desk.apply(full(105, at=NOW + 5))
    desk.load(CachedTick(KEY, full(101, at=NOW + 1), True))
    assert desk.agree(KEY)[0].tick == full(105, at=NOW + 5)


def test_a_new_connection_covers_no_price_that_was_deferred_before_it(desk: Desk) -> None:
    desk.apply(full(100))
    desk.apply(full(101))
    desk.apply(since=NOW + 1)
    assert desk.agree(KEY)[0].state == "stale"


def test_a_deferred_price_is_never_live_without_the_worker(desk: Desk) -> None:
    desk.apply(full(100))
    desk.apply(full(101))
    desk.clock.s += 9
    assert desk.unseen.get(KEY).state == "stale"
    assert desk.agree(KEY)[0].tick == full(101)


def test_a_deferred_tick_confirms_its_instrument(desk: Desk) -> None:
    desk.apply(full(100), full(100, KEYS[1]))
    desk.clock.s += 30
    desk.apply(full(101))
    assert desk.unseen.unconfirmed(KEYS[:2], desk.clock.s - 20, lambda _: False) == [KEYS[1]]
    desk.clock.s += 30
    assert desk.unseen.get(KEY).tick == full(101)
    assert desk.unseen.unconfirmed([KEY], desk.clock.s - 20, lambda _: False) == [KEY]


def test_the_instant_of_a_deferred_tick_is_not_before_its_batch(desk: Desk) -> None:
    """Otherwise a browser that reconnects would not receive it."""
    desk.apply(full(100), at=NOW + 1)
    desk.apply(full(101), at=NOW + 5)
    desk.apply(at=NOW + 7)
    assert desk.unseen.get(KEY).at >= NOW + 5


def test_one_instrument_twice_in_a_batch(desk: Desk) -> None:
    desk.apply(full(100), full(101, oi=7), full(102), full(103, session="2033-05-19"), full(104))
    desk.apply(full(105, oi=8), full(106))
    assert desk.agree(KEY)[0].tick == full(106, oi=8)


def test_applying_a_deferred_tick_does_not_raise_the_stamp(desk: Desk) -> None:
    desk.apply(full(100))
    desk.apply(full(101))
    before = desk.unseen.stamp
    assert before
    assert desk.unseen.vouched([KEY]) is not None
    assert desk.unseen.stamp == before


def test_polls_of_deferred_ticks_do_not_crowd_out_the_log_of_changes(desk: Desk) -> None:
    shown = KEYS[1]
    desk.unseen.apply(Batch("e", 1, NOW, "live", 1, "simulator", {}, [full(100), full(100, shown)]), {shown})
    position = desk.unseen.version
    for price in range(300):
        desk.unseen.apply(Batch("e", 2, NOW, "live", 1, "simulator", {}, [full(200 + price)]), {shown})
        assert desk.unseen.get(KEY).tick == full(200 + price)
    desk.unseen.apply(Batch("e", 3, NOW, "live", 1, "simulator", {}, [full(101, shown)]), {shown})
    assert [quote.key for quote in desk.unseen.newer([shown], position)] == [shown]


def test_a_page_that_opens_shows_the_deferred_ticks(desk: Desk) -> None:
    desk.apply(full(100))
    desk.apply(full(110))
    batch = Batch(
        "e", 9, NOW + 9, "live", 1, "simulator", {"NSE_EQ": "continuous"}, [struct_of(full(105, at=NOW + 1))]
    )
    for board in (desk.watched, desk.unseen):
        assert board.apply(batch, {KEY})[-1:] == [KEY]
    assert (desk.agree(KEY)[0].direction, desk.agree(KEY)[0].tick) == (-1, full(105, at=NOW + 1))


@pytest.mark.parametrize("seed", range(60))
def test_deferred_or_at_once_is_the_same(seed: int) -> None:
    """Batches, cache reads, changes of the market and time in any order, with a page now and then."""
    chance, desk = random.Random(seed), Desk()
    header: dict[str, Any] = {}
    for _ in range(250):
        event = chance.random()
        if event < 0.75:
            ticks = [_any_tick(chance, desk) for _ in range(chance.randint(0, 5))]
            desk.apply(*ticks, as_structs=seed % 3 > 0, **header)
        elif event < 0.82:
            key = chance.choice(KEYS)
            tick = chance.choice((None, _any_tick(chance, desk)._replace(key=key)))
            desk.load(CachedTick(key, tick, chance.random() < 0.5))
        elif event < 0.87:
            header = {
                "feed": chance.choice(("live", "live", "silent", "down")),
                "since": chance.choice((0, 1, 1, NOW, _now(desk))),
                "phase": {"NSE_EQ": chance.choice(("continuous", "continuous", "closed"))},
            }
        elif event < 0.92:
            desk.clock.s += chance.choice((0.5, 3.5, 9.0, 61.0))
        else:
            desk.agree(*chance.sample(KEYS, chance.randint(1, 4)))
    desk.agree(*KEYS)


def _now(desk: Desk) -> int:
    return NOW + int((desk.clock.s - 50) * 1e6)


def _any_tick(chance: random.Random, desk: Desk) -> Tick:
    at = _now(desk) - chance.choice((0, 0, 0, 1, 5_000_000, 70_000_000))
    tick = full(chance.choice((100, 100, 101, 102)), chance.choice(KEYS), at, volume=chance.randint(1, 3))
    tick = tick._replace(
        oi=chance.choice((None, None, 7, 8)),
        session=chance.choice(("", "2033-05-18", "2033-05-18", "2033-05-19")),
    )
    if chance.random() < 0.3:
        names = ("ltp", "ltt", "volume", "open", "high", "low", "prev_close")
        tick = tick._replace(**dict.fromkeys(chance.sample(names, chance.randint(1, 4))))
    return tick._replace(rest=chance.random() < 0.1)
