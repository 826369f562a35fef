"""What the worker says of itself: a heartbeat instant and a status hash, both gone a minute after it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import redis

from ltp.store.client import translated
from ltp.store.keys import HEARTBEAT, HEARTBEAT_TTL_S, SOURCE, STATUS


class StreamStatus(NamedTuple):
    """`heartbeat_at`: ISO 8601, None when no worker wrote one within a minute. `status`: empty then.

    Fields of `status`, all text: feed, phases (JSON), connections, subscribed, wanted, never_ticked (count),
    never_ticked_keys (JSON, the first 20), waiting (count), waiting_keys (JSON, the first 20), last_tick_at
    (ISO 8601 or empty), reconnects, connect_failures, last_error, source, stopped (1: the feed will not come
    back by itself), expected (1: the feed should be up and packets are expected now), began_at (ISO 8601:
    since when this worker speaks), calendar (what is provisional about the trading hours, empty when nothing
    is), calendar_ahead (JSON: the same until a month ahead, a sentence each), calendar_lines (what an
    override file must say for that to be certain), off_sessions (JSON: days that are no sessions, on which
    trades that were refused are dated, with their segments), silent (JSON: segments that are open and
    silent), lags (JSON: by segment, median and 99th percentile of arrival minus trade time in seconds),
    silent_s (seconds since the last packet, or since this worker speaks), delay_s (the longest delay that is
    told, 0 for none), clock_error_s (by how much the worker's clock is ahead of the broker's, empty when not
    known), mistimed (count) and mistimed_keys (JSON: instruments whose trade times contradict their volumes),
    odd_ticks (JSON: packets not taken as they came, by kind). Of about the last second: ticks_per_s
    (received), ticks_written_per_s (what conflation left of them), batches_per_s, write_ms and write_worst_ms
    (what a write to Redis took whose answer was waited for, such as that of each second; empty before the
    first).
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
    """Queue the question how long the heartbeat key lives: a FLUSHALL tells nobody, nor does a clock that is
    set back.
    """
    pipe.execute_command("PTTL", HEARTBEAT)


def is_in_time(left_ms: Any) -> bool:
    """Tell whether the heartbeat key is there and lives no longer than it was given; `left_ms`: what PTTL
    answered.
    """
    return isinstance(left_ms, int) and 0 <= left_ms <= HEARTBEAT_TTL_S * 1_000


def is_overdue(client: redis.Redis) -> bool:
    """Tell whether the heartbeat key lives longer than it was given: the server's clock was set back.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the heartbeat"):
        left_ms: Any = client.pttl(HEARTBEAT)
    return isinstance(left_ms, int) and left_ms > HEARTBEAT_TTL_S * 1_000


def remove(client: redis.Redis) -> None:
    """Say at once that no worker runs, instead of a minute later.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("removing the heartbeat"):
        client.delete(HEARTBEAT)


def read(client: redis.Redis) -> StreamStatus:
    """Return what the worker last said.

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
    """Return whose prices lie in the cache, None when nothing says.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the source"):
        value: Any = client.get(SOURCE)
    return None if value is None else value.decode("utf-8", "replace")


def write_source(client: redis.Redis, source: str) -> None:
    """Say whose prices lie in the cache from now on.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("writing the source"):
        client.set(SOURCE, source)
