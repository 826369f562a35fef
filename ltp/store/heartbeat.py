"""The worker's heartbeat, an instant, and its status, a hash; both expire a minute after the worker ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import redis

from ltp.store.client import translated
from ltp.store.keys import HEARTBEAT, HEARTBEAT_TTL_S, SOURCE, STATUS


class StreamStatus(NamedTuple):
    """`heartbeat_at`: ISO 8601, None if no worker wrote one within a minute. `status`: empty then.

    Fields of `status`, all text:
        feed, connections, subscribed, wanted, reconnects, connect_failures, last_error, source
        phases: JSON, by segment.
        never_ticked, waiting, mistimed: counts. never_ticked_keys, waiting_keys: JSON, the first 20.
        mistimed_keys: JSON, instruments whose trade times contradict their volumes.
        last_tick_at: ISO 8601 or empty.
        stopped: 1 if the feed does not come back by itself.
        expected: 1 if the feed should be up and packets are expected now.
        began_at: ISO 8601, start of this worker's writes.
        calendar: the provisional part of the trading hours, empty if there is none.
        calendar_ahead: JSON, the same up to a month ahead, a sentence each.
        calendar_lines: lines for the override file that make those hours certain.
        off_sessions: JSON, days without a session that refused trades are dated on, with their segments.
        silent: JSON, segments that are open and silent.
        lags: JSON, by segment, median and 99th percentile of arrival minus trade time in seconds.
        silent_s: seconds since the last packet, or since this worker's first write.
        delay_s: the longest delay shown, 0 for none.
        clock_error_s: seconds by which the worker's clock is ahead of the broker's, empty if not known.
        odd_ticks: JSON, number of packets not taken as they came, by kind.
    Of about the last second:
        ticks_per_s: received. ticks_written_per_s: left of them by conflation. batches_per_s.
        write_ms, write_worst_ms: time of a write to Redis whose answer was awaited, such as the one of each
            second; empty before the first.
    """

    heartbeat_at: str | None
    status: dict[str, str]


def write(pipe: Any, at: str) -> None:
    """Queue the heartbeat `at` (ISO 8601)."""
    pipe.execute_command("SET", HEARTBEAT, at, "EX", HEARTBEAT_TTL_S)


def write_status(pipe: Any, status: Mapping[str, str]) -> None:
    """Queue the status hash."""
    pipe.execute_command("HSET", STATUS, *(part for pair in status.items() for part in pair))
    pipe.execute_command("EXPIRE", STATUS, HEARTBEAT_TTL_S)


def queue_presence(pipe: Any) -> None:
    """Queue the query of the heartbeat key's remaining life: only this reveals a FLUSHALL, or a server clock
    that was set back.
    """
    pipe.execute_command("PTTL", HEARTBEAT)


def is_in_time(left_ms: Any) -> bool:
    """Return whether the heartbeat key exists and lives no longer than it was given; `left_ms`: answer to
    PTTL.
    """
    return isinstance(left_ms, int) and 0 <= left_ms <= HEARTBEAT_TTL_S * 1_000


def is_overdue(client: redis.Redis) -> bool:
    """Return whether the heartbeat key lives longer than it was given: the server's clock was set back.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the heartbeat"):
        left_ms: Any = client.pttl(HEARTBEAT)
    return isinstance(left_ms, int) and left_ms > HEARTBEAT_TTL_S * 1_000


def remove(client: redis.Redis) -> None:
    """Show at once that no worker runs, instead of a minute later.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("removing the heartbeat"):
        client.delete(HEARTBEAT)


def read(client: redis.Redis) -> StreamStatus:
    """Return the newest heartbeat and status.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the heartbeat"):
        pipe: Any = client.pipeline(transaction=False)
        pipe.get(HEARTBEAT)
        pipe.hgetall(STATUS)
        at, status = pipe.execute()
    return StreamStatus(
        None if at is None else at.decode("utf-8", "replace"),
        {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in status.items()},
    )


def read_source(client: redis.Redis) -> str | None:
    """Return the source of the cached prices, None if it is not stored.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the source"):
        value: Any = client.get(SOURCE)
    return None if value is None else value.decode("utf-8", "replace")


def write_source(client: redis.Redis, source: str) -> None:
    """Store the source of the prices that are cached from now on.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("writing the source"):
        client.set(SOURCE, source)
