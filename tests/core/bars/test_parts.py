from __future__ import annotations

import random

import pytest

from ltp.core.bars.bar import BROKER, FILE, LIVE, PARTIAL, REVISED, UNSURE, Bar
from ltp.core.bars.block import merged
from ltp.core.bars.columns import of_bars
from ltp.core.bars.parts import both_parts, made_of_fives
from ltp.core.bars.timeframe import MINUTES, rolled_up

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
# A pre-open of seven minutes, a session whose length is no multiple of anything, a break, an evening.
WINDOWS = [(OPEN - 900, OPEN - 480), (OPEN, OPEN + 371 * 60), (OPEN + 400 * 60, OPEN + 497 * 60)]
LONGER = [minutes for minutes in MINUTES if made_of_fives(minutes)]


def both(fives: list[Bar], ones: list[Bar]) -> list[Bar]:
    return both_parts(of_bars(fives), of_bars(ones), WINDOWS).bars()


def minute(number: int, price: int = 100, **fields: int) -> Bar:
    return Bar(OPEN + number * 60, price, price + 2, price - 2, price + 1, 1)._replace(**fields)


def history(seed: int) -> list[Bar]:
    """Return bars of some minutes from 09:00 to 17:40, with every mark and source."""
    chance = random.Random(seed)
    bars = []
    for number in range(-15, 500):
        if chance.random() < 0.7:
            price = chance.randrange(1_000, 9_000)
            oi = chance.choice([None, chance.randrange(99)])
            marks, sources = (
                chance.choice([0, 0, 0, PARTIAL, REVISED, UNSURE]),
                chance.choice([LIVE, BROKER, FILE]),
            )
            bars.append(
                Bar(
                    OPEN + number * 60,
                    price,
                    price + 9,
                    price - 9,
                    price + 3,
                    7 * number + 200,
                    oi,
                    marks,
                    sources,
                )
            )
    return bars


def test_the_timeframes_that_are_made_of_five_minutes() -> None:
    assert LONGER == [5, 10, 15, 25, 30, 60, 75, 125]


@pytest.mark.parametrize("minutes", LONGER)
def test_a_longer_bar_is_the_same_of_minutes_and_of_five_minutes(minutes: int) -> None:
    for seed in range(20):
        ones = history(seed)
        fives = list(rolled_up(ones, 5, WINDOWS))
        assert list(rolled_up(fives, minutes, WINDOWS)) == list(rolled_up(ones, minutes, WINDOWS))


@pytest.mark.parametrize("minutes", LONGER)
def test_two_parts_are_the_whole_wherever_they_meet(minutes: int) -> None:
    ones = history(1)
    whole = list(rolled_up(ones, minutes, WINDOWS))
    fives = list(rolled_up(ones, 5, WINDOWS))
    for at in range(0, len(fives), 7):
        boundary = fives[at].start
        older = [bar for bar in fives if bar.start < boundary]
        newer = [bar for bar in ones if bar.start >= boundary]
        assert list(rolled_up(both(older, newer), minutes, WINDOWS)) == whole


def test_minutes_count_where_both_parts_have_them() -> None:
    fives = [minute(0, 500, volume=50), minute(5, 600, volume=60)]
    found = list(rolled_up(both(fives, [minute(6, 70), minute(7, 80), minute(11, 90)]), 5, WINDOWS))
    assert found == [fives[0], Bar(OPEN + 300, 70, 82, 68, 81, 2), Bar(OPEN + 600, 90, 92, 88, 91, 1)]


@pytest.mark.parametrize(
    ("stored", "newer", "counts"),
    [
        (LIVE, [LIVE, LIVE], True),
        (LIVE, [BROKER, BROKER], True),
        (BROKER, [BROKER, BROKER], True),
        (BROKER, [FILE, FILE], True),
        (FILE, [BROKER, BROKER], True),
        (LIVE | BROKER, [BROKER, BROKER], True),
        (LIVE | BROKER, [LIVE, BROKER], True),
        (BROKER, [LIVE, LIVE], False),
        (FILE, [LIVE, LIVE], False),
        (LIVE | BROKER, [LIVE, LIVE], False),
        (BROKER, [LIVE, BROKER], False),
    ],
)
def test_minutes_built_here_do_not_count_where_the_broker_s_or_a_file_s_bar_is(
    stored: int, newer: list[int], counts: bool
) -> None:
    five = minute(5, 600, volume=60, sources=stored)
    ones = [minute(5 + number, 70, sources=each) for number, each in enumerate(newer)]
    joined = Bar(OPEN + 300, 70, 72, 68, 71, 2, sources=newer[0] | newer[1])
    found = both([minute(0, 500), five], ones)
    assert found == [minute(0, 500), joined if counts else five]
    assert found == merged([minute(0, 500), five], list(rolled_up(ones, 5, WINDOWS)))  # as the upkeep stores


def test_one_part_alone() -> None:
    assert both([], [minute(0)]) == [minute(0)]
    assert both([minute(0)], []) == [minute(0)]
    assert both([], []) == []
