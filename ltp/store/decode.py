"""Messages of the channel, from bytes to batches.

msgspec parses and checks a message in one step of C, against types that repeat the rules of
`core.ticks.wire`. A message that breaks one of them goes through `core.ticks.wire` itself, which leaves a
damaged tick out and keeps the others; the result is the same.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Final, Literal

import msgspec
import orjson

from ltp.core.money import MAX_PRICE, SCALE
from ltp.core.ticks.tick import Feed, Tick
from ltp.core.ticks.wire import Batch, batch_from_plain, connection_of, doubts_from_plain, words
from ltp.core.ticks.wire_tick import MAX_COUNT, MAX_EPOCH_S, MAX_EPOCH_US, tick_of
from ltp.core.trading_day import is_session

_Seconds = Annotated[int, msgspec.Meta(ge=0, lt=MAX_EPOCH_S)]
_Instant = Annotated[int, msgspec.Meta(ge=0, lt=MAX_EPOCH_US)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT - 1)]  # msgspec takes no bound beyond 64 bits
_Rupees = Annotated[float, msgspec.Meta(ge=1 / SCALE, le=MAX_PRICE // SCALE)]


class _DecodedTick(msgspec.Struct, kw_only=True, gc=False, rename={"key": "k"}):
    """A core.ticks.wire_tick.WireTick. Its fields stand in the order of the message: msgspec finds the next
    expected name fastest.

    `gc=False`: the garbage collector would visit thousands of these a second, and none has reference cycles.
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
    v: Literal[1, 2]  # core.ticks.wire.WITHOUT_CONNECTION and VERSION
    epoch: str
    seq: _Count
    at: _Instant
    feed: Feed
    since: _Instant
    phase: dict[str, str]
    ticks: list[_DecodedTick]
    connection: str = ""
    source: str = ""
    doubts: dict[str, str] = msgspec.field(default_factory=dict)
    notice: str = ""
    reassigned: dict[str, _Instant] = msgspec.field(default_factory=dict)


_PRICES: Final = ("ltp", "open", "high", "low", "prev_close")
_decoder: Final = msgspec.json.Decoder(_Message)
_session: Final = attrgetter("session")


def batch(body: bytes | memoryview) -> Batch | None:
    """Return the batch in a message, None if it is no batch, or of a version that this release cannot read.
    Never raises.
    """
    try:
        message = _decoder.decode(body)
    except (ValueError, RecursionError):
        return _slowly(body)
    connection = connection_of(message.v, message.connection)
    # The two rules that no type expresses: the names of connections, and sessions that are dates.
    if connection is None or not all(map(is_session, set(map(_session, message.ticks)))):
        return _slowly(body)
    epoch, seq, at, feed, since = message.epoch, message.seq, message.at, message.feed, message.since
    doubts = doubts_from_plain(message.doubts) if message.doubts else {}
    rest = message.source, message.phase, message.ticks, doubts, words(message.notice), message.reassigned
    return Batch(epoch, seq, at, feed, since, *rest, connection)


def _slowly(body: bytes | memoryview) -> Batch | None:
    try:
        batch = batch_from_plain(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    # All batches have their ticks in one form, so that consecutive ticks of an instrument can be compared.
    return batch and batch._replace(ticks=[_wire_tick(tick_of(tick)) for tick in batch.ticks])


def _wire_tick(tick: Tick) -> _DecodedTick:
    rupees = {name: None if (price := getattr(tick, name)) is None else price / SCALE for name in _PRICES}
    return _DecodedTick(**{**tick._asdict(), **rupees})
