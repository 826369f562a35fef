from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from ltp.core.history.candle import Candle
from ltp.core.history.corporate_action import Action
from ltp.core.screener import Row, Run
from ltp.db import candles, corporate_actions
from ltp.db.candles import Basis
from ltp.db.engine import open_engine, writing
from ltp.db.plans import Plans

KEY, OTHER = "NSE_EQ:1", "NSE_EQ:2"
MADE = date(2025, 12, 30)  # a Tuesday; the sessions since lie in two years


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")


def run(run_id: int = 1, as_of: date | None = MADE, **changes: int) -> Run:
    levels = {"entry": 100, "entry_low": 98, "entry_high": 102, "stop": 90, "target": 120} | changes
    rows = tuple(
        Row(key, rank, key, facts={"price": 0.0105}, **levels) for rank, key in enumerate((KEY, OTHER), 1)
    )  # type: ignore[arg-type]
    return Run(run_id, "swing", datetime(2025, 12, 30, 12, tzinfo=UTC), False, "", rows, as_of)


def trade(engine: Engine, key: str, days_after: int, high: int, low: int, basis: Basis = "raw") -> None:
    day = MADE + timedelta(days=days_after)
    candles.upsert(engine, basis, {key: [Candle(day, high, high, low, low, 1)]})
    with writing(engine) as connection:
        candles.note_day(connection, day, "test", 1)


def renew(plans: Plans) -> None:
    for _ in range(2):  # new candles are read when two calls have seen the same version
        plans.renew()


def stages(plans: Plans, run_id: int = 1) -> dict[str, str]:
    return {key: plan.stage for key, plan in plans.of(run_id).items()}


@pytest.mark.parametrize("basis", candles.BASES)
def test_sessions_between_the_run_and_today_are_seen(engine: Engine, basis: Basis) -> None:
    for days, high, low in ((-1, 101, 80), (0, 106, 104), (1, 106, 101), (3, 121, 104)):
        trade(engine, KEY, days, high, low, basis)
    trade(engine, OTHER, 3, 97, 89, basis)
    plans = Plans(engine)
    plans.learn(run())
    assert stages(plans) == {KEY: "target hit", OTHER: "invalidated before entry"}


def test_new_candles_change_the_plans_that_were_given_out(engine: Engine) -> None:
    trade(engine, KEY, 0, 106, 104)
    plans = Plans(engine)
    plans.learn(run())
    shown = plans.of(1)
    assert shown[KEY].stage == "waiting"
    trade(engine, KEY, 1, 106, 101)
    renew(plans)
    assert shown[KEY].stage == "entered"
    trade(engine, KEY, 2, 99, 90)
    renew(plans)
    assert shown[KEY].stage == "stop hit"


def test_candles_of_an_import_are_read_once_it_has_ended(engine: Engine) -> None:
    trade(engine, KEY, 1, 106, 104)
    plans = Plans(engine)
    plans.learn(run())
    for days in (2, 3):
        trade(engine, KEY, days, 106, 101)
        plans.renew()
        assert plans.of(1)[KEY].stage == "waiting"
    plans.renew()
    assert plans.of(1)[KEY].stage == "entered"


def test_candles_are_not_read_again_without_new_ones(engine: Engine) -> None:
    trade(engine, KEY, 1, 106, 101)
    plans, seen = Plans(engine), list[str]()
    plans.learn(run())
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    plans.learn(run())
    assert seen == []
    renew(plans)
    assert any("candle_days" in statement for statement in seen)
    assert not [statement for statement in seen if "daily_candles" in statement]


def test_both_bases_are_joined_by_day_and_raw_candles_win(engine: Engine) -> None:
    trade(engine, KEY, 1, 106, 101, "adjusted")
    trade(engine, KEY, 2, 121, 104, "adjusted")
    trade(engine, KEY, 2, 119, 104, "raw")
    plans = Plans(engine)
    plans.learn(run())
    assert plans.of(1)[KEY].stage == "entered"


@pytest.mark.parametrize(
    ("state", "ends"), [("detected", "2026-01-01"), ("confirmed", "2026-01-01"), ("dismissed", "")]
)
def test_a_split_ends_the_plan_unless_there_was_none(engine: Engine, state: str, ends: str) -> None:
    trade(engine, KEY, 1, 106, 101)
    plans = Plans(engine)
    plans.learn(run())
    action = Action(KEY, date(2026, 1, 1), 2, 1, "detected")
    corporate_actions.replace_detected(
        engine, [KEY], [action, action._replace(ex_day=MADE - timedelta(days=40))]
    )
    if state == "confirmed":
        corporate_actions.confirm(engine, [action])
    elif state == "dismissed":
        corporate_actions.dismiss(engine, KEY, action.ex_day, "test")
    renew(plans)
    assert (plans.of(1)[KEY].ends, plans.of(1)[OTHER].ends) == (ends, "")
    assert plans.of(1)[KEY].stage == "entered"


def test_an_imported_list_has_no_session_to_count_from(engine: Engine) -> None:
    trade(engine, KEY, 1, 106, 80)
    plans = Plans(engine)
    plans.learn(run(as_of=None))
    assert stages(plans) == {KEY: "unseen", OTHER: "unseen"}


def test_the_least_recently_shown_runs_are_dropped(engine: Engine) -> None:
    plans = Plans(engine)
    for run_id in range(1, 33):
        plans.learn(run(run_id))
    plans.learn(run(1))
    plans.learn(run(33))
    assert (len(plans.of(1)), len(plans.of(2)), len(plans.of(33))) == (2, 0, 2)
    renew(plans)
    assert plans.of(2) == {}


def test_a_database_that_is_busy_is_read_later(engine: Engine) -> None:
    trade(engine, KEY, 1, 106, 101)
    plans = Plans(engine)
    with sqlite3.connect(str(engine.url.database), isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        plans.learn(run())
        assert stages(plans) == {KEY: "waiting", OTHER: "waiting"}
        other.execute("ROLLBACK")
    renew(plans)
    assert plans.of(1)[KEY].stage == "entered"
