from __future__ import annotations

import pytest

from ltp.core.ticks.clock_step import ClockWatch, set_back
from ltp.core.ticks.tick import Tick

NOW = 1_795_408_200_000_000


@pytest.mark.parametrize(
    ("wall", "monotonic", "step_s"),
    [
        (1_001.0, 51.0, 0.0),
        (1_001.5, 51.0, 0.0),
        (941.0, 51.0, -60.0),
        (4_600.0, 51.0, 3_599.0),
        (1_600.0, 650.0, 0.0),
    ],
)
def test_a_clock_that_moves_by_other_than_the_time_that_passed_was_set(
    wall: float, monotonic: float, step_s: float
):
    assert ClockWatch(1_000.0, 50.0).step(wall, monotonic) == step_s


def test_a_step_is_told_once_and_slewing_never():
    watch = ClockWatch(1_000.0, 50.0)
    assert [watch.step(940.0, 50.5), watch.step(940.5, 51.0)] == [-60.5, 0.0]
    assert not any(watch.step(940.5 + at * 1.0005, 51.0 + at) for at in range(1, 10_000))


def test_only_what_would_lie_in_the_future_is_moved():
    later = Tick("NSE_EQ:1", 100, received_at=NOW + 60_000_000, traded_at=NOW + 59_000_000)
    assert set_back(
        [later, Tick("NSE_EQ:2", 100, received_at=NOW - 5, traded_at=NOW - 9)], NOW, 70_000_000
    ) == {"NSE_EQ:1": later._replace(received_at=NOW - 10_000_000, traded_at=NOW - 11_000_000)}
