"""Deliveries: what is to be sent to which channel, what is under way, and how each ended.

A row is one firing on one channel; a test of a channel has no firing. A message is a row, with the rows that
name it in `digest_id`: those firings stand in the same message, and share its state. A message is claimed by a
conditional update, and its sender renews `beat_at`; without that for 20 s its process was killed, and it waits
again. So a message is sent at least once, and more often only under the same id.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, and_, exists, func, insert, or_, select, update

from ltp.core.alerts.channel import Channel
from ltp.core.alerts.delivery import MAX_OUTCOME, Attempt
from ltp.core.alerts.message import Fired, Message
from ltp.db.alerts.channels import channel_of
from ltp.db.alerts.tables import alert_channels, alert_firings
from ltp.db.alerts.tables import alert_deliveries as table
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing
from ltp.db.schema import instruments
from ltp.errors import NotFoundError

QUEUED, SENDING, SENT, FAILED, DROPPED = "queued", "sending", "sent", "failed", "dropped"
OPEN: Final = (QUEUED, SENDING)
MAX_DIGEST: Final = 200  # firings in one message
WINDOW_S: Final = 60.0  # of the limit of messages
_c = table.c


class Claimed(NamedTuple):
    """A message to be sent. `ids`: its rows, the first one names it. `tries`: this one included."""

    ids: tuple[int, ...]
    channel: Channel
    message: Message
    tries: int


class Delivery(NamedTuple):
    """A row as pages and the API show it. `firing`: None for a test. `digest`: the delivery whose message had this
    firing too, None for a message of its own. `status`: of HTTP or SMTP.
    """

    id: int
    firing: int | None
    channel: int
    state: str
    tries: int
    status: int | None
    outcome: str
    digest: int | None
    next_at: datetime
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        return self.state in OPEN


def queue_test(
    engine: Engine, channel_id: int, now: datetime | None = None, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> int:
    """Queue a test of a channel, also of one that is off, and return its id; that of an open test if there is one.

    Raises:
        NotFoundError: there is no such channel.
    """
    with writing(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        found = select(alert_channels.c.id).where(alert_channels.c.id == channel_id)
        if connection.execute(found.with_for_update()).first() is None:
            raise NotFoundError("channel", str(channel_id))
        tests = select(_c.id).where(_c.channel_id == channel_id, _c.firing_id.is_(None), _c.state.in_(OPEN))
        known = connection.execute(tests).scalar()
        if known is not None:
            return int(known)
        values = {"channel_id": channel_id, "state": QUEUED, "attempts": 0, "outcome": ""}
        values["next_at"] = now or datetime.now(UTC)
        return int(connection.execute(insert(table).values(values).returning(_c.id)).scalar_one())


def due_channels(engine: Engine, now: datetime) -> list[int]:
    """Return the channels for which a message may be due, the one that waits longest first."""
    due = select(_c.channel_id).where(_c.state == QUEUED, _c.digest_id.is_(None), _c.next_at <= now)
    with reading(engine) as connection:
        order = due.group_by(_c.channel_id).order_by(func.min(_c.id))
        return list(connection.execute(order).scalars())


def claim(engine: Engine, channel_id: int, now: datetime) -> Claimed | None:
    """Set the next message of a channel to sending and return it; None if there is none, one is under way, the
    channel rests after a failure, or its limit of messages is reached.
    """
    with reading(engine) as connection:
        if _next(connection, channel_id, now) is None:
            return (
                None  # a channel may rest for long; a write transaction each second would block other writers
            )
    with writing(engine) as connection:
        found = _next(connection, channel_id, now)
        return found and _take(connection, *found, now)


def beat(engine: Engine, ids: Collection[int], now: datetime) -> None:
    """Note that these messages are still being sent."""
    with writing(engine) as connection:
        connection.execute(update(table).where(_c.id.in_(ids), _c.state == SENDING).values(beat_at=now))


def end(engine: Engine, claimed: Claimed, attempt: Attempt, now: datetime) -> None:
    """Store the end of a message: sent, or failed for good. After a success the channel rests no longer."""
    values = {"state": SENT if attempt.sent else FAILED, "ended_at": now, **_result(attempt)}
    with writing(engine) as connection:
        _update(connection, claimed.ids, (SENDING,), values)
        if attempt.sent:
            rests = (_c.channel_id == claimed.channel.id) & (_c.state == QUEUED) & (_c.next_at > now)
            connection.execute(update(table).where(rests).values(next_at=now))


def retry(engine: Engine, claimed: Claimed, attempt: Attempt, next_at: datetime) -> None:
    """Let a message wait for its next try."""
    with writing(engine) as connection:
        values = {"state": QUEUED, "next_at": next_at, **_result(attempt)}
        _update(connection, claimed.ids, (SENDING,), values)


def give_back(engine: Engine, claimed: Claimed, now: datetime) -> None:
    """Let a message wait again as if it had not been claimed: its sender stops."""
    with writing(engine) as connection:
        values = {"state": QUEUED, "next_at": now, "attempts": claimed.tries - 1, "beat_at": None}
        _update(connection, claimed.ids, (SENDING,), values)


def is_needed(engine: Engine) -> bool:
    """Return whether a sender has anything to do: a channel is on, or a message waits or is under way."""
    with reading(engine) as connection:
        on = select(alert_channels.c.id).where(alert_channels.c.is_on).limit(1)
        waiting = select(_c.id).where(_c.state.in_(OPEN)).limit(1)
        return any(connection.execute(query).first() is not None for query in (on, waiting))


def of_firings(
    engine: Engine, firing_ids: Collection[int], *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[Delivery]:
    """Return the deliveries of firings, in the order in which they were queued."""
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(select(table).where(_c.firing_id.in_(firing_ids)).order_by(_c.id))
        return [_delivery(row) for row in rows]


def newest_of_channels(engine: Engine, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> dict[int, Delivery]:
    """Return the newest message of each channel, tests included, by the channel's id."""
    newest = select(func.max(_c.id)).where(_c.digest_id.is_(None)).group_by(_c.channel_id)
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        rows = connection.execute(select(table).where(_c.id.in_(newest.scalar_subquery())))
        return {row.channel_id: _delivery(row) for row in rows}


def _next(connection: Connection, channel_id: int, now: datetime) -> tuple[Channel, list[int], int] | None:
    """Return the channel, the rows of its next message and their tries with this one."""
    row = connection.execute(select(alert_channels).where(alert_channels.c.id == channel_id)).first()
    if row is None or _is_busy(connection, channel_id):
        return None
    channel = channel_of(row)
    left = channel.per_minute - _messages_since(connection, channel_id, now - timedelta(seconds=WINDOW_S))
    rows = _waiting(connection, channel, now) if left > 0 else ()
    return (channel, _rows_of_message(connection, rows, left), rows[0].attempts + 1) if rows else None


def _is_busy(connection: Connection, channel_id: int) -> bool:
    """One message at a time on a channel, also of two senders: a receiver gets them in their order."""
    sending = select(_c.id).where(_c.channel_id == channel_id, _c.state == SENDING).limit(1)
    return connection.execute(sending).first() is not None


def _messages_since(connection: Connection, channel_id: int, since: datetime) -> int:
    """Count the messages whose last try was made since then. Those that wait for another try are not counted: their
    waits limit them.
    """
    tried = (_c.channel_id == channel_id) & _c.digest_id.is_(None) & (_c.beat_at > since)
    tried &= _c.state != QUEUED
    return int(connection.execute(select(func.count()).where(tried)).scalar_one())


def _waiting(connection: Connection, channel: Channel, now: datetime) -> Sequence[Any]:
    """Return the messages that are due: tests first, then in their order.

    While one waits for its next try, the channel rests and only tests are due: each of the others would meet the
    same failure.
    """
    other = table.alias()
    rests = exists().where(
        other.c.channel_id == channel.id,
        other.c.state == QUEUED,
        other.c.digest_id.is_(None),
        other.c.firing_id.is_not(None),
        other.c.attempts > 0,
        other.c.next_at > now,
    )
    due = (_c.channel_id == channel.id) & (_c.state == QUEUED) & _c.digest_id.is_(None) & (_c.next_at <= now)
    is_test = _c.firing_id.is_(None)
    firings = and_(~rests, alert_channels.c.is_on)
    rows = select(_c.id, _c.firing_id, _c.attempts).join(alert_channels, alert_channels.c.id == _c.channel_id)
    order = rows.where(due, or_(is_test, firings)).order_by(is_test.desc(), _c.attempts.desc(), _c.id)
    return connection.execute(order.limit(MAX_DIGEST)).all()


def _rows_of_message(connection: Connection, rows: Sequence[Any], left: int) -> list[int]:
    """Return the ids of the first message's rows. More firings than the limit leaves messages become one."""
    first = rows[0]
    if first.attempts:
        members = select(_c.id).where(_c.state == QUEUED, _c.digest_id == first.id).order_by(_c.id)
        return [first.id, *connection.execute(members).scalars()]
    fresh = [row.id for row in rows if row.firing_id is not None and not row.attempts]
    return fresh if first.firing_id is not None and len(fresh) > left else [first.id]


def _take(
    connection: Connection, channel: Channel, ids: list[int], tries: int, now: datetime
) -> Claimed | None:
    leader, *others = ids
    values = {"state": SENDING, "attempts": tries, "beat_at": now}
    if not _update(connection, [leader], (QUEUED,), values):
        return None  # another sender was faster
    if others:
        # Those that another sender, or the switch of the channel, has taken meanwhile stay out of the message.
        free = _c.digest_id.is_(None) | (_c.digest_id == leader)
        these = update(table).where(_c.id.in_(others), _c.state == QUEUED, free)
        taken = connection.execute(these.values(values | {"digest_id": leader}).returning(_c.id)).scalars()
        ids = [leader, *sorted(taken)]
    return Claimed(tuple(ids), channel, _message(connection, channel, ids), tries)


def _message(connection: Connection, channel: Channel, ids: list[int]) -> Message:
    f, i = alert_firings.c, instruments.c
    named = (i.segment == f.segment) & (i.security_id == f.security_id)
    source = table.join(alert_firings, f.id == _c.firing_id).outerjoin(instruments, named)
    rows = connection.execute(
        select(alert_firings, i.name).select_from(source).where(_c.id.in_(ids)).order_by(_c.id)
    )
    return Message(f"ltp-{ids[0]}", channel.name, tuple(_fired(row) for row in rows))


def _fired(row: Row[Any]) -> Fired:
    key = f"{row.segment}:{row.security_id}" if row.segment else ""
    return Fired(
        row.id, row.alert_id, key, row.symbol, row.name or "", row.rule, row.note, row.at, row.ltp, row.how,
        row.since, row.until, row.detail,
    )  # fmt: skip


def _result(attempt: Attempt) -> dict[str, Any]:
    return {"status": attempt.status, "outcome": attempt.outcome[:MAX_OUTCOME]}


def _update(
    connection: Connection, ids: Collection[int], before: Collection[str], values: dict[str, Any]
) -> bool:
    these = update(table).where(_c.id.in_(ids), _c.state.in_(before))
    return connection.execute(these.values(values)).rowcount == len(ids)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        row.id, row.firing_id, row.channel_id, row.state, row.attempts, row.status, row.outcome, row.digest_id,
        row.next_at, row.ended_at,
    )  # fmt: skip
