"""The interval holds on average, events go out with a batch, and views are divided where rounds are long."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import pytest

from ltp.hub.pacer import Pacer


class Market:
    """Views that always have changes, and a writer that takes `each_s` for the event of each."""

    def __init__(self, interval_s: float, views: int, each_s: float = 0.0) -> None:
        self.pacer, self.each_s = Pacer(interval_s), each_s
        self.due = dict.fromkeys(range(views), 0.0)
        self.phase = {view: self.pacer.new_phase() for view in range(views)}
        self.sent: dict[int, list[float]] = {view: [] for view in range(views)}
        self.rounds: list[int] = []

    def run(self, batches: Iterable[float]) -> None:
        for at in batches:
            self.pacer.note_batch(at)
            self.round(at)

    def round(self, began: float) -> None:
        ready = sorted((due, view) for view, due in self.due.items() if due <= began + self.pacer.early_s)
        now = began
        for due, view in ready:
            self.sent[view].append(now)
            self.due[view] = self.pacer.next_due_s(due, self.phase[view], now)
            now += self.each_s
        self.pacer.note_round(began, now)
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


def test_long_rounds_divide_the_views_and_make_none_more_than_an_eighth_late() -> None:
    market = Market(0.2, 200, each_s=0.0003)
    market.run(every(0.02, 600))
    assert market.rounds[0] == 200
    assert max(market.rounds[-100:]) <= 200 / 4 + 1
    gaps = [after - before for sent in market.sent.values() for before, after in itertools.pairwise(sent)]
    assert max(gaps) < 0.2 * 9 / 8 + 0.02 + 0.06  # plus one gap between batches and a round of all views


def test_a_round_is_long_by_the_interval_so_short_intervals_divide_the_views_too() -> None:
    market = Market(0.02, 40, each_s=0.0001)
    market.run(every(0.002, 3_000))
    assert max(market.rounds[-100:]) <= 40 / 4 + 1
    patient = Market(2.0, 40, each_s=0.002)
    patient.run(every(0.02, 3_000))
    assert max(patient.rounds[-100:]) <= 40 / 4 + 1


def test_short_rounds_keep_the_views_together_because_each_round_draws_prices_of_its_own() -> None:
    market = Market(0.2, 200, each_s=0.00001)
    market.run(every(0.02, 200))
    assert set(market.rounds[-50:]) == {0, 200}


def test_views_that_opened_one_by_one_are_gathered_in_as_few_rounds_as_their_cost_permits() -> None:
    for each_s, rounds in ((0.00001, 1), (0.00015, 2), (0.0003, 4)):
        market = Market(0.2, 200, each_s=each_s)
        market.due = {view: 100 + view / 1000 for view in range(200)}
        market.run(every(0.02, 400))
        assert sum(1 for views in market.rounds[-100:] if views) == 10 * rounds


def test_rare_batches_keep_the_views_together_because_other_rounds_would_have_no_batch() -> None:
    market = Market(0.2, 200, each_s=0.0002)
    market.run(every(0.1, 100))
    assert set(market.rounds[-20:]) == {0, 200}


def test_after_a_quiet_time_a_view_rests_a_whole_interval() -> None:
    assert Pacer(0.2).next_due_s(5.0, 0.5, 90.0) == pytest.approx(90.2)


def test_without_an_interval_every_batch_goes_out() -> None:
    market = Market(0.0, 3, each_s=0.001)
    market.run(every(0.02, 50))
    assert market.rounds == [3] * 50


def test_a_view_is_shifted_by_at_most_an_eighth_of_the_interval_towards_the_instant_of_its_group() -> None:
    pacer = Pacer(0.8)
    for batch in range(200):
        pacer.note_batch(batch * 0.01)
    assert pacer.next_due_s(10.0, 0.0, 10.0) == pytest.approx(10.8 + 0.1)  # its group is due at 11.2
    assert pacer.next_due_s(10.35, 0.0, 10.35) == pytest.approx(11.2)
    assert pacer.next_due_s(10.4, 0.0, 10.4) == pytest.approx(11.2)


def test_phases_of_new_views_lie_evenly_in_the_interval() -> None:
    pacer = Pacer(0.2)
    assert [round(pacer.new_phase(), 3) for _ in range(4)] == [0.618, 0.236, 0.854, 0.472]
