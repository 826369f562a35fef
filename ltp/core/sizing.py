"""How many shares a plan buys: what fits both the risk of a trade and a share of the capital. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price
from ltp.core.screener import Row

MOST_POSITION_PCT: Final = 25.0  # of the capital in one share
MOST_ALLOCATION_PCT: Final = 10.0  # the same for a holding of years


class Sizing(NamedTuple):
    """What the trader can lose and spend, rupees: `capital` in all, `risk_per_trade` between entry and stop."""

    capital: float
    risk_per_trade: float


def most_pct(kind: str) -> float:
    """Return how much of the capital may lie in one share of a screener's list, per cent."""
    return MOST_ALLOCATION_PCT if kind == "longterm" else MOST_POSITION_PCT


def quantity(entry: Price, stop: Price, sizing: Sizing, most_pct: float) -> int:
    """Return how many whole shares fit the risk of a trade and `most_pct` per cent of the capital; 0 where
    none does.
    """
    budget, room = round(sizing.risk_per_trade * SCALE), round(sizing.capital * SCALE * most_pct / 100)
    return min(budget // (entry - stop), room // entry)


def share_pct(cost: Price, sizing: Sizing) -> float:
    """Return which part of the capital a cost is, per cent."""
    return round(100 * cost / (sizing.capital * SCALE), 2)


def resized(row: Row, sizing: Sizing, most_pct: float) -> Row:
    """Return the row with the quantity that its plan has under `sizing`, and what follows from it; the same
    row where nothing changes or it has no entry and stop.
    """
    entry, stop = row.entry, row.stop
    if entry is None or stop is None or not 0 < stop < entry:
        return row
    shares = quantity(entry, stop, sizing, most_pct) or None
    risk, cost = (None, None) if shares is None else (shares * (entry - stop), shares * entry)
    if most_pct != MOST_ALLOCATION_PCT:
        return row if (shares, risk) == (row.quantity, row.risk) else row._replace(quantity=shares, risk=risk)
    part = None if cost is None else share_pct(cost, sizing)
    if (shares, risk, cost, part) == (row.quantity, row.risk, row.allocation, row.allocation_pct):
        return row
    return row._replace(quantity=shares, risk=risk, allocation=cost, allocation_pct=part)
