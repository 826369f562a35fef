"""The order book of one instrument, and the values of its day that only the broker's REST side has.

Both are asked for while a quote page is open, and for no other instrument.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.money import Price

LEVELS: Final = 5
LIVE_FOR_US: Final = 10_000_000  # a depth received longer ago is not shown as live


class Level(NamedTuple):
    """The orders at one price. `quantity`: in units of the instrument. `orders`: how many, 0 if unknown."""

    price: Price
    quantity: int
    orders: int


class Depth(NamedTuple):
    """At most five levels of a side, best first; without orders a side is empty.

    `received_at`: microseconds since the epoch. `average`: price of the day's trades, None before the first.
    `buy_quantity`, `sell_quantity`: of all orders, those beyond the five levels included.
    """

    key: str
    received_at: int
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    average: Price | None = None
    buy_quantity: int = 0
    sell_quantity: int = 0


class QuoteDetails(NamedTuple):
    """Values of the day by REST. Prices in 1/10,000 rupee, None if there are none, as for an index.

    `received_at`: microseconds since the epoch. `lower`, `upper`: the circuit limits. `average`: as of Depth.
    `oi_low`, `oi_high`: lowest and highest open interest of the day, None if unknown.
    """

    key: str
    received_at: int
    lower: Price | None = None
    upper: Price | None = None
    average: Price | None = None
    oi_low: int | None = None
    oi_high: int | None = None


def has_depth(key: str) -> bool:
    """Return whether an instrument has orders: an index has none."""
    return not key.startswith("IDX_I:")
