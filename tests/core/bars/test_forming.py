"""The newest bars of the worker: which are believed, and how they continue the stored ones."""

from __future__ import annotations

import pytest

from ltp.core.bars.bar import BROKER, LIVE, MARKS, OFFICIAL, PARTIAL, Bar
from ltp.core.bars.forming import MOST_BARS, continued, day_bar, end_of, is_sound, with_day
from ltp.core.ticks.tick import Tick

OPEN = 1_796_010_300  # 2026-11-30 09:15 in India


def bar(minute: int, close: int = 100_0000, **more: int) -> Bar:
    return Bar(OPEN + 60 * minute, 100_0000, 110_0000, 90_0000, close, 500)._replace(**more)


def test_bars_that_rise_and_are_possible_are_sound() -> None:
    assert is_sound([bar(0, marks=PARTIAL), bar(1), bar(7)])
    assert is_sound([bar(minute) for minute in range(MOST_BARS)])


@pytest.mark.parametrize(
    "bars",
    [
        [],
        [bar(1), bar(0)],
        [bar(0), bar(0)],
        [bar(0, close=111_0000)],
        [bar(0, low=0)],
        [bar(0, volume=-1)],
        [bar(0, oi=-1)],
        [bar(0, sources=BROKER)],
        [bar(0, marks=sum(MARKS) + 1)],
        [bar(0, start=OPEN + 1)],
        [bar(0, start=2**32)],
        [bar(0, start=0)],
        [bar(minute) for minute in range(MOST_BARS + 1)],
    ],
)
def test_others_are_not(bars: list[Bar]) -> None:
    assert not is_sound(bars)


def test_recent_bars_continue_the_stored_ones_and_replace_older_states_of_their_minutes() -> None:
    stored = [bar(0), bar(1), bar(2, close=95_0000)]
    assert continued(stored, [bar(2), bar(3)]) == [bar(0), bar(1), bar(2), bar(3)]
    assert continued(stored, []) == stored
    assert continued([], [bar(3)]) == [bar(3)]


def test_a_bar_of_the_broker_stays_in_the_place_of_the_one_built_here() -> None:
    broker = bar(2, close=95_0000, sources=BROKER)
    assert continued([bar(1), broker], [bar(1, close=96_0000), bar(2), bar(3)]) == [
        bar(1, close=96_0000),
        broker,
        bar(3),
    ]


def test_a_stored_bar_between_recent_ones_stays() -> None:
    assert continued([bar(2)], [bar(1), bar(3)]) == [bar(1), bar(2), bar(3)]


def test_the_end_of_a_window_ends_its_last_bar() -> None:
    windows = [(OPEN, OPEN + 375 * 60)]
    assert end_of(bar(0), 5, windows) == OPEN + 300
    assert end_of(bar(360), 60, windows) == OPEN + 375 * 60
    assert end_of(bar(400), 60, windows) == OPEN + 460 * 60


MIDNIGHT = OPEN - 9 * 3_600 - 15 * 60
PRICES = {"open": 100_0000, "high": 110_0000, "low": 90_0000, "session": "2026-11-30"}


def tick(ltp: int | None = 105_0000, **more: object) -> Tick:
    return Tick("NSE_EQ:1", ltp, **({"volume": 500} | PRICES | more))  # type: ignore[arg-type]


def test_the_day_is_the_exchanges_own() -> None:
    assert day_bar(tick()) == Bar(MIDNIGHT, 100_0000, 110_0000, 90_0000, 105_0000, 500)
    assert day_bar(tick(oi=7, volume=None)) == Bar(MIDNIGHT, 100_0000, 110_0000, 90_0000, 105_0000, 0, 7)


def test_a_price_beyond_the_range_of_the_day_widens_it() -> None:
    """An index packet carries its day's range less often than its price."""
    assert day_bar(tick(ltp=111_0000)) == Bar(MIDNIGHT, 100_0000, 111_0000, 90_0000, 111_0000, 500)
    assert day_bar(tick(ltp=89_0000)) == Bar(MIDNIGHT, 100_0000, 110_0000, 89_0000, 89_0000, 500)


@pytest.mark.parametrize(
    "price",
    [
        None,
        tick(ltp=None),
        tick(open=None),
        tick(high=None),
        tick(low=None),
        tick(session=""),
        tick(open=120_0000),
        tick(low=0),
    ],
)
def test_without_possible_prices_of_the_day_there_is_no_bar(price: Tick | None) -> None:
    assert day_bar(price) is None


def test_a_week_has_its_stored_days_and_the_one_that_is_on() -> None:
    day = Bar(MIDNIGHT + 2 * 86_400, 105_0000, 120_0000, 101_0000, 119_0000, 500)
    monday = MIDNIGHT
    week = Bar(monday, 99_0000, 110_0000, 98_0000, 104_0000, 2_000, None, PARTIAL, OFFICIAL)
    assert with_day(week, day, monday) == Bar(
        monday, 99_0000, 120_0000, 98_0000, 119_0000, 2_500, None, 0, OFFICIAL | LIVE
    )
    assert with_day(None, day, monday) == day._replace(start=monday)
