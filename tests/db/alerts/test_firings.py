"""A firing is stored once, by the worker that leads, and only for the rule as it is now."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from ltp.core.alerts.alert import INVALID
from ltp.db.alerts import firings, leaders, rules, states
from ltp.db.alerts.firings import DEPOSED, EDITED, KNOWN, NewFiring, Occasion, end_one
from ltp.db.alerts.states import State
from ltp.db.alerts.tables import alert_deliveries, alert_firings, alerts
from ltp.db.engine import reading, writing
from tests.db.alerts.conftest import AT

KEY = "NSE_EQ:1333"


def firing(alert_id: int, token: str = "1", version: int = 1) -> NewFiring:
    return NewFiring(
        alert_id, version, token, KEY, "HDFCBANK", "ltp > 1650", "<img onerror>", AT, AT, 16_500_500, "trade",
        detail="1650.05 is above 1650",
    )  # fmt: skip


def fired(alert_id: int, version: int = 1) -> State:
    return State(alert_id, KEY, version, False, AT, 16_500_500, AT)


def store(engine: Engine, firing: NewFiring, *, fence: int, state: State, **more: Any) -> int | str:
    wait = more.pop("busy_timeout_ms", 1_000)
    [result] = firings.store(engine, [Occasion(firing, state, **more)], fence=fence, busy_timeout_ms=wait)
    return result


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        return len(connection.execute(select(alert_firings.c.id)).all())


def test_a_firing_brings_its_state_and_its_deliveries(
    engine: Engine, alert: Callable[..., int], channel: Callable[..., int]
) -> None:
    on, off = channel("one"), channel("two", is_on=False)
    id_, fence = alert(), leaders.begin(engine)
    stored = store(engine, firing(id_), fence=fence, state=fired(id_), ends=True, channels=(on, off, 99))
    with reading(engine) as connection:
        [delivery] = connection.execute(select(alert_deliveries)).all()
        [kept] = rules.all_in(connection)
        row = connection.execute(select(alert_firings)).one()
        changes = rules.change_number(connection)
    assert (delivery.firing_id, delivery.channel_id, delivery.state, delivery.next_at) == (
        stored,
        on,
        "queued",
        AT,
    )
    assert (kept.state, kept.reason, kept.version, changes) == ("ended", "it fired", 1, 1)
    assert (row.segment, row.security_id, row.symbol, row.note, row.fence) == (
        "NSE_EQ", 1333, "HDFCBANK", "<img onerror>", fence,
    )  # fmt: skip
    assert states.fetch(engine) == [fired(id_)]


def test_an_occasion_is_stored_once(engine: Engine, alert: Callable[..., int]) -> None:
    id_, fence = alert(), leaders.begin(engine)
    assert isinstance(store(engine, firing(id_), fence=fence, state=fired(id_)), int)
    assert store(engine, firing(id_), fence=fence, state=fired(id_)) == KNOWN
    assert isinstance(store(engine, firing(id_, "2"), fence=fence, state=fired(id_)), int)
    assert count(engine) == 2


def test_of_many_that_notice_it_at_once_one_stores_it(engine: Engine, alert: Callable[..., int]) -> None:
    id_, fence = alert(), leaders.begin(engine)

    def notice(_: int) -> int | str:
        return store(engine, firing(id_), fence=fence, state=fired(id_), ends=True, busy_timeout_ms=5_000)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(notice, range(8)))
    assert [isinstance(each, int) for each in results].count(True) == 1
    assert {each for each in results if isinstance(each, str)} <= {KNOWN, EDITED}
    assert count(engine) == 1


@pytest.mark.parametrize("change", [{"version": 2}, {"state": "muted"}, {"state": "ended"}])
def test_a_rule_that_was_changed_fires_no_more_as_it_was(
    engine: Engine, alert: Callable[..., int], change: dict[str, object]
) -> None:
    id_, fence = alert(), leaders.begin(engine)
    with writing(engine) as connection:
        connection.execute(update(alerts).values(change))
    assert store(engine, firing(id_), fence=fence, state=fired(id_)) == EDITED
    assert (count(engine), states.fetch(engine)) == (0, [])


def test_a_deleted_alert_fires_no_more(engine: Engine) -> None:
    assert store(engine, firing(77), fence=leaders.begin(engine), state=fired(77)) == EDITED


def test_a_worker_that_was_followed_by_another_writes_nothing(
    engine: Engine, alert: Callable[..., int]
) -> None:
    id_, old = alert(), leaders.begin(engine)
    new = leaders.begin(engine)
    assert store(engine, firing(id_), fence=old, state=fired(id_)) == DEPOSED
    assert not states.store(engine, [fired(id_)], fence=old)
    assert not end_one(engine, id_, 1, INVALID, "", AT, fence=old)
    assert (count(engine), states.fetch(engine), new > old) == (0, [], True)
    assert isinstance(store(engine, firing(id_), fence=new, state=fired(id_)), int)


def test_an_alert_is_ended_once_with_its_reason(engine: Engine, alert: Callable[..., int]) -> None:
    id_, fence = alert(), leaders.begin(engine)
    later = AT + timedelta(minutes=1)
    assert not end_one(engine, id_, 2, INVALID, "no such screen", later, fence=fence)
    assert end_one(engine, id_, 1, INVALID, "no such screen", later, fence=fence)
    assert not end_one(engine, id_, 1, INVALID, "again", later, fence=fence)
    with reading(engine) as connection:
        [kept] = rules.all_in(connection)
    assert (kept.state, kept.reason, kept.changed_at) == (INVALID, "no such screen", later)


def test_many_are_stored_at_once_and_each_has_its_own_result(
    engine: Engine, alert: Callable[..., int]
) -> None:
    one, two, fence = alert(), alert(version=2), leaders.begin(engine)
    each = [Occasion(firing(one, "a"), fired(one)), Occasion(firing(two, "a"), fired(two))]
    last = Occasion(firing(two, "b", 2), fired(two, 2), ends=True)
    after = Occasion(firing(two, "c", 2), fired(two, 2))
    results = firings.store(engine, [*each, last, after, each[0]], fence=fence)
    assert [type(result) for result in results] == [int, str, int, str, str]
    assert (results[1], results[3], results[4]) == (EDITED, EDITED, KNOWN)
