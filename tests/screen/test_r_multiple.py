from __future__ import annotations

import pytest

from ltp.core.history.plan import Plan
from ltp.screen.r_multiple import Bar, r_multiple

PLAN = Plan(100, 98, 102, 90, 120, "2026-11-20")  # a risk of 10


@pytest.mark.parametrize(
    ("sessions", "gained"),
    [
        ([], None),
        ([(110, 112, 105, 108)], None),  # never came back to the zone
        ([(101, 106, 99, 104)], 0.3),  # filled at the open, out at the last close
        ([(110, 111, 101, 108)], 0.6),  # fell into the zone: filled at its upper end, 102
        ([(94, 99, 93, 99)], 0.1),  # rose into it: filled at its lower end, 98
        ([(101, 106, 99, 104), (104, 121, 103, 118)], 1.9),  # 120 - 101
        ([(101, 106, 99, 104), (125, 126, 119, 124)], 2.4),  # opened beyond the target
        ([(101, 106, 99, 104), (99, 100, 89, 95)], -1.1),  # 90 - 101
        ([(101, 106, 99, 104), (84, 91, 83, 88)], -1.7),  # opened beyond the stop
        ([(101, 121, 89, 100)], -1.1),  # both on one day: the stop
        ([(110, 121, 101, 108)], None),  # target and zone on one day, open above: missed
        ([(89, 101, 88, 99)], None),  # opened below the stop: invalidated before entry
        ([(101, 106, 99, 104), (104, 106, 103, 105), (105, 107, 104, 106)], 0.5),
    ],
)
def test_the_gain_of_a_plan_in_r(sessions: list[Bar], gained: float | None) -> None:
    assert r_multiple(PLAN, sessions) == (gained if gained is None else pytest.approx(gained))


def test_a_plan_without_a_stop_below_its_entry_has_no_risk_to_count_in() -> None:
    assert r_multiple(PLAN._replace(stop=None), [(101, 106, 99, 104)]) is None
    assert r_multiple(PLAN._replace(stop=100), [(101, 106, 99, 104)]) is None


def test_a_plan_without_a_target_runs_to_its_stop_or_to_the_end() -> None:
    assert r_multiple(PLAN._replace(target=None), [(101, 130, 99, 125)]) == pytest.approx(2.4)
