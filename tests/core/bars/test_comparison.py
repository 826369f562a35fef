from __future__ import annotations

from ltp.core.bars.bar import BROKER, INFERRED_HIGH, INFERRED_LOW, PARTIAL, REVISED, Bar
from ltp.core.bars.comparison import Comparison, Difference, compared, worst

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


def test_an_inferred_extreme_is_right_where_it_is_the_other_source_s() -> None:
    high, low = OWN[0]._replace(marks=INFERRED_HIGH), OWN[1]._replace(marks=INFERRED_HIGH | INFERRED_LOW)
    assert compared([high, low], [OWN[0], OWN[1]])[-2:] == (2, 2)
    assert compared([high, low], [OWN[0]._replace(low=90), OWN[1]._replace(low=90)])[-2:] == (2, 1)
    assert compared([high], [OWN[0]._replace(high=110)])[-2:] == (1, 0)
    assert compared([OWN[0]], [OWN[0]])[-2:] == (0, 0)


def test_the_minutes_that_differ_most_come_first() -> None:
    others = [
        OWN[0]._replace(volume=14),
        OWN[1]._replace(high=105),
        OWN[2]._replace(low=50, volume=0),
        OWN[0]._replace(start=OPEN + 600),
    ]
    found = worst([*OWN, OWN[0]._replace(start=OPEN + 600, marks=PARTIAL, close=99)], others, 20)
    assert found == [
        Difference(OWN[2], others[2], 960_000, 1_000_000),
        Difference(OWN[1], others[1], 9_523, 0),
        Difference(OWN[0], others[0], 0, 500_000),
    ]
    assert worst(OWN, others, 1) == found[:1]
    assert worst(OWN, [each._replace(sources=BROKER, oi=3) for each in OWN], 20) == []
