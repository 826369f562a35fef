"""The setup of the swing strategy, its sentences and its plan.

The first of these checks that applies decides: the trend is broken, the price is extended, there is a trigger
worth its risk, there is a resistance to wait for, else a pullback. A setup without a sane plan is NOT_READY.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ltp.core.money import Price
from ltp.core.sizing import MAX_POSITION_PCT, Sizing
from ltp.screen import swing_reading
from ltp.screen.facts import lowest
from ltp.screen.finding import (
    NOT_READY,
    READY,
    WAIT_BREAKOUT,
    WAIT_PULLBACK,
    Finding,
    not_ready,
    rupees_text,
    too_short,
)
from ltp.screen.plan import (
    MAX_ATRS,
    MAX_RISK_PCT,
    MIN_ATRS,
    RESISTANCE_FROM_R,
    Level,
    choose_stop,
    choose_target,
    nearest_tick,
    size,
    stop_on_tick,
    tick_above,
)
from ltp.screen.study import Study
from ltp.screen.swing_reading import SwingReading

REACH_ATRS: Final = 2.0  # a farther resistance is out of reach for the next days
ABOVE_RESISTANCE_ATRS: Final = 0.1  # the entry is above the resistance, not at it
_NO_STOP: Final = f"no low leaves a stop {MIN_ATRS:g} to {MAX_ATRS:g} ATR and at most {MAX_RISK_PCT:g}% below"
_CLEAR_ATRS: Final = 0.5  # a nearer high above the entry is being tested and no target


class EntryZone(NamedTuple):
    """Rupees. The entry is between `low` and `high`; risk and reward are computed at `entry`."""

    entry: float
    low: float
    high: float
    stop: Level
    target: Level


class Order(NamedTuple):
    setup: str
    zone: EntryZone
    why: str
    invalid: str


def advise(study: Study, sizing: Sizing, tick_size: Price) -> Finding:
    """Return the setup with its sentences and, unless it is NOT_READY, its plan."""
    if missing := swing_reading.unknown(study.facts):
        return too_short(missing)
    share = swing_reading.read(study.facts)
    return decide(share, _supports(study, share), sizing, tick_size)


def decide(share: SwingReading, supports: tuple[Level, ...], sizing: Sizing, tick_size: Price) -> Finding:
    """As `advise`. `supports`: levels below which a stop may be set, in order of preference."""
    broken, doubtful = swing_reading.broken_trend(share), swing_reading.doubtful_trend(share)
    if broken:
        return not_ready("No uptrend", broken + doubtful)
    order = None if doubtful else _ready_now(share, supports)
    if not isinstance(order, Order):
        order = _breakout(share, supports) or (order and _pullback(share, supports, order))
    if order:
        return _planned(order, sizing, tick_size) or _too_wide(share)
    return not_ready("The uptrend is in doubt", doubtful) if doubtful else _too_wide(share)


def _supports(study: Study, share: SwingReading) -> tuple[Level, ...]:
    low = study.daily.candles.low
    lows = tuple(Level(lowest(low, sessions), f"{sessions}-day low") for sessions in (10, 20, 5, 3))
    return (*lows, Level(share.ema50, "EMA 50"))


def _entry_zone(
    share: SwingReading, entry: float, low: float, high: float, supports: tuple[Level, ...]
) -> EntryZone | None:
    stop = choose_stop(entry, share.atr, supports)
    if stop is None:
        return None
    return EntryZone(entry, low, high, stop, choose_target(entry, stop.price, _resistances(share, entry)))


def _resistances(share: SwingReading, entry: float) -> list[Level]:
    highs = (
        Level(share.high20, "20-day high"),
        Level(share.high55, "55-day high"),
        Level(share.high52, "52-week high"),
    )
    return [level for level in highs if level.price > entry + _CLEAR_ATRS * share.atr]


def _ready_now(share: SwingReading, supports: tuple[Level, ...]) -> Order | str:
    """Return a READY order, or the reason against it: extended, no trigger, no stop, resistance too near."""
    if far := swing_reading.extension(share):
        return f"extended: {far}"
    trigger = swing_reading.trigger(share)
    if not trigger:
        return f"no trigger yet: {swing_reading.untriggered(share)}"
    zone = _entry_zone(
        share, share.price, share.price - 0.5 * share.atr, share.price + 0.25 * share.atr, supports
    )
    if zone is None:
        return f"{trigger} and {_NO_STOP} the price"
    for level in _resistances(share, share.price):
        if (reward := _reward(zone, level)) < RESISTANCE_FROM_R:
            return f"the {level.name} {rupees_text(level.price)} is only {reward:.1f} R away"
    above_stop = share.supertrend > zone.stop.price
    return Order(
        READY,
        zone,
        f"Uptrend ({swing_reading.strength(share)}); {trigger}.",
        f"A close below the Supertrend {rupees_text(share.supertrend)}."
        if above_stop
        else "A fall to the stop.",
    )


def _reward(zone: EntryZone, level: Level) -> float:
    return (level.price - zone.entry) / (zone.entry - zone.stop.price)


def _breakout(share: SwingReading, supports: tuple[Level, ...]) -> Order | None:
    """Return a WAIT_BREAKOUT order if a resistance is within reach and the price is not extended."""
    if swing_reading.extension(share):
        return None
    highs = (
        Level(share.high52, "52-week high"),
        Level(share.high55, "55-day high"),
        Level(share.high20, "20-day high"),
    )
    within = [level for level in highs if 0 < level.price - share.price <= REACH_ATRS * share.atr]
    if not within:
        return None
    above = max(within, key=lambda level: level.price)
    entry = above.price + ABOVE_RESISTANCE_ATRS * share.atr
    zone = _entry_zone(share, entry, entry, entry + 0.5 * share.atr, supports)
    away = above.price - share.price
    return zone and Order(
        WAIT_BREAKOUT,
        zone,
        f"Resistance at the {above.name} {rupees_text(above.price)}, {away / share.atr:.1f} ATR "
        f"({100 * away / share.price:.1f}%) above the close; {swing_reading.strength(share)}. "
        "Buy when the price goes through it.",
        f"A close below the EMA 50 {rupees_text(share.ema50)} before the breakout.",
    )


def _pullback(share: SwingReading, supports: tuple[Level, ...], reason: str) -> Order | None:
    zone = _entry_zone(
        share, share.ema20, share.ema20 - 0.25 * share.atr, share.ema20 + 0.5 * share.atr, supports
    )
    do = "Buy near the EMA 20" if share.price >= share.ema20 else "Buy when it closes above the EMA 20 again"
    return zone and Order(
        WAIT_PULLBACK,
        zone,
        f"Uptrend ({swing_reading.strength(share)}), but {reason}. {do}, {rupees_text(share.ema20)}.",
        f"A close below the EMA 50 {rupees_text(share.ema50)}: no pullback, but the end of the trend.",
    )


def _planned(order: Order, sizing: Sizing, tick: Price) -> Finding | None:
    zone = order.zone
    rounded = tick_above if order.setup == WAIT_BREAKOUT else nearest_tick
    entry = rounded(zone.entry, tick)
    stop = stop_on_tick(zone.stop.price, entry, tick, MAX_RISK_PCT)
    if stop is None:
        return None
    low = rounded(zone.low, tick)
    position = size(entry, stop, sizing, MAX_POSITION_PCT)
    plan = f"Stop {zone.stop.name}, target {zone.target.name}."
    return Finding(
        order.setup,
        " ".join(filter(None, (order.why, plan, position.reason))),
        order.invalid,
        entry=entry,
        entry_low=low if stop < low < entry else entry,
        entry_high=max(rounded(zone.high, tick), entry),
        stop=stop,
        target=max(nearest_tick(zone.target.price, tick), 2 * entry - stop),
        quantity=position.quantity,
        risk=position.risk,
    )


def _too_wide(share: SwingReading) -> Finding:
    return Finding(
        NOT_READY,
        f"Uptrend ({swing_reading.strength(share)}), but {_NO_STOP} any entry.",
        "Another look once the price has rested and left a nearer low.",
    )
