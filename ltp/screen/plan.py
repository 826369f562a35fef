"""Stops, targets and quantities: from levels in rupees to prices on the tick.

The last step of a strategy. All its numbers can be computed by hand from the constants here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price
from ltp.core.sizing import Sizing, quantity
from ltp.screen.finding import price_text

ATR_BELOW_LOW: Final = 0.25  # below a low, so that a mere touch of it does not end the trade
MIN_ATRS: Final = 1.0  # an ordinary day hits a nearer stop
MAX_ATRS: Final = 3.0
MAX_RISK_PCT: Final = 8.0  # of the entry; more is no swing trade
NOISE_ATRS: Final = 1.5  # the distance of the stop if every low is too near
TARGET_R: Final = 2.0
RESISTANCE_FROM_R: Final = 1.5  # a nearer resistance pays too little for the risk
RESISTANCE_TO_R: Final = 3.0  # a farther one is no target for the next days
_USUAL_TICK: Final = 500  # ₹0.05: a multiple of every tick of NSE's shares


class Level(NamedTuple):
    """A price in rupees and its name for a sentence."""

    price: float
    name: str


class Position(NamedTuple):
    """`risk`: quantity × (entry − stop). If not one share fits, both are None and `reason` is a sentence."""

    quantity: int | None
    risk: Price | None
    reason: str


def nearest_tick(value: float, tick: Price) -> Price:
    tick = tick if tick > 0 else _USUAL_TICK
    return max(tick, round(value * SCALE / tick) * tick)


def tick_below(value: float, tick: Price) -> Price:
    tick = tick if tick > 0 else _USUAL_TICK
    return math.floor(round(value * SCALE) / tick) * tick


def tick_above(value: float, tick: Price) -> Price:
    tick = tick if tick > 0 else _USUAL_TICK
    return math.ceil(round(value * SCALE) / tick) * tick


def stop_on_tick(stop: float, entry: Price, tick: Price, max_pct: float) -> Price | None:
    """Return the stop on the tick below, or on the farthest tick within `max_pct` of the entry.

    None if neither is between 0 and the entry: the tick is too coarse for the price.
    """
    farthest = entry * (1 - max_pct / 100) / SCALE
    price = max(tick_below(stop, tick), tick_above(farthest, tick))
    return price if 0 < price < entry else None


def choose_stop(entry: float, atr: float, lows: Iterable[Level]) -> Level | None:
    """Return a stop 0.25 ATR below the first of `lows` with a risk of 1 to 3 ATR and at most 8% of the entry.

    If no low fits and one is too near, 1.5 ATR below the entry (which is below that low too). None if all are
    too far.

    Args:
        lows: supports in order of preference, rupees; an unknown one is NaN.
    """
    farthest = min(MAX_ATRS * atr, entry * MAX_RISK_PCT / 100)
    near = False
    for low in lows:
        stop = low.price - ATR_BELOW_LOW * atr
        if MIN_ATRS * atr <= entry - stop <= farthest:
            return Level(stop, f"{ATR_BELOW_LOW:g} ATR below the {low.name}")
        near |= entry - stop < MIN_ATRS * atr
    if near and NOISE_ATRS * atr <= farthest:
        return Level(entry - NOISE_ATRS * atr, f"{NOISE_ATRS:g} ATR below the entry")
    return None


def choose_target(entry: float, stop: float, resistances: Iterable[Level]) -> Level:
    """Return the nearest resistance from 1.5 R on, at most 3 R; 2 R if there is none. Rupees."""
    risk = entry - stop
    for level in sorted(resistances):
        if level.price - entry >= RESISTANCE_FROM_R * risk:
            farthest = Level(entry + RESISTANCE_TO_R * risk, f"{RESISTANCE_TO_R:g} R")
            return min(level, farthest)
    return Level(entry + TARGET_R * risk, f"{TARGET_R:g} R")


def size(entry: Price, stop: Price, sizing: Sizing, max_pct: float) -> Position:
    """Return how many whole shares fit both the risk of a trade and `max_pct` per cent of the capital."""
    shares = quantity(entry, stop, sizing, max_pct)
    if shares:
        return Position(shares, shares * (entry - stop), "")
    budget, room = round(sizing.risk_per_trade * SCALE), round(sizing.capital * SCALE * max_pct / 100)
    if budget < entry - stop:
        return Position(
            None,
            None,
            f"One share risks {price_text(entry - stop)}, more than the {price_text(budget)} of a trade.",
        )
    reason = (
        f"One share costs {price_text(entry)}, more than {max_pct:g}% of the capital ({price_text(room)})."
    )
    return Position(None, None, reason)
