"""The table of subscriptions in Redis, made only while somebody looks at it, and how many look at each instrument.

A page asks for the table; while it does, web processes tell how many open pages and API clients they have for each
instrument, and the worker writes the table with the sum.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
import redis

from ltp import metrics
from ltp.core.subscriptions.table import (
    LONGEST_TITLE,
    MOST_ROWS,
    REASONS,
    STATES,
    SubscriptionTable,
)
from ltp.store.client import translated
from ltp.store.keys import (
    DEMAND_TABLE,
    DEMAND_TABLE_TTL_S,
    DEMAND_VIEWERS,
    TABLE,
    TABLE_TTL_S,
    VIEWERS_TTL_S,
)

_VERSION: Final = b"1"  # the first byte of the table; a reader of another version takes it for none
_MAX_TABLE: Final = 8 << 20  # bytes without compression; 10,000 rows take a tenth of it
_MAX_COUNTS: Final = 1 << 20
_MOST_PROCESSES: Final = 64


class Counts(NamedTuple):
    """By instrument: open pages that show it, and clients of the API that want it."""

    viewers: Mapping[str, int]
    clients: Mapping[str, int]


class _Value(msgspec.Struct):
    at: float
    viewers: dict[str, int]
    clients: dict[str, int]


_table = msgspec.json.Decoder(SubscriptionTable)
_value = msgspec.json.Decoder(_Value)


def look(client: redis.Redis) -> None:
    """Ask for the table for the next 15 s.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("asking for the subscriptions"):
        client.set(DEMAND_TABLE, "1", ex=DEMAND_TABLE_TTL_S)


def is_looked_at(client: redis.Redis) -> bool:
    """Raises StoreError: Redis cannot be read."""
    with translated("reading the demand for subscriptions"):
        return bool(client.exists(DEMAND_TABLE))


def write(client: redis.Redis, table: SubscriptionTable) -> None:
    """Store the table for 15 s.

    Raises:
        StoreError: Redis cannot be written.
    """
    content = _VERSION + zlib.compress(msgspec.json.encode(table), 1)
    with translated("writing the subscriptions"):
        client.set(TABLE, content, ex=TABLE_TTL_S)


def read(client: redis.Redis) -> bytes:
    """Return the stored table as it is, for `decode`; b"" for none.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the subscriptions"):
        content: Any = client.get(TABLE)
    return content if isinstance(content, bytes) else b""


def decode(content: bytes) -> SubscriptionTable | None:
    """Return the table, None where there is none, or one that this program did not write, which is counted."""
    if not content:
        return None
    try:
        table = _decoded(content)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        table = None
    if table is None or not _is_sound(table):
        metrics.count("store_damaged_tables")
        return None
    return table


def write_counts(client: redis.Redis, process: str, counts: Counts, now: float) -> None:
    """Tell what one web process has open. `now`: seconds since the epoch.

    Raises:
        StoreError: Redis cannot be written.
    """
    value = msgspec.json.encode(_Value(now, dict(counts.viewers), dict(counts.clients)))
    with translated("writing the numbers of viewers"):
        pipe: Any = client.pipeline(transaction=True)
        pipe.hset(DEMAND_VIEWERS, process, value)
        pipe.expire(DEMAND_VIEWERS, VIEWERS_TTL_S)
        pipe.execute()


def read_counts(client: redis.Redis, now: float) -> Counts:
    """Return the sums over the web processes that told within the last minute, and forget the others.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the numbers of viewers"):
        told: Any = client.hgetall(DEMAND_VIEWERS)
        values = {process: _read_value(content) for process, content in list(told.items())[:_MOST_PROCESSES]}
        fresh = {process: value for process, value in values.items() if value and _is_fresh(value, now)}
        if len(fresh) < len(told):
            client.hdel(DEMAND_VIEWERS, *(process for process in told if process not in fresh))
    viewers, clients = Counter[str](), Counter[str]()
    for value in fresh.values():
        viewers.update(value.viewers)
        clients.update(value.clients)
    return Counts(viewers, clients)


def wait_for(client: redis.Redis, longest_s: float, pause_s: float = 0.1) -> SubscriptionTable | None:
    """Ask for the table and return it as soon as there is one, None after so many seconds.

    Raises:
        StoreError: Redis cannot be used.
    """
    look(client)
    deadline = time.monotonic() + longest_s
    while (table := decode(read(client))) is None and time.monotonic() < deadline:
        time.sleep(pause_s)
    return table


def _decoded(content: bytes) -> SubscriptionTable | None:
    if content[:1] != _VERSION:
        return None
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(content[1:], _MAX_TABLE)
    return _table.decode(plain) if unpacking.eof else None


def _is_sound(table: SubscriptionTable) -> bool:
    """Whether texts and positions are of those that a page knows, so that it need not look again."""
    known = len(table.reasons)
    texts = (
        table.feed,
        table.source,
        *(text for reason in table.reasons for text in (reason.name, reason.title)),
    )
    if any(len(text) > LONGEST_TITLE for text in texts) or len(table.rows) > MOST_ROWS:
        return False
    return all(reason.kind in REASONS for reason in table.reasons) and all(
        row.state in STATES and len(row.key) < 40 and all(0 <= place < known for place in row.reasons)
        for row in table.rows
    )


def _read_value(content: bytes) -> _Value | None:
    try:
        return _value.decode(content) if len(content) <= _MAX_COUNTS else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _is_fresh(value: _Value, now: float) -> bool:
    return abs(now - value.at) < VIEWERS_TTL_S
