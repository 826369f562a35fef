from __future__ import annotations

import threading
from typing import Any

import pytest

from ltp.web.vitals import EVERY_S, WINDOW_S, Vitals


class Clock:
    """Each sleep lasts `late_s` too long."""

    def __init__(self) -> None:
        self.now_s, self.late_s = 1_000.0, 0.0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds + self.late_s


def vitals_with(clock: Clock, counts: dict[str, int] | None = None) -> Vitals:
    return Vitals(counts=lambda: counts or {}, monotonic=clock.monotonic, sleep=clock.sleep)


def test_there_is_no_lag_before_the_first_sample() -> None:
    assert vitals_with(Clock()).lag() is None


def test_the_lag_is_the_excess_of_sleeps() -> None:
    clock = Clock()
    vitals = vitals_with(clock)
    for ms in range(1, 101):
        clock.late_s = ms / 1000
        vitals.sample()
    assert vitals.lag() == pytest.approx((0.050, 0.099, 0.100))


def test_one_long_stop_among_many_sleeps_is_the_worst() -> None:
    clock = Clock()
    vitals = vitals_with(clock)
    for n in range(200):
        clock.late_s = 3.0 if n == 100 else 0.001
        vitals.sample()
    assert vitals.lag() == pytest.approx((0.001, 0.001, 3.0))


def test_a_sleep_that_ended_early_was_not_late() -> None:
    clock = Clock()
    clock.late_s = -0.01
    vitals = vitals_with(clock)
    vitals.sample()
    assert vitals.lag() == (0, 0, 0)


def test_samples_older_than_a_minute_do_not_count() -> None:
    clock = Clock()
    vitals = vitals_with(clock)
    clock.late_s = 2.0
    vitals.sample()
    clock.late_s = 0.0
    clock.now_s += WINDOW_S - 1
    vitals.sample()
    assert vitals.lag() == pytest.approx((0, 2, 2))
    clock.now_s += 2
    assert vitals.lag() == pytest.approx((0, 0, 0))


def test_memory_is_bounded_to_one_minute_of_samples() -> None:
    clock = Clock()
    vitals = vitals_with(clock)
    for _ in range(3_000):
        vitals.sample()
    assert len(vitals._late) == WINDOW_S / EVERY_S


def test_rates_are_of_the_last_five_seconds() -> None:
    clock, counts = Clock(), {"stream_writes": 1_000}
    vitals = vitals_with(clock, counts)
    vitals.sample()
    counts["stream_writes"] = 1_500
    for _ in range(99):
        vitals.sample()
    assert vitals.rates.per_s("stream_writes") == 0
    for _ in range(2):
        vitals.sample()
    assert vitals.rates.per_s("stream_writes") == pytest.approx(100, rel=0.02)


def test_start_begins_one_thread_that_samples(wait_for: Any) -> None:
    vitals = Vitals()
    assert vitals.began_s == 0
    before = threading.active_count()
    vitals.start()
    vitals.start()
    assert threading.active_count() == before + 1
    wait_for(vitals.lag)
    assert vitals.began_s > 0
