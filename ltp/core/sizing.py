"""The number of shares of a plan, limited by the risk of a trade and by a part of the capital."""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price
from ltp.core.screener import Row

MAX_POSITION_PCT: Final = 25.0  # of the capital in one share
MAX_ALLOCATION_PCT: Final = 10.0  # the same for a holding of years


class Sizing(NamedTuple):
    """The trader's limits in rupees: `capital`, and `risk_per_trade` between entry and stop."""

    capital: float
    risk_per_trade: float


def max_position_pct(kind: str) -> float:
    """Return the largest part of the capital in one share of a screener, per cent."""
    return MAX_ALLOCATION_PCT if kind == "longterm" else MAX_POSITION_PCT


def quantity(entry: Price, stop: Price, sizing: Sizing, max_pct: float) -> int:
    """Return how many whole shares fit the risk of a trade and `max_pct` per cent of the capital, maybe 0."""
    budget, room = round(sizing.risk_per_trade * SCALE), round(sizing.capital * SCALE * max_pct / 100)
    return min(budget // (entry - stop), room // entry)


def share_pct(cost: Price, sizing: Sizing) -> float:
    """Return a cost in per cent of the capital."""
    return round(100 * cost / (sizing.capital * SCALE), 2)


def resized(row: Row, sizing: Sizing, max_pct: float) -> Row:
    """Return the row with the quantity, risk and allocation of its plan under `sizing`.

    The same row if nothing changes, or if it has no entry and stop.
    """
    entry, stop = row.entry, row.stop
    if entry is None or stop is None or not 0 < stop < entry:
        return row
    shares = quantity(entry, stop, sizing, max_pct) or None
    risk, cost = (None, None) if shares is None else (shares * (entry - stop), shares * entry)
    if max_pct != MAX_ALLOCATION_PCT:
        return row if (shares, risk) == (row.quantity, row.risk) else row._replace(quantity=shares, risk=risk)
    part = None if cost is None else share_pct(cost, sizing)
    if (shares, risk, cost, part) == (row.quantity, row.risk, row.allocation, row.allocation_pct):
        return row
    return row._replace(quantity=shares, risk=risk, allocation=cost, allocation_pct=part)
