"""The newest bars of the worker: which are believed, and how they continue the stored ones."""

from __future__ import annotations

import pytest

from ltp.core.bars.bar import BROKER, MARKS, PARTIAL, Bar
from ltp.core.bars.forming import MOST_BARS, continued, end_of, is_sound

OPEN = 1_795_924_500  # 2026-11-30 09:15 in India


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
