"""Splits, bonuses and consolidations in SQL: detected in candles, announced, confirmed or dismissed.

A detected or unexplained action is a suspicion, replaced by the next detection. A confirmed or dismissed one
is an operator's decision and stays until an operator changes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, delete, func, select

from ltp.core.history.corporate_action import CANDLES, Action
from ltp.core.instrument import split_key
from ltp.db import on_conflict
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import corporate_actions as table
from ltp.errors import NotFoundError

_KEY: Final = ("segment", "security_id", "ex_day")
_VALUES: Final = ("numerator", "denominator", "state", "evidence", "source", "changed_at")
# The ex-day of an announcement may be off by a weekend or a holiday; no two actions of a share are so near.
_SAME_WITHIN: Final = timedelta(days=5)


def fetch(engine: Engine, key: str | None = None) -> list[Action]:
    """Return the actions in all states, of one instrument or of all, by instrument and day."""
    with reading(engine) as connection:
        return _fetch(connection, key)


def of_key(connection: Connection, key: str) -> list[Action]:
    """Return the actions of an instrument in all states, by day."""
    return _fetch(connection, key)


def since(connection: Connection, day: date) -> dict[str, list[Action]]:
    """Return by key the actions in all states from a day on, each list by day."""
    statement = select(table).where(table.c.ex_day >= day).order_by(*(table.c[name] for name in _KEY))
    found: dict[str, list[Action]] = {}
    for row in connection.execute(statement):
        action = _action(row)
        found.setdefault(action.key, []).append(action)
    return found


def first_after(engine: Engine, day: date, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> dict[str, date]:
    """Return by key the first ex-day after `day` of an action that is confirmed or suspected."""
    first = (
        select(table.c.segment, table.c.security_id, func.min(table.c.ex_day))
        .where(table.c.ex_day > day, table.c.state != "dismissed")
        .group_by(table.c.segment, table.c.security_id)
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return {
            f"{segment}:{security_id}": ex_day for segment, security_id, ex_day in connection.execute(first)
        }


def version_in(connection: Connection) -> tuple[object, ...]:
    """Return a value that changes whenever an action is stored or deleted; one cheap query."""
    return tuple(connection.execute(select(func.max(table.c.changed_at), func.count())).one())


def replace_detected(engine: Engine, searched: Collection[str], found: Iterable[Action]) -> list[Action]:
    """Replace the earlier suspicions of the instruments `searched` by the actions found in their candles now.

    A confirmed, dismissed or announced action within five days stays, and the new suspicion is left out.

    Returns:
        The actions that are new.
    """
    with writing(engine) as connection:
        known = [action for action in _fetch(connection) if action.key in set(searched)]
        settled = [action for action in known if not action.waits or action.source != CANDLES]
        before = {(action.key, action.ex_day): action for action in known if action not in settled}
        wanted = {
            (action.key, action.ex_day): action
            for action in found
            if not any(_same(action, each) for each in settled)
        }
        for key_and_day in before.keys() - wanted.keys():
            _delete(connection, *key_and_day)
        _upsert(connection, [action for place, action in wanted.items() if before.get(place) != action])
    return [action for place, action in wanted.items() if place not in before]


def confirm(engine: Engine, actions: Iterable[Action]) -> list[Action]:
    """Store actions as confirmed by an operator, in place of other actions within five days.

    An action that is confirmed already with the same day and ratio stays as it is.

    Returns:
        The replaced actions that differed: in ratio, in day, or by being dismissed.
    """
    actions = [action._replace(state="confirmed") for action in actions]
    with writing(engine) as connection:
        known = [other for other in _fetch(connection) if any(_same(action, other) for action in actions)]
        stay = [
            other
            for other in known
            if other.state == "confirmed" and any(_equal(action, other) for action in actions)
        ]
        for other in known:
            if other not in stay:
                _delete(connection, other.key, other.ex_day)
        _upsert(
            connection, [action for action in actions if not any(_equal(action, other) for other in stay)]
        )
    return [
        other
        for other in known
        if other.state == "dismissed" or not any(_equal(action, other) for action in actions)
    ]


def suspect(engine: Engine, actions: Iterable[Action]) -> list[Action]:
    """Store announced steps that wait for an operator, in place of suspicions within five days.

    Returns:
        The actions that wait now, without those that an operator has confirmed or dismissed.
    """
    with writing(engine) as connection:
        known = _fetch(connection)
        waiting = [
            each for each in actions if not any(_same(each, other) and not other.waits for other in known)
        ]
        for other in known:
            if other.waits and any(_same(each, other) for each in waiting):
                _delete(connection, other.key, other.ex_day)
        _upsert(connection, waiting)
    return waiting


def dismiss(engine: Engine, key: str, ex_day: date, source: str) -> Action:
    """Mark an action as wrong, so that it is not detected again.

    Raises:
        NotFoundError: there is no action of that day.
    """
    with writing(engine) as connection:
        known = next((action for action in _fetch(connection, key) if action.ex_day == ex_day), None)
        if known is None:
            raise NotFoundError("corporate action", f"{key} on {ex_day}")
        dismissed = known._replace(state="dismissed", source=source)
        _upsert(connection, [dismissed])
    return dismissed


def move(connection: Connection, old_key: str, key: str) -> None:
    """Move the actions of `old_key` to `key`, in the caller's transaction. Those of `key` stay."""
    known = {action.ex_day for action in _fetch(connection, key)}
    for action in _fetch(connection, old_key):
        _delete(connection, old_key, action.ex_day)
        if action.ex_day not in known:
            _upsert(connection, [action._replace(key=key)])


def _same(one: Action, other: Action) -> bool:
    return one.key == other.key and abs(one.ex_day - other.ex_day) <= _SAME_WITHIN


def _equal(one: Action, other: Action) -> bool:
    """Return whether two actions have the same key, day and ratio."""
    ratios = one.numerator * other.denominator, other.numerator * one.denominator
    return (one.key, one.ex_day) == (other.key, other.ex_day) and ratios[0] == ratios[1]


def _fetch(connection: Connection, key: str | None = None) -> list[Action]:
    wanted = select(table).order_by(*(table.c[name] for name in _KEY))
    if key is not None:
        segment, security_id = split_key(key)
        wanted = wanted.where(table.c.segment == segment, table.c.security_id == security_id)
    return [_action(row) for row in connection.execute(wanted)]


def _action(row: Row[Any]) -> Action:
    key = f"{row.segment}:{row.security_id}"
    return Action(key, row.ex_day, row.numerator, row.denominator, row.state, row.evidence, row.source)


def _upsert(connection: Connection, actions: Iterable[Action]) -> None:
    rows = [_row(action) for action in actions]
    if not rows:
        return
    insert = on_conflict.insert(connection, table)
    updated = {name: insert.excluded[name] for name in _VALUES}
    connection.execute(insert.on_conflict_do_update(index_elements=_KEY, set_=updated), rows)


def _delete(connection: Connection, key: str, ex_day: date) -> None:
    segment, security_id = split_key(key)
    this = (table.c.segment == segment) & (table.c.security_id == security_id) & (table.c.ex_day == ex_day)
    connection.execute(delete(table).where(this))


def _row(action: Action) -> dict[str, Any]:
    segment, security_id = split_key(action.key)
    values = {name: value for name, value in action._asdict().items() if name != "key"}
    return values | {"segment": segment, "security_id": security_id, "changed_at": datetime.now(UTC)}
