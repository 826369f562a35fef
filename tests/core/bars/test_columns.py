from __future__ import annotations

import random
from itertools import groupby

import pytest

from ltp.core.bars.bar import BROKER, FILE, LIVE, PARTIAL, REVISED, Bar, joined
from ltp.core.bars.columns import NONE, BarColumns, chained, of_bars, rolled_up

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
WINDOWS = [(OPEN - 900, OPEN - 480), (OPEN, OPEN + 371 * 60), (OPEN + 400 * 60, OPEN + 497 * 60)]


def history(seed: int) -> list[Bar]:
    """Return bars of most minutes from 09:00 to 17:40, half of them with every mark, source and open interest."""
    chance = random.Random(seed)
    bars = []
    for number in range(-15, 500):
        if chance.random() < 0.8:
            prices = [chance.randrange(1_000, 9_000) for _ in range(4)]
            bar = Bar(OPEN + number * 60, *prices, chance.randrange(99))
            if seed % 2:
                oi = chance.choice([None, chance.randrange(99)])
                marks, sources = chance.choice([0, PARTIAL, REVISED]), chance.choice([LIVE, BROKER, FILE])
                bar = bar._replace(oi=oi, marks=marks, sources=sources)
            bars.append(bar)
    return bars


def one_by_one(bars: list[Bar], minutes: int) -> list[Bar]:
    """Return what `rolled_up` returns, by its definition."""
    found = []
    for first, end in WINDOWS:
        inside = [bar for bar in bars if first <= bar.start < end]
        for number, group in groupby(inside, lambda bar: (bar.start - first) // (minutes * 60)):  # noqa: B023
            found.append(joined(list(group), first + number * minutes * 60))
    return found


@pytest.mark.parametrize("minutes", [1, 3, 5, 75])
@pytest.mark.parametrize("seed", range(6))
def test_a_longer_bar_is_that_of_its_bars_one_by_one(minutes: int, seed: int) -> None:
    bars = history(seed)
    found = rolled_up(of_bars(bars), minutes, WINDOWS)
    assert found.bars() == one_by_one(bars, minutes)
    assert rolled_up(found, minutes, WINDOWS) == found


def test_a_single_bar_that_starts_late_gets_the_start_of_its_length() -> None:
    late = Bar(OPEN + 120, 1, 2, 1, 2, 5)
    assert rolled_up(of_bars([late]), 5, WINDOWS).bars() == [late._replace(start=OPEN)]


def test_bars_survive_the_way_through_columns() -> None:
    bars = history(1)
    found = of_bars(bars)
    assert found.bars() == bars
    assert all(type(bar) is Bar for bar in found.bars())
    assert (found.starts[0], found.closes[-1]) == (bars[0].start, bars[-1].close)
    assert of_bars([]) == NONE
    assert NONE.bars() == []
    assert rolled_up(NONE, 5, WINDOWS) == NONE


def test_parts_and_their_chain() -> None:
    bars = history(1)
    whole = of_bars(bars)
    first, middle, last = whole.part(0, 9), whole.between(bars[9].start, bars[20].start), whole.part(20, 999)
    assert middle.bars() == bars[9:20]
    assert chained(iter([first, NONE, middle, last])).bars() == bars
    assert chained([NONE, middle]) == middle
    assert chained([]) == NONE
    assert whole.between(bars[3].start - 0.5, bars[3].start + 0.5).bars() == [bars[3]]
    assert whole.between(0, float("inf")) == whole
    assert isinstance(whole.between(0, 1), BarColumns)
