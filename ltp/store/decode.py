"""Messages of the channel, bytes to batches: parsed and believed in one step of C, ticks left as they were
told.

The step before the hub. The rules of belief are `core.ticks.wire`'s, said here a second time as types. What
does not keep to them to the letter goes the slow way, where a damaged tick is left out and the others count:
the outcome is the same.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Final, Literal

import msgspec
import orjson

from ltp.core.money import MAX_PRICE, SCALE
from ltp.core.ticks.tick import Feed, Tick
from ltp.core.ticks.wire import (
    MAX_COUNT,
    MAX_EPOCH_S,
    MAX_EPOCH_US,
    Batch,
    batch_from_plain,
    doubts_from_plain,
    is_session,
    tick_of,
    words,
)

_Seconds = Annotated[int, msgspec.Meta(ge=0, lt=MAX_EPOCH_S)]
_Instant = Annotated[int, msgspec.Meta(ge=0, lt=MAX_EPOCH_US)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT - 1)]  # a bound beyond 64 bits is none it knows
_Rupees = Annotated[float, msgspec.Meta(ge=1 / SCALE, le=MAX_PRICE // SCALE)]


class _WireTick(msgspec.Struct, kw_only=True, gc=False, rename={"key": "k"}):
    """See `core.ticks.wire.Told`. In the order of the message: the next name expected is the cheapest to
    find.

    Outside the garbage collector, which would walk thousands of them a second, and none can be part of a
    ring.
    """

    key: str
    ltp: _Rupees | None = None
    ltt: _Seconds | None = None
    received_at: _Instant
    volume: _Count | None = None
    open: _Rupees | None = None
    high: _Rupees | None = None
    low: _Rupees | None = None
    prev_close: _Rupees | None = None
    oi: _Count | None = None
    session: str = ""
    traded_at: _Instant = 0
    rest: bool = False


class _Message(msgspec.Struct):
    v: Literal[1]  # core.ticks.wire.VERSION
    epoch: str
    seq: _Count
    at: _Instant
    feed: Feed
    since: _Instant
    phase: dict[str, str]
    ticks: list[_WireTick]
    source: str = ""
    doubts: dict[str, str] = msgspec.field(default_factory=dict)
    notice: str = ""
    reassigned: dict[str, _Instant] = msgspec.field(default_factory=dict)


_PRICES: Final = ("ltp", "open", "high", "low", "prev_close")
_decoder: Final = msgspec.json.Decoder(_Message)
_session: Final = attrgetter("session")


def batch(body: bytes | memoryview) -> Batch | None:
    """Return the batch a message is, None when it is none of this version. Never raises."""
    try:
        message = _decoder.decode(body)
    except (ValueError, RecursionError):
        return _slowly(body)
    # The one rule that no type says.
    if not all(map(is_session, set(map(_session, message.ticks)))):
        return _slowly(body)
    epoch, seq, at, feed, since = message.epoch, message.seq, message.at, message.feed, message.since
    doubts = doubts_from_plain(message.doubts) if message.doubts else {}
    said = message.source, message.phase, message.ticks, doubts, words(message.notice), message.reassigned
    return Batch(epoch, seq, at, feed, since, *said)


def _slowly(body: bytes | memoryview) -> Batch | None:
    try:
        batch = batch_from_plain(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    # As told, like all others: whoever compares a tick with the one before it has no two forms of prices to
    # fear.
    return batch and batch._replace(ticks=[_told(tick_of(tick)) for tick in batch.ticks])


def _told(tick: Tick) -> _WireTick:
    rupees = {name: None if (price := getattr(tick, name)) is None else price / SCALE for name in _PRICES}
    return _WireTick(**{**tick._asdict(), **rupees})
