"""A level in bars."""

from __future__ import annotations

from ltp.core.alerts.level import Level
from ltp.core.alerts.past import first_touch
from ltp.core.bars.bar import Bar

BARS = [Bar(60, 100, 104, 98, 101, 5), Bar(120, 101, 110, 95, 99, 5), Bar(180, 99, 120, 90, 91, 5)]


def test_the_first_bar_that_reached_a_level() -> None:
    assert first_touch(Level(True, 104), BARS) == (60, 104)
    assert first_touch(Level(True, 105), BARS) == (120, 110)
    assert first_touch(Level(False, 90), BARS) == (180, 90)
    assert first_touch(Level(False, 89), BARS) is None
    assert first_touch(Level(True, 1), []) is None
