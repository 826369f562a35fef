"""Turns: the interval holds on average, views go with a batch, and views in time part when rounds are long."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import pytest

from ltp.hub.pacer import Pacer


class Market:
    """Views that always have something new, and a writer that takes some time for each of them."""

    def __init__(self, interval_s: float, views: int, each_s: float = 0.0) -> None:
        self.turns, self.each_s = Pacer(interval_s), each_s
        self.due = dict.fromkeys(range(views), 0.0)
        self.phase = {view: self.turns.phase() for view in range(views)}
        self.sent: dict[int, list[float]] = {view: [] for view in range(views)}
        self.rounds: list[int] = []

    def run(self, batches: Iterable[float]) -> None:
        for at in batches:
            self.turns.heard(at)
            self.round(at)

    def round(self, began: float) -> None:
        ready = sorted((due, view) for view, due in self.due.items() if due <= began + self.turns.early_s)
        now = began
        for due, view in ready:
            self.sent[view].append(now)
            self.due[view] = self.turns.next_s(due, self.phase[view], now)
            now += self.each_s
        self.turns.spent(began, now)
        self.rounds.append(len(ready))


def every(step_s: float, count: int, jitter_s: float = 0.0, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [100 + number * step_s + chance.uniform(0, jitter_s) for number in range(count)]


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_holds_on_average_and_half_of_it_always(seed: int) -> None:
    chance = random.Random(seed)
    interval = chance.choice((0.02, 0.05, 0.2, 1.0))
    market = Market(interval, 30, each_s=chance.choice((0.0, 0.0004, 0.002)))
    market.run(every(chance.choice((0.02, 0.024, 0.1)), 600, jitter_s=0.008, seed=seed))
    for sent in market.sent.values():
        assert len(sent) > 10
        for first in range(0, len(sent), 7):
            for last in range(first, len(sent), 5):
                assert sent[last] - sent[first] >= (last - first) * interval - interval / 2 - 1e-6
        assert all(after - before >= interval / 2 - 1e-6 for before, after in itertools.pairwise(sent))


def test_batches_that_come_a_little_before_the_interval_ends_are_not_missed() -> None:
    market = Market(0.02, 1)
    market.run(every(0.02, 500, jitter_s=0.004))
    assert market.rounds == [1] * 500


def test_views_of_long_rounds_part_and_none_is_more_than_an_eighth_late_for_it() -> None:
    market = Market(0.2, 200, each_s=0.0003)
    market.run(every(0.02, 600))
    assert market.rounds[0] == 200
    assert max(market.rounds[-100:]) <= 200 / 4 + 1
    gaps = [after - before for sent in market.sent.values() for before, after in itertools.pairwise(sent)]
    assert max(gaps) < 0.2 * 9 / 8 + 0.02 + 0.06  # and a batch to go with, and a round of all views


def test_a_round_is_long_by_the_interval_so_short_intervals_part_too() -> None:
    market = Market(0.02, 40, each_s=0.0001)
    market.run(every(0.002, 3_000))
    assert max(market.rounds[-100:]) <= 40 / 4 + 1
    patient = Market(2.0, 40, each_s=0.002)
    patient.run(every(0.02, 3_000))
    assert max(patient.rounds[-100:]) <= 40 / 4 + 1


def test_views_of_short_rounds_stay_together_because_each_round_has_a_price() -> None:
    market = Market(0.2, 200, each_s=0.00001)
    market.run(every(0.02, 200))
    assert set(market.rounds[-50:]) == {0, 200}


def test_views_that_came_one_by_one_come_together_in_as_many_rounds_as_it_takes() -> None:
    for each_s, rounds in ((0.00001, 1), (0.00015, 2), (0.0003, 4)):
        market = Market(0.2, 200, each_s=each_s)
        market.due = {view: 100 + view / 1000 for view in range(200)}
        market.run(every(0.02, 400))
        assert sum(1 for views in market.rounds[-100:] if views) == 10 * rounds


def test_views_stay_together_when_batches_are_rare_because_apart_they_would_have_none_to_go_with() -> None:
    market = Market(0.2, 200, each_s=0.0002)
    market.run(every(0.1, 100))
    assert set(market.rounds[-20:]) == {0, 200}


def test_a_view_that_comes_back_from_a_quiet_time_rests_a_whole_interval() -> None:
    turns = Pacer(0.2)
    assert turns.next_s(5.0, 0.5, 90.0) == pytest.approx(90.2)


def test_without_an_interval_every_batch_goes_out() -> None:
    market = Market(0.0, 3, each_s=0.001)
    market.run(every(0.02, 50))
    assert market.rounds == [3] * 50
