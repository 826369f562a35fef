"""The price cache: `ltp:` keys (the feed was alive within 30 s and this was the price) and `tick:` keys (last
known values).

The step after the conflation, before the hub. Knows neither who asks nor why a price is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson
import redis

from ltp import metrics
from ltp.core.ticks.quote import CachedTick
from ltp.core.ticks.tick import Tick
from ltp.core.ticks.wire import tick_from_plain
from ltp.errors import StoreError
from ltp.store import keys as names
from ltp.store.client import translated
from ltp.store.transaction import Transaction, bulk

CHUNK: Final = (
    800  # keys a command: longer saves round trips, shorter holds up the server less; this is a millisecond
)
_MAX_VALUE: Final = 4_096  # a tick is 300 bytes; what is longer was not written by us
_SCRIPT: Final = "for i=1,#KEYS do redis.call('SET',KEYS[i],ARGV[i+1],'EX',ARGV[1]) end"


def read(client: redis.Redis, keys: Sequence[str]) -> list[CachedTick]:
    """Return what the cache knows of `keys`, in their order, in one MGET.

    A key that holds something else (a list, garbage, a price that is none) is unknown; the others are not
    affected.

    Raises:
        StoreError: Redis cannot be read.
    """
    if not keys:
        return []
    with translated("reading prices"):
        values: Any = client.mget([*map(names.ltp, keys), *map(names.tick, keys)])
    return [
        CachedTick(key, *_known(key, price, tick))
        for key, price, tick in zip(keys, values[: len(keys)], values[len(keys) :], strict=True)
    ]


def _known(key: str, price: Any, value: Any) -> tuple[Tick | None, bool]:
    tick = _decode(key, value)
    return tick, tick is not None and tick.ltp is not None and isinstance(price, bytes) and price != b""


def _decode(key: str, value: Any) -> Tick | None:
    if not isinstance(value, bytes):
        return None  # nothing there, or MGET met another type
    try:
        plain = orjson.loads(value) if len(value) <= _MAX_VALUE else None
    except orjson.JSONDecodeError:
        plain = None
    tick = tick_from_plain(key, plain)
    if tick is None:
        metrics.count("store_damaged_ticks")
    return tick


class PriceWriter:
    """Writes many keys at once: MSETEX where the server has it, a script where not. One thread uses it.

    The commands are queued in a transaction of the caller, so that keys and the message that tells of them
    travel, and are carried out or refused, together. `pairs` are keys and values as `encode` makes them.
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
        """Tell whether the server does not know, or not allow, MSETEX; from then on the script is used: try
        again.
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
    """Queue the removal of the 30-second keys of `keys`: nobody vouches for those prices any more."""
    if keys:
        transaction.execute_command("UNLINK", *(names.ltp(key) for key in keys))


def stored(client: redis.Redis) -> list[str]:
    """Return every key that has a `tick:` key, in steps that do not hold up the server.

    Raises:
        StoreError: Redis cannot be read.
    """
    prefix = len(names.tick(""))
    with translated("reading which prices there are"):
        return [
            name.decode(errors="replace")[prefix:]
            for name in client.scan_iter(match=names.tick("*"), count=1_000)
        ]


def forget(client: redis.Redis, keys: Sequence[str]) -> None:
    """Remove everything that is known of `keys`: they mean other instruments now.

    Raises:
        StoreError: Redis cannot be written.
    """
    with translated("removing the prices of instruments whose keys mean others now"):
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
    with translated("removing prices that nobody vouches for"):
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
