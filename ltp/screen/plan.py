"""Stops, targets and quantities: from levels in rupees to prices that an order could carry.

The last step of a strategy. Knows no setup and no criterion; every number it gives can be worked out by hand
from the constants here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from ltp.core.money import SCALE, Price
from ltp.core.sizing import Sizing, quantity
from ltp.screen.finding import price_text

ATR_BELOW_LOW: Final = 0.25  # below a low, so that a mere touch of it does not end the trade
LEAST_ATRS: Final = 1.0  # nearer than this a stop is hit by an ordinary day
MOST_ATRS: Final = 3.0
MOST_RISK_PCT: Final = 8.0  # of the entry; more is no swing trade
NOISE_ATRS: Final = 1.5  # where every low is too near
TARGET_R: Final = 2.0
RESISTANCE_FROM_R: Final = 1.5  # a resistance nearer than this pays too little for the risk
RESISTANCE_TO_R: Final = 3.0  # farther is not the next thing to happen
_USUAL_TICK: Final = 500  # ₹0.05: a multiple of every tick of NSE's shares


class Level(NamedTuple):
    """A price in rupees and what it is, as words for a sentence."""

    price: float
    name: str


class Position(NamedTuple):
    """`risk`: quantity × (entry − stop). Where not one share fits, `quantity` and `risk` are None and
    `reason` says why.
    """

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


def stop_on_tick(stop: float, entry: Price, tick: Price, most_pct: float) -> Price | None:
    """Return the stop on the tick below, or where that is past `most_pct` of the entry, the farthest tick
    that is not.

    None where neither lies between 0 and the entry: the tick is too coarse for the price.
    """
    farthest = entry * (1 - most_pct / 100) / SCALE
    price = max(tick_below(stop, tick), tick_above(farthest, tick))
    return price if 0 < price < entry else None


def choose_stop(entry: float, atr: float, lows: Iterable[Level]) -> Level | None:
    """Return the stop: 0.25 ATR below the first of `lows` that leaves a risk of 1 to 3 ATR and at most 8% of
    the entry.

    Where none does but one is too near, 1.5 ATR below the entry (which is below that low too). None where all
    are too far: only an absurd stop is left.

    Args:
        lows: supports in order of preference, rupees; an unknown one is NaN.
    """
    farthest = min(MOST_ATRS * atr, entry * MOST_RISK_PCT / 100)
    near = False
    for low in lows:
        stop = low.price - ATR_BELOW_LOW * atr
        if LEAST_ATRS * atr <= entry - stop <= farthest:
            return Level(stop, f"{ATR_BELOW_LOW:g} ATR below the {low.name}")
        near |= entry - stop < LEAST_ATRS * atr
    if near and NOISE_ATRS * atr <= farthest:
        return Level(entry - NOISE_ATRS * atr, f"{NOISE_ATRS:g} ATR below the entry")
    return None


def choose_target(entry: float, stop: float, resistances: Iterable[Level]) -> Level:
    """Return the nearest resistance that is worth at least 1.5 R, but no more than 3 R; 2 R where there is
    none. Rupees.
    """
    risk = entry - stop
    for level in sorted(resistances):
        if level.price - entry >= RESISTANCE_FROM_R * risk:
            most = Level(entry + RESISTANCE_TO_R * risk, f"{RESISTANCE_TO_R:g} R")
            return min(level, most)
    return Level(entry + TARGET_R * risk, f"{TARGET_R:g} R")


def size(entry: Price, stop: Price, sizing: Sizing, most_pct: float) -> Position:
    """Return how many whole shares fit both the risk of a trade and `most_pct` per cent of the capital."""
    shares = quantity(entry, stop, sizing, most_pct)
    if shares:
        return Position(shares, shares * (entry - stop), "")
    budget, room = round(sizing.risk_per_trade * SCALE), round(sizing.capital * SCALE * most_pct / 100)
    if budget < entry - stop:
        return Position(
            None,
            None,
            f"One share risks {price_text(entry - stop)}, more than the {price_text(budget)} of a trade.",
        )
    reason = (
        f"One share costs {price_text(entry)}, more than {most_pct:g}% of the capital ({price_text(room)})."
    )
    return Position(None, None, reason)
