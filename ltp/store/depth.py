"""Depth and details of the instruments on open quote pages: the demand for them, and their values.

Values have keys of their own and travel on no channel: the web processes with an open quote page read them a
few times a second, and all others never see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson
import redis

from ltp.core.money import MAX_PRICE, SCALE, Price, rupees
from ltp.core.ticks.depth import LEVELS, Depth, Level, QuoteDetails
from ltp.store import keys as names
from ltp.store import wishes
from ltp.store.client import translated

MOST: Final = 50  # instruments in full mode, whichever programs want them
_MOST_WISHES: Final = 1_000  # the pages of twenty web processes
_MAX_VALUE: Final = 4_096  # bytes; a depth has 700, so a longer value is another program's
_MAX_COUNT: Final = 2**63


class Known(NamedTuple):
    """The values of one instrument, None where Redis has none, or those of another source."""

    depth: Depth | None = None
    details: QuoteDetails | None = None


NOTHING: Final = Known()


def want(client: redis.Redis, keys: Iterable[str], until: float) -> None:
    """Want depth and details of `keys` until then, in seconds since the epoch.

    Raises:
        StoreError: Redis cannot be written.
    """
    scores = dict.fromkeys(keys, until)
    if scores:
        with translated("writing the demand for depth"):
            client.zadd(names.DEMAND_DEPTH, scores, gt=True)


def wanted(client: redis.Redis, now: float, until: float) -> list[str]:
    """Return the wanted keys at `now`, the latest end first; remove those that have expired.

    There may be more than MOST, up to 1,000. Of more those that were renewed last are kept: an open page renews its
    wish.

    Args:
        until: the latest end of a wish. A later one was written by a clock that is ahead, and is removed.
    Raises:
        StoreError: Redis cannot be read.
    """
    with translated("reading the demand for depth"):
        return wishes.read(client, names.DEMAND_DEPTH, now, latest=until, most=_MOST_WISHES)


def write(client: redis.Redis, source: str, depths: Iterable[Depth]) -> None:
    """Store depths for 30 s.

    Raises:
        StoreError: Redis cannot be written.
    """
    _write(client, {names.depth(each.key): _of_depth(each, source) for each in depths}, names.DEPTH_TTL_S)


def write_details(client: redis.Redis, source: str, details: Iterable[QuoteDetails]) -> None:
    """Store details for 15 minutes.

    Raises:
        StoreError: Redis cannot be written.
    """
    values = {names.details(each.key): _of_details(each, source) for each in details}
    _write(client, values, names.DETAILS_TTL_S)


def read(client: redis.Redis, source: str, keys: Sequence[str]) -> list[Known]:
    """Return the values of `keys` in their order, read with one MGET.

    Nothing in them is trusted: a damaged value is none.

    Args:
        source: of the prices that are shown; values of another source are none.
    Raises:
        StoreError: Redis cannot be read.
    """
    if not keys:
        return []
    with translated("reading depth"):
        values: Any = client.mget([*map(names.depth, keys), *map(names.details, keys)])
    depths, details = values[: len(keys)], values[len(keys) :]
    return [
        Known(_depth(key, _plain(depth, source)), _details(key, _plain(detail, source)))
        for key, depth, detail in zip(keys, depths, details, strict=True)
    ]


def _write(client: redis.Redis, values: dict[str, bytes], ttl_s: int) -> None:
    if not values:
        return
    with translated("writing depth"):
        pipe: Any = client.pipeline(transaction=False)
        for name, value in values.items():
            pipe.set(name, value, ex=ttl_s)
        pipe.execute()


def _of_depth(depth: Depth, source: str) -> bytes:
    return orjson.dumps(
        {
            "at": depth.received_at,
            "source": source,
            "bids": [_of_level(level) for level in depth.bids],
            "asks": [_of_level(level) for level in depth.asks],
            "average": _of_price(depth.average),
            "buy": depth.buy_quantity,
            "sell": depth.sell_quantity,
        }
    )


def _of_level(level: Level) -> tuple[float, int, int]:
    return rupees(level.price), level.quantity, level.orders


def _of_details(details: QuoteDetails, source: str) -> bytes:
    return orjson.dumps(
        {
            "at": details.received_at,
            "source": source,
            **{name: _of_price(getattr(details, name)) for name in _PRICES},
            **{name: getattr(details, name) for name in _COUNTS},
        }
    )


def _of_price(price: Price | None) -> float | None:
    return None if price is None else rupees(price)


def _plain(value: Any, source: str) -> dict[str, Any] | None:
    if not isinstance(value, bytes) or len(value) > _MAX_VALUE:
        return None
    try:
        plain = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(plain, dict) or plain.get("source") != source or _count(plain.get("at")) is None:
        return None
    return plain


def _depth(key: str, plain: dict[str, Any] | None) -> Depth | None:
    bids, asks = (_side(plain.get(name)) for name in ("bids", "asks")) if plain else (None, None)
    if plain is None or bids is None or asks is None:
        return None
    buy, sell = _count(plain.get("buy")) or 0, _count(plain.get("sell")) or 0
    return Depth(key, plain["at"], bids, asks, _price(plain.get("average")), buy, sell)


def _side(plain: Any) -> tuple[Level, ...] | None:
    """Return the levels of a side, None if one of them is damaged."""
    if not isinstance(plain, list) or len(plain) > LEVELS:
        return None
    levels = []
    for each in plain:
        if not isinstance(each, list) or len(each) != 3:
            return None
        price, quantity, orders = _price(each[0]), _count(each[1]), _count(each[2])
        if price is None or quantity is None or orders is None:
            return None
        levels.append(Level(price, quantity, orders))
    return tuple(levels)


def _details(key: str, plain: dict[str, Any] | None) -> QuoteDetails | None:
    if plain is None:
        return None
    prices = {name: _price(plain.get(name)) for name in _PRICES}
    counts = {name: _count(plain.get(name)) for name in _COUNTS}
    return QuoteDetails(key, plain["at"], **prices, **counts)


def _price(value: Any) -> Price | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value * SCALE) if 0 < value <= MAX_PRICE / SCALE else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < _MAX_COUNT else None


_PRICES: Final = ("lower", "upper", "average")
_COUNTS: Final = ("oi_low", "oi_high")
