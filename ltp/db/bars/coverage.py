"""The coverage of the feed in SQL: when it was connected, and each instrument subscribed; and the gaps that the
broker's bars filled. Written by the worker beside its bars, read by pages, the API and commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Table, delete, func, select, tuple_

from ltp.core.bars.coverage import Span, common, joined
from ltp.core.instrument import split_key
from ltp.core.trading_day import DAY_S, date_of, midnight_of
from ltp.db import candle_source, on_conflict
from ltp.db.bars.tables import bar_refills, feed_connections, feed_subscriptions
from ltp.db.engine import BUSY_TIMEOUT_MS, reading, writing

_KEY: Final = ("segment", "security_id", "start")


class Subscription(NamedTuple):
    """`until`: seconds since the epoch; the end of the day in India while it lasts. `run`: see `Connected`."""

    key: str
    start: int
    until: int
    run: int


class Connected(NamedTuple):
    """A connection. `run`: the part of a worker's life in one day of India, by its first microsecond.

    A subscription counts while a connection of its own run lasts.
    """

    run: int
    start: int
    until: int


def store(
    engine: Engine,
    connections: Sequence[Connected],
    subscriptions: Sequence[Subscription],
    *,
    simulated: bool = False,
) -> bool:
    """Store spans; one with the same start gets its new end.

    Args:
        simulated: the feed is the simulated exchange.
    Returns:
        False where nothing is stored, because the stored bars are of the other source: this feed has stored
            none yet, or may not.
    Raises:
        DatabaseError: nothing is stored.
    """
    with writing(engine) as connection:
        if candle_source.is_simulated(connection) != simulated:
            return False
        _upsert(connection, feed_connections, ("run", "start"), [each._asdict() for each in connections])
        _upsert(connection, feed_subscriptions, _KEY, [_row(each) for each in subscriptions])
    return True


def of_instrument(
    engine: Engine, key: str, midnight: int, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> list[Span]:
    """Return when an instrument was connected and subscribed on the day that starts at `midnight`."""
    segment, security_id = split_key(key)
    table = feed_subscriptions
    subscribed = select(table.c.run, table.c.start, table.c.until).where(
        table.c.segment == segment, table.c.security_id == security_id, _in_day(table, midnight)
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        found = [tuple(row) for row in connection.execute(subscribed)]
        return _covered(found, _connections(connection, midnight)) if found else []


def of_day(engine: Engine, midnight: int) -> dict[str, list[Span]]:
    """Return by key when each instrument was connected and subscribed on the day that starts at `midnight`."""
    table = feed_subscriptions
    with reading(engine) as connection:
        connections = _connections(connection, midnight)
        rows = connection.execute(select(table).where(_in_day(table, midnight))).all()
    by_key: dict[str, list[tuple[int, int, int]]] = {}
    for row in rows:
        by_key.setdefault(f"{row.segment}:{row.security_id}", []).append((row.run, row.start, row.until))
    return {key: _covered(found, connections) for key, found in by_key.items()}


def subscribed_last(engine: Engine, midnight: int) -> set[str]:
    """Return the keys that the newest run of the day follows, or followed when it was ended."""
    table = feed_subscriptions
    newest = select(func.max(table.c.run)).where(_in_day(table, midnight)).scalar_subquery()
    wanted = select(table.c.segment, table.c.security_id).where(
        _in_day(table, midnight), table.c.run == newest, table.c.until == midnight + DAY_S
    )
    with reading(engine) as connection:
        return {f"{segment}:{security_id}" for segment, security_id in connection.execute(wanted)}


def connected(engine: Engine, midnight: int) -> list[Span]:
    """Return when the feed was connected on the day that starts at `midnight`, in order."""
    with reading(engine) as connection:
        spans = _connections(connection, midnight).values()
    return joined(span for each in spans for span in each)


def newest_midnight(engine: Engine) -> int | None:
    """Return the midnight of the newest day on which the feed was connected, None without any."""
    with reading(engine) as connection:
        newest = connection.execute(select(func.max(feed_connections.c.start))).scalar_one()
    return None if newest is None else midnight_of(newest)


def note_refill(engine: Engine, key: str, day: date, until: int) -> None:
    """Note that the gaps of a session before `until`, seconds since the epoch, have the broker's bars."""
    segment, security_id = split_key(key)
    row = {"segment": segment, "security_id": security_id, "day": day, "until": until}
    with writing(engine) as connection:
        _upsert(connection, bar_refills, ("segment", "security_id", "day"), [row])


def refilled_until(engine: Engine, key: str, day: date, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> int:
    """Return the second up to which the gaps of a session were filled, 0 for none."""
    segment, security_id = split_key(key)
    table = bar_refills
    wanted = select(table.c.until).where(
        table.c.segment == segment, table.c.security_id == security_id, table.c.day == day
    )
    with reading(engine, busy_timeout_ms=busy_timeout_ms) as connection:
        return int(connection.execute(wanted).scalar() or 0)


def refills_of_day(engine: Engine, day: date) -> dict[str, int]:
    """Return `refilled_until` by key, of the instruments that were refilled."""
    table = bar_refills
    wanted = select(table.c.segment, table.c.security_id, table.c.until).where(table.c.day == day)
    with reading(engine) as connection:
        return {
            f"{segment}:{security_id}": until for segment, security_id, until in connection.execute(wanted)
        }


def prune(engine: Engine, before: int, *, most: int = 5_000) -> int:
    """Delete up to `most` subscriptions that start before a midnight, and when none is left the connections and
    the refills before it.

    Returns:
        How many subscriptions were deleted; fewer than `most` where nothing is left.
    """
    table = feed_subscriptions
    place = [table.c[name] for name in _KEY]
    old = select(*place).where(table.c.start < before).limit(most)
    with writing(engine) as connection:
        deleted = connection.execute(delete(table).where(tuple_(*place).in_(old))).rowcount
        if deleted < most:
            connection.execute(delete(feed_connections).where(feed_connections.c.start < before))
            connection.execute(delete(bar_refills).where(bar_refills.c.day < date_of(before)))
    return deleted


def _covered(subscriptions: Iterable[Sequence[int]], connections: Mapping[int, Sequence[Span]]) -> list[Span]:
    """Return the time of subscriptions (run, start, until) in which a connection of their run lasted."""
    by_run: dict[int, list[Span]] = {}
    for run, start, until in subscriptions:
        by_run.setdefault(run, []).append(Span(start, until))
    return joined(span for run, spans in by_run.items() for span in common(spans, connections.get(run, ())))


def _connections(connection: Connection, midnight: int) -> dict[int, list[Span]]:
    table = feed_connections
    found: dict[int, list[Span]] = {}
    for run, start, until in connection.execute(select(table).where(_in_day(table, midnight))):
        found.setdefault(run, []).append(Span(start, until))
    return found


def _in_day(table: Table, midnight: int) -> Any:
    return (table.c.start >= midnight) & (table.c.start < midnight + DAY_S)


def _row(each: Subscription) -> dict[str, Any]:
    segment, security_id = split_key(each.key)
    return {
        "segment": segment,
        "security_id": security_id,
        "start": each.start,
        "until": each.until,
        "run": each.run,
    }


def _upsert(connection: Connection, table: Table, key: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    insert = on_conflict.insert(connection, table)
    changed = {name: insert.excluded[name] for name in (column.name for column in table.c) if name not in key}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), rows)
