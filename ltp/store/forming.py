"""Forming bars on a channel of their own, and which instruments they are wanted for.

A web process asks for the instruments of its open charts; the worker publishes the bars of those alone, and keeps
them under a key each for pages that open. While nobody asks nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec
import redis

from ltp import metrics
from ltp.core.bars.bar import Bar
from ltp.core.bars.forming import FormingBatch, is_sound
from ltp.core.instrument import parse_key
from ltp.errors import InputError
from ltp.store import subscription, wishes
from ltp.store.client import translated
from ltp.store.keys import BARS, BARS_TTL_S, DEMAND_BARS, bars

MOST: Final = 500  # instruments with forming bars
MAX_WISH_S: Final = 120.0  # a longer wish was written by another program, or before a clock was set back
_MAX_MESSAGE: Final = 1 << 20  # bytes; the bars of MOST instruments take half of it
_MAX_VALUE: Final = 4_096
_VERSION: Final = 1


class _Message(msgspec.Struct):
    v: Literal[1]
    source: str
    bars: dict[str, list[Bar]]


class _Value(msgspec.Struct):
    source: str
    bars: list[Bar]


_message = msgspec.json.Decoder(_Message)
_value = msgspec.json.Decoder(_Value)


def want(client: redis.Redis, keys: Iterable[str], now: float, until: float) -> None:
    """Ask for the forming bars of `keys` until an instant, seconds since the epoch.

    Raises:
        StoreError: Redis cannot be written.
    """
    scores = dict.fromkeys(keys, until)
    if not scores:
        return
    with translated("asking for forming bars"):
        pipe: Any = client.pipeline(transaction=True)
        pipe.zadd(DEMAND_BARS, scores, gt=True)
        pipe.zremrangebyscore(DEMAND_BARS, "-inf", f"({now}")
        pipe.execute()


def wanted(client: redis.Redis, now: float) -> list[str]:
    """Return the instruments whose forming bars are wanted now, at most MOST, and remove all other wishes.

    Of more than MOST those that were renewed last are kept: an open chart renews its wish.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the demand for forming bars"):
        keys = wishes.read(client, DEMAND_BARS, now, latest=now + MAX_WISH_S, most=MOST)
    return [key for key in keys if _is_key(key)]


def publish(client: redis.Redis, batch: FormingBatch) -> None:
    """Publish forming bars, and keep them for pages that open.

    Raises:
        StoreError: Redis cannot be written.
    """
    message = msgspec.json.encode(_Message(_VERSION, batch.source, dict(batch.bars)))  # type: ignore[arg-type]
    with translated("publishing forming bars"):
        pipe: Any = client.pipeline(transaction=True)
        for key, newest in batch.bars.items():
            value = msgspec.json.encode(_Value(batch.source, list(newest)))
            pipe.execute_command("SET", bars(key), value, "EX", BARS_TTL_S)
        pipe.execute_command("PUBLISH", BARS, message)
        pipe.execute()


def read(client: redis.Redis, key: str, source: str) -> list[Bar]:
    """Return the newest bars of one instrument, [] where nobody follows it or they are of another source.

    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading forming bars"):
        content: Any = client.get(bars(key))
    if not isinstance(content, bytes) or len(content) > _MAX_VALUE:
        return []
    try:
        value = _value.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        metrics.count("store_damaged_bars")
        return []
    return value.bars if value.source == source and is_sound(value.bars) else []


def subscribe(url: str) -> Iterator[FormingBatch | None]:
    """Yield batches as they come, and None at least once a second while none comes.

    Raises:
        StoreError: the connection was cut.
    """
    for body in subscription.bodies(url, BARS, longest=_MAX_MESSAGE):
        yield None if body is None else decode(body)


def decode(body: bytes | memoryview) -> FormingBatch | None:
    """Return the batch of a message, without damaged instruments; None if it is none, which is counted."""
    try:
        message = _message.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        metrics.count("store_skipped_messages")
        return None
    return FormingBatch(message.source, _sound(message.bars))


def _sound(found: dict[str, list[Bar]]) -> dict[str, Sequence[Bar]]:
    return {key: newest for key, newest in found.items() if _is_key(key) and is_sound(newest)}


def _is_key(text: str) -> bool:
    try:
        return bool(parse_key(text))
    except InputError:
        return False
