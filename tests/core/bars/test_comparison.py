from __future__ import annotations

from ltp.core.bars.bar import BROKER, PARTIAL, REVISED, Bar
from ltp.core.bars.comparison import Comparison, compared

OPEN = 1_796_010_300
OWN = [Bar(OPEN + 60 * minute, 100, 104, 98, 101, 7) for minute in range(3)]


def test_minutes_that_both_have_are_compared_by_value() -> None:
    others = [
        OWN[0]._replace(sources=BROKER, oi=5),
        OWN[1]._replace(sources=BROKER, high=105, volume=9),
        OWN[0]._replace(start=OPEN + 600),
    ]
    assert compared(OWN, others) == Comparison(2, 2, 1, 2, 2, 1)


def test_a_partial_bar_is_not_compared() -> None:
    partial = OWN[0]._replace(marks=PARTIAL | REVISED, volume=3)
    assert compared([partial, OWN[1]], OWN) == Comparison(1, 1, 1, 1, 1, 1)


def test_comparisons_add_up_and_have_shares() -> None:
    both = Comparison(2, 2, 1, 2, 2, 1).plus(Comparison(2, 0, 0, 1, 2, 0))
    assert both == Comparison(4, 2, 1, 3, 4, 1)
    assert both.shares() == {"open": 0.5, "high": 0.25, "low": 0.75, "close": 1.0, "volume": 0.25}
    assert Comparison().shares() == {}
