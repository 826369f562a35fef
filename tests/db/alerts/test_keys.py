"""Alerts follow a share to its new key, and end with a key that was given to another instrument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from ltp.core.alerts.alert import Alert
from ltp.db import reassignments, rekey
from ltp.db.alerts import decisions, leaders, rules, states, values
from ltp.db.alerts.decisions import Decision
from ltp.db.alerts.states import State
from ltp.db.alerts.values import TermValue
from ltp.db.engine import reading, writing
from tests.db.alerts.conftest import AT

OLD, NEW, OTHER = "NSE_EQ:501", "NSE_EQ:502", "NSE_EQ:5010"
RATIO = f'ltp / of("{OLD}", ltp) > 1.2'


def known(engine: Engine, *alert_ids: int) -> None:
    states.store(engine, [State(id_, OLD, 1, True, AT, 10) for id_ in alert_ids], fence=leaders.begin(engine))
    values.replace(engine, {(OLD, "high52"): TermValue(1.0, AT.date())}, AT)
    decisions.insert(engine, [Decision(id_, OLD, AT, AT, "fired") for id_ in alert_ids])


def every(engine: Engine) -> list[Alert]:
    with reading(engine) as connection:
        return rules.all_in(connection)


def number(engine: Engine) -> int:
    with reading(engine) as connection:
        return rules.change_number(connection)


def test_alerts_end_with_a_key_that_means_another_instrument(
    engine: Engine, alert: Callable[..., int]
) -> None:
    one, two, other = alert(name=OLD), alert(name=OTHER, rule=RATIO), alert(name=OTHER)
    ended: Any = alert(name=OLD, state="ended")
    known(engine, one)
    with writing(engine) as connection:
        reassignments.note(connection, [OLD])
    with writing(engine) as connection:
        reassignments.clear(connection, [OLD])
    found = {each.id: each for each in every(engine)}
    assert [found[id_].state for id_ in (one, two, other, ended)] == ["ended", "ended", "on", "ended"]
    assert found[one].reason.startswith(f"{OLD} means another instrument since")
    assert (found[ended].reason, number(engine)) == ("", 1)
    assert (states.fetch(engine), decisions.fetch(engine, one)) == ([], [])
    with reading(engine) as connection:
        assert values.all_in(connection) == {}


def test_alerts_follow_a_share_to_its_new_key(engine: Engine, alert: Callable[..., int]) -> None:
    one, two, other = alert(name=OLD), alert(name=OTHER, rule=RATIO), alert(name=OTHER)
    known(engine, one, two)
    states.store(engine, [State(two, NEW, 1, False)], fence=leaders.begin(engine))
    with writing(engine) as connection:
        rekey.move(connection, OLD, NEW)
    found = {each.id: each for each in every(engine)}
    assert [found[id_].terms.target.name for id_ in (one, two, other)] == [NEW, OTHER, OTHER]
    assert found[two].terms.rule == f'ltp / of("{NEW}", ltp) > 1.2'
    assert {(each.alert_id, each.key, each.is_armed) for each in states.fetch(engine)} == {
        (one, NEW, True), (two, NEW, False),
    }  # fmt: skip
    assert [each.key for each in decisions.fetch(engine, one)] == [NEW]
    with reading(engine) as connection:
        assert list(values.all_in(connection)) == [NEW]
