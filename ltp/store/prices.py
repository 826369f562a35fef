"""The price cache: `ltp:` keys (the feed was alive within 30 s and this was the price) and `tick:` keys (last known values).

The step after the conflation, before the hub. Knows neither who asks nor why a price is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson
import redis

from ltp import metrics
from ltp.core.money import MAX_PRICE, decimal_text, is_currency
from ltp.core.quote import Known
from ltp.core.tick import Tick
from ltp.core.wire import tick_from_plain, tick_to_plain
from ltp.errors import StoreError
from ltp.store import keys as names
from ltp.store.client import translated

CHUNK: Final = 400  # keys a command: long enough to cost a microsecond a key, short enough not to hold up the server
_MAX_VALUE: Final = 4_096  # a tick is 300 bytes; what is longer was not written by us
_SCRIPT: Final = "for i=1,#KEYS do redis.call('SET',KEYS[i],ARGV[i+1],'EX',ARGV[1]) end"


def read(client: redis.Redis, keys: Sequence[str]) -> list[Known]:
    """Return what the cache knows of `keys`, in their order, in one MGET.

    A key that holds something else (a list, garbage, a price that is none) is unknown; the others are not affected.

    Raises:
        StoreError: Redis cannot be read.
    """
    if not keys:
        return []
    with translated("reading prices"):
        values: Any = client.mget([*map(names.ltp, keys), *map(names.tick, keys)])
    return [
        Known(key, *_known(key, price, tick))
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


class Writer:
    """Writes many keys at once: MSETEX where the server has it, a script where not. One thread uses it.

    `pending` commands are collected in a pipeline of the caller, so that keys and the message that tells of them travel,
    and are carried out or refused, together.
    """

    def __init__(self) -> None:
        self._msetex = True

    def ltp(self, pipe: Any, ticks: Iterable[Tick]) -> None:
        """Queue the 30-second keys of `ticks` that have a price."""
        self._queue(pipe, names.LTP_TTL_S, ((names.ltp(tick.key), _text(tick)) for tick in ticks if tick.ltp is not None))

    def ticks(self, pipe: Any, ticks: Iterable[Tick]) -> None:
        """Queue the 10-day keys of `ticks`."""
        self._queue(pipe, names.TICK_TTL_S, ((names.tick(tick.key), orjson.dumps(tick_to_plain(tick))) for tick in ticks))

    def refused(self, error: StoreError) -> bool:
        """Tell whether the server does not know, or not allow, MSETEX; from then on the script is used: try again."""
        text = str(error).lower()
        if not self._msetex or "msetex" not in text or not ("unknown command" in text or "permission" in text):
            return False
        self._msetex = False
        return True

    def _queue(self, pipe: Any, ttl_s: int, values: Iterable[tuple[str, str | bytes]]) -> None:
        for chunk in _chunks(list(values)):
            if self._msetex:
                flat = [part for pair in chunk for part in pair]
                pipe.execute_command("MSETEX", len(chunk), *flat, "EX", ttl_s)
            else:
                written, contents = zip(*chunk, strict=True)
                pipe.execute_command("EVAL", _SCRIPT, len(chunk), *written, ttl_s, *contents)


def _text(tick: Tick) -> str:
    return decimal_text(min(tick.ltp or 0, MAX_PRICE), currency=is_currency(tick.key))


def _chunks(values: list[tuple[str, str | bytes]]) -> Iterator[list[tuple[str, str | bytes]]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def drop(pipe: Any, keys: Sequence[str]) -> None:
    """Queue the removal of the 30-second keys of `keys`: nobody vouches for those prices any more."""
    if keys:
        pipe.execute_command("UNLINK", *(names.ltp(key) for key in keys))


def purge(client: redis.Redis) -> int:
    """Remove every `ltp:` and `tick:` key, in steps that do not hold up the server; return how many there were.

    Raises:
        StoreError: Redis cannot be read or written.
    """
    removed = 0
    with translated("removing the prices of another source"):
        for pattern in (names.ltp("*"), names.tick("*")):
            cursor = 0
            while True:
                answer: Any = client.scan(cursor, match=pattern, count=1_000)
                cursor, found = answer
                if found:
                    client.unlink(*found)
                    removed += len(found)
                if not cursor:
                    break
    return removed
