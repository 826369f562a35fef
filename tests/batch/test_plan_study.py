from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ltp.batch import plan_study
from ltp.batch.evaluation import evaluate
from ltp.batch.plan_study import StudyRequest, study
from ltp.core.criteria.spec import Spec
from ltp.core.sizing import Sizing
from ltp.db import candles, runs
from ltp.db.engine import open_engine
from ltp.errors import InputError
from tests.batch.trading import open_market, sessions


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    opened = open_engine(f"sqlite:///{tmp_path / 'ltp.sqlite3'}")
    open_market(opened)
    return opened


def test_the_plans_of_a_day_are_those_that_a_look_back_shows(engine: Engine) -> None:
    day = sessions(300)[265]
    [result] = evaluate(
        engine,
        ("swing",),
        Spec(universe="all", min_price=200_000, min_turnover=10_000_000),
        sizing=Sizing(1e6, 1e4),
        as_of=day,
    )
    shown = runs.fetch_run(engine, result.run_id)
    assert shown is not None
    setups = [row.setup for row in shown.rows if row.entry is not None]
    assert setups
    found = study(engine, StudyRequest("all", first=day, last=day, every=1))
    assert found.days == (day,)
    assert {group.setup: group.plans for group in found.groups} == {
        setup: setups.count(setup) for setup in set(setups)
    }


def test_later_candles_decide_the_result_and_not_the_plan(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = sessions(300)[265]
    study_request = StudyRequest("all", first=day, last=day, every=1)
    before = study(engine, study_request)
    seen: list[int] = []
    real = plan_study.r_multiple

    def counted(plan: object, bars: object) -> float | None:
        followed = list(bars)  # type: ignore[call-overload]
        seen.append(len(followed))
        return real(plan, followed)  # type: ignore[arg-type]

    monkeypatch.setattr(plan_study, "r_multiple", counted)
    after = study(engine, study_request._replace(sessions=5))
    assert set(seen) == {5}
    assert [(group.setup, group.plans) for group in after.groups] == [
        (group.setup, group.plans) for group in before.groups
    ]


def test_plans_are_made_every_so_many_sessions_with_a_year_before_and_the_sessions_after_them(
    engine: Engine,
) -> None:
    days = sessions(300)
    reports: list[tuple[int, int]] = []
    found = study(engine, StudyRequest("all", every=3), lambda done, total: reports.append((done, total)))
    assert found.days == tuple(days[260:270:3])
    assert found.shares == 12
    assert reports[-1] == (12, 12)
    assert found.groups
    for group in found.groups:
        assert group.won <= group.filled <= group.plans
        assert math.isnan(group.mean) == (group.filled == 0)


def test_nothing_is_stored(engine: Engine) -> None:
    study(engine, StudyRequest("all"))
    assert runs.fetch_run(engine, 1) is None


NONE = [
    StudyRequest("all", sessions=40),
    StudyRequest("all", first=date(2030, 1, 1)),
    StudyRequest("all", last=date(2020, 1, 1)),
]


@pytest.mark.parametrize("study_request", NONE)
def test_too_few_candles_are_a_sentence(engine: Engine, study_request: StudyRequest) -> None:
    with pytest.raises(InputError, match=r"days: .* is not accepted; the candles allow plans of"):
        study(engine, study_request)


def test_a_database_without_candles_is_a_sentence(tmp_path: Path) -> None:
    empty = open_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert candles.newest_day(empty) is None
    with pytest.raises(InputError, match="they need 291 sessions"):
        study(empty, StudyRequest("all"))
