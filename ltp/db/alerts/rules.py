"""Alerts as people write them: made, changed, muted and deleted.

Each change is one transaction that raises `alert_changes.number`, which the worker looks at once a second, and the
alert's version, so that a rule that fires while it is changed is one version or the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, func, insert, or_, select, update

from ltp.core.alerts.alert import MAX_ALERTS, MUTED, ON, Alert, Target, Terms
from ltp.db.alerts.tables import alert_changes, alert_decisions, alert_states, alerts
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.errors import ConflictError, LimitError, NotFoundError

QUOTA: Final = 1_000  # alerts of one client
MAX_ID: Final = 2_147_483_647  # the column is an Integer
_RETRY_AFTER_S: Final = 60
# Changes of other terms leave what an alert has seen as it is: a note does not make it fire again today.
_JUDGED: Final = ("target", "name", "rule", "repeat", "hysteresis")


class Choice(NamedTuple):
    """Which alerts a page lists. Empty: all. `words`: part of the rule, the note or the target's name. `names`:
    targets that the words mean, such as the key of a symbol.
    """

    states: tuple[str, ...] = ()
    target: Target | None = None
    words: str = ""
    names: tuple[str, ...] = ()


class Listed(NamedTuple):
    """A part of the alerts, newest first. `total`: how many were chosen."""

    alerts: list[Alert]
    total: int


def create(
    engine: Engine,
    terms: Terms,
    client: str = "",
    *,
    now: datetime | None = None,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> Alert:
    """Store a new alert. Its terms were checked by `core.alerts.terms`.

    Args:
        client: in whose quota it counts, "" for one without.
    Raises:
        LimitError: there are too many, of this client or of all.
    """
    now = now or datetime.now(UTC)
    values = _values(terms) | {"version": 1, "state": ON, "client": client, "reason": ""}
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _count_change(
            connection
        )  # first: its row is locked until the end, so that no two pass the same limit
        _require_room(connection, client)
        new = insert(alerts).values(values | {"created_at": now, "changed_at": now})
        return _alert(connection.execute(new.returning(*alerts.c)).one())


def change(
    engine: Engine,
    alert_id: int,
    terms: Terms,
    version: int | None = None,
    *,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> Alert:
    """Replace the terms of an alert. One that had ended, or was invalid, is on again.

    Args:
        version: that the terms were made from; None for any.
    Raises:
        NotFoundError: there is no such alert.
        ConflictError: it has another version by now; nothing is changed.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        before = _locked(connection, alert_id, version)
        state = MUTED if before.state == MUTED else ON
        values = _values(terms)
        same = all(values[name] == getattr(before, name) for name in _JUDGED) and before.state == state
        return _write(connection, before, values | {"state": state, "reason": ""}, keeps_states=same)


def mute(engine: Engine, alert_id: int, *, muted: bool, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Alert:
    """Mute an alert, or turn it on again, also after a snooze. One that has ended stays so.

    Raises:
        NotFoundError: there is no such alert.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        before = _locked(connection, alert_id)
        if before.state not in (ON, MUTED):
            return _alert(before)
        return _write(connection, before, {"state": MUTED if muted else ON, "snoozed_until": None})


def snooze(
    engine: Engine, alert_id: int, until: datetime | None, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> Alert:
    """Let an alert not fire before an instant. Raises NotFoundError."""
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return _write(connection, _locked(connection, alert_id), {"snoozed_until": until})


def remove(
    engine: Engine, alert_id: int, version: int | None = None, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> None:
    """Delete an alert with what it has seen; its firings stay.

    Raises:
        NotFoundError: there is no such alert.
        ConflictError: it has another version by now.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        _locked(connection, alert_id, version)
        connection.execute(delete(alert_decisions).where(alert_decisions.c.alert_id == alert_id))
        connection.execute(delete(alert_states).where(alert_states.c.alert_id == alert_id))
        connection.execute(delete(alerts).where(alerts.c.id == alert_id))


def fetch(engine: Engine, alert_id: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Alert:
    """Return an alert. Raises NotFoundError."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        row = connection.execute(select(alerts).where(alerts.c.id == alert_id)).first()
    if row is None:
        raise NotFoundError("alert", str(alert_id))
    return _alert(row)


def listed(
    engine: Engine,
    choice: Choice | None = None,
    *,
    first: int = 0,
    most: int = MAX_ALERTS,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
) -> Listed:
    """Return the chosen alerts from the one numbered `first` (from 0), at most `most`."""
    where = _condition(choice or Choice())
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        count = connection.execute(select(func.count()).select_from(alerts).where(*where)).scalar_one()
        part = select(alerts).where(*where).order_by(alerts.c.id.desc()).offset(first).limit(most)
        return Listed([_alert(row) for row in connection.execute(part)], count)


def counts(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Mapping[str, int]:
    """Return how many alerts there are in each state that any has."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(select(alerts.c.state, func.count()).group_by(alerts.c.state))
        return {row.state: row[1] for row in rows}


def all_in(connection: Connection) -> list[Alert]:
    """Return every alert, by id."""
    return [_alert(row) for row in connection.execute(select(alerts).order_by(alerts.c.id))]


def change_number(connection: Connection) -> int:
    """Return a number that rises with every change of an alert."""
    return int(connection.execute(select(alert_changes.c.number)).scalar() or 0)


def _require_room(connection: Connection, client: str) -> None:
    count = select(func.count()).select_from(alerts)
    if connection.execute(count).scalar_one() >= MAX_ALERTS:
        raise LimitError("alerts", MAX_ALERTS, _RETRY_AFTER_S)
    if client and connection.execute(count.where(alerts.c.client == client)).scalar_one() >= QUOTA:
        raise LimitError("alerts of yours", QUOTA, _RETRY_AFTER_S)


def _count_change(connection: Connection) -> None:
    connection.execute(update(alert_changes).values(number=alert_changes.c.number + 1))


def _locked(connection: Connection, alert_id: int, version: int | None = None) -> Row[Any]:
    """Return the row of an alert, which nobody else changes until the end of the transaction."""
    # The worker locks in this order too when it stores a firing: the alert, then the number of changes.
    row = connection.execute(select(alerts).where(alerts.c.id == alert_id).with_for_update()).first()
    if row is None:
        raise NotFoundError("alert", str(alert_id))
    if version is not None and row.version != version:
        raise ConflictError(
            f"Alert {alert_id} was changed meanwhile: it has version {row.version}, not {version}. "
            "Load it again and repeat your change"
        )
    _count_change(connection)
    return row


def _write(
    connection: Connection, before: Row[Any], values: dict[str, Any], *, keeps_states: bool = True
) -> Alert:
    new = {"version": before.version + 1, "changed_at": datetime.now(UTC)}
    this = update(alerts).where(alerts.c.id == before.id).values(values | new)
    row = connection.execute(this.returning(*alerts.c)).one()
    own = alert_states.c.alert_id == before.id
    if keeps_states:
        kept = update(alert_states).where(own, alert_states.c.version == before.version)
        connection.execute(kept.values(version=row.version))
    else:
        connection.execute(delete(alert_states).where(own))
    return _alert(row)


def _condition(choice: Choice) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if choice.states:
        found.append(alerts.c.state.in_(choice.states))
    if choice.target:
        found.append((alerts.c.target == choice.target.kind) & (alerts.c.name == choice.target.name))
    if choice.words or choice.names:
        found.append(_has_words(choice.words, choice.names))
    return found


def _has_words(words: str, names: Collection[str]) -> ColumnElement[bool]:
    texts = (alerts.c.rule, alerts.c.note, alerts.c.name)
    return or_(alerts.c.name.in_(names), *(each.icontains(words, autoescape=True) for each in texts))


def _values(terms: Terms) -> dict[str, Any]:
    values = terms._asdict()
    target = values.pop("target")
    return values | {
        "target": target.kind,
        "name": target.name,
        "phases": ",".join(terms.phases),
        "channels": ",".join(map(str, terms.channels)),
    }


def _alert(row: Row[Any]) -> Alert:
    terms = Terms(
        Target(row.target, row.name), row.rule, row.repeat, row.cool_down_s, row.hysteresis, row.expires,
        tuple(filter(None, row.phases.split(","))), row.note,
        tuple(int(each) for each in row.channels.split(",") if each),
    )  # fmt: skip
    return Alert(
        row.id, row.version, terms, row.state, row.snoozed_until, row.created_at, row.changed_at, row.reason
    )
