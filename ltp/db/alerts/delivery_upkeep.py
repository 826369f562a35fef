"""The queue of deliveries kept in order: after a killed sender, for messages that nobody waits for, and old rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, select, update

from ltp.db.alerts.channels import DELETED, SWITCHED_OFF
from ltp.db.alerts.deliveries import DROPPED, FAILED, OPEN, QUEUED, SENDING
from ltp.db.alerts.tables import alert_channels, alert_firings
from ltp.db.alerts.tables import alert_deliveries as table
from ltp.db.engine import reading, writing

SILENT_S: Final = 20.0  # without a beat its sender was killed; a beat comes every 5 s
MAX_TRIES: Final = 10  # also those that ended with the process
MAX_AGE: Final = timedelta(hours=1)  # of a firing: later a message would be taken for news
KEPT: Final = timedelta(days=30)  # ended deliveries
_TOO_OLD: Final = "an hour passed before it could be sent"
_DEADLY: Final = f"its sender was ended {MAX_TRIES} times while it was sent"

_c = table.c


def tidy(engine: Engine, now: datetime) -> None:
    """Let messages of killed senders wait again, drop what is not to be sent any more, and delete old rows."""
    with reading(engine) as connection:
        if (
            connection.execute(select(_c.id).where(_c.state.in_(OPEN) | _is_old(now)).limit(1)).first()
            is None
        ):
            return  # nearly always; a write transaction would block other writers
    with writing(engine) as connection:
        _requeue_silent(connection, now)
        _drop(connection, _noticed_before(now - MAX_AGE), _TOO_OLD, now)
        _drop(connection, ~_has_channel(), DELETED, now)
        _drop(
            connection, _c.firing_id.is_not(None) & ~_has_channel(alert_channels.c.is_on), SWITCHED_OFF, now
        )
        _free_members(connection)
        connection.execute(delete(table).where(_is_old(now)))


def _requeue_silent(connection: Connection, now: datetime) -> None:
    bound = timedelta(seconds=SILENT_S)
    # A `beat_at` in the future was written before the clock was set back.
    silent = (_c.state == SENDING) & ((_c.beat_at < now - bound) | (_c.beat_at > now + bound))
    connection.execute(update(table).where(silent).values(state=QUEUED, next_at=now, beat_at=now))
    dead = (_c.state == QUEUED) & (_c.attempts >= MAX_TRIES)
    connection.execute(update(table).where(dead).values(state=FAILED, outcome=_DEADLY, ended_at=now))


def _drop(connection: Connection, these: ColumnElement[bool], reason: str, now: datetime) -> None:
    values: dict[str, Any] = {"state": DROPPED, "outcome": reason, "ended_at": now}
    connection.execute(update(table).where(_c.state == QUEUED, these).values(values))


def _free_members(connection: Connection) -> None:
    """Let the younger firings of a digest wait for another message, after its first one was dropped."""
    leader = table.alias()
    led = exists().where(leader.c.id == _c.digest_id, leader.c.state.in_(OPEN))
    orphans = (_c.state == QUEUED) & _c.digest_id.is_not(None) & ~led
    connection.execute(update(table).where(orphans).values(digest_id=None, attempts=0))


def _noticed_before(at: datetime) -> ColumnElement[bool]:
    return exists().where(alert_firings.c.id == _c.firing_id, alert_firings.c.noticed_at < at)


def _has_channel(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(alert_channels.c.id == _c.channel_id, *conditions)


def _is_old(now: datetime) -> ColumnElement[bool]:
    return (_c.state.not_in(OPEN)) & (_c.ended_at < now - KEPT)
