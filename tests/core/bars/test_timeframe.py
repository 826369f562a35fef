from __future__ import annotations

import pytest

from ltp.core.bars.bar import BROKER, PARTIAL, REVISED, Bar, joined, mark_names, source_name
from ltp.core.bars.timeframe import minutes_of, rolled_up
from ltp.errors import InputError

OPEN = 1_796_010_300  # 2026-11-30T09:15:00+05:30
CLOSE = OPEN + 375 * 60


def minute(number: int, price: int = 100, volume: int = 1, oi: int | None = None, marks: int = 0) -> Bar:
    return Bar(OPEN + number * 60, price, price + 2, price - 2, price + 1, volume, oi, marks)


def test_minutes_roll_up_from_the_open() -> None:
    bars = [minute(number, 100 + number) for number in range(10)]
    assert list(rolled_up(bars, 5, [(OPEN, CLOSE)])) == [
        Bar(OPEN, 100, 106, 98, 105, 5),
        Bar(OPEN + 300, 105, 111, 103, 110, 5),
    ]


def test_bars_are_aligned_to_the_session_and_the_last_may_be_short() -> None:
    starts = [bar.start for bar in rolled_up([minute(n) for n in range(375)], 60, [(OPEN, CLOSE)])]
    assert [(start - OPEN) // 60 for start in starts] == [0, 60, 120, 180, 240, 300, 360]
    assert [len(list(rolled_up([minute(n) for n in range(375)], m, [(OPEN, CLOSE)]))) for m in (25, 75, 125)] == [
        15, 5, 3,
    ]  # fmt: skip


def test_a_gap_leaves_no_bar() -> None:
    assert [bar.start - OPEN for bar in rolled_up([minute(0), minute(11)], 5, [(OPEN, CLOSE)])] == [0, 600]


def test_no_bar_spans_two_windows() -> None:
    windows = [(OPEN - 900, OPEN), (OPEN, OPEN + 420), (OPEN + 600, OPEN + 900)]
    bars = [minute(-1), minute(0), minute(6), minute(8), minute(10)]
    assert [(bar.start - OPEN) // 60 for bar in rolled_up(bars, 5, windows)] == [-5, 0, 5, 10]


def test_minutes_outside_all_windows_are_left_out() -> None:
    assert list(rolled_up([minute(-30), minute(400)], 5, [(OPEN, CLOSE)])) == []
    assert list(rolled_up([minute(0)], 5, [])) == []


def test_a_mark_on_any_part_marks_the_whole_and_the_last_open_interest_counts() -> None:
    bars = [minute(0, oi=5, marks=PARTIAL), minute(1, oi=7), minute(2, marks=REVISED)]
    assert joined(bars, OPEN) == Bar(OPEN, 100, 102, 98, 101, 3, 7, PARTIAL | REVISED)


def test_a_bar_of_several_sources_is_mixed() -> None:
    bars = [minute(0), minute(1)._replace(sources=BROKER)]
    assert [source_name(bar.sources) for bar in [*bars, joined(bars, OPEN)]] == ["live", "broker", "mixed"]


def test_marks_have_names() -> None:
    assert mark_names(0) == []
    assert mark_names(15) == ["partial", "revised", "unsure", "corrected"]


@pytest.mark.parametrize(("name", "minutes"), [("1m", 1), ("75m", 75), ("125m", 125)])
def test_timeframes_have_names(name: str, minutes: int) -> None:
    assert minutes_of(name) == minutes


@pytest.mark.parametrize("name", ["2m", "m", "", "1h", "1M", "١m"])
def test_another_name_is_refused_with_the_accepted_ones(name: str) -> None:
    with pytest.raises(InputError, match="it is one of 1m, 3m, 5m, 10m, 15m, 25m, 30m, 60m, 75m, 125m"):
        minutes_of(name)
