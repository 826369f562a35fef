from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ltp.core.history.candle import Candle, pack
from ltp.core.history.plan import INVALIDATED, MISSED, REACHED, STOPPED, Plan, follow, plans_of, stage_after
from ltp.core.screener import Row, Run

MADE = date(2026, 11, 18)  # a Wednesday
PLAN = Plan(100, 98, 102, 90, 120, MADE.isoformat(), close=105)
Bar = tuple[int, int, int, int]


def bars(*given: Bar, start: date = MADE) -> bytes:
    """Open, high, low and close of the sessions from `start` on, weekends left out."""
    days = [day for back in range(40) if (day := start + timedelta(days=back)).weekday() < 5]
    return pack(Candle(day, *bar, 1) for day, bar in zip(days, given, strict=False))


@pytest.mark.parametrize(
    ("since", "stage"),
    [
        ([], "waiting"),
        ([(106, 110, 103, 108)], "waiting"),
        ([(106, 110, 102, 108)], "entered"),
        ([(97, 97, 92, 95)], "waiting"),
        ([(106, 107, 101, 105), (106, 121, 104, 119)], REACHED),
        ([(106, 107, 101, 105), (99, 100, 90, 95)], STOPPED),
        ([(106, 107, 101, 105), (99, 121, 90, 119)], STOPPED),
        ([(106, 120, 105, 119), (101, 121, 99, 100)], MISSED),
        ([(97, 97, 90, 95), (99, 121, 98, 119)], INVALIDATED),
        # One day of several touches: the reading that claims less, unless the open tells.
        ([(106, 106, 89, 92)], STOPPED),
        ([(90, 101, 89, 100)], INVALIDATED),
        ([(89, 90, 85, 88)], INVALIDATED),
        ([(101, 121, 99, 119)], REACHED),
        ([(96, 121, 95, 119)], REACHED),
        ([(103, 121, 99, 119)], MISSED),
        ([(101, 125, 89, 119)], STOPPED),
        # A breakout that opens above its zone is not bought.
        ([(105, 110, 104, 108), (108, 119, 103, 118)], "waiting"),
    ],
)
def test_the_stages_of_a_plan(since: list[Bar], stage: str) -> None:
    assert follow(PLAN, bars((104, 106, 80, 105), *since)).stage == stage


@pytest.mark.parametrize("stage", [STOPPED, REACHED, INVALIDATED, MISSED])
def test_an_ended_plan_stays_ended(stage: str) -> None:
    assert stage_after(PLAN, stage, 101, 80, 130) == stage


def test_an_unknown_open_claims_nothing() -> None:
    assert stage_after(PLAN, "waiting", None, 99, 121) == MISSED
    assert stage_after(PLAN, "waiting", None, 89, 99) == STOPPED


def test_a_session_that_is_counted_twice_changes_nothing() -> None:
    for low in range(85, 125, 3):
        for high in range(low, 125, 3):
            for opened in range(low, high + 1, 2):
                once = stage_after(PLAN, "waiting", opened, low, high)
                assert stage_after(PLAN, once, opened, low, high) == once


def test_a_plan_without_stop_or_target_waits_or_is_entered() -> None:
    bare = PLAN._replace(stop=None, target=None)
    assert follow(bare, bars((104, 106, 80, 105), (100, 200, 50, 100))).stage == "entered"


@pytest.mark.parametrize(
    ("since", "stage"),
    [
        ([(101, 102, 80, 95)], "entered"),  # Thursday, below it and back
        ([(101, 102, 80, 85)], "entered"),  # Thursday's close is not the week's
        ([(101, 102, 80, 85), (85, 95, 84, 91)], "entered"),
        ([(101, 102, 88, 95), (95, 96, 85, 89)], STOPPED),  # Friday's is
        ([(97, 97, 88, 95), (95, 96, 85, 89), (99, 101, 98, 100)], INVALIDATED),
        ([(101, 102, 88, 95), (95, 96, 85, 90)], "entered"),  # at it is not below it
    ],
)
def test_the_invalidation_of_a_long_term_plan_is_a_weekly_close(since: list[Bar], stage: str) -> None:
    plan = PLAN._replace(weekly=True, target=None)
    assert follow(plan, bars((104, 106, 80, 105), *since)).stage == stage


def test_a_week_without_a_friday_ends_with_the_next_one() -> None:
    plan = PLAN._replace(weekly=True, target=None)
    days = [
        Candle(MADE + timedelta(days=1), 101, 102, 85, 88, 1),
        Candle(MADE + timedelta(days=5), 95, 99, 94, 97, 1),
    ]
    assert follow(plan, pack(days[:1])).stage == "entered"
    assert follow(plan, pack(days)).stage == STOPPED


def test_days_from_a_split_on_do_not_count() -> None:
    packed = bars((104, 106, 80, 105), (106, 107, 101, 105), (53, 54, 50, 52))
    plan = follow(PLAN, packed, "2026-11-20")
    assert (plan.stage, plan.ends) == ("entered", "2026-11-20")


def test_candles_that_were_restated_since_end_the_plan_at_once() -> None:
    plan = follow(PLAN, bars((52, 53, 40, 52), (53, 54, 50, 52)))
    assert (plan.stage, plan.ends) == ("waiting", PLAN.as_of)


def test_plans_come_from_the_rows_that_have_an_entry() -> None:
    rows = (
        Row(
            "NSE_EQ:1",
            1,
            "A",
            entry=100,
            entry_low=98,
            entry_high=102,
            stop=90,
            target=120,
            facts={"price": 0.0105},
        ),
        Row("NSE_EQ:2", 2, "B"),
        Row("NSE_EQ:3", 3, "C", entry=50),
    )
    run = Run(1, "swing", datetime(2026, 11, 18, 12, tzinfo=UTC), False, "", rows, MADE)
    assert plans_of(run) == {"NSE_EQ:1": PLAN, "NSE_EQ:3": Plan(50, 50, 50, None, None, "2026-11-18")}
    assert plans_of(run._replace(kind="longterm"))["NSE_EQ:1"].weekly
    imported = plans_of(run._replace(kind="longterm", as_of=None))["NSE_EQ:1"]
    assert (imported.as_of, imported.weekly, imported.stage) == ("", False, "unseen")
    assert follow(imported, bars((80, 130, 80, 100))) == imported
