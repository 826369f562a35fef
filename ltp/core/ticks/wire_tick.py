"""Ticks in batches and under `tick:` keys: from parsed JSON to checked values.

Nothing in a message is trusted: a damaged tick is left out, and nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, Protocol, TypeGuard

from ltp.core.money import MAX_PRICE, SCALE, Price
from ltp.core.ticks.tick import FIRST_CONNECTION, DayPrices, Tick
from ltp.core.trading_day import is_session

MAX_COUNT: Final = 2**63
# The feed sends seconds as 32 bits. A larger number would not even make a date.
MAX_EPOCH_S: Final = 2**32
MAX_EPOCH_US: Final = MAX_EPOCH_S * 1_000_000
_PRICES: Final = ("open", "high", "low", "prev_close")
# The worker writes these into every tick; ticks of other programs may lack some.
_written: Final = itemgetter("k", "ltp", "ltt", "received_at", "session", "traded_at")
_UNWRITTEN: Final = {"k": None, "ltp": None, "ltt": None, "received_at": None, "session": "", "traded_at": 0}
_CONNECTION: Final = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
# NamedTuple's own constructor takes three times as long.
_new_tick: Final[Callable[[type[Tick], tuple[Any, ...]], Tick]] = tuple.__new__


class WireTick(Protocol):
    """A tick as received in a batch: every field checked, prices still in rupees as in the message.

    `tick_of` turns it into a Tick, which costs more than decoding it did. A web process receives ticks of
    every instrument and shows few, so most are never turned.
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


def tick_of(wire: Tick | WireTick) -> Tick:
    if isinstance(wire, Tick):
        return wire
    day = _seen_days[wire.open, wire.high, wire.low, wire.prev_close]
    times = wire.session, wire.traded_at, wire.rest
    return _new_tick(
        Tick,
        (wire.key, _seen_prices[wire.ltp], wire.ltt, wire.received_at, wire.volume, day, wire.oi, *times),
    )


def tick_from_plain(key: str, plain: Any) -> Tick | None:
    """Return the tick in the parsed value of a `tick:` key, None if it is damaged or something else."""
    ticks = read([{**plain, "k": key}]) if isinstance(plain, dict) else []
    return ticks[0] if ticks else None


def connection_from_plain(plain: Any) -> str | None:
    """Return the connection that a tick came by, the first if it names none; None if it is damaged."""
    if not isinstance(plain, dict):
        return None
    connection = plain.get("connection", FIRST_CONNECTION)
    return connection if is_connection(connection) else None


def read(plains: list[Any]) -> list[Tick]:
    """Return the ticks of parsed objects with their key under "k", without those that have no key or an
    impossible instant.

    One loop without a call per field, because a call costs as much as the work of two fields.
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
        if oi is not None and not is_count(oi):
            oi = None
        try:
            ltp, opened, high, low, close = (
                prices[ltp], prices[get("open")], prices[get("high")], prices[get("low")], prices[get("prev_close")],
            )  # fmt: skip
        except TypeError:  # a list or an object, which cannot be looked up in a dictionary
            ltp, opened, high, low, close = map(_price, (ltp, *map(get, _PRICES)))
        rest, day = get("rest") is True, DayPrices(opened, high, low, close)
        ticks.append(new(Tick, (key, ltp, ltt, received_at, volume, day, oi, session, traded_at, rest)))
    return ticks


def is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_COUNT


def is_instant(value: object) -> bool:
    return type(value) is int and 0 <= value < MAX_EPOCH_US


def is_connection(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _CONNECTION.fullmatch(value) is not None


def _price(value: object) -> Price | None:
    """Return the price of a JSON number in rupees, None for anything that is never shown."""
    if type(value) is not float and type(value) is not int:
        return None
    price = round(value * SCALE) if value == value and abs(value) <= MAX_PRICE else 0
    return price if 0 < price <= MAX_PRICE else None


class _SeenPrices(dict[object, Price | None]):
    """Cache of `_price`, a quarter as expensive: every tick repeats the prices of its day, and most ltps were
    seen before.
    """

    def __missing__(self, value: object) -> Price | None:
        price = _price(value)
        if len(self) >= _PRICES_KEPT:
            self.clear()
        if value != 0 and value != 1:  # True is equal to 1 but is no price
            self[value] = price
        return price


class _SeenDays(dict[tuple[float | None, ...], DayPrices]):
    """Cache of DayPrices by their rupees: an instrument keeps one object while its day is the same."""

    def __missing__(self, rupees: tuple[float | None, ...]) -> DayPrices:
        if len(self) >= _DAYS_KEPT:
            self.clear()
        day = self[rupees] = DayPrices(*(_seen_prices[each] for each in rupees))
        return day


_PRICES_KEPT: Final = 1 << 16
_DAYS_KEPT: Final = 1 << 14
_seen_prices: Final = _SeenPrices()
_seen_days: Final = _SeenDays()
