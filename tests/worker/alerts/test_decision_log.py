"""Decisions: equal ones in a row are one, and what is not written waits within a bound."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ltp.core.alerts.alert import COOLING, FIRED, NOT_MET
from ltp.db.alerts import decisions
from ltp.errors import DatabaseError
from ltp.worker.alerts import decision_log
from tests.worker.alerts.desk import KEY, Desk, away

PLACE = 1, KEY


def note(desk: Desk, outcome: str, value: float | None = None, bound: float = 1650.0) -> datetime:
    desk.at += 60
    desk.log.note(PLACE, outcome, desk.instant, value=value, bound=bound)
    return desk.instant


def test_the_nearest_value_of_a_quarter_of_an_hour_is_kept(desk: Desk) -> None:
    first = note(desk, NOT_MET, 1640)
    note(desk, NOT_MET, 1649)
    desk.log.flush(desk.engine)
    for value in (*[1645] * 12, 1644):
        note(desk, NOT_MET, value)
    found = desk.decisions(1)
    assert [(each.value, each.at, each.until) for each in found] == [
        (1649, first, first + timedelta(minutes=14))
    ]
    note(desk, NOT_MET, 1630)
    assert [each.value for each in desk.decisions(1)] == [1649, 1630]


def test_another_outcome_bound_or_version_begins_a_new_one(desk: Desk) -> None:
    note(desk, NOT_MET, 1640)
    note(desk, NOT_MET, 1640, bound=1700)
    note(desk, FIRED, 1651)
    note(desk, COOLING, 1651)
    note(desk, COOLING, 1651)
    desk.log.forget([1])
    note(desk, COOLING, 1651)
    assert [each.outcome for each in desk.decisions(1)] == [NOT_MET, NOT_MET, FIRED, COOLING, COOLING]


def test_decisions_wait_while_the_database_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_log, "MAX_WAITING", 2)
    with monkeypatch.context() as broken:
        broken.setattr(decisions, "insert", away)
        for outcome in (FIRED, COOLING, FIRED):
            note(desk, outcome)
        with pytest.raises(DatabaseError):
            desk.log.flush(desk.engine)
    assert desk.log.lost == 1
    assert [each.outcome for each in desk.decisions(1)] == [COOLING, FIRED]
