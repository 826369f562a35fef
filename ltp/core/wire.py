"""What travels on `live_ltp_updates` and lies under `tick:` keys, to and from plain values. JSON itself is `store`'s.

The reader believes nothing: a message of another shape gives None, a damaged tick is left out, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, cast

from ltp.core.money import MAX_PRICE, SCALE, Price
from ltp.core.tick import Feed, Tick

VERSION = 1
FEEDS = ("live", "silent", "down", "off")
_PRICES = ("open", "high", "low", "prev_close")
_COUNTS = ("volume", "oi")
_MAX_COUNT = 2**63
# No instant of the feed is later than its 32 bits of seconds; one that is would not even make a date.
_MAX_EPOCH_S = 2**32


class Batch(NamedTuple):
    """One message of the worker.

    `epoch` changes whenever the worker can no longer vouch for continuity; within one, `seq` rises by one a message.
    `at`: microseconds since the epoch, rising over all messages ever; the id of the events made from it.
    `since`: microseconds; the present connection was subscribed then, 0 while there is none. A price not received since
    is not covered.
    """

    epoch: str
    seq: int
    at: int
    feed: Feed
    since: int
    source: str
    phase: Mapping[str, str]
    ticks: list[Tick]


def tick_to_plain(tick: Tick) -> dict[str, Any]:
    """Return the JSON object of a `tick:` key, prices as numbers in rupees, None fields left out."""
    plain: dict[str, Any] = {
        "ltp": None if tick.ltp is None else tick.ltp / SCALE,
        "ltt": tick.ltt,
        "received_at": tick.received_at,
    }
    if tick.volume is not None:
        plain["volume"] = tick.volume
    for name in _PRICES:
        price = getattr(tick, name)
        if price is not None:
            plain[name] = price / SCALE
    if tick.oi is not None:
        plain["oi"] = tick.oi
    plain["session"] = tick.session
    plain["traded_at"] = tick.traded_at
    if tick.rest:
        plain["rest"] = True
    return plain


def tick_from_plain(key: str, plain: Any) -> Tick | None:
    """Read a tick back; None when `plain` is not an object of that shape."""
    if not isinstance(plain, dict):
        return None
    ltt, received_at, traded_at, session = (
        plain.get("ltt"),
        plain.get("received_at"),
        plain.get("traded_at", 0),
        plain.get("session", ""),
    )
    received_at, traded_at = cast(int, received_at), cast(int, traded_at)
    if not (_is_instant(received_at) and _is_instant(traded_at) and _is_ltt(ltt) and _is_session(session)):
        return None
    return Tick(
        key,
        _price(plain.get("ltp")),
        ltt,
        received_at,
        _count(plain.get("volume")),
        _price(plain.get("open")),
        _price(plain.get("high")),
        _price(plain.get("low")),
        _price(plain.get("prev_close")),
        _count(plain.get("oi")),
        session,
        traded_at,
        plain.get("rest") is True,
    )


def batch_to_plain(batch: Batch) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "v": VERSION,
        "epoch": batch.epoch,
        "seq": batch.seq,
        "at": batch.at,
        "feed": batch.feed,
        "since": batch.since,
        "source": batch.source,
        "phase": dict(batch.phase),
        "ticks": [{"k": tick.key, **tick_to_plain(tick)} for tick in batch.ticks],
    }
    return plain


def batch_from_plain(plain: Any) -> Batch | None:
    """Read a batch back; None when `plain` is not a version-1 batch. Damaged ticks are left out."""
    if not isinstance(plain, dict) or plain.get("v") != VERSION:
        return None
    epoch, seq, at, feed, since = (plain.get(name) for name in ("epoch", "seq", "at", "feed", "since"))
    phase, ticks, source = plain.get("phase"), plain.get("ticks"), plain.get("source", "")
    if not (isinstance(epoch, str) and _is_count(seq) and _is_instant(at) and feed in FEEDS and _is_instant(since)):
        return None
    if not (
        isinstance(phase, dict)
        and all(isinstance(value, str) for value in phase.values())
        and isinstance(ticks, list)
        and isinstance(source, str)
    ):
        return None
    read = (tick_from_plain(tick["k"], tick) for tick in ticks if isinstance(tick, dict) and isinstance(tick.get("k"), str))
    return Batch(
        epoch,
        cast(int, seq),
        cast(int, at),
        cast(Feed, feed),
        cast(int, since),
        source,
        phase,
        [tick for tick in read if tick is not None],
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < _MAX_COUNT


def _is_instant(value: object) -> bool:
    return type(value) is int and 0 <= value < _MAX_EPOCH_S * 1_000_000


def _is_ltt(value: object) -> bool:
    return value is None or (type(value) is int and 0 <= value < _MAX_EPOCH_S)


def _is_session(value: object) -> bool:
    """Tell whether `session_date` can read it."""
    if value == "":
        return True
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _count(value: object) -> int | None:
    return cast(int, value) if _is_count(value) else None


def _price(value: object) -> Price | None:
    """A JSON number in rupees to a price; None for anything that is never shown."""
    if type(value) is not float and type(value) is not int:
        return None
    price = round(value * SCALE) if value == value and abs(value) <= MAX_PRICE else 0
    return price if 0 < price <= MAX_PRICE else None
