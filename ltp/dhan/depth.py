"""The depth in a full packet, from its bytes. Called a few times a second, not for each packet."""

from __future__ import annotations

from collections.abc import Iterable

from ltp.core.money import SCALE, Price, is_currency, price_from_float32
from ltp.core.ticks.depth import Depth, Level
from ltp.dhan.packets import FullPacket, decode


def read_depth(key: str, packet: bytes, received_at: int) -> Depth | None:
    """Return the depth of one full packet, None if the bytes are none.

    Levels without a quantity or with an impossible price are left out. Prices for which float32 is too coarse
    are not snapped.
    """
    found = decode(packet)[0]
    full = found[0] if found else None
    if not isinstance(full, FullPacket):
        return None
    currency = is_currency(key)
    return Depth(
        key,
        received_at,
        _side(((each.bid_price, each.bid_qty, each.bid_orders) for each in full.depth), currency=currency),
        _side(((each.ask_price, each.ask_qty, each.ask_orders) for each in full.depth), currency=currency),
        _average(full.atp),
        full.buy_qty,
        full.sell_qty,
    )


def _side(levels: Iterable[tuple[float, int, int]], *, currency: bool) -> tuple[Level, ...]:
    priced = ((price_from_float32(rupees, currency=currency), qty, orders) for rupees, qty, orders in levels)
    return tuple(Level(price, qty, orders) for price, qty, orders in priced if price is not None and qty)


def _average(rupees: float) -> Price | None:
    # An average is on no grid of prices, so it is rounded to 1/10,000 rupee and not to a paisa.
    return None if price_from_float32(rupees, currency=True) is None else round(rupees * SCALE)
