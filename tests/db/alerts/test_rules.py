"""Alerts as people write them: every change is counted, carries a new version, and undoes nobody else's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, select

from ltp.core.alerts.alert import DAILY, EACH, ENDED, KEY, MUTED, ON, UNIVERSE, Target, Terms
from ltp.db.alerts import rules
from ltp.db.alerts.rules import Choice
from ltp.db.alerts.tables import alert_changes, alert_decisions, alert_firings, alert_states, alerts
from ltp.db.engine import reading, writing
from ltp.errors import ConflictError, LimitError, NotFoundError

HDFC = Target(KEY, "NSE_EQ:1333")
NOW = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
PLAIN = Terms(HDFC, "ltp > 1650")
FULL = Terms(
    Target(UNIVERSE, "nifty50"), "change_pct < -3", EACH, 900, 0.5, date(2026, 12, 31),
    ("continuous", "closing_auction"), "<img src=x onerror=alert(1)>, ‘quoted’", (3, 1),
)  # fmt: skip


def changes(engine: Engine) -> int:
    with reading(engine) as connection:
        number = rules.change_number(connection)
        assert number == connection.execute(select(alert_changes.c.number)).scalar_one()
        return number


def remember(engine: Engine, alert_id: int, version: int) -> None:
    values = {"alert_id": alert_id, "segment": "NSE_EQ", "security_id": 1333, "version": version}
    with writing(engine) as connection:
        connection.execute(insert(alert_states).values(values | {"is_armed": False, "fired_at": NOW}))


def remembered(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(select(alert_states.c.version)).scalars())


@pytest.mark.parametrize("terms", [PLAIN, FULL], ids=["plain", "full"])
def test_an_alert_is_kept_as_it_was_made(engine: Engine, terms: Terms) -> None:
    made = rules.create(engine, terms, "10.0.0.1", now=NOW)
    assert (made.version, made.state, made.snoozed_until, made.created_at) == (1, ON, None, NOW)
    assert made.terms == terms
    assert rules.fetch(engine, made.id) == made
    with reading(engine) as connection:
        assert rules.all_in(connection) == [made]


def test_every_change_is_counted_and_raises_the_version(engine: Engine) -> None:
    before = changes(engine)
    alert_id = rules.create(engine, PLAIN).id
    versions = [
        rules.change(engine, alert_id, PLAIN._replace(rule="ltp > 1700")).version,
        rules.mute(engine, alert_id, muted=True).version,
        rules.snooze(engine, alert_id, NOW).version,
    ]
    rules.remove(engine, alert_id)
    assert versions == [2, 3, 4]
    assert changes(engine) == before + 5


def test_a_change_made_from_an_older_version_is_refused_and_changes_nothing(engine: Engine) -> None:
    first = rules.create(engine, PLAIN)
    second = rules.change(engine, first.id, PLAIN._replace(rule="ltp > 1700"), first.version)
    before = changes(engine)
    with pytest.raises(ConflictError, match="it has version 2, not 1"):
        rules.change(engine, first.id, PLAIN._replace(rule="ltp > 1800"), first.version)
    with pytest.raises(ConflictError):
        rules.remove(engine, first.id, first.version)
    assert rules.fetch(engine, first.id) == second
    assert changes(engine) == before


def test_there_is_no_change_of_an_alert_that_is_deleted(engine: Engine) -> None:
    alert_id = rules.create(engine, PLAIN).id
    rules.remove(engine, alert_id)
    for action in (
        lambda: rules.fetch(engine, alert_id),
        lambda: rules.change(engine, alert_id, PLAIN),
        lambda: rules.mute(engine, alert_id, muted=True),
        lambda: rules.snooze(engine, alert_id, None),
        lambda: rules.remove(engine, alert_id),
    ):
        with pytest.raises(NotFoundError):
            action()
    assert rules.create(engine, PLAIN).id > alert_id, "an id is never used again: its history stays"


def test_what_an_alert_has_seen_stays_with_a_mute_and_a_note_and_goes_with_a_new_rule(engine: Engine) -> None:
    alert_id = rules.create(engine, PLAIN).id
    remember(engine, alert_id, 1)
    rules.mute(engine, alert_id, muted=True)
    assert remembered(engine) == [2]
    rules.change(engine, alert_id, PLAIN._replace(note="wait"))
    assert remembered(engine) == [3]
    rules.change(engine, alert_id, PLAIN._replace(rule="ltp > 1700"))
    assert remembered(engine) == []


def test_an_alert_that_has_ended_is_on_after_an_edit_and_not_after_a_mute(engine: Engine) -> None:
    alert_id = rules.create(engine, PLAIN).id
    with writing(engine) as connection:
        connection.execute(alerts.update().values(state=ENDED, reason="it fired"))
    remember(engine, alert_id, 1)
    ended = rules.fetch(engine, alert_id)
    assert (ended.state, ended.reason) == (ENDED, "it fired")
    assert rules.mute(engine, alert_id, muted=False) == ended
    again = rules.change(engine, alert_id, PLAIN)
    assert (again.state, again.reason) == (ON, "")
    assert remembered(engine) == [], "it may fire at once: the same rule was asked for anew"


def test_a_muted_alert_stays_muted_when_it_is_edited(engine: Engine) -> None:
    alert_id = rules.create(engine, PLAIN).id
    rules.mute(engine, alert_id, muted=True)
    assert rules.change(engine, alert_id, PLAIN._replace(repeat=DAILY)).state == MUTED
    rules.snooze(engine, alert_id, NOW + timedelta(hours=1))
    on = rules.mute(engine, alert_id, muted=False)
    assert (on.state, on.snoozed_until) == (ON, None)


def test_a_deleted_alert_keeps_its_firings_and_nothing_else(engine: Engine) -> None:
    alert_id = rules.create(engine, PLAIN).id
    remember(engine, alert_id, 1)
    place = {"alert_id": alert_id, "segment": "NSE_EQ", "security_id": 1333, "at": NOW, "detail": ""}
    fired = {
        "version": 1,
        "token": "1",
        "symbol": "",
        "rule": "",
        "note": "",
        "noticed_at": NOW,
        "how": "trade",
    }
    with writing(engine) as connection:
        connection.execute(insert(alert_decisions).values(place | {"until": NOW, "outcome": "not met"}))
        connection.execute(insert(alert_firings).values(place | fired | {"fence": 1}))
    rules.remove(engine, alert_id)
    with reading(engine) as connection:
        left = [
            len(connection.execute(select(each)).all())
            for each in (alert_states, alert_decisions, alert_firings)
        ]
    assert left == [0, 0, 1]


def test_clients_have_a_quota_and_all_of_them_a_limit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "QUOTA", 2)
    monkeypatch.setattr(rules, "MAX_ALERTS", 4)
    for client in ("a", "a", "b"):
        rules.create(engine, PLAIN, client)
    before = changes(engine)
    with pytest.raises(LimitError, match="2 alerts of yours"):
        rules.create(engine, PLAIN, "a")
    assert changes(engine) == before
    rules.create(engine, PLAIN)
    with pytest.raises(LimitError, match="4 alerts is reached"):
        rules.create(engine, PLAIN)


def test_a_page_lists_a_part_newest_first(engine: Engine) -> None:
    ids = [rules.create(engine, PLAIN._replace(note=str(number))).id for number in range(5)]
    found = rules.listed(engine, first=1, most=2)
    assert ([each.id for each in found.alerts], found.total) == ([ids[3], ids[2]], 5)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), {1, 2, 3}),
        (Choice(states=(MUTED,)), {2}),
        (Choice(target=Target(UNIVERSE, "nifty50")), {2}),
        (Choice(words="50%"), {3}),
        (Choice(words="BREAK"), {3}),
        (Choice(words="hdfcbank", names=("NSE_EQ:1333",)), {1, 3}),
        (Choice(states=(ON,), words="nifty"), set()),
        (Choice(words="N%E"), set()),
    ],
)
def test_alerts_are_chosen_by_state_target_and_words(
    engine: Engine, choice: Choice, expected: set[int]
) -> None:
    for terms in (PLAIN, FULL, PLAIN._replace(note="breakout, 50% up")):
        rules.create(engine, terms)
    rules.mute(engine, 2, muted=True)
    assert {each.id for each in rules.listed(engine, choice).alerts} == expected
    assert rules.counts(engine) == {ON: 2, MUTED: 1}


def test_a_failed_change_leaves_the_number_of_changes(engine: Engine) -> None:
    """In one transaction: a number that rose without its change would make the worker miss the next one."""
    alert_id = rules.create(engine, PLAIN).id
    before = changes(engine)

    def fail(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE alerts "):
            raise RuntimeError("a fault in between")

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        rules.mute(engine, alert_id, muted=True)
    event.remove(engine, "before_cursor_execute", fail)
    assert changes(engine) == before
    assert rules.fetch(engine, alert_id).state == ON
