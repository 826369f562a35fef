"""Decisions: stored in order, made longer, and pruned by age and number."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from ltp.core.alerts.alert import COOLING, FIRED, NOT_MET
from ltp.db.alerts import decisions
from ltp.db.alerts.decisions import Decision
from tests.db.alerts.conftest import AT

KEY = "NSE_EQ:1333"
MINUTE = timedelta(minutes=1)


def test_decisions_come_back_newest_first(engine: Engine) -> None:
    near = Decision(1, KEY, AT, AT + MINUTE, NOT_MET, 1649.5, 1650.0, "")
    fired = Decision(
        1, KEY, AT + 2 * MINUTE, AT + 2 * MINUTE, FIRED, 1650.05, 1650.0, "1650.05 is above 1650"
    )
    other = Decision(2, "", AT, AT, COOLING)
    first, second, third = decisions.insert(engine, [near, fired, other])
    assert first < second < third
    assert decisions.fetch(engine, 1) == [fired, near]
    assert decisions.fetch(engine, 1, most=1) == [fired]
    assert decisions.fetch(engine, 2) == [other]


def test_a_decision_grows(engine: Engine) -> None:
    near = Decision(1, KEY, AT, AT, NOT_MET, 1649.5, 1650.0)
    [id_] = decisions.insert(engine, [near])
    longer = near._replace(until=AT + MINUTE, value=1649.9)
    decisions.extend(engine, [(id_, longer)])
    assert decisions.fetch(engine, 1) == [longer]


def test_old_ones_go_and_all_beyond_the_bound_of_an_alert(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decisions, "KEPT", 3)
    week = timedelta(days=7)
    old = [Decision(1, KEY, AT - week - MINUTE, AT - week - MINUTE, NOT_MET)] * 2
    lasting = Decision(1, KEY, AT - week - MINUTE, AT - week + MINUTE, NOT_MET)
    many = [Decision(2, KEY, AT + n * MINUTE, AT + n * MINUTE, FIRED) for n in range(6)]
    decisions.insert(engine, [*old, lasting, *many])
    assert decisions.prune(engine, AT, most=2) == 2
    assert decisions.prune(engine, AT, most=2) == 2
    assert decisions.prune(engine, AT, most=2) == 1
    assert decisions.prune(engine, AT, most=2) == 0
    assert decisions.fetch(engine, 1) == [lasting]
    assert decisions.fetch(engine, 2) == many[:2:-1]
