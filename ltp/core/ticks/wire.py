"""What travels on `live_ltp_updates` and lies under `tick:` keys, to and from plain values. JSON itself is
`store`'s.

The reader believes nothing: a message of another shape gives None, a damaged tick is left out, never an
exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple, Protocol, cast

from ltp.core.money import MAX_PRICE, SCALE, Price
from ltp.core.ticks.tick import DayPrices, Feed, Tick

VERSION = 1
FIRST_SEQ = 1  # of an epoch: whoever hears it reads everything again
FEEDS = ("live", "silent", "down", "off")
_PRICES = ("open", "high", "low", "prev_close")
MAX_COUNT = 2**63
# No instant of the feed is later than its 32 bits of seconds; one that is would not even make a date.
MAX_EPOCH_S = 2**32
MAX_EPOCH_US = MAX_EPOCH_S * 1_000_000
_IN_TIME: Mapping[str, str] = {}
_WORDS = re.compile(r"[a-z][A-Za-z0-9' ]{0,59}", re.ASCII)
# What the worker leaves out of no tick; anybody else's may lack some of it.
_written = itemgetter("k", "ltp", "ltt", "received_at", "session", "traded_at")
_UNWRITTEN = {"k": None, "ltp": None, "ltt": None, "received_at": None, "session": "", "traded_at": 0}
_NONE: Mapping[str, int] = {}
# NamedTuple's own constructor takes three times as long.
_new_tick: Callable[[type[Tick], tuple[Any, ...]], Tick] = tuple.__new__


class WireTick(Protocol):
    """A tick as a message told it: every field believed, the prices still the message's numbers, in rupees.

    `tick_of` makes a Tick of it, which costs more than reading it did: of most instruments nobody looks at
    each.
    """

    key: str
    ltp: float | None
    ltt: int | None
    received_at: int
    volume: int | None
    open: float | None
    high: float | None
    low: float | None
    prev_close: float | None
    oi: int | None
    session: str
    traded_at: int
    rest: bool


class Batch(NamedTuple):
    """One message of the worker.

    `epoch` changes whenever the worker can no longer vouch for continuity; within one, `seq` rises by one a
    message. `at`: microseconds since the epoch, rising over all messages ever; the id of the events made from
    it. `since`: microseconds; the present connection was subscribed then, 0 while there is none. A price not
    received since is not covered. `ticks`: as written ticks, as heard maybe only told. `doubts`: segments
    whose prices may not be shown as live although the feed is, each with the reason in words, empty where
    they are merely silent. `notice`: what pages say of the trading hours, empty while they are certain.
    `reassigned`: keys that mean another instrument since an instant in microseconds: what is older is not of
    this one.
    """

    epoch: str
    seq: int
    at: int
    feed: Feed
    since: int
    source: str
    phase: Mapping[str, str]
    ticks: Sequence[Tick | WireTick]
    doubts: Mapping[str, str] = _IN_TIME
    notice: str = ""
    reassigned: Mapping[str, int] = _NONE


def tick_of(told: Tick | WireTick) -> Tick:
    if isinstance(told, Tick):
        return told
    day = _seen_days[told.open, told.high, told.low, told.prev_close]
    since = told.session, told.traded_at, told.rest
    return _new_tick(
        Tick,
        (told.key, _seen_prices[told.ltp], told.ltt, told.received_at, told.volume, day, told.oi, *since),
    )


def tick_from_plain(key: str, plain: Any) -> Tick | None:
    """Read a tick back; None when `plain` is not an object of that shape."""
    ticks = _read([{**plain, "k": key}]) if isinstance(plain, dict) else []
    return ticks[0] if ticks else None


def batch_from_plain(plain: Any) -> Batch | None:
    """Read a batch back; None when `plain` is not a version-1 batch. Damaged ticks are left out."""
    if not isinstance(plain, dict) or plain.get("v") != VERSION:
        return None
    epoch, seq, at, feed, since = (plain.get(name) for name in ("epoch", "seq", "at", "feed", "since"))
    phase, ticks, source = plain.get("phase"), plain.get("ticks"), plain.get("source", "")
    if not (
        isinstance(epoch, str) and _is_count(seq) and _is_instant(at) and feed in FEEDS and _is_instant(since)
    ):
        return None
    if not (
        isinstance(phase, dict)
        and all(isinstance(value, str) for value in phase.values())
        and isinstance(ticks, list)
        and isinstance(source, str)
    ):
        return None
    return Batch(
        epoch,
        cast(int, seq),
        cast(int, at),
        cast(Feed, feed),
        cast(int, since),
        source,
        phase,
        _read(ticks),
        doubts_from_plain(plain.get("doubts")),
        words(plain.get("notice")),
        reassigned_from_plain(plain.get("reassigned")),
    )


def words(text: Any) -> str:
    """Return a text that goes onto pages, "" where it is not plain words."""
    return text if isinstance(text, str) and _WORDS.fullmatch(text) else ""


def doubts_from_plain(plain: Any) -> Mapping[str, str]:
    """Read `Batch.doubts` back."""
    return (
        {str(segment): words(reason) for segment, reason in plain.items()}
        if isinstance(plain, dict)
        else _IN_TIME
    )


def reassigned_from_plain(plain: Any) -> Mapping[str, int]:
    """Read `Batch.reassigned` back; what is no instant is left out."""
    return {key: at for key, at in plain.items() if _is_instant(at)} if isinstance(plain, dict) else _NONE


def _read(plains: list[Any]) -> list[Tick]:
    """Read ticks with their key under "k"; what has no key or no believable instants is left out.

    Every tick of every process comes through here, hence one loop without a call per field: a call costs as
    much as the work of two fields.
    """
    ticks, prices, new, checked = [], _seen_prices, _new_tick, ""
    for plain in plains:
        if type(plain) is not dict:
            continue
        try:
            key, ltp, ltt, received_at, session, traded_at = _written(plain)
        except KeyError:
            key, ltp, ltt, received_at, session, traded_at = _written(_UNWRITTEN | plain)
        if (
            type(key) is not str
            or type(received_at) is not int
            or not 0 <= received_at < MAX_EPOCH_US
            or type(traded_at) is not int
            or not 0 <= traded_at < MAX_EPOCH_US
            or (ltt is not None and (type(ltt) is not int or not 0 <= ltt < MAX_EPOCH_S))
        ):
            continue
        if session != checked:
            if not is_session(session):
                continue
            checked = session
        get = plain.get
        volume, oi = get("volume"), get("oi")
        if type(volume) is not int or not 0 <= volume < MAX_COUNT:
            volume = None
        if oi is not None and not _is_count(oi):
            oi = None
        try:
            ltp, opened, high, low, close = (
                prices[ltp], prices[get("open")], prices[get("high")], prices[get("low")], prices[get("prev_close")],
            )  # fmt: skip
        except TypeError:  # a list or an object, which no dictionary takes for a key
            ltp, opened, high, low, close = map(_price, (ltp, *map(get, _PRICES)))
        rest, day = get("rest") is True, DayPrices(opened, high, low, close)
        ticks.append(new(Tick, (key, ltp, ltt, received_at, volume, day, oi, session, traded_at, rest)))
    return ticks


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_COUNT


def _is_instant(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_EPOCH_US


def is_session(value: object) -> bool:
    """Tell whether `session_date` can read it."""
    if value == "":
        return True
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _price(value: object) -> Price | None:
    """A JSON number in rupees to a price; None for anything that is never shown."""
    if type(value) is not float and type(value) is not int:
        return None
    price = round(value * SCALE) if value == value and abs(value) <= MAX_PRICE else 0
    return price if 0 < price <= MAX_PRICE else None


class _SeenPrices(dict[object, Price | None]):
    """`_price` from memory, at a quarter of its cost: open, high, low and close come again in every tick,
    most prices too.
    """

    def __missing__(self, value: object) -> Price | None:
        price = _price(value)
        if len(self) >= _PRICES_KEPT:
            self.clear()
        if value != 0 and value != 1:  # True is equal to 1 but is no price
            self[value] = price
        return price


class _SeenDays(dict[tuple[float | None, ...], DayPrices]):
    """Days from memory, by their prices in rupees: of an instrument one object stays while its day does."""

    def __missing__(self, rupees: tuple[float | None, ...]) -> DayPrices:
        if len(self) >= _DAYS_KEPT:
            self.clear()
        day = self[rupees] = DayPrices(*(_seen_prices[each] for each in rupees))
        return day


_PRICES_KEPT = 1 << 16
_DAYS_KEPT = 1 << 14
_seen_prices = _SeenPrices()
_seen_days = _SeenDays()
