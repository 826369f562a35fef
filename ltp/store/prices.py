"""The price cache: `ltp:` keys (the feed was alive within 30 s and this was the price) and `tick:` keys (last
known values).

The step between conflation and hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import redis

from ltp import metrics
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import FIRST_CONNECTION, Tick
from ltp.core.ticks.wire_tick import connection_from_plain, tick_from_plain
from ltp.errors import StoreError
from ltp.store import keys as names
from ltp.store.client import translated
from ltp.store.transaction import Transaction, bulk

# Keys a command: more of them save round trips, fewer hold up the server less. These take it a millisecond.
CHUNK: Final = 800
_MAX_VALUE: Final = 4_096  # bytes; a tick has 300, so a longer value is another program's
_SCRIPT: Final = "for i=1,#KEYS do redis.call('SET',KEYS[i],ARGV[i+1],'EX',ARGV[1]) end"


def read(client: redis.Redis, keys: Sequence[str]) -> list[CachedTick]:
    """Return the cached ticks of `keys`, in their order, with one MGET.

    A key that holds something else (a list, garbage, an impossible price) is unknown; the others are not
    affected.

    Raises:
        StoreError: Redis cannot be read.
    """
    if not keys:
        return []
    with translated("reading prices"):
        values: Any = client.mget([*map(names.ltp, keys), *map(names.tick, keys)])
    pairs = zip(keys, values[: len(keys)], values[len(keys) :], strict=True)
    return [_cached_tick(key, price, value) for key, price, value in pairs]


def _cached_tick(key: str, price: Any, value: Any) -> CachedTick:
    tick, connection = _decode(key, value)
    covered = tick is not None and tick.ltp is not None and isinstance(price, bytes) and price != b""
    return CachedTick(key, tick, covered, connection)


def _decode(key: str, value: Any) -> tuple[Tick | None, str]:
    """Return the tick, None if there is none or it is damaged, and the connection that it came by."""
    if not isinstance(value, bytes):  # no such key, or one of another type
        return None, FIRST_CONNECTION
    try:
        plain = orjson.loads(value) if len(value) <= _MAX_VALUE else None
    except orjson.JSONDecodeError:
        plain = None
    tick, connection = tick_from_plain(key, plain), connection_from_plain(plain)
    if tick is None or connection is None:
        metrics.count("store_damaged_ticks")
        return None, FIRST_CONNECTION
    return tick, connection


class PriceWriter:
    """Writes many keys at once: with MSETEX where the server has it, else with a script. One thread uses it.

    The commands are queued in the caller's transaction, so that keys and batch travel, and are carried out or
    refused, together. `pairs` are keys and values as `encode` makes them.
    """

    def __init__(self) -> None:
        self._msetex = True

    def ltp(self, transaction: Transaction, pairs: Sequence[str]) -> None:
        """Queue 30-second keys."""
        self._queue(transaction, names.LTP_TTL_S, pairs)

    def ticks(self, transaction: Transaction, pairs: Sequence[str]) -> None:
        """Queue 10-day keys."""
        self._queue(transaction, names.TICK_TTL_S, pairs)

    def refused(self, error: StoreError) -> bool:
        """Return whether the server does not know, or not allow, MSETEX. If so, the script is used from now
        on, and the caller repeats its transaction.
        """
        text = str(error).lower()
        if (
            not self._msetex
            or "msetex" not in text
            or not ("unknown command" in text or "permission" in text)
        ):
            return False
        self._msetex = False
        return True

    def _queue(self, transaction: Transaction, ttl_s: int, pairs: Sequence[str]) -> None:
        for start in range(0, len(pairs), CHUNK):
            chunk = pairs[start : start + CHUNK]
            if self._msetex:
                texts = bulk("MSETEX") + bulk(len(chunk)), "".join(chunk), bulk("EX") + bulk(ttl_s)
            else:
                keys, values = zip(*map(_parted, chunk), strict=True)
                texts = (
                    bulk("EVAL") + bulk(_SCRIPT) + bulk(len(chunk)),
                    "".join(keys) + bulk(ttl_s),
                    "".join(values),
                )
            transaction.queue(len(chunk) * 2 + 4, texts)


def _parted(pair: str) -> tuple[str, str]:
    """Return key and value of a pair, each still in the server's form."""
    length, key, value = pair.split("\r\n", 2)
    return f"{length}\r\n{key}\r\n", value


def drop(transaction: Transaction, keys: Sequence[str]) -> None:
    """Queue the removal of the 30-second keys of `keys`: the feed no longer vouches for these prices."""
    if keys:
        transaction.execute_command("UNLINK", *(names.ltp(key) for key in keys))


def stored(client: redis.Redis) -> list[str]:
    """Return the instruments that have a `tick:` key, in steps that do not hold up the server.

    Raises:
        StoreError: Redis cannot be read.
    """
    prefix = len(names.tick(""))
    with translated("listing the cached prices"):
        return [
            name.decode(errors="replace")[prefix:]
            for name in client.scan_iter(match=names.tick("*"), count=1_000)
        ]


def forget(client: redis.Redis, keys: Sequence[str]) -> None:
    """Remove all cached values of `keys`, which mean other instruments now.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("removing the prices of keys that mean other instruments now"):
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            client.unlink(*map(names.ltp, chunk), *map(names.tick, chunk))


def purge(client: redis.Redis) -> int:
    """Remove every `ltp:` and `tick:` key; return how many there were.

    Raises:
        StoreError: Redis cannot be read or written.
    """
    with translated("removing the prices of another source"):
        return _remove(client, names.ltp("*")) + _remove(client, names.tick("*"))


def purge_ltp(client: redis.Redis) -> int:
    """Remove every `ltp:` key; return how many there were.

    Raises:
        StoreError: Redis cannot be read or written.
    """
    with translated("removing the 30-second keys"):
        return _remove(client, names.ltp("*"))


def _remove(client: redis.Redis, pattern: str) -> int:
    """Remove the keys that match, in steps that do not hold up the server."""
    removed = cursor = 0
    while True:
        answer: Any = client.scan(cursor, match=pattern, count=1_000)
        cursor, found = answer
        if found:
            client.unlink(*found)
            removed += len(found)
        if not cursor:
            return removed
