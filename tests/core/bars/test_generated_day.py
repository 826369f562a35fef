"""A generated session: trades, the true bars of them, and the packets of a feed that carries only some of them.

The figures are those of this seed. A worse builder has smaller shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import pytest

from ltp.core.bars.bar import BROKER, Bar, mark_names
from ltp.core.bars.builder import BarBuilder
from ltp.core.bars.comparison import Comparison, compared, worst
from ltp.core.ticks.tick import UNKNOWN_DAY, DayPrices, TickFields

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
MINUTES = 375
KEYS = ("NSE_EQ:1", "NSE_EQ:2", "NSE_EQ:3")
PAUSE_S = {"NSE_EQ:1": 0.12, "NSE_EQ:2": 0.9, "NSE_EQ:3": 11.0}  # between two trades, on average
US = 1_000_000


class Trade(NamedTuple):
    """`at`: seconds since the epoch. `total`, `day`: of the day so far."""

    at: float
    price: int
    quantity: int
    total: int
    day: DayPrices


def trades(seed: int, pause_s: float) -> list[Trade]:
    random_, found = Random(seed), []
    at, price, total = float(OPEN), 1_000_0000, 0
    opened = high = low = price
    day = DayPrices(opened, high, low, 990_0000)
    while (at := at + random_.expovariate(1 / pause_s)) < OPEN + MINUTES * 60:
        price = max(10_000, price + random_.choice((-1_500, -1_000, -500, 0, 0, 500, 1_000, 1_500)))
        quantity = random_.choice((1, 5, 25, 400))
        total += quantity
        if price > high or price < low:
            high, low = max(high, price), min(low, price)
            day = DayPrices(opened, high, low, 990_0000)
        found.append(Trade(at, price, quantity, total, day))
    return found


def true_bars(found: list[Trade]) -> list[Bar]:
    minutes: dict[int, list[Trade]] = {}
    for trade in found:
        minutes.setdefault(int(trade.at) // 60 * 60, []).append(trade)
    return [
        Bar(
            start,
            each[0].price,
            max(trade.price for trade in each),
            min(trade.price for trade in each),
            each[-1].price,
            sum(trade.quantity for trade in each),
            sources=BROKER,
        )
        for start, each in sorted(minutes.items())
    ]


def packets(key: str, found: list[Trade], seed: int, *, with_day: bool) -> Iterator[tuple[float, TickFields]]:
    """Yield (arrival, packet): the newest trade at most twice a second, some repeated, some late, some both."""
    random_ = Random(seed)
    baseline = (key, 990_0000, OPEN - 86_400, (OPEN - 60) * US, 0, UNKNOWN_DAY, None, "", 0, False)
    yield OPEN - 60.0, baseline
    slot, last = 0, found[0]
    for trade in [*found[1:], found[-1]._replace(at=found[-1].at + 1)]:
        if int(trade.at * 2) > slot or trade.at == found[-1].at + 1:
            slot = int(trade.at * 2)
            sent = int(last.at * 2) / 2 + 0.5
            day = last.day if with_day else UNKNOWN_DAY
            for _ in range(random_.choice((1, 1, 1, 2))):
                late_s = random_.choice((0.05,) * 40 + (0.7, 1.4, 2.5, 6.0))
                arrival = sent + late_s
                yield arrival, (
                    key, last.price, int(last.at), int(arrival * US), last.total, day, None, "", 0, False,
                )  # fmt: skip
        last = trade


def built(*, with_day: bool) -> tuple[dict[str, list[Bar]], dict[str, list[Bar]]]:
    """Return the bars of the builder and the true ones by key."""
    builder = BarBuilder(Counter(), is_open=lambda _, start: OPEN <= start < OPEN + MINUTES * 60)
    builder.connected((OPEN - 120) * US)
    truth, sent = {}, []
    for number, key in enumerate(KEYS):
        made = trades(number, PAUSE_S[key])
        truth[key] = true_bars(made)
        sent += list(packets(key, made, 10 + number, with_day=with_day))
    own: dict[str, dict[int, Bar]] = {key: {} for key in KEYS}
    looked = OPEN - 60
    for arrival, fields in sorted(sent, key=lambda each: each[0]):
        while looked < arrival:
            for key, bar in builder.close(builder.due(looked * US)):
                own[key][bar.start] = bar
            looked += 1
        builder.take([fields])
    for key, bar in builder.close(builder.due((OPEN + MINUTES * 60 + 600) * US)):
        own[key][bar.start] = bar
    return {key: [bars[start] for start in sorted(bars)] for key, bars in own.items()}, truth


@pytest.fixture(scope="module")
def with_rule() -> tuple[dict[str, list[Bar]], dict[str, list[Bar]]]:
    return built(with_day=True)


@pytest.fixture(scope="module")
def without_rule() -> tuple[dict[str, list[Bar]], dict[str, list[Bar]]]:
    return built(with_day=False)


def sums(both: tuple[dict[str, list[Bar]], dict[str, list[Bar]]]) -> dict[str, Comparison]:
    own, truth = both
    return {key: compared(own[key], truth[key]) for key in KEYS}


def test_with_the_rule_of_the_day_high_every_inferred_extreme_is_true(
    with_rule: tuple[dict[str, list[Bar]], dict[str, list[Bar]]],
) -> None:
    assert sums(with_rule) == {
        # Seven trades in eight are in no packet: their opens and extremes are lost, unless they move the day's.
        "NSE_EQ:1": Comparison(375, 68, 152, 159, 375, 375, 42, 42),
        "NSE_EQ:2": Comparison(375, 301, 337, 329, 375, 375, 8, 8),
        "NSE_EQ:3": Comparison(373, 367, 366, 371, 373, 373, 0, 0),
    }


def test_without_day_highs_fewer_highs_and_lows_are_true_and_all_else_is_the_same(
    without_rule: tuple[dict[str, list[Bar]], dict[str, list[Bar]]],
) -> None:
    assert sums(without_rule) == {
        "NSE_EQ:1": Comparison(375, 68, 134, 136, 375, 375, 0, 0),
        "NSE_EQ:2": Comparison(375, 301, 336, 329, 375, 375, 0, 0),
        "NSE_EQ:3": Comparison(373, 367, 366, 371, 373, 373, 0, 0),
    }


def test_each_minute_with_a_trade_has_its_bar_and_the_marks_are_few(
    with_rule: tuple[dict[str, list[Bar]], dict[str, list[Bar]]],
) -> None:
    own, truth = with_rule
    for key in KEYS:
        assert [bar.start for bar in own[key]] == [bar.start for bar in truth[key]]
    assert Counter(", ".join(mark_names(bar.marks)) for bar in own["NSE_EQ:1"]) == {
        "": 326,
        "inferred": 40,
        "revised": 6,
        "unsure": 1,
        "unsure, inferred": 1,
        "revised, inferred": 1,
    }


def test_the_worst_minute_is_one_whose_first_trade_no_packet_carried(
    with_rule: tuple[dict[str, list[Bar]], dict[str, list[Bar]]],
) -> None:
    own, truth = with_rule
    found = worst(own["NSE_EQ:1"], truth["NSE_EQ:1"], 1)[0]
    assert (found.own.start - OPEN, found.price_ppm, found.volume_ppm) == (15_360, 550, 0)
    assert found.own[1:6] == (999_4500, 1_000_9500, 998_8000, 1_000_6000, 62_033)
    assert found.other[1:6] == (998_9000, 1_001_0000, 998_8000, 1_000_6000, 62_033)
