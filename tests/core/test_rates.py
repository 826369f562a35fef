from __future__ import annotations

import pytest

from ltp.core.rates import Rates


def test_a_rate_is_the_rise_between_two_snapshots_over_the_time_between_them() -> None:
    rates = Rates(over_s=1)
    taken = [rates.take({"writes": n}, now) for n, now in [(100, 50.0), (130, 52.0), (130, 54.0)]]
    assert taken == [False, True, True]
    assert rates.per_s("writes") == 0
    rates.take({"writes": 131}, 54.0 + 4)
    assert rates.per_s("writes") == pytest.approx(0.25)


def test_counts_before_the_first_snapshot_are_in_no_rate() -> None:
    rates = Rates(over_s=1)
    rates.take({"writes": 10**9}, 1e6)
    assert rates.per_s("writes") == 0
    rates.take({"writes": 10**9 + 5}, 1e6 + 1)
    assert rates.per_s("writes") == 5


def test_a_snapshot_that_comes_too_soon_changes_nothing_and_loses_nothing() -> None:
    rates = Rates(over_s=1)
    rates.take({"writes": 0}, 0)
    rates.take({"writes": 10}, 1)
    assert not rates.take({"writes": 1_000}, 1.9)
    assert rates.per_s("writes") == 10
    assert rates.take({"writes": 1_000}, 2.0)
    assert rates.per_s("writes") == 990


def test_a_counter_that_is_new_began_at_zero_and_one_that_was_never_counted_stands_still() -> None:
    rates = Rates(over_s=1)
    rates.take({}, 0)
    rates.take({"ends.left": 4}, 2)
    assert (rates.per_s("ends.left"), rates.per_s("ends.stalled")) == (2, 0)


def test_the_callers_counters_are_copied() -> None:
    counts, rates = {"writes": 0}, Rates(over_s=1)
    rates.take(counts, 0)
    counts["writes"] = 7
    rates.take(counts, 1)
    assert rates.per_s("writes") == 7
