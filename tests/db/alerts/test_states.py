"""States: those of the present version are read, an older one replaces no newer one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Engine, update

from ltp.db.alerts import leaders, states
from ltp.db.alerts.states import State
from ltp.db.alerts.tables import alerts
from ltp.db.engine import writing
from tests.db.alerts.conftest import AT

KEY = "NSE_EQ:1333"


def test_a_state_is_kept_as_it_was(engine: Engine, alert: Callable[..., int]) -> None:
    one, two = alert(), alert(target="market", name="")
    kept = [State(one, KEY, 1, True, AT, 16_499_500, None), State(two, "", 1, False, fired_at=AT)]
    assert states.store(engine, kept, fence=leaders.begin(engine))
    assert sorted(states.fetch(engine)) == kept


def test_a_later_one_replaces_it_and_one_of_an_older_version_does_not(
    engine: Engine, alert: Callable[..., int]
) -> None:
    id_, fence = alert(version=2), leaders.begin(engine)
    first = State(id_, KEY, 2, True, AT, 10)
    later = first._replace(is_armed=False, seen_at=AT + timedelta(seconds=5), fired_at=AT)
    states.store(engine, [first], fence=fence)
    states.store(engine, [later], fence=fence)
    states.store(engine, [first._replace(version=1)], fence=fence)
    assert states.fetch(engine) == [later]


def test_states_of_deleted_alerts_are_left_out_and_those_of_former_versions_pruned(
    engine: Engine, alert: Callable[..., int]
) -> None:
    id_, fence = alert(), leaders.begin(engine)
    kept = State(id_, KEY, 1, True)
    assert states.store(engine, [kept, kept._replace(alert_id=99)], fence=fence)
    assert states.fetch(engine) == [kept]
    assert states.prune(engine) == 0
    with writing(engine) as connection:
        connection.execute(update(alerts).values(version=2))
    assert states.fetch(engine) == []
    assert (states.prune(engine), states.prune(engine)) == (1, 0)
